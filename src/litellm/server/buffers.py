"""What a server keeps in memory for its clients, counted before it is kept: bodies while they arrive, most of all."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable
from io import BytesIO

from litellm.server.limits import Limits
from litellm.server.refusal import Refusal, overloaded, too_large

# What a character of JSON that begins a value costs, in bytes of the buffer, of which each may cost four bytes of memory
# (docs/endurance.md): an object takes some 230, a list some 90, an entry up to 100.
OBJECT, ARRAY, VALUE = 57, 22, 24
HIGH_WATER = 256 << 10  # bytes of a stream that may wait for their reader
FREE = 4096  # bytes of a head, or behind a request, that every connection may keep uncounted


def cost_of_values(data: bytes) -> int:
    """What the values that these bytes of JSON may hold cost, beside the bytes.

    >>> cost_of_values(b"[1, 2]")
    46
    """
    return OBJECT * data.count(b"{") + ARRAY * data.count(b"[") + VALUE * data.count(b",")


class Buffers:
    """What all connections of one server keep. buffered_bytes: of requests that arrive or are under way, and of answers
    that are not read. unauthenticated_bytes: those of them that arrive from callers who are not known yet."""

    __slots__ = ("buffered_bytes", "unauthenticated_bytes")

    def __init__(self) -> None:
        self.buffered_bytes = 0
        self.unauthenticated_bytes = 0


class Reservation:
    """The room that one request, or one connection, takes. Give it back with `release`, which may be called again.

    >>> buffers = Buffers()
    >>> reservation = Reservation(buffers, Limits(buffer_limit=100, unauthenticated_limit=50), authenticated=False)
    >>> reservation.grow(50); reservation.authenticate(); reservation.grow(50)
    >>> buffers.buffered_bytes, buffers.unauthenticated_bytes
    (100, 0)
    >>> reservation.release(); buffers.buffered_bytes
    0
    """

    __slots__ = ("_buffers", "authenticated", "limits", "size")

    def __init__(self, buffers: Buffers, limits: Limits, *, authenticated: bool = True) -> None:
        self._buffers = buffers
        self.limits = limits
        self.authenticated = authenticated
        self.size = 0

    def grow(self, size: int) -> None:
        """Take room for more. Raises Refusal, and takes none: 503 when there is too little now, 413 when there never will
        be enough."""
        buffers, limits = self._buffers, self.limits
        if buffers.buffered_bytes + size > limits.buffer_limit:
            if self.size + size > limits.buffer_limit:
                raise too_large(limits.buffer_limit)
            raise overloaded("the requests that it has take all of its room")
        if not self.authenticated:
            if buffers.unauthenticated_bytes + size > limits.unauthenticated_limit:
                raise overloaded("requests of callers whom it does not know yet take all the room that these have")
            buffers.unauthenticated_bytes += size
        self.size += size
        buffers.buffered_bytes += size

    def add(self, size: int) -> None:
        """Count what is kept already, such as an answer that its client does not read."""
        self.size += size
        self._buffers.buffered_bytes += size

    def shrink(self, size: int) -> None:
        """Give some of it back."""
        size = min(size, self.size)
        self.size -= size
        self._buffers.buffered_bytes -= size
        if not self.authenticated:
            self._buffers.unauthenticated_bytes -= size

    def authenticate(self) -> None:
        """The caller is known, or the request is complete: it counts as authenticated from now on."""
        if not self.authenticated:
            self._buffers.unauthenticated_bytes -= self.size
            self.authenticated = True

    def release(self) -> None:
        """Give all of it back."""
        size, self.size = self.size, 0
        self._buffers.buffered_bytes -= size
        if not self.authenticated:
            self._buffers.unauthenticated_bytes -= size


class Body(Reservation):
    """A body that is collected, and the room that it takes. received: bytes that have come. complete: all have."""

    __slots__ = ("_collected", "_promised", "complete", "received")

    def __init__(self, buffers: Buffers, limits: Limits) -> None:
        self._buffers = buffers  # as Reservation has it, without a call: most requests have a body
        self.limits = limits
        self.authenticated = True
        self.size = 0
        self._collected: BytesIO | bytes = b""
        self._promised = 0
        self.received = 0
        self.complete = False

    def expect(self, length: int | None, *, authenticated: bool) -> None:
        """There is more to come. Whoever is known gets room for all of it, so that who is let in can finish.

        length: of the body, if it is known. Raises Refusal.
        """
        self.authenticated = authenticated
        if authenticated and length is not None:
            self.grow(length)
            self._promised = length

    def take(self, piece: bytes) -> None:
        """The next piece. Raises Refusal for one too many."""
        before = self.received
        self.received += len(piece)
        if self.received > self.limits.max_body:
            raise too_large(self.limits.max_body)
        more = self.received - max(self._promised, before)
        cost = cost_of_values(piece)
        self.grow(cost + more if more > 0 else cost)
        if before == 0:
            self._collected = piece
            return
        if isinstance(self._collected, bytes):
            # A list of pieces would leave holes all over the memory.
            first, self._collected = self._collected, BytesIO()
            self._collected.write(first)
        self._collected.write(piece)

    def end(self) -> bytes:
        """It is here: all of it."""
        self.complete = True
        if not self.authenticated:
            self.authenticate()
        collected, self._collected = self._collected, b""
        return collected if isinstance(collected, bytes) else collected.getvalue()


class Discarded(Body):
    """The short body of a request that has been refused, read over so that the connection can be used again."""

    __slots__ = ()

    def take(self, piece: bytes) -> None:
        """Throw it away."""
        self.received += len(piece)


class Stream(Body):
    """A body that is read as it comes, or, if it is endless, what another protocol says over the same connection. resume:
    called when there is room for more."""

    __slots__ = ("_arrived", "_failed", "_longest", "_queue", "_queued", "_resume")

    def __init__(self, buffers: Buffers, limits: Limits, resume: Callable[[], None], *, endless: bool = False) -> None:
        super().__init__(buffers, limits)
        self._longest = math.inf if endless else limits.max_body
        self._queue: deque[bytes] = deque()
        self._queued = 0
        self._arrived = asyncio.Event()
        self._failed: Refusal | None = None
        self._resume = resume

    @property
    def full(self) -> bool:
        """Whether the client should wait."""
        return self._queued > HIGH_WATER

    def expect(self, length: int | None, *, authenticated: bool) -> None:  # noqa: ARG002 - no more is kept than comes
        """There is more to come."""
        self.authenticated = authenticated

    def take(self, piece: bytes) -> None:
        """Queue the next piece. Raises Refusal."""
        self.received += len(piece)
        if self.received > self._longest:
            raise too_large(self._longest)
        self.grow(len(piece))
        self._queued += len(piece)
        self._queue.append(piece)
        self._arrived.set()

    def end(self) -> bytes:
        """Nothing more comes."""
        self.complete = True
        self.authenticate()
        self._arrived.set()
        return b""

    def fail(self, refusal: Refusal) -> None:
        """What comes is nothing that can be read on."""
        self._failed = refusal
        self._arrived.set()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, piece by piece. Raises Refusal where it breaks off."""
        while True:
            while self._queue:
                piece = self._queue.popleft()
                self._queued -= len(piece)
                self.shrink(len(piece))
                self._resume()
                yield piece
            if self.complete:
                return
            if self._failed is not None:
                raise self._failed
            self._arrived.clear()
            await self._arrived.wait()
