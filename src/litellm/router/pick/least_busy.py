"""least-busy: where the fewest requests are under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from litellm.router.deployments import Deployment
from litellm.router.state import Tally


def pick(
    candidates: Sequence[Deployment],
    tally: Callable[[Deployment], Tally],
    now: float,  # noqa: ARG001 - the signature of all strategies
    rng: Random,
) -> Deployment:
    """The candidate with the fewest requests in flight; at random among equals."""
    busy = [tally(each).in_flight for each in candidates]
    fewest = min(busy)
    return rng.choice([each for each, count in zip(candidates, busy, strict=True) if count == fewest])
