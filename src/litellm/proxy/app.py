"""The application: an exact-path table in front of the routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from litellm._containment import contained
from litellm.operations import OPERATIONS, Operation
from litellm.proxy import errors
from litellm.proxy.calls import calling
from litellm.proxy.errors import RequestError
from litellm.proxy.http import PREFLIGHT, Exchange
from litellm.proxy.limits import CONCURRENCY, overloaded
from litellm.proxy.operations import in_path
from litellm.proxy.routes import health, models
from litellm.proxy.state import Proxy

Route = Callable[[Proxy, Exchange], Awaitable[None]]


def _asking(operation: Operation) -> Route:
    """The route that asks for it."""

    async def route(proxy: Proxy, http: Exchange) -> None:
        await calling.answer(proxy, http, operation)

    return route


ROUTES: Mapping[str, Mapping[str, Route]] = {
    path: {method: route}
    for method, route, paths in (
        *((row.method, _asking(row), (row.path, "/v1" + row.path)) for row in OPERATIONS),
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
    """Serves `proxy`, which may be replaced at any time: requests that are under way keep the one they began with.

    concurrency: how many may be under way. Asking whether the server lives is always possible.
    """

    def __init__(self, proxy: Proxy, concurrency: int = CONCURRENCY) -> None:
        self.proxy = proxy
        self._concurrency = concurrency
        self._under_way = 0

    async def __call__(self, http: Exchange) -> None:
        """Answer one request. Every error becomes an answer in OpenAI's shape."""
        self._under_way += 1
        try:
            if self._under_way > self._concurrency and not http.path.startswith("/health/"):
                raise overloaded("as many requests as it takes at once are under way")
            if b"origin" in http.headers:
                self.proxy.gate.check_origin(http.headers)
            await self._route(http)(self.proxy, http)
        except BaseException as raised:  # noqa: BLE001 - hooks and custom_auth may raise anything
            error = contained(raised)
            if http.started:  # too late for a status: the client sees the connection end
                raise error  # noqa: B904 - it has its cause
            status, body, headers = errors.answer_of(error)
            http.answer(status, body, [(b"x-litellm-call-id", http.call_id.encode("latin-1", "replace")), *headers])
        finally:
            self._under_way -= 1

    def _route(self, http: Exchange) -> Route:
        methods = ROUTES.get(http.path)
        if methods is None:
            methods = _by_prefix(http.path)
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


def _by_prefix(path: str) -> Mapping[str, Route]:
    """Paths that hold a model's name."""
    named = in_path(path)
    if named is not None:
        return ROUTES[named[0].path]
    return next((methods for prefix, methods in PREFIXES if path.startswith(prefix)), NOTHING)


async def _preflight(_: Proxy, http: Exchange) -> None:
    http.answer(200, b"", PREFLIGHT, b"text/plain")
