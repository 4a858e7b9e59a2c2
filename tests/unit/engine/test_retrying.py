"""The retry layer by itself: its generator driven by hand, so that no test waits. Must R3."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.suite.examples import examples

from litellm.engine.budget import Budget
from litellm.engine.call import Answer, Call
from litellm.engine.retries import retrying
from litellm.engine.retry_policy import FIRST_DELAY, MAX_DELAY, MAX_STATED_DELAY, Retry, retry_after, retryable
from litellm.engine.route import Choice, Plan
from litellm.exceptions import (
    APIConnectionError,
    APIError,
    BadRequestError,
    InternalServerError,
    LiteLLMError,
    RateLimitError,
    Timeout,
    of_status,
)
from litellm.net.messages import Timeouts
from litellm.net.steps import Sleep
from litellm.providers.backend import Handler
from litellm.providers.table import BY_NAME
from litellm.providers.target import Target


def target(name: str = "m") -> Target:
    return Target(provider=BY_NAME["openai"], model=name, backend=Handler(None))


def limited(seconds: float) -> RateLimitError:
    return RateLimitError("slow down", "openai", "m", response_headers={"retry-after": str(seconds)})


class InTurn:
    """A route whose targets are taken in turn; when all were tried, from the first one again."""

    group = ""
    falls_back = False
    rerouted = None

    def __init__(self, targets: tuple[Target, ...], retry: Retry, timeouts: Timeouts, choose: Any) -> None:
        self.targets = targets
        self.retry = retry
        self.timeouts = timeouts
        self._choose = choose

    def consult(self) -> None:
        return None

    def choose(self, tried: Any) -> Choice:
        return self._choose(tried) if self._choose else Choice(self.targets[len(tried) % len(self.targets)])

    def fallbacks(self, kind: Any) -> Any:
        return ()


def call(
    *targets: Target,
    choose: Any = None,
    retry: Retry = Retry(),  # noqa: B008 - frozen
    timeouts: Timeouts = Timeouts(),  # noqa: B008
    own: Timeouts | None = None,
    **fields: Any,
) -> Plan:
    return Plan(Call(model="m", body={}, timeouts=own, **fields), InTurn(targets, retry, timeouts, choose))


class Script:
    """Attempts that go as written: an exception is raised, anything else is an answer."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.attempts: list[tuple[str, float]] = []

    def __call__(self, _call: Call, chosen: Target, timeouts: Timeouts) -> Any:
        self.attempts.append((chosen.model, timeouts.total))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return Answer(origin=chosen, requested_model="m", headers={})
        yield  # a generator, as attempts are


def drive(made: Plan, script: Any) -> tuple[Answer | LiteLLMError, list[float]]:
    """How it ends, and what it slept on the way; without sleeping."""
    flow, pauses = retrying(made.call, made.route, script), []
    try:
        step = next(flow)
        while True:
            assert isinstance(step, Sleep)
            pauses.append(step.seconds)
            step = flow.send(None)
    except StopIteration as done:
        return done.value, pauses
    except LiteLLMError as error:
        return error, pauses


BOOM = InternalServerError("boom", "openai", "m")


@examples(50)
@given(limit=st.integers(0, 6), fails=st.integers(0, 8))
def test_r3_as_many_as_allowed_and_needed(limit, fails):
    """R3: min(n, failures) + 1 attempts, and one pause between two of them."""
    script = Script(*[BOOM] * fails, "ok")
    ended, pauses = drive(call(target(), retry=Retry(limit)), script)
    assert len(script.attempts) == min(limit, fails) + 1
    assert len(pauses) == min(limit, fails)
    assert isinstance(ended, Answer) == (fails <= limit)
    if isinstance(ended, Answer):
        assert ended.retries == fails


@examples(50)
@given(used=st.integers(1, 12))
def test_r3_full_jitter_within_growing_bounds(used):
    """R3: anything from nothing up to a bound that doubles and then stays."""
    bound = min(MAX_DELAY, FIRST_DELAY * 2 ** (used - 1))
    delays = [Retry(20, used).delay(BOOM) for _ in range(40)]
    assert all(0 <= delay <= bound for delay in delays)
    assert len(set(delays)) > 1
    assert max(delays) > bound / 4


@examples(50)
@given(used=st.integers(1, 5), asked=st.floats(0, 60))
def test_r3_never_sooner_than_asked(used, asked):
    """R3: the wait is at least the Retry-After, jitter comes on top."""
    assert Retry(9, used).delay(limited(round(asked, 3))) >= round(asked, 3)


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        *[(of_status(status, "x", "p", "m"), True) for status in (408, 409, 429, 500, 502, 503, 504, 520, 529)],
        *[(of_status(status, "x", "p", "m"), False) for status in (400, 401, 402, 403, 404, 413, 418, 422, 451)],
        (Timeout("x", "m", "p"), True),
        (APIConnectionError("x", "p", "m"), True),
        (APIError(599, "x", "p", "m"), True),
        (BadRequestError("x", "m", "p"), False),
        (limited(60), True),
        (limited(61), True),  # elsewhere, if there is another deployment; it is the waiting that is refused
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'status_code', value)}",
)
def test_r3_what_is_worth_another_try(error, wanted):
    """R3: one table for all."""
    assert retryable(error) is wanted


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "soon"}, None),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after-ms": "nan"}, None),
        ({"retry-after-ms": "inf", "retry-after": "2"}, 2.0),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after-ms": "9" * 400, "retry-after": "2"}, 2.0),
        ({"retry-after": "9" * 200}, MAX_STATED_DELAY),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, MAX_STATED_DELAY),
        ({"retry-after": f"Fri, 31 Dec {'9' * 40} 23:59:59 GMT"}, None),
    ],
)
def test_r3_retry_after_is_read(headers, seconds):
    """R3: seconds, a date, or OpenAI's milliseconds; nonsense is not there."""
    assert retry_after(headers) == seconds


@example({"retry-after": "0\x1f"})
@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text() | st.from_regex(r"\A\d*\.?\d*\Z")))
def test_r3_no_retry_after_does_harm(headers):
    """R3, G3: whatever an upstream says, it is a number that can be counted with, or nothing."""
    assert 0 <= (retry_after(headers) or 0) <= MAX_STATED_DELAY


def test_r3_the_latest_answer_counts():
    """R3: the pause follows the error before it."""
    script = Script(limited(3), limited(1), "ok")
    _, pauses = drive(call(target(), retry=Retry(2)), script)
    assert 3 <= pauses[0] <= 3 + FIRST_DELAY
    assert 1 <= pauses[1] <= 1 + 2 * FIRST_DELAY


def test_r3_no_pause_beyond_the_deadline():
    """R3: what cannot be waited for in time is raised at once."""
    script = Script(limited(30))
    ended, pauses = drive(call(target(), timeouts=Timeouts(total=5)), script)
    assert isinstance(ended, RateLimitError)
    assert pauses == []


def test_r3_no_pause_beyond_the_deadline_for_another_target_either():
    """R3: also when all targets were tried and the turn is another one's than the last."""
    script = Script(limited(30), limited(30), "ok")
    ended, pauses = drive(call(target("a"), target("b"), own=Timeouts(total=5)), script)
    assert [model for model, _ in script.attempts] == ["a", "b"]
    assert isinstance(ended, RateLimitError)
    assert pauses == []


def test_r3_another_target_needs_no_pause():
    """R3: one that was not tried is asked at once."""
    script = Script(limited(3), BOOM, "ok")
    ended, pauses = drive(call(target("a"), target("b"), target("c"), retry=Retry(2)), script)
    assert [model for model, _ in script.attempts] == ["a", "b", "c"]
    assert isinstance(ended, Answer)
    assert pauses == []


def test_r3_a_long_wait_at_one_place_is_none_at_another():
    """R3: a deployment that is out for an hour is no reason not to ask the next one."""
    script = Script(limited(3600), "ok")
    ended, pauses = drive(call(target("a"), target("b"), retry=Retry(2)), script)
    assert [model for model, _ in script.attempts] == ["a", "b"]
    assert isinstance(ended, Answer)
    assert pauses == []


def test_r3_a_retry_gets_what_is_left():
    """R3, R5: the first try has the whole total, later ones less and less."""
    script = Script(BOOM, BOOM, "ok")
    drive(call(target(), timeouts=Timeouts(total=100), retry=Retry(2)), script)
    (_, first), (_, second), (_, third) = script.attempts
    assert first == 100 > second > third > 90


def test_r3_the_error_tells_how_often_it_was_tried():
    """R3: on the error that is raised, and only when there were retries."""
    ended, _ = drive(call(target(), retry=Retry(2)), Script(BOOM, BOOM, InternalServerError("last", "openai", "m")))
    assert isinstance(ended, LiteLLMError)
    assert (ended.num_retries, ended.max_retries) == (2, 2)
    ended, _ = drive(call(target(), retry=Retry(2)), Script(BadRequestError("no", "m", "openai")))
    assert isinstance(ended, LiteLLMError)
    assert ended.num_retries is None


def test_a_spent_budget_ends_the_retries():
    """With the error of the last try, which says how many there were; nothing waits for a try that will not be made."""
    script = Script(BOOM, BOOM, "ok")
    made = call(target("a"), target("b"), retry=Retry(5), budget=Budget(2))

    def attempt(asked: Call, chosen: Target, timeouts: Timeouts) -> Any:
        asked.budget.take(chosen.model)
        return (yield from script(asked, chosen, timeouts))

    ended, pauses = drive(made, attempt)
    assert (ended, pauses, len(script.attempts)) == (BOOM, [], 2)
    assert isinstance(ended, LiteLLMError)
    assert (ended.num_retries, ended.max_retries) == (1, 5)


def test_r3_a_bug_is_not_retried():
    """R3: what is no LiteLLMError is a bug, and comes out as it is."""
    with pytest.raises(ZeroDivisionError):
        drive(call(target()), Script(ZeroDivisionError()))


@pytest.mark.parametrize(("own", "limit", "wanted"), [(False, 2, 1), (True, 2, 3), (False, 0, 1), (True, 0, 1)])
def test_r3_a_targets_own_limit(own, limit, wanted):
    """R3: a deployment's max_retries counts unless the caller said his own."""
    made = target()
    made.max_retries = 0
    script = Script(*[BOOM] * 5)
    drive(call(made, retry=Retry(limit), retries=limit if own else None), script)
    assert len(script.attempts) == wanted
