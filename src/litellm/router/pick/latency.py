"""latency-based-routing: where answers came fastest of late."""

from __future__ import annotations

from math import inf

from litellm.router.tally import Score, Tally

PENALTY = 1000.0  # seconds that a timeout counts as


def average(tally: Tally, now: float, *, ttl: float = 3600.0, max_latency_list_size: int = 10) -> Score:
    """The average, in seconds, of the last `max_latency_list_size` answers of the last `ttl` seconds. Without any: 0, to be
    tried first."""
    recent = [(at, seconds) for at, seconds in list(tally.latencies)[-max_latency_list_size:] if now - at <= ttl]
    if not recent:
        return 0.0, inf
    return sum(seconds for _, seconds in recent) / len(recent), recent[0][0] + ttl
