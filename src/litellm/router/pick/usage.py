"""usage-based-routing and -v2: where the fewest tokens were used in the current minute."""

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
    """The candidate with the fewest tokens, then requests, in this minute; at random among equals."""
    used = [(numbers.tokens, numbers.requests) for numbers in map(tally, candidates)]
    least = min(used)
    return rng.choice([each for each, amount in zip(candidates, used, strict=True) if amount == least])
