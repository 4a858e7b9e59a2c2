"""What one server process takes at most.

Together these bound its memory: bytes that it keeps by `buffer_limit`, all else by how many requests and connections there
are.
"""

from __future__ import annotations

import msgspec

CONNECTIONS = 16_384  # idle ones too
BUFFER_LIMIT = 512_000_000  # bytes
UNAUTHENTICATED = 4  # the part of it, as a divisor, for what arrives from callers who are not known yet
SLOWEST = 1024  # bytes a second, of a request that arrives
LINGER = 5.0  # seconds for a client that was refused in the middle of a request to read why


class Limits(msgspec.Struct, frozen=True):
    """max_body: bytes of one request. buffer_limit: bytes that are kept for all requests that arrive or are under way.
    unauthenticated_limit: those of them that arrive from callers not known by their headers. connections: a number.
    idle: seconds without a request. slow: seconds without a byte in the middle of a request, or of an answer."""

    max_body: int = 100_000_000
    buffer_limit: int = BUFFER_LIMIT
    unauthenticated_limit: int = BUFFER_LIMIT // UNAUTHENTICATED
    connections: int = CONNECTIONS
    idle: float = 75.0
    slow: float = 60.0

    @classmethod
    def of(cls, max_body: int, buffer_limit: int) -> Limits:
        """Limits under which one request always finds room."""
        limit = max(buffer_limit, max_body)
        return cls(max_body, limit, max(limit // UNAUTHENTICATED, max_body))

    def late(self, seconds: float, received: int) -> bool:
        """Whether a request of which so many bytes are here after so many seconds is not worth waiting for.

        >>> Limits().late(59, 1), Limits().late(61, 1), Limits().late(120, 1_000_000)
        (False, True, False)
        """
        return seconds > self.slow + received / SLOWEST
