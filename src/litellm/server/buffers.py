"""What a server keeps in memory for its clients, counted before it is kept."""

from __future__ import annotations

from litellm.server.limits import Limits
from litellm.server.refusal import overloaded, too_large

# What a character of JSON that begins a value costs, in bytes of the buffer, of which each may cost four bytes of memory
# (docs/endurance.md): an object takes some 230, a list some 90, an entry up to 100.
OBJECT, ARRAY, VALUE = 57, 22, 24
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
        """Count what is kept already, such as an answer that nobody reads."""
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
        """The caller is known, or the request is here: it does not count as a stranger's any more."""
        if not self.authenticated:
            self._buffers.unauthenticated_bytes -= self.size
            self.authenticated = True

    def release(self) -> None:
        """Give all of it back."""
        size, self.size = self.size, 0
        self._buffers.buffered_bytes -= size
        if not self.authenticated:
            self._buffers.unauthenticated_bytes -= size
