"""HTTP/1.1 as a server, on asyncio and httptools: bytes of a connection to Exchanges, one after another.

A server of our own because the general ones cost more than all the rest of a request: no scope, message or event
objects, one write for an answer, and a client that goes away cancels its request at once, without a task that waits for it.
What it does not do: HTTP/2, WebSockets, streamed uploads (a request is handled when all of it is here).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import httptools
import msgspec

from litellm._log import log
from litellm.proxy import errors
from litellm.proxy.errors import RequestError
from litellm.proxy.http import Exchange

MAX_HEAD = 64 * 1024  # bytes of request line and headers
SMALL_BODY = 64 * 1024  # bytes; a longer one is not received from somebody who shows no key
MAX_WAITING = 16  # pipelined requests that may wait for their turn on one connection

Handle = Callable[[Exchange], Awaitable[None]]


class Limits(msgspec.Struct, frozen=True):
    """max_body: bytes. idle: seconds without a request. slow: seconds without a byte in the middle of a request."""

    max_body: int = 100_000_000
    idle: float = 75.0
    slow: float = 60.0


class Connections:
    """All open connections of a server, and what they share."""

    def __init__(
        self, handle: Handle, limits: Callable[[], Limits], admit: Callable[[dict[bytes, bytes]], object]
    ) -> None:
        self.handle = handle
        self.admit = admit
        self.limits = limits
        self.open: set[Connection] = set()
        self.closing = False
        self.gone = asyncio.Event()  # set when, after close_idle, nobody is left

    def __call__(self) -> Connection:
        return Connection(self)

    def close_idle(self) -> None:
        """Let those go that are in the middle of nothing; the others close after their answer."""
        self.closing = True
        if not self.open:
            self.gone.set()
        for connection in list(self.open):
            connection.closing = True
            if connection.serving is None:
                connection.close()

    def abort(self) -> None:
        """Cancel what is still under way."""
        for connection in list(self.open):
            connection.close()

    def sweep(self, now: float) -> None:
        """Close connections that have been idle or slow for too long. Called every few seconds."""
        limits = self.limits()
        for connection in list(self.open):
            connection.sweep(now, limits)


class Connection(asyncio.Protocol):
    """One client's connection."""

    __slots__ = (
        "_all", "_body", "_headers", "_in_body", "_loop", "_parser", "_received", "_resumed", "_seen", "_transport",
        "_url", "_waiting", "closing", "serving",
    )  # fmt: skip

    def __init__(self, connections: Connections) -> None:
        self._all = connections
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._received = 0  # bytes of the request that is arriving
        self._in_body = False
        self._seen = self._loop.time()
        self._waiting: deque[Exchange] = deque()
        self._resumed: asyncio.Future[None] | None = None
        self.serving: asyncio.Task[None] | None = None
        self.closing = connections.closing

    # --- the transport's side -------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._all.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._all.open.discard(self)
        if self._all.closing and not self._all.open:
            self._all.gone.set()
        self._waiting.clear()
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)
        if self.serving is not None:
            self.serving.cancel()  # whoever asked has gone: nobody else needs the answer

    def data_received(self, data: bytes) -> None:
        self._seen = self._loop.time()
        if not self._in_body and b"Upgrade: h2c" in data:
            # Java's client offers HTTP/2 this way on every first request. The parser would stop at it, body unread.
            head, blank, rest = data.partition(b"\r\n\r\n")
            data = head.replace(b"Upgrade: h2c", b"Offered: h2c", 1) + blank + rest
        try:
            self._parser.feed_data(data)
        except RequestError as error:
            self._refuse(error)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(
                cause if isinstance(cause, RequestError) else RequestError(400, f"This is no HTTP/1.1: {error}")
            )
        except httptools.HttpParserUpgrade:
            self._refuse(RequestError(426, "Only HTTP/1.1 is spoken here, without upgrades"))

    def pause_writing(self) -> None:
        self._resumed = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)
        self._resumed = None

    # --- the parser's side ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = {}
        self._body = []
        self._received = 0

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:  # a trailer; nothing that comes after the body may change what was asked
            return
        self._headers[name.lower()] = value
        self._count_head(len(name) + len(value))

    def _count_head(self, length: int) -> None:
        self._received += length
        if self._received > MAX_HEAD:
            raise RequestError(431, f"The request's headers are larger than {MAX_HEAD >> 10} KiB")

    def on_headers_complete(self) -> None:
        self._received = 0
        self._in_body = True
        declared = self._headers.get(b"content-length")
        if declared is not None and int(declared) > self._all.limits().max_body:
            raise self._too_large()
        if b"transfer-encoding" in self._headers or (declared is not None and int(declared) > SMALL_BODY):
            self._all.admit(self._headers)  # nobody unknown gets to fill our memory
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        self._received += len(data)
        self._body.append(data)
        if self._received > self._all.limits().max_body:
            raise self._too_large()

    def _too_large(self) -> RequestError:
        limit = self._all.limits().max_body
        return RequestError(
            413,
            f"The request body is larger than {limit / 1e6:g} MB; send less, or raise "
            "general_settings.max_request_size_mb",
        )

    def on_message_complete(self) -> None:
        self._in_body = False
        body = self._body
        url = self._url
        if not url.startswith(b"/") and b"://" in url:  # the absolute form, which proxies are sent (RFC 9112, 3.2.2)
            url = b"/" + url.partition(b"://")[2].partition(b"/")[2]
        path, _, query = url.partition(b"?")
        text = path.decode("latin-1")
        exchange = Exchange(
            self,
            self._parser.get_method().decode("ascii"),
            unquote(text) if "%" in text else text,
            query,
            self._headers,
            body[0] if len(body) == 1 else b"".join(body),
            version=self._parser.get_http_version(),
            keep_alive=self._parser.should_keep_alive(),
        )
        self._body = []
        self._received = 0
        if self.serving is None:
            self._serve(exchange)
            return
        self._waiting.append(exchange)
        if len(self._waiting) >= MAX_WAITING:
            self._transport.pause_reading()

    # --- serving --------------------------------------------------------------------------------------------------

    def _serve(self, exchange: Exchange) -> None:
        self.serving = self._loop.create_task(self._run(exchange))

    async def _run(self, exchange: Exchange) -> None:
        keep = False
        try:
            await self._all.handle(exchange)
            if self._resumed is not None:
                await self._resumed  # a client that does not read gets no further answers
            keep = exchange.keep_alive and not self.closing
        except asyncio.CancelledError:
            if not self._transport.is_closing():
                raise
            # Otherwise it was us who cancelled, because the client has gone: there is nobody to tell.
        except Exception:  # noqa: BLE001 - it is logged, and the client sees the connection end
            log.exception("an answer could not be finished")
        finally:
            self.serving = None
            self._seen = self._loop.time()
        if not keep:
            self.close()
        elif self._waiting:
            self._serve(self._waiting.popleft())
            if not self._waiting and not self._transport.is_reading():
                self._transport.resume_reading()

    def _refuse(self, error: RequestError) -> None:
        """Answer what cannot be understood or taken, and hang up. What is being served loses its connection with it."""
        if self.serving is None and not self._transport.is_closing():
            exchange = Exchange(self, "POST", "", b"", {}, b"", keep_alive=False)
            exchange.answer(errors.status_of(error), errors.encoded(error), errors.headers_of(error))
        self.close()

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def drain(self) -> Awaitable[None] | None:
        return self._resumed

    def close(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
        if self.serving is not None:
            self.serving.cancel()

    def sweep(self, now: float, limits: Limits) -> None:
        """Close if nothing has come for too long. Serving takes as long as it takes."""
        quiet = now - self._seen
        if self.serving is None and quiet > (limits.slow if self._received or self._body else limits.idle):
            self.close()
