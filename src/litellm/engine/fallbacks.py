"""The layer that falls back: other calls, once one has failed for good."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

from litellm import _json
from litellm._log import log
from litellm.engine.call import Answer, Call
from litellm.engine.opened import Opened
from litellm.engine.route import MakePlan, Route
from litellm.exceptions import ContentPolicyViolationError, ContextWindowExceededError, LiteLLMError
from litellm.net.steps import Flow
from litellm.providers.target import NOWHERE

Retrying = Callable[[Call, Route], Flow[Answer | Opened]]
OnError = Callable[[LiteLLMError], object]


class Skip(Exception):  # noqa: N818 - no failure, and never leaves the engine
    """Raised by a MakePlan that has nothing to offer: its destination has been tried."""


def falling_back(
    call: Call, route: Route, retrying: Retrying, on_error: OnError | None = None
) -> Flow[Answer | Opened]:
    """The call; if it fails, its fallbacks in order, each followed by its own. A prompt that is too long, or refused
    content, goes to those for that, if there are any; so does a whole answer that a content filter has ended.

    When all fail, the last error is raised, and says what was tried. on_error: is told the error of each, as it fails.
    """
    failed: list[str] = []
    try:
        answer = yield from _descend(call, route, retrying, failed, on_error)
    except LiteLLMError as error:
        if len(failed) < 2:
            raise
        final = copy.copy(error)  # it may be the caller's own object
        final.message += f" (all fallbacks failed too: {', '.join(failed)})"
        raise final from error
    answer.fallbacks = len(failed)
    return answer


def _descend(
    call: Call, route: Route, retrying: Retrying, failed: list[str], on_error: OnError | None
) -> Flow[Answer | Opened]:
    try:
        answer = yield from retrying(call, route)
        if _cut_off(answer) and route.fallbacks("content_policy_fallbacks"):
            raise _filtered(call, answer)
        return answer
    except LiteLLMError as error:
        failed.append(f"{call.model}: {type(error).__name__}")
        if on_error is not None:
            on_error(error)
        last = error
    try:
        for make in _plans_for(route, last):
            if call.budget.spent:
                break
            try:
                plan = make()
            except Skip:
                continue
            except LiteLLMError as error:
                # A fallback that cannot be called is a typing error, which is not to hide what went wrong.
                failed.append(f"{error.model or 'fallback'}: {type(error).__name__}")
                if on_error is not None:
                    on_error(error)
                continue
            log.debug("falling back from %s to %s", call.model, plan.call.model)
            try:
                return (yield from _descend(plan.call, plan.route, retrying, failed, on_error))
            except LiteLLMError as error:
                last = _chained(last, error)
        raise last
    finally:
        del last  # its traceback leads here: it would keep itself, and the call with it, until the collector comes


def _chained(last: LiteLLMError, error: LiteLLMError) -> LiteLLMError:
    if error is not last:
        error.__context__ = last
    return error


def _plans_for(route: Route, error: LiteLLMError) -> Sequence[MakePlan]:
    """Those for the occasion, or else the general ones. This is the one place that looks for any."""
    special: Sequence[MakePlan] = ()
    if isinstance(error, ContextWindowExceededError):
        special = route.fallbacks("context_window_fallbacks")
    elif isinstance(error, ContentPolicyViolationError):
        special = route.fallbacks("content_policy_fallbacks")
    return special or route.fallbacks("fallbacks")


def _cut_off(answer: Answer | Opened) -> bool:
    """Whether a content filter has ended a whole answer."""
    if not isinstance(answer, Answer):
        return False
    data = answer.data
    if answer.raw is not None:
        data = _json.decode(answer.raw) if b'"content_filter"' in answer.raw else {}
    choices = data.get("choices") if hasattr(data, "get") else None
    return any(choice.get("finish_reason") == "content_filter" for choice in choices or ())


def _filtered(call: Call, answer: Answer | Opened) -> ContentPolicyViolationError:
    return ContentPolicyViolationError(
        "the answer was cut off by a content filter (finish_reason: content_filter)",
        call.model,
        (answer.origin or NOWHERE).provider.name,
    )
