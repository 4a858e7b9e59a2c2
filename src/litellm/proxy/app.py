"""The application: one table of routes, and admission to them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from litellm._log import log
from litellm.hooks.dispatch import default_dispatcher
from litellm.operations import OPERATIONS
from litellm.proxy import errors
from litellm.proxy.calls import calling
from litellm.proxy.http import PREFLIGHT, Exchange
from litellm.proxy.reloading import Reload, reloaded
from litellm.proxy.routes import health, home, models
from litellm.proxy.state import Proxy
from litellm.server.head import Head
from litellm.server.limits import Limits
from litellm.server.refusal import Headers, overloaded
from litellm.server.routing import Match, Mount, Route, Routes
from litellm.wire.dialects import client_dialect

if TYPE_CHECKING:
    from litellm.server.asgi import ASGIApp, Mounted

CONCURRENCY = 4096  # requests under way
CALLBACK_FLUSH = 5.0  # seconds for callbacks to be told of the last calls

Handler = Callable[[Proxy, Exchange], Awaitable[None]]

# Before an operation's own path. OpenAI's client for Azure, and the oldest ones, name the model there.
PREFIXES = ("", "/v1", "/engines/{model}", "/v1/engines/{model}", "/openai/deployments/{model}")


async def _preflight(_: Proxy, http: Exchange) -> None:
    http.answer(200, b"", PREFLIGHT, b"text/plain")


class OperationHandler(partial[Awaitable[None]]):
    """Answers requests for an operation, and knows in which format its clients are told what is wrong before it is called.
    A `partial`, which calls with no step in between."""

    def present_error(self, status: int, error: dict[str, Any]) -> bytes:
        """OpenAI's error object as the operation's clients want it."""
        return client_dialect(self.keywords["operation"].dialect).present_error(status, error)


def _operations() -> Iterator[Route]:
    for operation in OPERATIONS:
        handler = OperationHandler(calling.answer, operation=operation)
        for prefix in PREFIXES:
            yield Route(operation.method, prefix + operation.path, handler)


ROUTES = (
    Route("GET", "/", home.index),
    *_operations(),
    Route("GET", "/models", models.index),
    Route("GET", "/v1/models", models.index),
    Route("GET", "/models/{model}", models.show),
    Route("GET", "/v1/models/{model}", models.show),
    Route("GET", "/health/liveliness", health.liveliness),
    Route("GET", "/health/liveness", health.liveliness),
    Route("GET", "/health/readiness", health.readiness),
)


def _cold() -> tuple[list[Route], list[Mount]]:
    """The routes of an ASGI application. It and the bridge to it are imported when somebody asks for them first: FastAPI
    takes half a second, and eight megabytes."""

    def build() -> ASGIApp:
        from litellm.proxy.admin.app import build

        return build()

    @cache
    def admin() -> Mounted:
        from litellm.server.asgi import Mounted

        return Mounted(build)

    async def handler(_: Proxy, http: Exchange) -> None:
        await admin()(http)

    return [Route("GET", "/openapi.json", handler, "stream")], [Mount("/docs", handler)]


class App:
    """Serves `proxy`, which may be replaced at any time: requests that are under way keep the one they began with.

    concurrency: how many may be under way. Asking whether the server lives is always possible. host: where it listens.
    """

    exchange = Exchange

    def __init__(self, proxy: Proxy, concurrency: int = CONCURRENCY, *, host: str = "localhost") -> None:
        self.proxy = proxy
        routes, mounts = _cold()
        self.routes = Routes((*ROUTES, *routes), mounts, options=_preflight)
        self._concurrency = concurrency
        self._host = host
        self._under_way = 0

    @property
    def limits(self) -> Limits:
        """How much of a request, and of all of them, it lets in."""
        return self.proxy.limits

    def route(self, head: Head) -> Match:
        """Who answers a request. Raises Refusal."""
        if not self.proxy.authenticator.open_to_pages:
            self.proxy.authenticator.check_page(head.headers, self._host)
        return self.routes.find(head.method, head.raw_path)

    def admit(self, head: Head) -> bool:
        """Whether the caller is known by the head. Raises RequestError 401 for one who is not let in."""
        if self.proxy.custom_auth is not None:  # which wants the whole request
            return False
        self.proxy.authenticator.admit(head.headers)
        return True

    async def __call__(self, http: Exchange) -> None:
        """Answer one request."""
        self._under_way += 1
        try:
            if self._under_way > self._concurrency and not http.path.startswith("/health/"):
                raise overloaded("as many requests as it takes at once are under way")
            await http.handler(self.proxy, http)
        finally:
            self._under_way -= 1

    def render(self, http: Exchange, error: Exception) -> tuple[int, bytes, Headers]:
        """An error in the shape that the route's clients know, or else in OpenAI's: status, body, headers."""
        handler = http.handler
        known = isinstance(handler, OperationHandler)
        status, body, headers = errors.answer_of(error, handler.present_error if known else errors.as_json)
        return status, body, [(b"x-litellm-call-id", http.call_id.encode("latin-1", "replace")), *headers]

    async def reload(self, reload: Reload) -> None:
        """Serve another configuration from the next request on; the old one, if the new one is no good."""
        proxy = await asyncio.to_thread(reloaded, reload, self.proxy)
        if proxy is not None:
            self.proxy = proxy
            log.warning("reloaded the configuration")

    async def close(self) -> None:
        """Let go of connections, and let callbacks hear of the last calls, before the process ends."""
        await self.proxy.client.async_io.aclose()
        if not await asyncio.to_thread(default_dispatcher().close, CALLBACK_FLUSH):
            log.warning("callbacks were not told of all calls within %g s", CALLBACK_FLUSH)
