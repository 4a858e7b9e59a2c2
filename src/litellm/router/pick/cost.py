"""cost-based-routing: where a token is cheapest. Prices stay as they are, so a group is sorted by them once."""

from __future__ import annotations

from litellm.catalog.facts import facts
from litellm.router.deployments import Deployment

UNKNOWN = 5.0  # dollars; LiteLLM's, and more than any known token costs


def price_of(deployment: Deployment) -> float:
    """Dollars for a token in and a token out: as the deployment says, or as is known of its model."""
    target = deployment.target
    model = deployment.base_model or (target.model if target else deployment.model)
    known = facts(model, target.provider.name if target else None)
    catalog = (None, None) if known is None else (known.input_cost_per_token, known.output_cost_per_token)
    both = (own if own is not None else theirs for own, theirs in zip(deployment.prices, catalog, strict=True))
    return sum(UNKNOWN if price is None else price for price in both)
