"""usage-based-routing and -v2: where the fewest tokens were used in the current minute."""

from __future__ import annotations

from math import inf

from litellm.router.tally import MINUTE, Score, Tally

_REQUESTS = 2**-20  # of a token: a request tips the scales where the tokens are the same


def used(tally: Tally, now: float) -> Score:
    """The tokens of this minute, and then the requests."""
    amount = tally.tokens + tally.requests * _REQUESTS
    return amount, now - now % MINUTE + MINUTE if amount else inf
