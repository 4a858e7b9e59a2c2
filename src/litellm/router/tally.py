"""The numbers of one deployment, and what they are measured against.

Minutes are windows that begin every 60 seconds of the clock, as providers count: a limit holds within each of them, so up
to twice as much may pass in the 60 seconds around the beginning of one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

MINUTE = 60.0  # seconds
MAX_LATENCIES = 100  # kept for a deployment


class Limits(msgspec.Struct, frozen=True):
    """What a deployment takes: requests and tokens in a minute, and requests at once. None: no limit."""

    rpm: int | None = None
    tpm: int | None = None
    parallel: int | None = None


NO_LIMITS = Limits()


class Tally:
    """The numbers of one deployment. requests, tokens, successes and failures are those of `minute`."""

    __slots__ = ("failures", "in_flight", "latencies", "minute", "requests", "successes", "tokens")

    def __init__(self, minute: int) -> None:
        self.in_flight = 0
        self.latencies: deque[tuple[float, float]] = deque(maxlen=MAX_LATENCIES)  # (when, seconds)
        self.begin(minute)

    def begin(self, minute: int) -> None:
        self.minute = minute
        self.requests = self.tokens = self.successes = 0
        self.failures: dict[str, int] = {}  # by the name of the error's class

    def wait(self, limits: Limits, now: float) -> float:
        """The seconds until `limits` may let a request in; 0 if they do now."""
        if limits.rpm is not None and self.requests >= limits.rpm:
            return MINUTE - now % MINUTE
        if limits.tpm is not None and self.tokens >= limits.tpm:
            return MINUTE - now % MINUTE
        if limits.parallel is not None and self.in_flight >= limits.parallel:
            return 1.0  # unknown: a request may end at any moment
        return 0.0


# How a strategy sees a deployment: a number, the lowest first, and until when it holds if nothing happens: seconds of the
# clock, or infinite.
Score = tuple[float, float]
Measure = Callable[[Tally, float], Score]
Ranked = tuple[str, Limits]  # a deployment by its id, and what it takes
