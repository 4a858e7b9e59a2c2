"""latency-based-routing: where answers came fastest of late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from litellm.router.deployments import Deployment
from litellm.router.state import Tally

PENALTY = 1000.0  # seconds that a timeout counts as


def pick(
    candidates: Sequence[Deployment],
    tally: Callable[[Deployment], Tally],
    now: float,
    rng: Random,
    *,
    ttl: float = 3600.0,
    lowest_latency_buffer: float = 0.0,
    max_latency_list_size: int = 10,
) -> Deployment:
    """The candidate with the lowest average over its last `max_latency_list_size` answers of the last `ttl` seconds.

    One without any is tried first. lowest_latency_buffer: take those for equals that are slower by up to this fraction;
    among equals it is chance.
    """
    averages = []
    for each in candidates:
        recent = [seconds for at, seconds in list(tally(each).latencies)[-max_latency_list_size:] if now - at <= ttl]
        averages.append(sum(recent) / len(recent) if recent else 0.0)
    bar = min(averages) * (1 + lowest_latency_buffer)
    return rng.choice([each for each, average in zip(candidates, averages, strict=True) if average <= bar])
