"""The layer that retries. There is no other."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from litellm._log import log
from litellm.engine.call import Answer, Call
from litellm.engine.opened import CANCELLED, UNUSED, Opened, Outcome
from litellm.engine.retry_policy import MAX_RETRY_AFTER, Retry, retry_after
from litellm.engine.route import Choice, Route, noop
from litellm.exceptions import LiteLLMError
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow, Sleep
from litellm.providers.target import Target

# One try: the call, where it goes, and how long it may take.
Attempt = Callable[[Call, Target, Timeouts], Flow[Answer | Opened]]


def retrying(call: Call, route: Route, attempt: Attempt) -> Flow[Answer | Opened]:
    """Attempt until it works or may not be tried again. A try goes to another target where there is one.

    A total timeout that the caller set holds for everything together; one of the configuration, for all tries at one
    target: another deployment gets its full time.
    """
    tried: list[Target] = []
    retry = route.retry
    consulting = route.consult()
    if consulting is not None:
        yield from consulting
    choice = route.choose(tried)
    if choice.target.max_retries is not None and call.retries is None:
        retry = msgspec.structs.replace(retry, limit=choice.target.max_retries)
    deadlines: dict[int, float] = {}
    while True:
        target = choice.target
        timeouts = effective_timeouts(call, target, route)
        started = time.monotonic()
        deadline = _deadline(deadlines, call, target, timeouts, started)
        try:
            answer = yield from attempt(call, target, capped(timeouts, deadline - started) if tried else timeouts)
        except LiteLLMError as error:
            choice.settle(Outcome("failure", error))
            retry = retry.after(error)
            if call.budget.spent:
                _note_retries(error, retry)
                raise
            tried.append(target)
            choice, pause = _next_choice(route, tried, retry, error)
            too_long = pause > 0 and (retry_after(error.response_headers) or 0.0) > MAX_RETRY_AFTER
            timeouts, now = effective_timeouts(call, choice.target, route), time.monotonic()
            if too_long or now + pause >= _deadline(deadlines, call, choice.target, timeouts, now):
                choice.settle(UNUSED)
                _note_retries(error, retry)
                raise
            if pause:
                log.debug("retry %d of %d in %.2f s after %s", retry.used, retry.limit, pause, error)
                choice.settle(UNUSED)  # a place is not held while nothing is sent
                yield Sleep(pause)
                choice = _choose_again(route, tried, error)
        except BaseException:
            choice.settle(CANCELLED)
            raise
        else:
            answer.retries, answer.max_retries = retry.used, retry.limit
            if choice.settle is not noop:
                _settle(choice, answer, time.monotonic() - started)
            return answer


def _note_retries(error: LiteLLMError, retry: Retry) -> None:
    """Say on an error how often the call had been tried again, if it had. retry: that of the try that is not made."""
    if retry.used > 1:
        error.num_retries, error.max_retries = retry.used - 1, retry.limit


def _next_choice(route: Route, tried: list[Target], retry: Retry, error: LiteLLMError) -> tuple[Choice, float]:
    """Where the next try goes, and how long to wait before it: not at all, if it goes elsewhere."""
    choice = _choose_again(route, tried, error)
    return choice, retry.delay(error) if choice.target in tried else 0.0


def _choose_again(route: Route, tried: list[Target], error: LiteLLMError) -> Choice:
    try:
        return route.choose(tried)
    except LiteLLMError:  # nothing is left; why the last try failed says more than that
        raise error from None


def _settle(choice: Choice, answer: Answer | Opened, seconds: float) -> None:
    if isinstance(answer, Answer):
        choice.settle(Outcome("success", usage=answer.usage, seconds=seconds))
    else:
        answer.on_end(lambda outcome: choice.settle(msgspec.structs.replace(outcome, seconds=seconds)))


def effective_timeouts(call: Call, target: Target, route: Route) -> Timeouts:
    """The caller's own; where there are none, the target's, or else the route's."""
    if call.timeouts is not None:
        return call.timeouts
    return (target.stream_timeouts if call.stream else target.timeouts) or route.timeouts


def capped(timeouts: Timeouts, seconds: float) -> Timeouts:
    """`timeouts`, when no more than so many seconds are left."""
    remaining = max(seconds, 0.001)
    return Timeouts(
        min(timeouts.connect, remaining),
        min(timeouts.first_byte, remaining),
        min(timeouts.between, remaining),
        remaining,
    )


def _deadline(deadlines: dict[int, float], call: Call, target: Target, timeouts: Timeouts, now: float) -> float:
    """When the tries at `target` must have ended: fixed when it is first asked for."""
    return deadlines.setdefault(id(target) if call.timeouts is None else 0, now + timeouts.total)
