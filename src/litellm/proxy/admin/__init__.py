"""Cold routes: a FastAPI application behind the gateway's own server, imported when it is first needed."""
