"""cost-based-routing: where a token is cheapest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from litellm.catalog.facts import facts
from litellm.router.deployments import Deployment
from litellm.router.state import Tally

UNKNOWN = 5.0  # dollars; LiteLLM's, and more than any known token costs


def pick(
    candidates: Sequence[Deployment],
    tally: Callable[[Deployment], Tally],  # noqa: ARG001 - the signature of all strategies
    now: float,  # noqa: ARG001
    rng: Random,
) -> Deployment:
    """The candidate with the lowest price for an input and an output token together; at random among equals."""
    prices = [price_of(each) for each in candidates]
    lowest = min(prices)
    return rng.choice([each for each, price in zip(candidates, prices, strict=True) if price == lowest])


def price_of(deployment: Deployment) -> float:
    """Dollars for a token in and a token out: as the deployment says, or as is known of its model."""
    target = deployment.target
    model = deployment.base_model or (target.model if target else deployment.model)
    known = facts(model, target.provider.name if target else None)
    catalog = (None, None) if known is None else (known.input_cost_per_token, known.output_cost_per_token)
    both = (own if own is not None else theirs for own, theirs in zip(deployment.prices, catalog, strict=True))
    return sum(UNKNOWN if price is None else price for price in both)
