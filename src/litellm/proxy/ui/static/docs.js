// All addresses are relative, so that the page also works below a path of a reverse proxy.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null, // it would ask another host
  presets: [SwaggerUIBundle.presets.apis],
});
