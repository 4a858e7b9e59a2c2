"""What one server process takes at most, and what it says to those for whom there is no room left.

Together these bound its memory: bodies of requests by `held`, all else by how many requests and connections there are.
"""

from __future__ import annotations

import msgspec

from litellm.proxy.errors import RequestError

CONCURRENCY = 4096  # requests under way
CONNECTIONS = 16_384  # idle ones too
HELD = 512_000_000  # bytes of bodies
UNKNOWN = 4  # the part of it, as a divisor, that long bodies of callers may take who are not known yet
SLOWEST = 1024  # bytes a second, of a request that arrives
LINGER = 5.0  # seconds for somebody who was refused in the middle of a request to read why
RETRY_AFTER = 1  # seconds


class Limits(msgspec.Struct, frozen=True):
    """max_body: bytes of one request. held: bytes of all requests that arrive or are under way. unknown: those of them
    that arrive, long ones, from callers whom nobody knows by their headers. connections: a number.
    idle: seconds without a request. slow: seconds without a byte in the middle of a request, or of an answer."""

    max_body: int = 100_000_000
    held: int = HELD
    unknown: int = HELD // UNKNOWN
    connections: int = CONNECTIONS
    idle: float = 75.0
    slow: float = 60.0

    def late(self, seconds: float, received: int) -> bool:
        """Whether a request of which so many bytes are here after so many seconds is not worth waiting for.

        >>> Limits().late(59, 1), Limits().late(61, 1), Limits().late(120, 1_000_000)
        (False, True, False)
        """
        return seconds > self.slow + received / SLOWEST


def overloaded(why: str) -> RequestError:
    """A refusal that holds for a moment only."""
    headers = [(b"retry-after", b"%d" % RETRY_AFTER)]
    return RequestError(503, f"The server is too busy: {why}. Try again.", headers=headers)
