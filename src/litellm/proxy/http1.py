"""HTTP/1.1 as a server, on asyncio and httptools: bytes of a connection to Exchanges, one after another.

A server of our own because the general ones cost more than all the rest of a request: no scope, message or event
objects, one write for an answer, and a client that goes away cancels its request at once, without a task that waits for it.
What it does not do: HTTP/2, WebSockets, streamed uploads (a request is handled when all of it is here).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any
from urllib.parse import unquote

import httptools

from litellm._log import log
from litellm.net.fair_queue import LARGE, FairQueue
from litellm.proxy import errors
from litellm.proxy.errors import RequestError
from litellm.proxy.http import Exchange
from litellm.proxy.limits import LINGER, Limits, overloaded

MAX_HEAD = 64 * 1024  # bytes of request line and headers, and of all else that is no body
SMALL_BODY = 64 * 1024  # bytes; a longer one is not received from somebody who shows no key
MAX_WAITING = 16  # pipelined requests that may wait for their turn on one connection

Handle = Callable[[Exchange], Awaitable[None]]


class Connections:
    """All open connections of a server, and what they share.

    admit: whether the caller is known by these headers, before the body is here. Raises RequestError for one who may not.
    """

    def __init__(
        self, handle: Handle, limits: Callable[[], Limits], admit: Callable[[dict[bytes, bytes]], bool]
    ) -> None:
        self.handle = handle
        self.admit = admit
        self.limits = limits
        self.open: set[Connection] = set()
        self.held = 0  # bytes of requests that arrive or are under way, and of answers that are not read
        self.unknown = 0  # those of them that arrive from callers who are not known yet
        self.turns = FairQueue()  # for long bodies: to be read on, and to be served
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
        """Close connections that have been idle or slow for too long. Called every few seconds. now: the loop's time."""
        limits = self.limits()
        for connection in list(self.open):
            connection.sweep(now, limits)


class Connection(asyncio.Protocol):
    """One client's connection."""

    __slots__ = (
        "_all", "_begun", "_body", "_headers", "_held", "_in_body", "_known", "_loop", "_parser", "_promised",
        "_received", "_refused", "_resumed", "_seen", "_transport", "_unread", "_unused", "_url", "_waiting", "closing",
        "serving",
    )  # fmt: skip

    def __init__(self, connections: Connections) -> None:
        self._all = connections
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body = BytesIO()  # and not a list of pieces: those of a burst would leave holes all over the memory
        self._received = 0  # bytes of the request that is arriving
        self._unused = 0  # bytes that the parser was fed since it last gave a piece of a body, or a request
        self._in_body = False
        self._known = True  # whether it may take room like anybody; only a long body's caller can be unknown
        self._promised = 0  # bytes that there is room for, of the body that is arriving
        self._held = 0  # bytes of room that this connection takes
        self._refused = False  # nothing that comes is read any more
        self._seen = self._loop.time()  # the last byte
        self._begun = 0.0  # the first one of the request that is arriving; 0 between requests
        self._unread = (0, 0.0)  # bytes of answers that the client has not read, and when they last became fewer
        self._waiting: deque[Exchange] = deque()
        self._resumed: asyncio.Future[None] | None = None
        self.serving: asyncio.Task[None] | None = None
        self.closing = connections.closing

    # --- the transport's side -------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._all.open.add(self)
        if len(self._all.open) > self._all.limits().connections:
            self._tell(overloaded("it has as many connections as it takes"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._all.open.discard(self)
        if self._all.closing and not self._all.open:
            self._all.gone.set()
        self._waiting.clear()
        self._parser = None  # it holds us, and we would wait for the collector
        self._arrived()
        self._let_go(self._held)
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)
        if self.serving is not None:
            self.serving.cancel()  # whoever asked has gone: nobody else needs the answer

    def data_received(self, data: bytes) -> None:
        if len(data) >= LARGE:  # there may be megabytes more, and as many for each of a thousand others
            self._transport.pause_reading()
            self._all.turns.schedule(self._read_on)
        if self._refused:
            return
        self._seen = self._loop.time()
        if not self._begun and b"\r\nUpgrade: h2c" in data:
            # Java's client offers HTTP/2 this way on every first request. The parser would stop at it, body unread.
            # Only what begins here is a head for sure; after the blank line it is somebody's text.
            head, blank, rest = data.partition(b"\r\n\r\n")
            data = head.replace(b"\r\nUpgrade: h2c", b"\r\nOffered: h2c", 1) + blank + rest
        self._unused += len(data)
        try:
            self._parser.feed_data(data)
            if self._unused > MAX_HEAD:  # the parser keeps, and copies, what has no end, before it tells us of it
                raise _long_head()
        except RequestError as error:
            self._refuse(error)
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(
                cause if isinstance(cause, RequestError) else RequestError(400, f"This is no HTTP/1.1: {error}")
            )

    def _read_on(self) -> None:
        if self._transport.is_closing() or len(self._waiting) >= MAX_WAITING:
            return
        if not self._transport.is_reading():  # an answer may have been faster
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self._resumed = self._loop.create_future()
        self._unread = (self._transport.get_write_buffer_size(), self._loop.time())

    def resume_writing(self) -> None:
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)
        self._resumed = None

    # --- the parser's side ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = {}
        self._body = BytesIO()
        self._received = 0
        self._begun = self._loop.time()

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
            raise _long_head()

    def on_headers_complete(self) -> None:
        if self._parser.should_upgrade():
            raise self._upgrade()
        self._received = 0
        self._in_body = True
        declared = self._headers.get(b"content-length")
        coding = self._headers.get(b"transfer-encoding")
        if coding is not None:
            self._check_coding(coding)
        long = declared is not None and int(declared) > SMALL_BODY
        if declared is not None and long and int(declared) > self._all.limits().max_body:
            raise self._too_large()
        if long or coding is not None:
            self._known = self._all.admit(self._headers)  # no stranger gets to fill our memory
        if declared is not None and long and self._known:
            self._hold(int(declared), self._all.limits())  # room for all of it: who is let in can finish
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _upgrade(self) -> RequestError:
        if self._parser.get_method() == b"CONNECT":
            allowed = [(b"allow", b"GET, HEAD, POST, OPTIONS")]
            return RequestError(405, "CONNECT is not allowed here: this server is no proxy for others", headers=allowed)
        return RequestError(426, "Only HTTP/1.1 is spoken here, without upgrades", headers=[(b"upgrade", b"HTTP/1.1")])

    def _check_coding(self, coding: bytes) -> None:
        """Whether we understand where the body ends, and what it says, as everybody before us did (RFC 9112, 6.1)."""
        if self._parser.get_http_version() != "1.1":
            raise RequestError(400, "Transfer-Encoding is not part of HTTP/1.0")
        if coding.strip().lower() != b"chunked":
            raise RequestError(501, "Only `chunked` is understood as Transfer-Encoding")

    def on_body(self, data: bytes) -> None:
        self._unused = 0
        self._received += len(data)
        self._body.write(data)
        limits = self._all.limits()
        if self._received > limits.max_body:
            raise self._too_large()
        if self._received > self._promised:
            self._hold(self._received - self._promised, limits)

    def _hold(self, size: int, limits: Limits) -> None:
        """Take room for more of the body that is arriving. Raises RequestError 503 when there is none."""
        if self._all.held + size > limits.held:
            raise overloaded("the requests that it has take all of its room")
        if not self._known:
            if self._all.unknown + size > limits.unknown:
                raise overloaded("requests of callers whom it does not know yet take all the room that these have")
            self._all.unknown += size
        self._promised += size
        self._held += size
        self._all.held += size

    def _let_go(self, size: int) -> None:
        size = min(size, self._held)  # nothing, once the connection was lost: then all was let go
        self._held -= size
        self._all.held -= size

    def _arrived(self) -> None:
        """The body that was arriving is here, or never will be."""
        if not self._known:
            self._known = True
            self._all.unknown -= self._promised

    def _too_large(self) -> RequestError:
        limit = self._all.limits().max_body
        return RequestError(
            413,
            f"The request body is larger than {limit / 1e6:g} MB; send less, or raise "
            "general_settings.max_request_size_mb",
        )

    def on_message_complete(self) -> None:
        self._in_body = False
        self._unused = 0
        self._begun = 0.0
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
            self._body.getvalue(),
            version=self._parser.get_http_version(),
            keep_alive=self._parser.should_keep_alive(),
        )
        self._body = BytesIO()
        self._arrived()
        self._received = self._promised = 0
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
            if len(exchange.body) >= LARGE:
                await self._all.turns.turn()
            await self._all.handle(exchange)
            if self._resumed is not None:
                await self._until_read(self._resumed)  # a client that does not read gets no further answers
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
            self._let_go(len(exchange.body))
        if not keep:
            self.close()
        elif self._waiting:
            self._serve(self._waiting.popleft())
            if not self._waiting and not self._transport.is_reading():
                self._transport.resume_reading()

    async def _until_read(self, resumed: asyncio.Future[None]) -> None:
        """Wait until the client has read its answer. What it has not read takes room as bodies do."""
        unread = self._transport.get_write_buffer_size()
        self._held += unread
        self._all.held += unread
        try:
            await resumed
        finally:
            self._let_go(unread)

    def _refuse(self, error: RequestError) -> None:
        """Answer what cannot be understood or taken, and hang up. What is being served loses its connection with it."""
        if self.serving is not None or self._transport.is_closing():
            self.close()
            return
        self._arrived()
        self._let_go(self._promised)
        self._body = BytesIO()
        self._tell(error)
        if self._transport.can_write_eof():
            # Closing while more comes would be a reset, and the client might never read why.
            self._refused = True
            self._transport.write_eof()
        else:
            self.close()

    def _tell(self, error: RequestError) -> None:
        exchange = Exchange(self, "POST", "", b"", {}, b"", keep_alive=False)
        exchange.answer(*errors.answer_of(error))

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    @property
    def peer(self) -> tuple[str, int] | None:
        found = self._transport.get_extra_info("peername")
        return (found[0], found[1]) if isinstance(found, tuple) and len(found) >= 2 else None

    def drain(self) -> Awaitable[None] | None:
        return self._resumed

    def close(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
        if self.serving is not None:
            self.serving.cancel()

    def sweep(self, now: float, limits: Limits) -> None:
        """Close if nothing has come, or gone, for too long. What an answer takes to be made is not our business."""
        quiet = now - self._seen
        if self._refused or self._transport.is_closing():
            if quiet > (LINGER if self._refused else limits.slow):
                self._transport.abort()
        elif self.serving is not None:
            if self._resumed is not None and self._stuck(now, limits):
                self._transport.abort()  # which cancels what is being served
        elif not self._begun:
            if quiet > limits.idle:
                self.close()
        elif quiet > limits.slow or limits.late(now - self._begun, self._received):
            self._refuse(RequestError(408, "The request did not arrive in time"))

    def _stuck(self, now: float, limits: Limits) -> bool:
        """Whether the client has read nothing for too long."""
        unread, since = self._unread
        left = self._transport.get_write_buffer_size()
        if left < unread:
            self._unread = (left, now)
            return False
        return now - since > limits.slow


def _long_head() -> RequestError:
    return RequestError(431, f"The request's headers are larger than {MAX_HEAD >> 10} KiB")
