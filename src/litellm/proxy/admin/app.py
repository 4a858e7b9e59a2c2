"""The cold routes: validation, OpenAPI and pages are FastAPI's business. Nothing on a model's way goes through here."""

from __future__ import annotations

from importlib import resources
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from litellm._version import version
from litellm.proxy.admin.openapi import described

# Swagger UI styles its elements by attribute, and has its icons in its style sheet.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def build() -> FastAPI:
    """The application. Its OpenAPI document tells of the hot routes too, which are not its own."""
    app = FastAPI(title="LiteLLM gateway", version=version, docs_url=None, redoc_url=None, openapi_url=None)
    ui = resources.files("litellm.proxy.ui")
    page = (ui / "pages" / "docs.html").read_text(encoding="utf-8")
    document: dict[str, Any] = {}

    @app.api_route("/openapi.json", methods=["GET", "HEAD"], include_in_schema=False)
    def openapi() -> JSONResponse:
        if not document:
            document.update(described(app))
        return JSONResponse(document)

    @app.api_route("/docs", methods=["GET", "HEAD"], include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page, headers={"content-security-policy": DOCS_POLICY})

    app.mount("/docs", StaticFiles(directory=str(ui / "static")))
    return app
