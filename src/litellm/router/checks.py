"""Pre-call checks: does the prompt fit? Asked only with enable_pre_call_checks."""

from __future__ import annotations

from collections.abc import Sequence

from litellm.catalog.facts import facts
from litellm.exceptions import ContextWindowExceededError
from litellm.router.deployments import Deployment
from litellm.tokens.count import token_counter
from litellm.wire.protocol import Body


def fitting(deployments: Sequence[Deployment], body: Body, name: str) -> list[Deployment]:
    """The deployments whose model can read the whole prompt; those of which nobody knows how much count as able.

    Raises ContextWindowExceededError when all are too small, which context_window_fallbacks are for.
    """
    messages = body.get("messages")
    rooms = [room_of(each) for each in deployments]
    if not messages or not any(rooms):
        return list(deployments)
    tokens = token_counter(model=deployments[0].model, messages=messages)
    fit = [each for each, room in zip(deployments, rooms, strict=True) if room is None or tokens <= room]
    if not fit:
        most = max(room for room in rooms if room is not None)
        text = f"the prompt has {tokens} tokens; the largest deployment of {name} takes {most} (enable_pre_call_checks)"
        raise ContextWindowExceededError(text, name)
    return fit


def room_of(deployment: Deployment) -> int | None:
    """The tokens that a prompt may have there: as its model_info says, or as is known of the model."""
    if deployment.max_input_tokens is not None:
        return deployment.max_input_tokens
    target = deployment.target
    known = None if target is None else facts(deployment.base_model or target.model, target.provider.name)
    return None if known is None else known.max_input_tokens
