"""least-busy: where the fewest requests are under way."""

from __future__ import annotations

from math import inf

from litellm.router.tally import Score, Tally


def under_way(tally: Tally, now: float) -> Score:  # noqa: ARG001 - the signature of all measures
    """The requests in flight."""
    return tally.in_flight, inf
