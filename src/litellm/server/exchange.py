"""One HTTP exchange with a client: what was asked, and the way to answer."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from operator import itemgetter
from typing import Any, Protocol

from litellm.server.head import Head
from litellm.server.refusal import Headers

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
_SECURITY = (
    b"x-content-type-options: nosniff\r\nx-frame-options: DENY\r\ncontent-security-policy: frame-ancestors 'none'\r\n"
)
_CORS = b"access-control-allow-origin: *\r\naccess-control-expose-headers: *\r\nvary: Origin\r\n"
_BODYLESS = frozenset({204, 304})

_CONTROLS = bytes([*(code for code in range(32) if code != ord("\t")), 127])
_AS_SPACES = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
_pair = b": ".join
_name = itemgetter(0)
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2


def header_lines(headers: Headers) -> bytes:
    """Header lines as they are sent: one for each, whatever is in it. Control characters become spaces, and a name that is
    none is left out with its value (RFC 9110, 5.5).

    >>> header_lines([(b"x-a", b"1\\r\\nx-b: 2"), (b"x c", b"3")])
    b'x-a: 1  x-b: 2\\r\\n'
    >>> header_lines([(b"x-a", b"1"), (b"x c", b"3"), (b"", b"4")])
    b'x-a: 1\\r\\n'
    """
    lines = b"\r\n".join(map(_pair, headers))
    controls = len(lines) - len(lines.translate(None, _CONTROLS))
    if controls == 2 * (len(headers) - 1) and all(map(_is_name, map(_name, headers))):
        return lines + b"\r\n"
    safe = [(name, value.translate(_AS_SPACES)) for name, value in headers if _is_name(name)]
    return b"".join([_pair(header) + b"\r\n" for header in safe])


@lru_cache(maxsize=256)
def _is_name(name: bytes) -> bool:
    return _NAME.fullmatch(name) is not None


class Channel(Protocol):
    """The connection that an exchange is written to."""

    @property
    def closing(self) -> bool:
        """Whether an answer that begins now is the last one."""

    @property
    def peer(self) -> tuple[str, int] | None:
        """Address and port of the other end."""

    @property
    def scheme(self) -> str:
        """ "https" over TLS, else "http"."""

    def write(self, data: bytes) -> None:
        """Write; never blocks."""

    def drain(self) -> Awaitable[None] | None:
        """What to await before writing more, or None while the client keeps up."""

    def pieces(self) -> AsyncIterator[bytes]:
        """The body of the request, as it comes."""


class Exchange:
    """A request, and the means to answer it.

    method, path, raw_path, query, headers, fields, version: see Head. params: what stood in the places of the route's
    path. body: all of it, where the route reads it whole. keep_alive: the connection may be used again. started: an
    answer has begun, and no other can be given. ended: it is complete; what is written after that goes nowhere.
    """

    __slots__ = (
        "_bodyless",
        "_channel",
        "_chunked",
        "_head",
        "_remaining",
        "body",
        "ended",
        "fields",
        "handler",
        "headers",
        "keep_alive",
        "method",
        "params",
        "path",
        "query",
        "raw_path",
        "started",
        "version",
    )  # fmt: skip

    def __init__(
        self,
        channel: Channel,
        head: Head,
        body: bytes = b"",
        *,
        handler: Any = None,
        params: Mapping[str, str] | None = None,
    ) -> None:
        self.method = head.method
        self.path = head.path
        self.raw_path = head.raw_path
        self.query = head.query
        self.headers = head.headers
        self.fields = head.fields
        self.version = head.version
        self.keep_alive = head.keep_alive
        self.body = body
        self.handler = handler
        self.params = params or {}
        self.started = False
        self.ended = False
        self._channel = channel
        self._head = b""  # of the answer, until it goes with the first bytes
        self._bodyless = False  # what is written of the answer is not sent
        self._chunked = False
        # Bytes of the answer that are still to be written, where its length was said.
        self._remaining: int | None = None

    @property
    def peer(self) -> tuple[str, int] | None:
        """The client's address and port, if it has such."""
        return self._channel.peer

    @property
    def scheme(self) -> str:
        """As what the request came here: "http" or "https"."""
        return self._channel.scheme

    def header(self, name: bytes) -> str | None:
        """A header's value; name in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes, for a route that reads it so: `async for piece in exchange.stream()`. While it is not
        read, the client has to wait. After `switch_protocols` it is all that the client sends."""
        return self._channel.pieces()

    def answer(self, status: int, body: bytes, headers: Headers, content_type: bytes = b"application/json") -> None:
        """Answer whole, in one write."""
        if self.started:
            raise RuntimeError("a request is answered once")
        self.started = True
        fixed = b"" if status in _BODYLESS else b"content-length: %d\r\n" % len(body)
        head = self._made(status, [(b"content-type", content_type), *headers], fixed)
        self.ended = True
        self._channel.write(head if self.method == "HEAD" or not fixed else head + body)

    def begin(self, status: int, headers: Headers, content_type: bytes, *, length: int | None = None) -> None:
        """Begin an answer that is written in pieces: of `length` bytes, or until `write` says that there are no more. The
        head is sent together with the first of them."""
        self._start()
        self._bodyless = status in _BODYLESS or self.method == "HEAD"
        fixed = b"" if status in _BODYLESS else self._framing(length)
        self._head = self._made(status, [(b"content-type", content_type), *headers], fixed)

    def _framing(self, length: int | None) -> bytes:
        """The line by which a client finds the end of an answer in pieces."""
        if length is not None:
            self._remaining = length
            return b"content-length: %d\r\n" % length
        if self.version == "1.1":
            self._chunked = True
            return b"transfer-encoding: chunked\r\n"
        self.keep_alive = False  # HTTP/1.0 has no chunks: the end of the connection is the end of the answer
        return b""

    def write(self, data: bytes, *, more: bool = True) -> Awaitable[None] | None:
        """The next bytes of the answer; more=False for the last. Gives what to await when the client reads slowly.

        Raises RuntimeError for another length than was announced.
        """
        if self.ended:
            return None
        if self._bodyless:
            data = b""
        elif self._remaining is not None:
            self._count(len(data), more=more)
        elif self._chunked:
            if data:
                data = b"%x\r\n%b\r\n" % (len(data), data)
            if not more:
                data += b"0\r\n\r\n"
        if self._head:
            data, self._head = self._head + data, b""
        if not more:
            self.ended = True
        self._channel.write(data)
        return self._channel.drain()

    def switch_protocols(self, headers: Headers) -> None:
        """Go over to the protocol of a route of the kind "socket". From here on `write` sends bytes as they are."""
        self._start()
        self.keep_alive = False
        self._channel.write(b"HTTP/1.1 101 Switching Protocols\r\n" + header_lines(headers) + b"\r\n")

    def _start(self) -> None:
        if self.started:
            raise RuntimeError("a request is answered once")
        self.started = True

    def _count(self, size: int, *, more: bool) -> None:
        assert self._remaining is not None  # noqa: S101 - the caller has looked
        self._remaining -= size
        if self._remaining < 0 or (self._remaining > 0 and not more):
            self.keep_alive = False
            raise RuntimeError("an answer is not as long as was announced")

    def _made(self, status: int, headers: Headers, fixed: bytes) -> bytes:
        """The head of an answer. fixed: lines of ours."""
        if self._channel.closing:
            self.keep_alive = False
        now = int(time.time())
        date = _Clock.line if now == _Clock.second else _new_date(now)
        parts = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status, date, header_lines(headers), fixed]
        parts.append(_SECURITY)
        if b"origin" in self.headers:
            parts.append(_CORS)
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        return b"".join(parts)


class _Clock:
    """The Date header, made anew once a second."""

    second = 0
    line = b""


def _new_date(now: int) -> bytes:
    _Clock.second = now
    _Clock.line = b"date: %b\r\n" % formatdate(now, usegmt=True).encode()
    return _Clock.line
