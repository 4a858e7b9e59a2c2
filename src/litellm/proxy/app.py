"""The ASGI application: an exact-path table in front of the routes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping

from litellm.proxy import errors
from litellm.proxy.errors import RequestError
from litellm.proxy.http import PREFLIGHT, Exchange, Receive, Scope, Send
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

# Set by serve.py on each request: who cancels us when the client goes. Other servers do not know it.
CONNECTION = "litellm.connection"


class App:
    """Serves `proxy`, which may be replaced at any time: requests that are under way keep the one they began with."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = Exchange(scope, receive, send)
        connection = scope.get(CONNECTION)
        if connection is None:
            await self._watched(http)
            return
        connection.serving = asyncio.current_task()
        try:
            await self._answered(http)
        except asyncio.CancelledError:
            if connection.lost:  # it was us who cancelled, in connection_lost: nobody is left to tell
                return
            raise
        finally:
            connection.serving = None

    async def _watched(self, http: Exchange) -> None:
        """The same on a server that does not cancel: watch for the client's going in a task of its own."""
        tasks = [asyncio.ensure_future(self._answered(http))] if await http.read_ahead(self.proxy.max_body) else []
        if not tasks:
            await self._answered(http)
            return
        tasks.append(asyncio.ensure_future(http.disconnected()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        for task in done:
            task.result()

    async def _answered(self, http: Exchange) -> None:
        try:
            await self._route(http)(self.proxy, http)
        except Exception as error:
            if http.started:  # too late for a status: the client sees the connection end
                raise
            await http.answer(errors.status_of(error), errors.encoded(error), errors.headers_of(error))

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

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        gc.collect()
        gc.freeze()  # what the start made lives as long as the process; the collector need not look at it again
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.proxy.client.async_io.aclose()
        await send({"type": "lifespan.shutdown.complete"})


async def _preflight(_: Proxy, http: Exchange) -> None:
    await http.answer(200, b"", PREFLIGHT, b"text/plain")
