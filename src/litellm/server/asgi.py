"""ASGI applications behind exchanges (https://asgi.readthedocs.io/en/latest/specs/www.html).

Hot routes take an exchange; cold ones are any framework's applications. There are no lifespan events, and no disconnect
before an answer is complete: the application is cancelled instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from litellm.server.exchange import Exchange
from litellm.server.refusal import Headers

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# What the connection says for itself.
_CONNECTION_HEADERS = frozenset({b"connection", b"content-length", b"content-type", b"date", b"transfer-encoding"})


class Mounted:
    """An ASGI application that is made when it is first requested: in a thread, since imports take long and the loop
    has others to serve. Whoever comes meanwhile waits; what fails is tried again by the next request.

    load: imports and gives the application.
    """

    def __init__(self, load: Callable[[], ASGIApp]) -> None:
        self._load = load
        self._app: ASGIApp | None = None
        self._loading: asyncio.Task[ASGIApp] | None = None

    async def __call__(self, exchange: Exchange) -> None:
        """Answer a request whose body is read as it comes."""
        app = self._app or await self._loaded()
        await app(scope_of(exchange), *_Conversation(exchange).channels())

    async def _loaded(self) -> ASGIApp:
        if self._loading is None:
            self._loading = asyncio.ensure_future(asyncio.to_thread(self._load))
        loading = self._loading
        try:
            self._app = await asyncio.shield(loading)  # a client that goes away does not cancel it for others
        finally:
            if loading.done() and self._loading is loading:
                self._loading = None
        return self._app


def scope_of(exchange: Exchange) -> Scope:
    """The ASGI scope of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": exchange.version,
        "method": exchange.method,
        "scheme": exchange.scheme,
        "path": exchange.path,
        "raw_path": exchange.raw_path.encode("latin-1"),
        "query_string": exchange.query,
        "root_path": "",
        "headers": exchange.fields,
        "client": exchange.peer,
        "server": None,
        "state": {},
    }


class _Conversation:
    """`receive` and `send` of one request."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._body: AsyncIterator[bytes] | None = exchange.stream()
        self._status = 0  # of the answer; 0 until there is one
        self._headers: Headers = []
        self._answered = asyncio.Event()

    def channels(self) -> tuple[Receive, Send]:
        return self._receive, self._send

    async def _receive(self) -> Message:
        if self._body is None:
            await self._answered.wait()
            return {"type": "http.disconnect"}
        async for piece in self._body:
            return {"type": "http.request", "body": piece, "more_body": True}
        self._body = None
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
            return
        if not self._status:
            raise RuntimeError("http.response.start comes first")
        body, more = message.get("body", b""), message.get("more_body", False)
        # What HEAD is told of the length is the application's: it may have left the body out.
        if more or self._exchange.started or self._exchange.method == "HEAD":
            await self._write(body, more=more)
        else:
            self._exchange.answer(self._status, body, self._app_headers(), self._content_type())
        if not more:
            self._answered.set()

    def _begin(self, message: Message) -> None:
        if self._status:
            raise RuntimeError("http.response.start comes once")
        self._status = message["status"]
        self._headers = [(name.lower(), value) for name, value in message.get("headers", ())]

    async def _write(self, body: bytes, *, more: bool) -> None:
        if not self._exchange.started:
            length = self._header(b"content-length")
            self._exchange.begin(
                self._status, self._app_headers(), self._content_type(), length=None if length is None else int(length)
            )
        drained = self._exchange.write(body, more=more)
        if drained is not None:
            await drained

    def _app_headers(self) -> Headers:
        return [(name, value) for name, value in self._headers if name not in _CONNECTION_HEADERS]

    def _content_type(self) -> bytes:
        return self._header(b"content-type") or b"application/octet-stream"

    def _header(self, wanted: bytes) -> bytes | None:
        return next((value for name, value in self._headers if name == wanted), None)
