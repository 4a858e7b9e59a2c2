"""Who is first among many, by numbers that change with every call: the same as when each of them is looked at."""

from __future__ import annotations

import gc
import threading
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.suite.examples import examples
from tests.unit.router.world import GOOD, World, deployments, entry, group_of

from litellm.router.pick.latency import average
from litellm.router.pick.least_busy import under_way
from litellm.router.pick.usage import used
from litellm.router.ranking import AT_ONCE, Ranking, Rankings
from litellm.router.state import LocalState
from litellm.router.tally import NO_LIMITS, Limits, Measure, Score, Tally

MEASURES: list[Measure] = [under_way, used, average]
SIZE = 5
PLACES = tuple((f"d{at}", Limits(rpm=3, parallel=2) if at % 2 else Limits()) for at in range(SIZE))
EVENTS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["take", "give back", "answer", "timeout", "rest", "leave", "come back"]),
            st.integers(0, SIZE - 1),
        ),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 5, 61, 3601])),
        st.tuples(st.sampled_from(["draw", "clear"]), st.just(0)),
    ),
    max_size=60,
)


def number(state: LocalState, place: int, measure: Measure, now: float) -> float:
    """What a look at this deployment alone says."""
    deployment, limits = PLACES[place]
    if state.cooling_down.get(deployment, now) > now or state.wait(deployment, limits, now):
        return float("inf")
    return measure(state.tally(deployment, now), now)[0]


def happen(state: LocalState, event: str, place: int, now: float) -> None:
    deployment, limits = PLACES[place]
    if event == "take":
        state.take(deployment, limits, place, now)
    elif event == "give back":
        state.give_back(deployment, now - 1, 1, 7 * place, now)
    elif event == "answer":
        state.succeeded(deployment, now, 0.5 + place)
    elif event == "timeout":
        state.penalise(deployment, 1000.0, now)
    elif event == "rest":
        state.cool_down(deployment, now + 5, now)
    elif event == "leave":
        state.serve([each for each, _ in PLACES if each != deployment])
    elif event == "come back":
        state.serve([each for each, _ in PLACES])
    elif event == "clear":
        state.clear()


@pytest.mark.parametrize("measure", MEASURES)
@examples(60)
@given(
    events=EVENTS, slack=st.sampled_from([0.0, 0.5]), besides=st.sets(st.integers(0, SIZE - 1)), seed=st.integers(0, 99)
)
def test_the_first_is_who_a_look_at_each_would_find(measure, events, slack, besides, seed):
    """After anything that may happen, and with time passing."""
    state, rng, now = LocalState(), Random(seed), 6000.0
    ranking = Rankings(state).of(PLACES, measure)

    def check() -> None:
        drawn = ranking.draw(now, rng, slack=slack, besides=besides)
        numbers = {at: number(state, at, measure, now) for at in range(SIZE) if at not in besides}
        lowest = min(numbers.values(), default=None)
        assert drawn is None if lowest is None else numbers[drawn] <= lowest * (1 + slack)

    for event, what in events:
        if event == "wait":
            now += what
        elif event == "draw":
            check()
        else:
            happen(state, event, int(what), now)
    check()


@pytest.mark.parametrize("limits", [{}, {"rpm": 100}], ids=["rest", "full"])
def test_who_was_away_is_back_in_time(limits):
    """R4: what a number stands for may last for an hour; a rest, or a full minute, does not."""
    world = World(group_of(2, **limits), routing_strategy="latency-based-routing")
    state = world.routing.state
    for at, seconds in enumerate((0.1, 0.3)):
        state.succeeded(f"m-{at}", world.clock.now, seconds)
    assert world.ids(2) == ["m-0", "m-0"]
    if limits:
        assert state.take("m-0", Limits(), 0, world.clock.now) == 0
        for _ in range(97):
            state.take("m-0", Limits(), 0, world.clock.now)
    else:
        state.cool_down("m-0", world.clock.now + 5, world.clock.now)
    assert world.ids(2) == ["m-1", "m-1"]
    world.clock.now += 61 if limits else 6
    assert world.ids(1) == ["m-0"]


def test_among_equals_it_is_chance():
    """Also when some are left out, or count as equal."""
    state = LocalState()
    for at in range(SIZE):
        state.succeeded(f"d{at}", 6000.0, 1.0 + at / 10)
    ranking, rng = Rankings(state).of(PLACES, average), Random(1)
    assert {ranking.draw(6000.0, rng) for _ in range(50)} == {0}
    assert {ranking.draw(6000.0, rng, slack=0.25) for _ in range(50)} == {0, 1, 2}
    assert {ranking.draw(6000.0, rng, slack=0.25, besides=[0, 3]) for _ in range(50)} == {1, 2}
    assert ranking.draw(6000.0, rng, besides=range(SIZE)) is None


@pytest.mark.parametrize("strategy", ["least-busy", "usage-based-routing", "latency-based-routing"])
def test_a_choice_looks_at_few_of_many(strategy):
    """O(1) in the number of deployments. Counted: how often a deployment's numbers are asked for."""
    asked = 0
    world = World(group_of(3 * AT_ONCE), routing_strategy=strategy)
    plain = world.routing.settings.strategy

    def counting(tally: Tally, now: float) -> Score:
        nonlocal asked
        asked += 1
        assert plain.measure is not None
        return plain.measure(tally, now)

    world.routing.configure(replace(world.routing.settings, strategy=replace(plain, measure=counting)))
    for at in range(3 * AT_ONCE):
        world.routing.state.take(f"m-{at}", NO_LIMITS, 5, world.clock.now)
        world.routing.state.succeeded(f"m-{at}", world.clock.now, 0.5)
    for later, calls, most in ((0, 1, 3 * AT_ONCE), (0, 400, 400), (3 * 3600, 1, AT_ONCE + 1)):
        asked = 0
        world.clock.now += later
        world.ids(calls)
        assert 0 < asked <= most


def test_the_same_question_has_the_same_answer():
    """P5: thousands of names behind one pattern have the same deployments; and what nobody holds is gone."""
    state = LocalState()
    rankings = Rankings(state)
    ranking = rankings.of(PLACES, used)
    assert rankings.of(tuple(PLACES), used) is ranking
    assert rankings.of(PLACES[:2], used) is not ranking
    del ranking
    gc.collect()
    assert not rankings._known
    assert not state.changes._subscribers


def test_deployments_that_come_and_go_leave_nothing():
    """P5: whoever replaces the list all day long, also while calls are under way."""
    world = World(group_of(2), routing_strategy="least-busy")
    state = world.routing.state
    for number in range(20):
        held = world.choose()
        world.routing.replace(deployments(entry("m", 2 * number), entry("m", 2 * number + 1)))
        held.settle(GOOD)
    world.choose()
    del held
    gc.collect()
    assert len(state.changes._subscribers) == 2
    assert [len(ranking._numbers) for ranking in world.routing.chooser.rankings._known.values()] == [2]


def test_a_group_that_changes_is_ranked_anew():
    """What is known of those that stay goes on counting."""
    world = World(group_of(2), routing_strategy="least-busy")
    held = world.choose()
    world.routing.add(*group_of(3)[2:])
    assert {world.choose().target.id for _ in range(2)} == {"m-0", "m-1", "m-2"} - {held.target.id}


def test_threads_leave_the_numbers_right():
    """A choice while others begin and end."""
    world = World(group_of(8), routing_strategy="least-busy")

    def many() -> None:
        for _ in range(300):
            world.settled(GOOD)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    held = [world.choose() for _ in range(16)]
    assert sorted(choice.target.id for choice in held) == sorted([f"m-{at}" for at in range(8)] * 2)


def test_what_changes_during_a_draw_is_seen_by_the_next():
    """Other threads do not wait for a draw: they note a change while it looks at those of before."""
    numbers = dict.fromkeys(range(SIZE), 1.0)

    def score(place: int, _now: float) -> Score:
        if place == 2 and numbers[3]:
            numbers[3] = 0.0
            ranking.changed(3)
        return numbers[place], float("inf")

    ranking, rng = Ranking(SIZE, score), Random(1)
    ranking.draw(6000.0, rng)
    assert {ranking.draw(6000.0, rng) for _ in range(20)} == {3}
