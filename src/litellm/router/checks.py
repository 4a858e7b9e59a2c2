"""Pre-call checks: does the prompt fit? Asked only with enable_pre_call_checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from litellm.catalog.facts import facts
from litellm.exceptions import ContextWindowExceededError
from litellm.router.deployments import Deployment
from litellm.router.pool import Group
from litellm.tokens.count import token_counter
from litellm.wire.protocol import Body


def fitting(group: Group, deployments: Sequence[Deployment], body: Body) -> Sequence[Deployment]:
    """Those of `deployments`, members of `group`, whose model can read the whole prompt: `deployments` itself, if all can.
    Those of which nobody knows how much count as able.

    Raises ContextWindowExceededError when all are too small, which context_window_fallbacks are for.
    """
    messages, rooms = body.get("messages"), group.once(_rooms)
    if not messages or not rooms.known:
        return deployments
    # What cannot be counted is for the upstream to judge.
    tokens = token_counter(model=deployments[0].model, messages=messages, default_token_count=0)
    if tokens <= rooms.least:
        return deployments
    fit = [each for each in deployments if tokens <= rooms.known.get(each.id, tokens)]
    if not fit:
        most = max(rooms.known[each.id] for each in deployments)
        text = f"the prompt has {tokens} tokens; the largest deployment of {group.name} takes {most}"
        raise ContextWindowExceededError(f"{text} (enable_pre_call_checks)", group.name)
    return fit


class _Rooms(msgspec.Struct, frozen=True):
    """The tokens that prompts may have, by the deployment's id, where that is known; and the least of these."""

    known: Mapping[str, int]
    least: int


def _rooms(group: Group) -> _Rooms:
    known = {each.id: room for each in group.members if (room := room_of(each)) is not None}
    return _Rooms(known, min(known.values(), default=0))


def room_of(deployment: Deployment) -> int | None:
    """The tokens that a prompt may have there: as its model_info says, or as is known of the model."""
    if deployment.max_input_tokens is not None:
        return deployment.max_input_tokens
    target = deployment.target
    known = None if target is None else facts(deployment.base_model or target.model, target.provider.name)
    return None if known is None else known.max_input_tokens
