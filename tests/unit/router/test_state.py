"""What is known of a deployment lasts as long as it is served, and then as long as something of it is under way."""

from __future__ import annotations

import pytest
from tests.unit.router.world import GOOD, World, error_of, group_of

from litellm.engine.opened import UNUSED, Outcome
from litellm.exceptions import RouterRateLimitError
from litellm.router.routing import Routing
from litellm.router.state import LocalState

ONE = {"max_parallel_requests": 1}


def successor(world: World, *, count: int = 2, **params) -> World:
    """A Routing that takes the place of another, as after a reload."""
    other = World(group_of(count, **params))
    other.clock = world.clock
    other.routing = Routing(group_of(count, **params), state=world.routing.state, clock=world.clock)
    other.routing.state.serve(other.routing.pool.by_id)
    return other


def known(world: World) -> set[str]:
    state = world.routing.state
    assert isinstance(state, LocalState)
    return {*state._tallies, *state.cooling_down}


def full(world: World) -> bool:
    try:
        world.choose().settle(UNUSED)
    except RouterRateLimitError:
        return True
    return False


@pytest.mark.parametrize(
    "outcome", [GOOD, UNUSED, Outcome("failure", error_of(500))], ids=lambda outcome: outcome.status
)
def test_a_slot_is_given_back_once_to_whoever_serves_now(outcome):
    """Of a call that began two Routings ago."""
    first = World(group_of(1, **ONE))
    held = first.choose()
    second = successor(first, count=1, **ONE)
    third = successor(second, count=1, **ONE)
    assert full(third)
    held.settle(outcome)
    again = third.choose()
    assert full(third)
    again.settle(GOOD)
    assert not full(third)


def test_removed_and_added_again_while_a_call_is_under_way():
    """The call's slot is counted all the time, and its end takes nobody else's."""
    world = World(group_of(1, **ONE))
    held = world.choose()
    world.routing.remove("m-0")
    world.routing.add(*group_of(1, **ONE))
    assert full(world)
    held.settle(GOOD)
    new = world.choose()
    assert full(world)
    new.settle(GOOD)
    assert not full(world)


def test_limits_that_change_hold_for_what_was_used_before():
    world = World(group_of(1, rpm=2))
    world.ids(1)
    assert full(successor(world, count=1, rpm=1))
    assert not full(successor(world, count=1, rpm=2))
    assert not full(successor(world, count=1))


def test_what_is_gone_is_forgotten_when_its_last_call_ends():
    world = World(group_of(2, rpm=9), routing_strategy="least-busy")
    held = [world.choose() for _ in range(4)]
    world.fail("m-1", 429)
    world.routing.remove("m-1")
    assert known(world) == {"m-0", "m-1"}, "two calls of it are under way"
    for choice in held:
        choice.settle(GOOD)
    assert known(world) == {"m-0"}


@pytest.mark.parametrize("strategy", ["simple-shuffle", "least-busy", "latency-based-routing"])
@pytest.mark.parametrize("outcome", [GOOD, Outcome("failure", error_of(429))], ids=["good", "bad"])
def test_late_news_of_what_is_gone_leave_nothing(strategy, outcome):
    """Calls that began with the old list end, and begin to retry, long after it is gone."""
    world = World(group_of(2), routing_strategy=strategy)
    late = world.route()
    held = [world.choose() for _ in range(2)]
    world.routing.replace(group_of(4)[2:])
    held.append(late.choose(()))
    for choice in held:
        choice.settle(outcome)
    assert known(world) <= {"m-2", "m-3"}


def test_a_cooldown_lasts_with_its_deployment():
    world = World(group_of(2))
    world.fail("m-0", 429)
    after = successor(world)
    assert set(after.ids(9)) == {"m-1"}
    after.routing.remove("m-0")
    after.routing.add(*group_of(1))
    assert set(after.ids(20)) == {"m-0", "m-1"}, "it was gone, with nothing under way"
