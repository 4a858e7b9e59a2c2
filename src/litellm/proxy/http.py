"""One HTTP exchange with a client, over ASGI: what was asked, and the two ways to answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from litellm.proxy.errors import Headers, RequestError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
]
CORS: Headers = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"*"), (b"vary", b"Origin")]
PREFLIGHT: Headers = [
    *CORS,
    (b"access-control-allow-methods", b"*"),
    (b"access-control-allow-headers", b"*, authorization"),
    (b"access-control-max-age", b"600"),
]


class Exchange:
    """What a route works with."""

    __slots__ = ("_ahead", "_receive", "_send", "headers", "method", "path", "query", "started")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope.get("query_string", b"")
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.started = False
        self._ahead: bytes | RequestError | None = None
        self._receive = receive
        self._send = send

    def header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    async def body(self, limit: int) -> bytes:
        """The request's body. Raises RequestError 413 as soon as it is longer than `limit` bytes."""
        if self._ahead is not None:
            if isinstance(self._ahead, RequestError):
                raise self._ahead
            return self._ahead
        declared = self.headers.get(b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        message = await self._receive()
        body: bytes = message.get("body", b"")
        if not message.get("more_body"):
            return body
        parts, length = [body], len(body)
        while message.get("more_body"):
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise asyncio.CancelledError
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            if length > limit:
                raise _too_large(limit)
        return b"".join(parts)

    async def read_ahead(self, limit: int) -> bool:
        """Read the body now and keep it for `body`. Says whether it could be read."""
        try:
            self._ahead = await self.body(limit)
        except RequestError as error:
            self._ahead = error
        return isinstance(self._ahead, bytes)

    async def disconnected(self) -> None:
        """Wait until the client has gone. For servers that cannot cancel us themselves."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def answer(
        self, status: int, body: bytes, headers: Headers, content_type: bytes = b"application/json"
    ) -> None:
        """Answer whole."""
        self.started = True
        head = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *headers, *SECURITY]
        if b"origin" in self.headers:
            head += CORS
        await self._send({"type": "http.response.start", "status": status, "headers": head})
        await self._send({"type": "http.response.body", "body": b"" if self.method == "HEAD" else body})

    async def begin_stream(self, headers: Headers) -> None:
        """Begin an event stream."""
        self.started = True
        head = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            *headers,
            *SECURITY,
        ]
        if b"origin" in self.headers:
            head += CORS
        await self._send({"type": "http.response.start", "status": 200, "headers": head})

    async def stream(self, body: bytes, *, more: bool = True) -> None:
        """The next bytes of the stream; more=False for the last ones."""
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _too_large(limit: int) -> RequestError:
    return RequestError(
        413,
        f"The request body is larger than {limit / 1e6:g} MB; send less, or raise general_settings.max_request_size_mb",
        headers=[(b"connection", b"close")],
    )
