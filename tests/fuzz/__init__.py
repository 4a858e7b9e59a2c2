"""What must hold of our parsers for any bytes whatever, as functions of the bytes and of how they are cut. `scripts/fuzz` looks
for bytes that break it, guided by what they reach in the parser; tests/unit/test_fuzz_targets.py walks through the seeds.

A check raises AssertionError. Of every parser it says: no exception but the one it declares; any pieces are the same as all
at once; what is kept meanwhile is bounded; and another reader of the same format agrees with what was accepted.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Target(NamedTuple):
    """check: data, and the places where it is cut. seeds: valid and nearly valid input, from which others are made."""

    check: Callable[[bytes, Iterable[int]], None]
    seeds: tuple[bytes, ...]


def split(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The pieces of `data`, none of them empty. cuts: any numbers."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in zip(edges, edges[1:], strict=False)]
