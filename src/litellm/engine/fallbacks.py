"""Other calls to make when one has failed for good."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

from litellm._log import log
from litellm.exceptions import ContentPolicyViolationError, ContextWindowExceededError, LiteLLMError
from litellm.net.steps import Flow

if TYPE_CHECKING:
    from litellm.engine.call import Answer, Call, MakeCall, Opened


def falling_back(call: Call, retrying: Callable[[Call], Flow[Answer | Opened]]) -> Flow[Answer | Opened]:
    """The call; if it fails, its fallbacks in order. A prompt that is too long goes to those for that, if there are any.

    When all fail, the last error is raised, and says what was tried.
    """
    try:
        return (yield from retrying(call))
    except LiteLLMError as error:
        plans = _plans_for(call, error)
        if not plans:
            raise
        failed = [f"{call.model}: {type(error).__name__}"]
        last = error
    for count, make in enumerate(plans, 1):
        try:
            plan = make()
            log.debug("falling back from %s to %s", call.model, plan.model)
            answer = yield from retrying(plan)
        except LiteLLMError as error:
            failed.append(f"{error.model or 'fallback'}: {type(error).__name__}")
            error.__context__ = last
            last = error
        else:
            answer.fallbacks = count
            return answer
    told = copy.copy(last)  # it may be the caller's own object
    told.message += f" (all fallbacks failed too: {', '.join(failed)})"
    raise told from last


def _plans_for(call: Call, error: LiteLLMError) -> tuple[MakeCall, ...]:
    if isinstance(error, ContextWindowExceededError) and call.fallbacks.context_window:
        return call.fallbacks.context_window
    if isinstance(error, ContentPolicyViolationError) and call.fallbacks.content_policy:
        return call.fallbacks.content_policy
    return call.fallbacks.general
