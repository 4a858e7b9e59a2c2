"""A small application for tests of the server: routes to handlers, and errors as plain text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litellm.server.connection import Connections
from litellm.server.exchange import Exchange
from litellm.server.head import Head
from litellm.server.limits import Limits
from litellm.server.refusal import Refusal
from litellm.server.routing import Match, Routes


class Routed:
    """Serves a routing table whose handlers take an exchange."""

    exchange = Exchange

    def __init__(self, routes: Routes, limits: Limits) -> None:
        self._routes = routes
        self.limits = limits
        self.connections = Connections(self)

    def route(self, head: Head) -> Match:
        return self._routes.find(head.method, head.raw_path)

    def admit(self, head: Head) -> bool:
        return True

    async def __call__(self, exchange: Exchange) -> None:
        await exchange.handler(exchange)

    def render(self, exchange: Exchange, error: Exception) -> tuple[int, bytes, list]:
        if not isinstance(error, Refusal):
            return 500, repr(error).encode(), []
        return error.status, error.message.encode(), error.headers

    async def close(self) -> None:
        pass


@asynccontextmanager
async def serving(*args, limits: Limits = Limits()) -> AsyncIterator[tuple[Routed, int]]:
    """The application for `Routes(*args)`, and the port where it is served."""
    app = Routed(Routes(*args), limits)
    server = await asyncio.get_running_loop().create_server(app.connections, "127.0.0.1", 0)
    try:
        yield app, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        app.connections.abort()
        async with asyncio.timeout(5):
            while app.connections.open:
                await asyncio.sleep(0.001)
