"""simple-shuffle: at random, in proportion to weights where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def pick(candidates: Sequence[T], weights: Sequence[float] | None, rng: Random) -> T:
    """One of `candidates`. weights: their shares, or None for equal ones.

    >>> pick(["a", "b"], [0.0, 1.0], Random(1))
    'b'
    """
    if weights is None or not any(weights):
        return candidates[int(rng.random() * len(candidates))]
    return rng.choices(candidates, weights)[0]
