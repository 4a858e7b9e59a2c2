"""Other calls to make when one has failed for good."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING

from litellm import _json
from litellm._log import log
from litellm.engine.call import Answer
from litellm.exceptions import ContentPolicyViolationError, ContextWindowExceededError, LiteLLMError

if TYPE_CHECKING:
    from litellm.engine.call import Call, MakeCall, Opened
    from litellm.net.steps import Flow

Retrying = Callable[["Call"], "Flow[Answer | Opened]"]
Hear = Callable[[LiteLLMError], object]


class Skip(Exception):  # noqa: N818 - no failure, and never leaves the engine
    """Raised by a MakeCall that has nothing to offer: its destination has been tried."""


def falling_back(call: Call, retrying: Retrying, hear: Hear | None = None) -> Flow[Answer | Opened]:
    """The call; if it fails, its fallbacks in order, each followed by its own. A prompt that is too long, or refused
    content, goes to those for that, if there are any; so does a whole answer that a content filter has ended.

    When all fail, the last error is raised, and says what was tried. hear: is told the error of each, as it fails.
    """
    failed: list[str] = []
    try:
        answer = yield from _descend(call, retrying, failed, hear)
    except LiteLLMError as error:
        if len(failed) < 2:
            raise
        told = copy.copy(error)  # it may be the caller's own object
        told.message += f" (all fallbacks failed too: {', '.join(failed)})"
        raise told from error
    answer.fallbacks = len(failed)
    return answer


def _descend(call: Call, retrying: Retrying, failed: list[str], hear: Hear | None) -> Flow[Answer | Opened]:
    try:
        answer = yield from retrying(call)
        if call.fallbacks.content_policy:
            _check_finish(call, answer)
        return answer
    except LiteLLMError as error:
        failed.append(f"{call.model}: {type(error).__name__}")
        if hear is not None:
            hear(error)
        last = error
    try:
        for make in _plans_for(call, last):
            try:
                plan = make()
            except Skip:
                continue
            except LiteLLMError as error:
                # What cannot even be asked is somebody's typing error, which is not to hide what went wrong.
                failed.append(f"{error.model or 'fallback'}: {type(error).__name__}")
                if hear is not None:
                    hear(error)
                continue
            log.debug("falling back from %s to %s", call.model, plan.model)
            try:
                return (yield from _descend(plan, retrying, failed, hear))
            except LiteLLMError as error:
                last = _after(last, error)
        raise last
    finally:
        del last  # its traceback leads here: it would keep itself, and the call with it, until the collector comes


def _after(last: LiteLLMError, error: LiteLLMError) -> LiteLLMError:
    if error is not last:
        error.__context__ = last
    return error


def _plans_for(call: Call, error: LiteLLMError) -> tuple[MakeCall, ...]:
    if isinstance(error, ContextWindowExceededError) and call.fallbacks.context_window:
        return call.fallbacks.context_window
    if isinstance(error, ContentPolicyViolationError) and call.fallbacks.content_policy:
        return call.fallbacks.content_policy
    return call.fallbacks.general


def _check_finish(call: Call, answer: Answer | Opened) -> None:
    """Raise ContentPolicyViolationError for a whole answer that a content filter has cut off."""
    if not isinstance(answer, Answer):
        return
    data = answer.data
    if answer.raw is not None:
        data = _json.decode(answer.raw) if b'"content_filter"' in answer.raw else {}
    choices = data.get("choices") if hasattr(data, "get") else None
    if any(choice.get("finish_reason") == "content_filter" for choice in choices or ()):
        raise ContentPolicyViolationError(
            "the answer was cut off by a content filter (finish_reason: content_filter)",
            call.model,
            answer.target.provider.name,
        )
