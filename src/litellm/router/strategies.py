"""The names of the routing strategies, and what each needs to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

import msgspec

from litellm.router.deployments import Deployment
from litellm.router.pick import cost, latency, least_busy, shuffle, usage
from litellm.router.state import Tally

Pick = Callable[[Sequence[Deployment], Callable[[Deployment], Tally], float, Random], Deployment]


class Strategy(msgspec.Struct, frozen=True):
    """How to pick. draws: by the shares of the group alone, which needs no look at all its members.

    rank: a number that a deployment has for good; of those with the lowest is picked. counts: it reads what is in flight or
    used, so that is kept for all deployments; times: it reads latencies. args: the names of routing_strategy_args that it
    takes.
    """

    pick: Callable[..., Deployment]
    draws: bool = False
    rank: Callable[[Deployment], float] | None = None
    counts: bool = False
    times: bool = False
    args: frozenset[str] = frozenset()

    def with_args(self, args: Mapping[str, Any]) -> Strategy:
        """The strategy with its settings; what it does not take is left out."""
        taken = {name: value for name, value in args.items() if name in self.args}
        return msgspec.structs.replace(self, pick=partial(self.pick, **taken)) if taken else self


SIMPLE = "simple-shuffle"
STRATEGIES: Mapping[str, Strategy] = {
    SIMPLE: Strategy(shuffle.pick, draws=True),
    "least-busy": Strategy(least_busy.pick, counts=True),
    "usage-based-routing": Strategy(usage.pick, counts=True),
    "usage-based-routing-v2": Strategy(usage.pick, counts=True),
    "latency-based-routing": Strategy(
        latency.pick, times=True, args=frozenset({"ttl", "lowest_latency_buffer", "max_latency_list_size"})
    ),
    "cost-based-routing": Strategy(shuffle.pick, draws=True, rank=cost.price_of),
}


def strategy_named(name: str, args: Mapping[str, Any] = {}) -> Strategy:
    """The strategy of that name. Raises ValueError, with the names there are.

    >>> strategy_named("simple-shuffle").draws
    True
    """
    if name not in STRATEGIES:
        raise ValueError(f"routing_strategy must be one of {', '.join(STRATEGIES)}, not {name!r}")
    return STRATEGIES[name].with_args(args)
