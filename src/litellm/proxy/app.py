"""The application: an exact-path table in front of the routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from litellm.proxy import errors
from litellm.proxy.errors import RequestError
from litellm.proxy.http import PREFLIGHT, Exchange
from litellm.proxy.routes import chat, health, models
from litellm.proxy.state import Proxy

Route = Callable[[Proxy, Exchange], Awaitable[None]]

ROUTES: Mapping[str, Mapping[str, Route]] = {
    path: {method: route}
    for method, route, paths in (
        ("POST", chat.create, ("/chat/completions", "/v1/chat/completions")),
        ("GET", models.index, ("/models", "/v1/models")),
        ("GET", health.liveliness, ("/health/liveliness", "/health/liveness")),
        ("GET", health.readiness, ("/health/readiness",)),
    )
    for path in paths
}
PREFIXES: tuple[tuple[str, Mapping[str, Route]], ...] = (
    ("/v1/models/", {"GET": models.show}),
    ("/models/", {"GET": models.show}),
)
NOTHING: Mapping[str, Route] = {}


class App:
    """Serves `proxy`, which may be replaced at any time: requests that are under way keep the one they began with."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy

    async def __call__(self, http: Exchange) -> None:
        """Answer one request. Every error becomes an answer in OpenAI's shape."""
        try:
            if b"origin" in http.headers:
                self.proxy.gate.check_origin(http.headers)
            await self._route(http)(self.proxy, http)
        except Exception as error:
            if http.started:  # too late for a status: the client sees the connection end
                raise
            headers = [(b"x-litellm-call-id", http.call_id.encode("latin-1")), *errors.headers_of(error)]
            http.answer(errors.status_of(error), errors.encoded(error), headers)

    def _route(self, http: Exchange) -> Route:
        methods = ROUTES.get(http.path)
        if methods is None:
            methods = next((methods for prefix, methods in PREFIXES if http.path.startswith(prefix)), NOTHING)
        route = methods.get("GET" if http.method == "HEAD" else http.method)
        if route is not None:
            return route
        if http.method == "OPTIONS":
            return _preflight
        if methods:
            allowed = ", ".join(methods)
            raise RequestError(
                405, f"{http.method} is not allowed here; use {allowed}", headers=[(b"allow", allowed.encode())]
            )
        raise RequestError(404, f"There is no {http.method} {http.path[:200]} on this server; see docs/proxy.md")


async def _preflight(_: Proxy, http: Exchange) -> None:
    http.answer(200, b"", PREFLIGHT, b"text/plain")
