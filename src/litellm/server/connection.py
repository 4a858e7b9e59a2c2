"""Connections of clients on asyncio: bytes to requests by the parser, one after another, and their answers back.

A server of our own because the general ones cost more than all the rest of a request: no scope, message or event
objects, one write for an answer, and a client that goes away cancels its request at once, without a task that waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from litellm._containment import contained
from litellm._log import log
from litellm.net.fair_queue import LARGE, FairQueue
from litellm.server.application import Application
from litellm.server.buffers import FREE, Body, Buffers, Discarded, Reservation, Stream
from litellm.server.exchange import Exchange
from litellm.server.flow_control import FlowControl
from litellm.server.head import Head
from litellm.server.limits import LINGER, Limits
from litellm.server.parser import END, UPGRADE, Parser
from litellm.server.refusal import Refusal, overloaded, too_large
from litellm.server.routing import Match, check_protocol

READ_AHEAD = 256 << 10  # bytes behind the request that is served; who sends more has to wait
# Bytes of a body in chunks that wait for their turn: if those are small, these take long to read.
LARGE_CHUNKED = 4 << 10
SMALL_BODY = 64 * 1024  # bytes; of a request that is refused, a longer one is not waited for


class Connections:
    """All open connections of a server, and what they share."""

    def __init__(self, app: Application, limits: Callable[[], Limits] | None = None) -> None:
        self.app = app
        self.limits = limits or (lambda: app.limits)
        self.buffers = Buffers()
        self.open: set[Connection] = set()
        self.queue = FairQueue()  # for long bodies: to be read on, and to be served
        self.closing = False
        self.all_closed = asyncio.Event()  # set when, after close_idle, the last one has ended

    def __call__(self) -> Connection:
        return Connection(self)

    @property
    def room(self) -> int:
        """How many more there may be; below zero when there is one too many."""
        return self.limits().connections - len(self.open)

    def close_idle(self) -> None:
        """Let those go that are in the middle of nothing; the others close after their answer."""
        self.closing = True
        if not self.open:
            self.all_closed.set()
        for connection in list(self.open):
            connection.finish()

    def abort(self) -> None:
        """Cancel what is still under way."""
        for connection in list(self.open):
            connection.close()

    def sweep(self, now: float) -> None:
        """Close connections that have been idle or slow for too long. Called every few seconds. now: the loop's time."""
        limits = self.limits()
        for connection in list(self.open):
            connection.sweep(now, limits)


class Connection(FlowControl):
    """One client's connection."""

    __slots__ = (
        "_begun",
        "_body",
        "_closing",
        "_connections",
        "_discarding",
        "_head",
        "_kept",
        "_last_received",
        "_match",
        "_parser",
        "_refusal",
        "serving",
        "write",
    )  # fmt: skip

    def __init__(self, connections: Connections) -> None:
        super().__init__()
        self._connections = connections
        self._parser = Parser()
        # Of what the parser keeps.
        self._kept = Reservation(connections.buffers, connections.app.limits, authenticated=False)
        self._head: Head | None = None
        self._match: Match | None = None
        self._refusal: Refusal | None = None  # of a request whose body is still to come
        self._body: Body | None = None  # of the request that arrives or is served
        self._last_received = self._loop.time()  # the last byte
        self._begun = 0.0  # the first one of the request that is arriving; 0 between requests
        self._discarding = False  # nothing that comes is read any more
        self.write: Callable[[bytes], None]  # the transport's own
        self.serving: asyncio.Task[None] | None = None
        self._closing = connections.closing

    # --- the transport's side -------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.write = transport.write
        self._connections.open.add(self)
        if self._connections.room < 0:
            self._send_error(self._exchange(None), overloaded("it has as many connections as it takes"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._connections.open.discard(self)
        if self._connections.closing and not self._connections.open:
            self._connections.all_closed.set()
        self._kept.release()
        if self._body is not None:
            self._body.release()
        self._wake()
        if self.serving is not None:
            self.serving.cancel()  # the client has gone

    def data_received(self, data: bytes) -> None:
        # There may be megabytes more, and as many for each of a thousand others.
        in_chunks = self._head is not None and self._head.length is None
        if len(data) >= (LARGE_CHUNKED if in_chunks else LARGE):
            self._transport.pause_reading()
            self._connections.queue.schedule(self._read_on)
        if self._discarding:
            return
        self._last_received = self._loop.time()
        self._advance(data)

    def _read_on(self) -> None:
        """Read again, unless the application has to catch up first."""
        transport = self._transport
        if not (transport.is_reading() or transport.is_closing() or self._full()):  # an answer may have been faster
            if self._begun:  # for as long as it had to wait the client was not slow
                waited = self._loop.time() - self._last_received
                self._begun += waited
                self._last_received += waited
            transport.resume_reading()

    def _full(self) -> bool:
        if isinstance(self._body, Stream) and self._body.full:
            return True
        return self.serving is not None and len(self._parser.pending) >= READ_AHEAD

    # --- requests, as they arrive ---------------------------------------------------------------------------------------

    def _advance(self, data: bytes | None) -> None:
        """Read on: what has come, or, if that is None, what was kept until the request before had been answered."""
        try:
            events = self._parser.resume() if data is None else self._parser.feed(data)
            complete = bool(events) and events[-1] is END
            for event in events:
                if event is END:
                    self._arrived()
                elif isinstance(event, Head):
                    self._begin(event, complete=complete)
                elif event is UPGRADE:
                    self._begun = 0.0  # the request is here; what comes next has no end
                elif self._body is not None and isinstance(event, bytes):
                    self._body.take(event)
            if not complete or self._parser.pending:
                self._keep()
        except Refusal as refusal:
            self._refuse(refusal)
        else:
            if not (complete or self._begun) and self._parser.begun:
                self._begun = self._last_received

    def _begin(self, head: Head, *, complete: bool) -> None:
        """A head is here. complete: so is the body."""
        self._head, self._match, self._body = head, None, None
        try:
            self._match = match = self._connections.app.route(head)
            if head.upgrade or match.body == "socket":
                check_protocol(match, upgrade=head.upgrade)
            if head.length != 0 or match.body != "whole":
                self._body = self._new_body(head, match)
            if self._body is not None and not complete:
                self._body.expect(head.length, authenticated=self._connections.app.admit(head))
        except Refusal as refusal:
            if head.upgrade or not (complete or _is_short(head)):
                raise
            self._refusal = refusal
            self._body = Discarded(self._connections.buffers, self._connections.app.limits)
        else:
            if head.expects_continue and not complete:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if match.body != "whole":
                self._serve(self._exchange(head))

    def _new_body(self, head: Head, match: Match) -> Body:
        limits = self._connections.app.limits
        if head.length is not None and head.length > limits.max_body:
            raise too_large(limits.max_body)
        if match.body == "whole":
            return Body(self._connections.buffers, limits)
        return Stream(self._connections.buffers, limits, self._read_on, endless=match.body == "socket")

    def _arrived(self) -> None:
        """All of a request is here."""
        self._begun = 0.0
        body = b"" if self._body is None else self._body.end()
        if self.serving is None:
            self._serve(self._exchange(self._head, body))

    def _keep(self) -> None:
        """Count what the parser keeps. It counts as a stranger's: no caller is known by what has not been read."""
        self._kept.limits = self._connections.app.limits
        size = max(0, len(self._parser.pending) - FREE)
        if size < self._kept.size:
            self._kept.shrink(self._kept.size - size)
        elif size > self._kept.size:
            self._kept.grow(size - self._kept.size)
        if self._full():
            self._transport.pause_reading()

    def _exchange(self, head: Head | None, body: bytes = b"") -> Exchange:
        """head: None if the request could not be parsed."""
        if head is None:
            head = Head("POST", "", "", b"", {}, [], keep_alive=False)
        match = self._match
        if match is None:
            return self._connections.app.exchange(self, head, body)
        return self._connections.app.exchange(self, head, body, handler=match.handler, params=match.params)

    # --- serving --------------------------------------------------------------------------------------------------------

    def _serve(self, exchange: Exchange) -> None:
        refusal, self._refusal = self._refusal, None
        self.serving = self._loop.create_task(self._run(exchange, refusal))

    async def _run(self, exchange: Exchange, refusal: Refusal | None) -> None:
        """Answer a request, whatever happens, and go on to the next one."""
        try:
            try:
                if refusal is not None:
                    try:
                        raise refusal
                    finally:
                        del refusal  # its traceback leads here, where it would keep itself, and the connection with it
                if len(exchange.body) >= LARGE:
                    await self._connections.queue.turn()
                await self._connections.app(exchange)
                if not exchange.ended:
                    raise RuntimeError("a handler returned without a whole answer")
            except BaseException as raised:  # noqa: BLE001 - nothing may end the process, or leave the client waiting
                self._fail(exchange, contained(raised))
            if self._resumed is not None:  # a client that does not read gets no further answers
                await self._until_read(self._resumed, self._connections.buffers, self._connections.app.limits)
        finally:
            self.serving = None
            self._last_received = self._loop.time()
            arrived = self._body is None or self._body.complete
            self._forget_request()
            if not (arrived and exchange.keep_alive and exchange.ended) or self._closing:
                self._hang_up()
            elif self._parser.pending:
                self._advance(None)
                self._read_on()
            else:
                self._parser.resume()
                self._read_on()

    def _fail(self, exchange: Exchange, error: Exception) -> None:
        """Tell the client of an error, if it is not too late for a status: then it sees the connection end."""
        if exchange.started:
            exchange.keep_alive = False
            log.error("an answer could not be finished", exc_info=error)
        else:
            self._send_error(exchange, error)

    def _send_error(self, exchange: Exchange, error: Exception) -> None:
        exchange.answer(*self._connections.app.render(exchange, error))

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what cannot be understood or taken, and hang up. It is the turn of this request, or none is arriving."""
        self._stop_listening()
        if self.serving is None:
            self._answer_last(refusal)
        elif isinstance(self._body, Stream) and not self._body.complete:
            self._body.fail(refusal)  # its handler may still answer
        else:
            self._closing = True  # what waited is lost: the client sees that it was not answered

    def _answer_last(self, refusal: Refusal) -> None:
        if self._transport.is_closing():
            return
        exchange = self._exchange(self._head)
        exchange.keep_alive = False
        self._send_error(exchange, refusal)
        self._forget_request()
        self._hang_up()

    def _forget_request(self) -> None:
        """Nothing of it is kept any more."""
        if self._body is not None:
            self._body.release()
        self._head, self._match, self._body = None, None, None

    def _hang_up(self) -> None:
        """There are no more answers. Closing while more comes would be a reset, and the last might never be read."""
        arriving = self._discarding or self._parser.pending or self._parser.begun
        self._stop_listening()
        if arriving and not self._transport.is_closing() and self._transport.can_write_eof():
            if not self._transport.is_reading():
                self._transport.resume_reading()
            self._transport.write_eof()
        else:
            self.close()

    def _stop_listening(self) -> None:
        self._discarding = True
        self._begun = 0.0
        self._parser.forget()
        self._kept.release()

    # --- what an exchange works with ------------------------------------------------------------------------------------

    @property
    def peer(self) -> tuple[str, int] | None:
        found = self._transport.get_extra_info("peername")
        return (found[0], found[1]) if isinstance(found, tuple) and len(found) >= 2 else None

    @property
    def scheme(self) -> str:
        return "http" if self._transport.get_extra_info("sslcontext") is None else "https"

    @property
    def closing(self) -> bool:
        """Whether an answer that begins now is the last one. It is if it comes before the body of its request, of which the
        rest is not read (RFC 9112, 9.6)."""
        return self._closing or (isinstance(self._body, Stream) and not self._body.complete)

    def pieces(self) -> AsyncIterator[bytes]:
        if not isinstance(self._body, Stream):
            raise TypeError("this route reads its body whole")
        return self._body.pieces()

    # --- the end --------------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Close: now if nothing is served, else behind the answer."""
        self._closing = True
        if self.serving is None:
            self.close()

    def close(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
        if self.serving is not None:
            self.serving.cancel()

    def sweep(self, now: float, limits: Limits) -> None:
        """Close if nothing has come, or gone, for too long. What an answer takes to be made is not our business."""
        quiet = now - self._last_received
        if self.serving is None and (self._discarding or self._transport.is_closing()):
            if quiet > (LINGER if self._discarding else limits.slow):
                self._transport.abort()
        elif self.serving is not None and self._resumed is not None:
            if self._stuck(now, limits):
                self._transport.abort()  # which cancels what is being served
        elif self._begun:
            if not self._full() and (quiet > limits.slow or limits.late(now - self._begun, self._received())):
                self._refuse(Refusal(408, "The request did not arrive in time"))
        elif self.serving is None and quiet > limits.idle:
            self.close()

    def _received(self) -> int:
        return len(self._parser.pending) if self._body is None else self._body.received


def _is_short(head: Head) -> bool:
    """Whether the body of a refused request is worth waiting for, so that its connection can be used again."""
    return head.length is not None and head.length <= SMALL_BODY and not head.expects_continue
