"""One HTTP exchange with a client: what was asked, and the two ways to answer. Routes work with this alone."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from email.utils import formatdate
from http import HTTPStatus
from random import getrandbits
from typing import Protocol

from litellm.wire.framing import sse

Headers = list[tuple[bytes, bytes]]

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
_SECURITY = (
    b"x-content-type-options: nosniff\r\nx-frame-options: DENY\r\ncontent-security-policy: frame-ancestors 'none'\r\n"
)
_CORS = b"access-control-allow-origin: *\r\naccess-control-expose-headers: *\r\nvary: Origin\r\n"
HEARTBEAT = b": heartbeat\n\n"
PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"*"),
    (b"access-control-allow-headers", b"*, authorization"),
    (b"access-control-max-age", b"600"),
]


def _new_id() -> str:
    """A random UUID (version 4), at a third of uuid.uuid4()'s cost. It tells calls apart; it is no secret."""
    digits = f"{getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


class Line(Protocol):
    """The connection that an exchange is written to."""

    closing: bool

    @property
    def peer(self) -> tuple[str, int] | None:
        """Address and port of the other end."""

    def write(self, data: bytes) -> None:
        """Write; never blocks."""

    def drain(self) -> Awaitable[None] | None:
        """What to await before writing more, or None while the client keeps up."""


class Exchange:
    """A request, whole, and the way back to whoever sent it. keep_alive: the connection may be used again. started: an
    answer has begun, and no other can be given."""

    __slots__ = (
        "_call_id",
        "_chunked",
        "_early",
        "_ended",
        "_head",
        "_line",
        "body",
        "headers",
        "keep_alive",
        "method",
        "path",
        "query",
        "started",
    )

    def __init__(
        self,
        line: Line,
        method: str,
        path: str,
        query: bytes,
        headers: dict[bytes, bytes],
        body: bytes,
        *,
        version: str = "1.1",
        keep_alive: bool = True,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.keep_alive = keep_alive
        self.started = False
        self._call_id = ""
        self._early = False  # the stream was begun by a heartbeat
        self._ended = False
        self._line = line
        self._chunked = version == "1.1"
        self._head = b""

    @property
    def call_id(self) -> str:
        """The id of this call: the client's own, or a new one."""
        if not self._call_id:
            given = self.headers.get(b"x-litellm-call-id")
            self._call_id = given.decode("latin-1") if given else _new_id()
        return self._call_id

    @property
    def peer(self) -> tuple[str, int] | None:
        """The address and port of whoever is connected, if it has such."""
        return self._line.peer

    def header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def answer(self, status: int, body: bytes, headers: Headers, content_type: bytes = b"application/json") -> None:
        """Answer whole, in one write. After a heartbeat it can only be told in the stream, whose last event it is."""
        self.started = True
        if self._early:
            self.stream(sse.event(body) + sse.event(sse.DONE), more=False)
            return
        head = self._begin(status, headers, b"content-type: %b\r\ncontent-length: %d\r\n" % (content_type, len(body)))
        self._line.write(head if self.method == "HEAD" else head + body)

    def begin_stream(self, headers: Headers) -> None:
        """Begin an event stream. The head is sent together with the first bytes, unless a heartbeat was before it."""
        self.started = True
        if not self._early:
            self._open_stream(headers)

    def heartbeat(self) -> None:
        """Put a comment into the stream, so that nobody takes silence for the end. It may begin the stream, and so decide
        that the status is 200, but not yet what is answered."""
        if not (self.started or self._early):
            self._early = True
            self._open_stream([(b"x-litellm-call-id", self.call_id.encode("latin-1", "replace"))])
        if not self._ended and self._line.drain() is None:
            self.stream(HEARTBEAT)

    def _open_stream(self, headers: Headers) -> None:
        fixed = (
            b"content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nx-accel-buffering: no\r\n"
        )
        if self._chunked:
            fixed += b"transfer-encoding: chunked\r\n"
        else:  # HTTP/1.0 has no chunks: the end of the connection is the end of the stream
            self.keep_alive = False
        self._head = self._begin(200, headers, fixed)

    def stream(self, data: bytes, *, more: bool = True) -> Awaitable[None] | None:
        """The next bytes of the stream; more=False for the last. Gives what to await when the client reads slowly."""
        if self._chunked:
            if data:
                data = b"%x\r\n%b\r\n" % (len(data), data)
            if not more:
                data += b"0\r\n\r\n"
        if self._head:
            data, self._head = self._head + data, b""
        self._ended = not more
        self._line.write(data)
        return self._line.drain()

    def _begin(self, status: int, headers: Headers, fixed: bytes) -> bytes:
        if self._line.closing:
            self.keep_alive = False
        parts = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status, _date(), fixed]
        parts += [b"%b: %b\r\n" % pair for pair in headers]
        parts.append(_SECURITY)
        if b"origin" in self.headers:
            parts.append(_CORS)
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        parts.append(b"\r\n")
        return b"".join(parts)


class _Clock:
    """The Date header, made anew once a second."""

    second = 0
    line = b""


def _date() -> bytes:
    now = int(time.time())
    if now != _Clock.second:
        _Clock.second = now
        _Clock.line = b"date: %b\r\n" % formatdate(now, usegmt=True).encode()
    return _Clock.line
