"""R4: what lets a deployment rest, for how long, and what never does. A table of events and the state they leave."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.suite.examples import examples
from tests.unit.router.world import World, deployments, entry, error_of, group_of

from litellm import exceptions as errors
from litellm.engine.opened import CANCELLED, UNUSED, Outcome
from litellm.exceptions import RouterRateLimitError
from litellm.net.messages import Timeouts
from litellm.providers.backend import Unusable
from litellm.router.choosing import RoutingOptions
from litellm.router.cooldown import MAX_SECONDS, Cooldown

POLICY = {"RateLimitErrorAllowedFails": 2, "BadRequestErrorAllowedFails": 0}


@pytest.mark.parametrize(
    ("failures", "settings", "rest"),
    [
        # at once
        ([429], {}, 5),
        ([(429, 7)], {}, 7),
        ([401], {}, 5),
        ([402], {}, 5),
        ([404], {}, 5),
        ([429], {"cooldown_time": 60}, 60),
        # more than half of five or more
        ([500] * 4, {}, 0),
        ([500] * 5, {}, 5),
        ([503] * 5, {}, 5),
        ([408] * 5, {}, 5),
        ([errors.APIConnectionError] * 5, {}, 5),
        ([errors.IncompleteStream] * 5, {}, 5),
        # the request's own fault
        ([400] * 9, {}, 0),
        ([403] * 9, {}, 0),
        ([413] * 9, {}, 0),
        ([422] * 9, {}, 0),
        ([errors.ContextWindowExceededError] * 9, {}, 0),
        ([errors.ContentPolicyViolationError] * 9, {}, 0),
        # allowed_fails takes the place of all this
        ([429] * 2, {"allowed_fails": 2}, 0),
        ([429] * 3, {"allowed_fails": 2}, 5),
        ([500], {"allowed_fails": 0}, 5),
        ([400] * 9, {"allowed_fails": 0}, 0),
        ([429] * 2, {"allowed_fails_policy": POLICY}, 0),
        ([429] * 3, {"allowed_fails_policy": POLICY}, 5),
        ([400], {"allowed_fails_policy": POLICY}, 5),
        ([401], {"allowed_fails_policy": POLICY}, 5),
        # switched off
        ([429] * 9, {"disable_cooldowns": True}, 0),
        ([(429, 7)] * 9, {"cooldown_time": 0}, 0),
    ],
)
def test_what_lets_a_deployment_rest(failures, settings, rest):
    """R4."""
    world = World(group_of(2), **settings)
    for failure in failures:
        assert world.cooling_down() == {}
        match failure:
            case type():
                status = failure.status_code or 500
                world.fail("m-0", status, kind=failure)
            case (status, after):
                world.fail("m-0", status, after=after)
            case _:
                world.fail("m-0", failure)
    assert world.cooling_down() == ({"m-0": rest} if rest else {})


def test_successes_count_against_failures():
    """R4: half is not more than half."""
    world = World(group_of(2))
    while world.routing.state.tally("m-0", world.clock.now).successes < 5:
        world.ids(1)
    for _ in range(5):
        world.fail("m-0", 500)
    assert world.cooling_down() == {}
    world.fail("m-0", 500)
    assert world.cooling_down() == {"m-0": 5}


def test_failures_of_the_last_minute_are_forgotten():
    """R4: the share is that of the current minute."""
    world = World(group_of(2))
    for _ in range(4):
        world.fail("m-0", 500)
    world.clock.now += 60
    world.fail("m-0", 500)
    assert world.cooling_down() == {}


@pytest.mark.parametrize("outcome", [CANCELLED, UNUSED, Outcome("failure", error_of(408))])
def test_what_the_caller_does_is_not_the_deployments_fault(outcome):
    """R4: it went away; or its own clock, shorter than ours, ran out."""
    world = World(group_of(2))
    for _ in range(20):
        world.settled(outcome, timeouts=Timeouts())
    assert world.cooling_down() == {}
    assert world.routing.state.tally("m-0", world.clock.now).failures == {}


def test_a_callers_own_key_is_not_the_deployments_fault():
    """R4, C14: with a wrong key of its own nobody puts a deployment to sleep for others."""
    world = World(group_of(2))
    targets = {each.id: each.target for each in world.routing.pool.by_id.values()}
    options = RoutingOptions(adapt=lambda deployment: targets[deployment.id])
    for _ in range(20):
        world.settled(Outcome("failure", error_of(401)), options=options)
    assert world.cooling_down() == {}


@pytest.mark.parametrize("status", [401, 429, 500])
def test_one_alone_never_rests(status):
    """R4: a bad answer is better than none."""
    world = World(group_of(1))
    for _ in range(20):
        world.fail("m-0", status)
    assert world.cooling_down() == {}
    assert world.ids(3) == ["m-0"] * 3


def test_one_behind_a_pattern_never_rests():
    """R4: one of its names may be wrong without the others being so."""
    world = World(deployments(entry("*", 0, model="openai/*"), entry("*", 1, model="openai/*")))
    for _ in range(9):
        world.settled(Outcome("failure", error_of(404)), "no-such-model")
    assert world.cooling_down() == {}
    assert len(set(world.ids(40, "a-model"))) == 2


def test_those_without_a_key_go_on_saying_so():
    """R4: nothing is sent to them, and nothing gets better by waiting."""
    bare = {"model": "openai/gpt-4o", "api_base": None, "api_key": None}
    world = World(deployments(entry("m", 0, **bare), entry("m", 1, **bare)))
    for _ in range(9):
        target = world.choose().target
        assert isinstance(target.backend, Unusable)
        world.settled(Outcome("failure", target.backend.error))
    assert world.cooling_down() == {}


def test_the_only_one_with_a_tag_is_used_at_rest():
    """R4: who may use but one deployment gets a bad answer from it rather than none."""
    world = World(deployments(entry("m", 0, tags=["a"]), entry("m", 1, tags=["b"])), enable_tag_filtering=True)
    options = RoutingOptions(tags=("a",))
    world.routing.state.cool_down("m-0", world.clock.now + 30, world.clock.now)
    assert world.ids(3, options=options) == ["m-0"] * 3
    world.settled(Outcome("failure", error_of(429, after=90)), options=options)
    assert world.cooling_down() == {"m-0": 30}


def test_those_that_rest_are_left_alone_until_they_are_back():
    """R4."""
    world = World(group_of(3))
    world.fail("m-1", 429, after=10)
    assert set(world.ids(60)) == {"m-0", "m-2"}
    world.clock.now += 9.9
    assert set(world.ids(60)) == {"m-0", "m-2"}
    world.clock.now += 0.1
    assert set(world.ids(60)) == {"m-0", "m-1", "m-2"}


def test_all_rest():
    """R4: a 429 in LiteLLM's words, which says when the first one is back."""
    world = World(group_of(2))
    choices = {choice.target.id: choice for choice in (world.choose() for _ in range(40))}
    choices["m-0"].settle(Outcome("failure", error_of(429, after=30)))
    choices["m-1"].settle(Outcome("failure", error_of(429, after=12)))
    world.clock.now += 1.5
    with pytest.raises(RouterRateLimitError) as raised:
        world.choose()
    error = raised.value
    assert isinstance(error, errors.RateLimitError)
    assert isinstance(error, ValueError)
    assert (error.status_code, error.cooldown_time, error.response_headers) == (429, 11, {"retry-after": "11"})
    assert str(error).startswith(
        "No deployments available for selected model, Try again in 11 seconds. Passed model=m. pre-call-checks=False, "
    )
    assert set(error.cooldown_list) == {"m-0", "m-1"}


def test_a_call_may_retry_where_it_has_been():
    """R3, R4: a cooldown keeps other calls away. The one that met it waits, and sends all of its n + 1 requests."""
    world = World(group_of(2))
    route = world.route()
    first = route.choose([])
    first.settle(Outcome("failure", error_of(429)))
    second = route.choose([first.target])
    assert second.target is not first.target
    second.settle(Outcome("failure", error_of(429)))
    third = route.choose([first.target, second.target])
    assert third.target in (first.target, second.target)
    with pytest.raises(RouterRateLimitError):
        world.choose()


def test_a_deployment_has_its_own_time():
    """R4: litellm_params.cooldown_time counts; 0 keeps it from resting."""
    made = deployments(entry("m", 0, cooldown_time=40), entry("m", 1, cooldown_time=0), entry("m", 2))
    world = World(made, cooldown_time=20)
    for at in range(3):
        world.fail(f"m-{at}", 429)
    assert world.cooling_down() == {"m-0": 40, "m-2": 20}


def test_nobody_rests_for_days():
    """R4: a Retry-After is believed up to an hour."""
    rules = Cooldown()
    tally = World(group_of(2)).routing.state.failed("m-0", "RateLimitError", 0.0)
    assert rules.seconds_after(error_of(429, after=10**6), tally) == MAX_SECONDS


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 100)), min_size=1, max_size=8))
@examples(200)
def test_a_rest_is_extended_and_never_shortened(events):
    """R4: the deadline is the larger of the one there was and the new one, whatever comes in which order."""
    world = World(group_of(2))
    choices = [world.choose() for _ in range(60)]
    mine = [choice for choice in choices if choice.target.id == "m-0"]
    latest = 0.0
    for (passed, after), choice in zip(events, mine, strict=False):
        world.clock.now += passed
        choice.settle(Outcome("failure", error_of(429, after=round(after, 3))))
        latest = max(latest, world.clock.now + round(after, 3))
        assert world.routing.state.cooling_down["m-0"] == pytest.approx(latest)


def test_one_line_for_a_change(caplog):
    """One when it goes to rest, one when it is back, none for each failure in between."""
    caplog.set_level(logging.INFO, "LiteLLM")
    world = World(group_of(2))
    choices = [choice for choice in (world.choose() for _ in range(60)) if choice.target.id == "m-0"]
    for choice in choices:
        choice.settle(Outcome("failure", error_of(429)))
    world.ids(20)
    world.clock.now += 6
    world.ids(60)
    assert [record.getMessage() for record in caplog.records] == [
        "deployment m-0 of m cools down for 5 s after 429 RateLimitError",
        "deployment m-0 of m is back",
    ]
