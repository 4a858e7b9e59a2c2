"""simple-shuffle: at random, in proportion to the shares that the group gave its members."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from litellm.router.deployments import Deployment
from litellm.router.state import Tally


def pick(
    candidates: Sequence[Deployment],
    tally: Callable[[Deployment], Tally],  # noqa: ARG001 - the signature of all strategies
    now: float,  # noqa: ARG001
    rng: Random,
) -> Deployment:
    """One of `candidates`, with the likelihood of its share."""
    shares = [each.share for each in candidates]
    return rng.choices(candidates, shares)[0] if any(shares) else rng.choice(candidates)
