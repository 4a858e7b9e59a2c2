"""What a call has cost, at its deployment's own prices or at the catalog's."""

from __future__ import annotations

from collections.abc import Mapping

from litellm.catalog.facts import Facts, facts
from litellm.catalog.prices import cost
from litellm.providers.target import Target
from litellm.wire.protocol import Body

_PRICES = ("input_cost_per_token", "output_cost_per_token")


def price(target: Target | None, usage: Body | None) -> float | None:
    """US dollars for a call's usage, at the deployment's own prices or at the catalog's; None if they are not known,
    or if nobody was asked."""
    if not usage or target is None:
        return None
    known = _facts_of(target) if target.params else facts(target.model, target.provider.name)
    return None if known is None else cost(usage, known)


def _facts_of(target: Target) -> Facts | None:
    """The prices of a configured target: those of its own settings, or the catalog's for its `base_model` or its name."""
    params = target.params
    configured = {name: params[name] for name in _PRICES if name in params}
    if configured:
        return Facts.of(target.model, configured)
    info = params.get("model_info")
    base = info.get("base_model") if isinstance(info, Mapping) else None
    return facts(base or target.model, target.provider.name)
