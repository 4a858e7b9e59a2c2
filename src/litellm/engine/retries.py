"""The layer that tries again. There is no other retry."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from litellm._log import log
from litellm.engine.call import CANCELLED, UNUSED, Answer, Call, Choice, Opened, Outcome, nobody_asks
from litellm.engine.retry_policy import LONGEST_RETRY_AFTER, Retry, retry_after
from litellm.exceptions import LiteLLMError
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow, Sleep
from litellm.providers.target import Target

# One try: the call, where it goes, and the seconds left of the total timeout, or None for all of it.
Attempt = Callable[[Call, Target, float | None], Flow[Answer | Opened]]


def retrying(call: Call, attempt: Attempt) -> Flow[Answer | Opened]:
    """Attempt until it works or may not be tried again. A try goes to another target where there is one.

    A total timeout that the caller set holds for everything together; one of the configuration, for all tries at one
    target: another deployment gets its full time.
    """
    tried: list[Target] = []
    retry = call.retry
    if call.consult is not None:
        yield from call.consult()
    choice = call.choose(tried)
    if choice.target.max_retries is not None and not call.own_retries:
        retry = msgspec.structs.replace(retry, limit=choice.target.max_retries)
    deadlines: dict[int, float] = {}
    while True:
        target = choice.target
        started = time.monotonic()
        deadline = _deadline(deadlines, call, target, started)
        try:
            answer = yield from attempt(call, target, deadline - started if tried else None)
        except LiteLLMError as error:
            choice.settle(Outcome("failure", error))
            retry = retry.after(error)
            tried.append(target)
            choice, pause = _next_choice(call, tried, retry, error)
            too_long = pause > 0 and (retry_after(error.response_headers) or 0.0) > LONGEST_RETRY_AFTER
            if too_long or time.monotonic() + pause >= _deadline(deadlines, call, choice.target, time.monotonic()):
                choice.settle(UNUSED)
                if retry.used > 1:
                    error.num_retries, error.max_retries = retry.used - 1, retry.limit
                raise
            if pause:
                log.debug("retry %d of %d in %.2f s after %s", retry.used, retry.limit, pause, error)
                choice.settle(UNUSED)  # a place is not held while nothing is sent
                yield Sleep(pause)
                choice = _choose_again(call, tried, error)
        except BaseException:
            choice.settle(CANCELLED)
            raise
        else:
            answer.retries, answer.max_retries = retry.used, retry.limit
            if choice.settle is not nobody_asks:
                _settle(choice, answer, time.monotonic() - started)
            return answer


def _next_choice(call: Call, tried: list[Target], retry: Retry, error: LiteLLMError) -> tuple[Choice, float]:
    """Where the next try goes, and how long to wait before it: not at all, if it goes elsewhere."""
    choice = _choose_again(call, tried, error)
    return choice, retry.delay(error) if choice.target in tried else 0.0


def _choose_again(call: Call, tried: list[Target], error: LiteLLMError) -> Choice:
    try:
        return call.choose(tried)
    except LiteLLMError:  # nothing is left; why the last try failed says more than that
        raise error from None


def _settle(choice: Choice, answer: Answer | Opened, seconds: float) -> None:
    if isinstance(answer, Answer):
        choice.settle(Outcome("success", usage=answer.usage, seconds=seconds))
    else:
        answer.on_end(lambda outcome: choice.settle(msgspec.structs.replace(outcome, seconds=seconds)))


def clocks_of(call: Call, target: Target) -> Timeouts:
    """The call's clocks, or the target's where the caller said nothing."""
    if call.own_timeouts:
        return call.timeouts
    return (target.stream_clocks if call.stream else target.clocks) or call.timeouts


def _deadline(deadlines: dict[int, float], call: Call, target: Target, now: float) -> float:
    """When the tries at `target` must have ended: fixed when it is first asked for."""
    key = 0 if call.own_timeouts else id(target)
    return deadlines.setdefault(key, now + clocks_of(call, target).total)
