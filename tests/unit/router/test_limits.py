"""rpm, tpm and max_parallel_requests are limits (decision 11): exact, also between threads, and given back."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.suite.examples import examples
from tests.unit.router.world import GOOD, USAGE, World, deployments, entry, error_of, group_of

from litellm.engine.opened import CANCELLED, UNUSED, Outcome
from litellm.engine.route import Choice
from litellm.exceptions import BadRequestError, RouterRateLimitError
from litellm.router.choosing import RoutingOptions
from litellm.router.limits import guess, tokens_of
from litellm.router.tally import Limits

FAILED = Outcome("failure", error_of(500))


def full(world: World) -> float:
    """That no place is left, and the seconds until there may be one."""
    with pytest.raises(RouterRateLimitError) as raised:
        world.choose()
    return raised.value.cooldown_time


def test_requests_in_a_minute():
    """Decision 11: so many, then a 429 that says when the minute is over, then so many again."""
    world = World(group_of(2, rpm=3))
    world.clock.now += 15.5
    assert sorted(world.ids(6)) == ["m-0"] * 3 + ["m-1"] * 3
    assert full(world) == 45
    world.clock.now += 44.5
    assert len(world.ids(6)) == 6
    assert full(world) == 60


def test_numbers_as_text():
    """As os.environ/NAME gives them."""
    params = {
        "rpm": "2",
        "tpm": "1e3",
        "max_parallel_requests": "4",
        "weight": "0.5",
        "order": "-1",
        "cooldown_time": "7",
    }
    (made,) = deployments(entry("m", **params))
    assert made.limits == Limits(2, 1000, 4)
    assert (made.weight, made.order, made.cooldown_time) == (0.5, -1, 7)
    world = World([made])
    assert len(world.ids(2)) == 2
    assert full(world) > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("rpm", "many"), ("rpm", -1), ("tpm", 1.5), ("max_parallel_requests", [1]), ("weight", -1), ("weight", "x"),
     ("order", "first"), ("cooldown_time", "nan"), ("rpm", True)],
)  # fmt: skip
def test_what_is_no_number(name, value):
    """O1: told when the deployment is made, with the field's name."""
    with pytest.raises(ValueError, match=f"^{name} must be a"):
        deployments(entry("m", **{name: value}))


def test_tokens_in_a_minute():
    """Decision 11: what answers used counts, and a request that has none left waits."""
    world = World(group_of(1, tpm=25))
    assert len(world.ids(3)) == 3  # 10 each; the third begins with 5 left
    assert full(world) == 60
    world.clock.now += 60
    assert len(world.ids(1)) == 1


def test_tokens_are_reserved_by_a_guess():
    """O9: requests under way count before their answers say what they took."""
    world = World(group_of(1, tpm=100))
    body = {"messages": [{"role": "user", "content": "x" * 400}]}
    choice = world.choose(body=body)
    assert full(world) == 60
    choice.settle(GOOD)
    assert world.routing.state.tally("m-0", world.clock.now).tokens == 10


def test_tokens_count_when_the_answer_ends():
    """Decision 11: an answer of another minute is put to the account of the one in which it ends."""
    world = World(group_of(1, tpm=25))
    choice = world.choose()
    world.clock.now += 60
    choice.settle(Outcome("success", usage={"total_tokens": 40}))
    assert full(world) == 60


def test_requests_at_once():
    """Decision 11, O9: a place is free again when its answer has ended, however."""
    world = World(group_of(1, max_parallel_requests=2))
    for outcome in (GOOD, FAILED, CANCELLED, UNUSED):
        first, second = world.choose(), world.choose()
        assert full(world) == 1
        first.settle(outcome)
        world.choose().settle(outcome)
        second.settle(outcome)


def test_what_is_not_sent_is_not_counted():
    """O9: a place that was taken for nothing is given back whole."""
    world = World(group_of(1, rpm=1, tpm=1000))
    world.settled(UNUSED)
    tally = world.routing.state.tally("m-0", world.clock.now)
    assert (tally.requests, tally.tokens, tally.in_flight) == (0, 0, 0)
    world.settled(FAILED)
    assert full(world) == 60, "a request that fails has been sent"


def test_a_refused_request_changes_nothing():
    """O9."""
    world = World(group_of(2, rpm=1, max_parallel_requests=1))
    world.ids(2)
    tallies = [world.routing.state.tally(f"m-{at}", world.clock.now) for at in range(2)]
    for _ in range(10):
        full(world)
    assert [(tally.requests, tally.in_flight) for tally in tallies] == [(1, 0)] * 2


def test_the_rest_takes_over():
    """Decision 11: a deployment at its limit leaves the traffic to the others; so does one order to the next."""
    world = World(deployments(entry("m", 0, rpm=2), entry("m", 1)))
    assert sorted(world.ids(40)).count("m-0") == 2
    world = World(deployments(entry("m", 0, order=1, rpm=2), entry("m", 1, order=2)))
    assert world.ids(4) == ["m-0", "m-0", "m-1", "m-1"]


@pytest.mark.parametrize(
    "strategy", ["simple-shuffle", "least-busy", "usage-based-routing-v2", "latency-based-routing"]
)
def test_exact_between_threads(strategy):
    """G2, O9: 64 threads that all want a place get exactly as many as there are."""
    world = World(group_of(4, rpm=100, max_parallel_requests=500), routing_strategy=strategy)
    got: list[Choice] = []
    begin = threading.Barrier(64)

    def hurry() -> None:
        begin.wait()
        for _ in range(10):
            try:
                got.append(world.choose())
            except RouterRateLimitError:
                pass

    threads = [threading.Thread(target=hurry) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 400
    tallies = [world.routing.state.tally(f"m-{at}", world.clock.now) for at in range(4)]
    assert [(tally.requests, tally.in_flight) for tally in tallies] == [(100, 100)] * 4
    enders = [threading.Thread(target=choice.settle, args=(GOOD,)) for choice in got[:64]]
    for thread in enders:
        thread.start()
    for thread in enders:
        thread.join()
    for choice in got[64:]:
        choice.settle(GOOD)
    assert [tally.in_flight for tally in tallies] == [0] * 4
    assert [tally.tokens for tally in tallies] == [100 * USAGE["total_tokens"]] * 4


OUTCOMES = st.sampled_from([GOOD, FAILED, CANCELLED, UNUSED, Outcome("success"), Outcome("failure", error_of(429))])
EVENTS = st.lists(
    st.one_of(st.just("choose"), st.tuples(st.integers(0, 9), OUTCOMES), st.floats(0, 45).map(lambda s: ("wait", s))),
    max_size=60,
)


@given(EVENTS, st.integers(1, 4), st.integers(1, 3))
@examples(300)
def test_whatever_happens(events, rpm, parallel):
    """O9, G2: in no order of choices, ends and time is a limit passed; when all has ended, nothing is held."""
    world = World(group_of(2, rpm=rpm, max_parallel_requests=parallel, tpm=200))
    held: list[Choice] = []

    def check() -> None:
        for at in range(2):
            tally = world.routing.state.tally(f"m-{at}", world.clock.now)
            assert 0 <= tally.in_flight == sum(choice.target.id == f"m-{at}" for choice in held)
            assert tally.in_flight <= parallel
            assert 0 <= tally.requests <= rpm
            assert tally.tokens >= 0

    for event in events:
        if event == "choose":
            try:
                held.append(world.choose())
            except RouterRateLimitError as error:
                assert 1 <= error.cooldown_time <= 60
        elif event[0] == "wait":
            world.clock.now += event[1]
        elif held:
            held.pop(event[0] % len(held)).settle(event[1])
        check()
    while held:
        held.pop().settle(GOOD)
    check()


def test_nothing_is_counted_that_nobody_limits():
    """P3: without limits, and where no strategy asks, no request touches a counter of use."""
    world = World(group_of(2))
    world.ids(10)
    tallies = [world.routing.state.tally(f"m-{at}", world.clock.now) for at in range(2)]
    assert [(tally.requests, tally.tokens, tally.in_flight) for tally in tallies] == [(0, 0, 0)] * 2


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({"messages": [{"role": "user", "content": "x" * 40}]}, 10),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x" * 40}]}]}, 10),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x" * 4000}}]}]}, 0),
        ({"messages": [{"role": "assistant", "content": None}]}, 0),
        ({"prompt": "x" * 8}, 2),
        ({"input": ["x" * 8, "x" * 8]}, 4),
        ({"input": [1, 2, 3]}, 0),
        ({}, 0),
    ],
)
def test_guesses(body, tokens):
    """Decision 11: a guess never fails."""
    assert guess(body) == tokens


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [(None, None), ({}, None), ({"total_tokens": 5}, 5), ({"prompt_tokens": 2, "completion_tokens": None}, 2)],
)
def test_what_was_used(usage, tokens):
    """Decision 11."""
    assert tokens_of(usage) == tokens


def test_a_place_given_back_in_the_middle():
    """G2: a stream that was dropped may be collected, and settle, while its own thread is inside the state: no deadlock."""
    world = World(group_of(1, max_parallel_requests=2))
    held = world.choose()
    state = world.routing.state

    def collecting() -> None:
        with state._lock:  # type: ignore[attr-defined]  # where garbage may be collected
            held.settle(GOOD)

    thread = threading.Thread(target=collecting, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive(), "a deadlock"
    assert state.tally("m-0", world.clock.now).in_flight == 0


def test_an_access_that_cannot_be_used_takes_no_place():
    """O9: what is wrong with a caller's key is found out before a place is taken."""
    world = World(group_of(1, max_parallel_requests=1))

    def refuse(_: object) -> object:
        raise error_of(400)

    for _ in range(3):
        with pytest.raises(BadRequestError):
            world.choose(options=RoutingOptions(adapt=refuse))  # type: ignore[arg-type]
    assert world.ids(1) == ["m-0"]
