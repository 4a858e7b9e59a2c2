"""One connection to an upstream, and the exchange that it carries.

One write a request, one wake-up a whole answer, no timers that are set and cancelled: each connection has one clock, which
looks every now and then whether anything is late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from litellm.net import failures
from litellm.net.fair_queue import LARGE, FairQueue
from litellm.net.faults import TransportFault
from litellm.net.messages import Request, Sink, streams
from litellm.net.network import Network
from litellm.net.readable import watch
from litellm.net.request_head import Head
from litellm.net.response import Response
from litellm.net.unzip import Malformed, too_large

IDLE = 30.0  # seconds that a connection is kept for; servers commonly close after 60 or more
CHECK_INTERVAL = 15.0  # seconds between looks at the clock, at the most
LAST_BYTES = 1.0  # seconds that the end of a stream may take to arrive after its [DONE]
HIGH_WATER = 256 << 10  # bytes of a stream that wait for its reader; beyond it the upstream waits

Key = tuple[str, str, int, Network]  # scheme, host, port: what two requests must share to share a connection


class ConnectionOwner(Protocol):
    """What opens connections and keeps them: an AsyncPool.

    buffer_remaining: bytes that the unfinished answers from where clients have sent us may still take, all together.
    fair_queue: for long bodies, to be written and to be read on.
    """

    buffer_remaining: int
    fair_queue: FairQueue

    def keep(self, connection: AsyncConnection) -> None:
        """It has nothing to do."""

    def forget(self, connection: AsyncConnection) -> None:
        """It has ended."""


class AsyncReply:
    """A reply whose body may still be on its way. It outlives the connection's part in it: what has arrived stays."""

    __slots__ = (
        "_buffered",
        "_connection",
        "_fault",
        "_parts",
        "_sink",
        "_size",
        "_waiter",
        "body",
        "request",
        "response",
        "streamed",
    )  # fmt: skip

    def __init__(self, request: Request, connection: AsyncConnection, waiter: asyncio.Future[None]) -> None:
        self.request = request
        self.response = Response(bodyless=request.method == "HEAD", max_size=request.network.max_size)
        self.streamed = False  # known when the head is here
        self.body = b""
        self._connection: AsyncConnection | None = connection  # until the last byte, a fault, or close()
        self._parts: list[bytes] = []
        self._size = 0
        self._buffered = 0  # bytes of what the pool's guarded answers may take
        self._fault: TransportFault | None = None
        self._sink: Sink | None = None
        self._waiter: asyncio.Future[None] | None = waiter

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response.headers

    async def read(self) -> bytes:
        """The next bytes of a streamed body; empty at its end."""
        while not self._parts:
            self.raise_fault()
            if self._connection is None:
                return b""
            self._waiter = self._connection.loop.create_future()
            await self._waiter
        data = self._arrived()
        if self._connection is not None:
            self._connection.resume()
        return data

    def stream_to(self, sink: Sink) -> None:
        """Give the rest of a streamed body to `sink` where it comes in, instead of waking a task that reads it."""
        self._sink = sink
        self._wake()

    def close(self) -> None:
        """Let go of the connection, if it is still ours. Abort rather than close: TLS would wait for the peer's goodbye."""
        connection = self._let_go()
        self._sink = None
        if connection is not None:
            connection.abort()
        self._wake()

    def finish(self) -> None:
        """All that matters has been read: keep the connection if the last bytes come soon."""
        if self._connection is not None:
            self._connection.end_soon()

    # --- the connection's side ----------------------------------------------------------------------------------------

    def take(self, data: bytes) -> bool:
        """What has come in; says whether there was something of the body in it. Raises Malformed, TransportFault."""
        response = self.response
        begun = response.begun
        part = response.feed(data)
        if part:
            self._parts.append(part)
            self._size += len(part)
        if not begun and response.begun:
            self.streamed = self.request.stream and streams(response.status, response.headers)
        if response.complete:
            self._complete()
        elif self.streamed:
            if self._sink is not None:
                self._deliver(self._sink)
            elif part or not begun:
                self._wake()
            if self._size >= HIGH_WATER and self._connection is not None:
                self._connection.pause()
        else:
            self._buffer(self.request.network)
        return bool(part)

    def end(self, exc: Exception | None) -> None:
        """The connection has ended, because of `exc` or in good order. Raises Malformed if the answer is not complete."""
        if exc is not None:
            raise Malformed(repr(exc))
        self.response.end()
        self._complete()

    def fail(self, fault: TransportFault) -> None:
        """The connection has ended, and with it the answer."""
        self._fault = fault
        self._let_go()
        self._wake()

    def raise_fault(self) -> None:
        if self._fault is not None:
            raise TransportFault(self._fault.kind, str(self._fault))  # another each time: it refers to its raiser

    @property
    def silent(self) -> bool:
        """Whether more is to come, and nothing of the body has."""
        return not self._parts and self._connection is not None

    def _complete(self) -> None:
        if not self.streamed:
            self.body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts.clear()
        if self._buffered:
            self._let_go()
        self._connection = None
        self._wake()

    def _buffer(self, network: Network) -> None:
        """It waits here until it is whole, if it is not too large, and not too much waits already."""
        if self._size > network.max_size:
            raise too_large(network.max_size)
        if network.guard is not None and self._connection is not None:
            pool = self._connection.pool
            pool.buffer_remaining -= self._size - self._buffered
            self._buffered = self._size
            if pool.buffer_remaining < 0:
                raise TransportFault("busy", "there is no room for the answer now; try again")

    def _let_go(self) -> AsyncConnection | None:
        connection, self._connection = self._connection, None
        if self._buffered and connection is not None:
            connection.pool.buffer_remaining += self._buffered
            self._buffered = 0
        return connection

    def _arrived(self) -> bytes:
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return data

    def _wake(self) -> None:
        if self._sink is not None:
            self._deliver(self._sink)
            return
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _deliver(self, sink: Sink) -> None:
        connection = self._connection
        if self._parts:
            drained = sink(self._arrived())
            if connection is not None and drained is None:
                connection.resume()  # it may have been paused before there was a sink
            elif connection is not None:
                connection.hold(drained)
        if connection is None:  # it was the last
            self._sink = None
            sink(b"" if self._fault is None else self._fault)


class AsyncConnection(asyncio.Protocol):
    """One connection to an origin, carrying one exchange at a time."""

    __slots__ = (
        "_deadline",
        "_due",
        "_last",
        "_paused",
        "_queued",
        "_readable",
        "_reply",
        "_silence",
        "_timer",
        "_transport",
        "key",
        "loop",
        "pool",
    )  # fmt: skip

    def __init__(self, pool: ConnectionOwner, key: Key, loop: asyncio.AbstractEventLoop) -> None:
        self.key = key
        self.loop = loop
        self.pool = pool
        self._transport: Any = None
        self._reply: AsyncReply | None = None
        self._paused = False  # the reader has enough for now
        self._queued = False  # it is to be read on, when it is its turn
        self._last = 0.0  # when the answer last went on, or the connection became idle
        self._silence = 0.0  # seconds that may pass after it
        self._deadline = 0.0  # when the exchange must be over
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._readable: Callable[[], object] | None = None

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it: it stands, has not been idle for too long, and has said nothing more.

        What it says is also told to data_received, but only when the loop comes round, which it may not have done since.
        """
        if self._transport.is_closing() or self.loop.time() - self._last >= IDLE:
            return False
        if self._readable is None:
            self._readable = watch(self._transport.get_extra_info("socket").fileno())
        return not self._readable()

    @property
    def is_open(self) -> bool:
        """Whether it has not been lost yet."""
        return not self._transport.is_closing()

    async def exchange(self, request: Request, head: Head, deadline: float) -> AsyncReply:
        """Send, and wait for the head, and for the body too unless a good answer is to be streamed.

        deadline: when all must be over, in the loop's time. Raises TransportFault.
        """
        if self._transport.is_closing():  # as soon as it stood
            raise failures.closed(request, "it accepted the connection and closed it")
        timeouts = request.timeouts
        waiter = self.loop.create_future()
        reply = self._reply = AsyncReply(request, self, waiter)
        self._last = self.loop.time()
        self._silence, self._deadline = timeouts.first_byte, deadline
        self._schedule_check(min(self._last + self._silence, deadline, self._last + CHECK_INTERVAL))
        try:
            if len(request.body) < LARGE:
                self._transport.write(head.start(request) + request.body)
            else:
                await self.pool.fair_queue.turn()
                # By now it may be answered, and the connection carry another request.
                if self._reply is reply and not self._transport.is_closing():
                    self._transport.writelines((head.start(request), request.body))  # which need no copy
            await waiter
        except BaseException:
            # The reply and not the connection: the answer may be complete, and another request be on its way.
            reply.close()
            raise
        reply.raise_fault()
        if reply.streamed and reply.silent:
            # The first piece may take as long as the stricter of two clocks says: for the beginning, and for silence.
            self._allow_silence(min(timeouts.first_byte, timeouts.between))
        return reply

    def abort(self) -> None:
        """Drop it, at once."""
        self._reply = None
        self._paused = False  # a later resume has nothing to do any more
        self._transport.abort()

    def break_off(self, fault: TransportFault) -> None:
        """Drop it, and fail the reply that is awaited."""
        reply = self._reply
        self.abort()
        if reply is not None:
            reply.fail(fault)

    def hold(self, until: Any) -> None:
        """Have the upstream wait until a future is done."""
        self.pause()
        until.add_done_callback(lambda _: self.resume())

    def pause(self) -> None:
        """Have the upstream wait."""
        if not self._paused:
            self._paused = True
            if not self._queued:
                self._transport.pause_reading()

    def resume(self) -> None:
        """Have it go on."""
        if self._paused:
            self._paused = False
            self._last = self.loop.time()
            if not self._queued:
                self._transport.resume_reading()

    def end_soon(self) -> None:
        """Nobody reads on; the last bytes have a moment to arrive."""
        self._deadline = min(self._deadline, self.loop.time() + LAST_BYTES)
        self._schedule_check(self._deadline)

    # --- what asyncio tells us ----------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._last = self.loop.time()

    def data_received(self, data: bytes) -> None:
        reply = self._reply
        if reply is None:  # unsolicited: on the next request this would pass for its answer
            self.abort()
            return
        try:
            spoke = reply.take(data)
        except Malformed as error:
            self.break_off(failures.not_http(reply.request, error))
            return
        except TransportFault as fault:
            self.break_off(TransportFault(fault.kind, str(fault)))
            return
        response = reply.response
        if response.begun:  # the clock of the first byte is not impressed by half a head
            self._last = self.loop.time()
        if response.complete:
            self._exchange_done(response)
        elif spoke and reply.streamed and self._silence != reply.request.timeouts.between:
            self._allow_silence(reply.request.timeouts.between)
        if len(data) >= LARGE and not response.complete and not self._queued and not self._transport.is_closing():
            self._queue()

    def _queue(self) -> None:
        """Let others go first: megabytes may follow, and as many for each of a thousand others."""
        self._queued = True
        if not self._paused:
            self._transport.pause_reading()
        self.pool.fair_queue.schedule(self._read_on)

    @property
    def _waits_for_head(self) -> bool:
        """Whether an answer is due and has not begun: interim ones, however many, do not wind its clock."""
        return self._reply is not None and not self._reply.response.begun

    def _read_on(self) -> None:
        self._queued = False
        if not self._waits_for_head:
            self._last = self.loop.time()
        if not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.pool.forget(self)
        self._paused = False
        reply, self._reply = self._reply, None
        if reply is None:
            return
        try:
            reply.end(exc)
        except Malformed as error:
            reply.fail(failures.closed(reply.request, error))

    def _exchange_done(self, response: Response) -> None:
        """The exchange is over: for another, or for good."""
        self._reply = None
        sent = not self._transport.get_write_buffer_size()  # some answer before they have read the request
        if response.reusable and sent and not response.excess and not self._transport.is_closing():
            self.resume()
            self.pool.keep(self)
        else:
            self.abort()

    # --- the clock ----------------------------------------------------------------------------------------------------

    def _schedule_check(self, due: float) -> None:
        """See to it that the clock is looked at by `due`. Most of the time it will be, and nothing has to be done."""
        if self._timer is None or self._due > due:
            if self._timer is not None:
                self._timer.cancel()
            self._due = due
            self._timer = self.loop.call_at(due, self._check)

    def _allow_silence(self, silence: float) -> None:
        """From now on the upstream may be silent for this long."""
        self._silence = silence
        self._schedule_check(min(self._last + silence, self._deadline))

    def _check(self) -> None:
        self._timer = None
        now = self.loop.time()
        reply = self._reply
        if reply is None:
            if now < self._last + IDLE:
                self._schedule_check(min(self._last + IDLE, now + CHECK_INTERVAL))
            else:
                self.abort()
        elif now >= self._deadline:
            self.break_off(failures.total_timeout(reply.request))
        elif now >= self._last + self._silence and (self._waits_for_head or not (self._paused or self._queued)):
            self.break_off((failures.silence if reply.streamed else failures.first_byte_timeout)(reply.request))
        else:
            ours = (self._paused or self._queued) and not self._waits_for_head  # while we are slow, the upstream is not
            quiet = (now if ours else self._last) + self._silence
            self._schedule_check(min(quiet, self._deadline, now + CHECK_INTERVAL))
