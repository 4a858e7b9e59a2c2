"""What a call has cost, at its deployment's own prices or at the catalog's."""

from __future__ import annotations

from collections.abc import Mapping

from litellm.catalog.facts import Facts, facts
from litellm.catalog.prices import cost
from litellm.providers.target import Target
from litellm.wire.protocol import Body

_OWN = ("input_cost_per_token", "output_cost_per_token")


def price(target: Target | None, usage: Body | None) -> float | None:
    """US dollars for a call's usage, at the deployment's own prices or at the catalog's; None if they are not known,
    or if nobody was asked."""
    if not usage or target is None:
        return None
    own = {name: target.params[name] for name in _OWN if name in target.params}
    known = Facts.of(target.model, own) if own else facts(_priced_as(target), target.provider.name)
    return None if known is None else cost(usage, known)


def _priced_as(target: Target) -> str:
    info = target.params.get("model_info")
    return (info.get("base_model") if isinstance(info, Mapping) else None) or target.model
