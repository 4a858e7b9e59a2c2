"""The names of the routing strategies, and what each needs to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from litellm._numbers import parse_int, parse_number
from litellm.router.deployments import Deployment
from litellm.router.pick import cost, latency, least_busy, usage
from litellm.router.tally import Measure


class Strategy(msgspec.Struct, frozen=True):
    """How to pick. Without a `measure`: by the shares of the group alone.

    rank: a number that a deployment has for good; of those with the lowest is picked.
    measure: one that changes with every call. counts: it reads what is in flight or used, so that is kept for all
    deployments; times: it reads latencies. slack: which fraction more still counts as the lowest.
    args: what routing_strategy_args may say, and how it is read.
    """

    rank: Callable[[Deployment], float] | None = None
    measure: Measure | None = None
    slack: float = 0.0
    counts: bool = False
    times: bool = False
    args: Mapping[str, Callable[[str, Any], Any]] = {}

    def with_args(self, args: Mapping[str, Any]) -> Strategy:
        """The strategy with its settings; what it does not take is left out. Raises ValueError for what is no number."""
        parsed = {name: read(name, args.get(name)) for name, read in self.args.items()}
        taken = {name: value for name, value in parsed.items() if value is not None}
        if self.measure is None or not taken:
            return self
        slack = taken.pop("lowest_latency_buffer", self.slack)
        return msgspec.structs.replace(self, measure=partial(self.measure, **taken), slack=slack)


SIMPLE = "simple-shuffle"
STRATEGIES: Mapping[str, Strategy] = {
    SIMPLE: Strategy(),
    "least-busy": Strategy(measure=least_busy.under_way, counts=True),
    "usage-based-routing": Strategy(measure=usage.used, counts=True),
    "usage-based-routing-v2": Strategy(measure=usage.used, counts=True),
    "latency-based-routing": Strategy(
        measure=latency.average,
        times=True,
        args={
            "ttl": parse_number,
            "lowest_latency_buffer": parse_number,
            "max_latency_list_size": partial(parse_int, least=1),
        },
    ),
    "cost-based-routing": Strategy(rank=cost.price_of),
}


def strategy_named(name: str, args: Mapping[str, Any] = {}) -> Strategy:
    """The strategy of that name. Raises ValueError, with the names there are.

    >>> strategy_named("least-busy").counts
    True
    """
    if name not in STRATEGIES:
        raise ValueError(f"routing_strategy must be one of {', '.join(STRATEGIES)}, not {name!r}")
    return STRATEGIES[name].with_args(args)
