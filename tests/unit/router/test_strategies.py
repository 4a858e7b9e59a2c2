"""The routing strategies, as pure functions of candidates, numbers, a clock and a seed; and what makes them up."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.unit.router.world import USAGE, World, deployments, entry, error_of, group_of

from litellm.engine.opened import UNUSED, Outcome
from litellm.exceptions import AuthenticationError, ContextWindowExceededError
from litellm.router.choosing import RoutingOptions
from litellm.router.pick import cost
from litellm.router.pool import Group
from litellm.router.strategies import STRATEGIES, strategy_named
from litellm.router.tags import allowed, tags_of
from litellm.router.tally import NO_LIMITS

THREE = group_of(3)


def world_where(strategy: str, args: Any = {}, *, in_flight: Any = (), tokens: Any = (), latencies: Any = ()) -> World:
    """m-0, m-1 and m-2, of which so much is known: a number for each of them, or (when, seconds) for each answer."""
    world = World(THREE, routing_strategy=strategy, routing_strategy_args=args)
    state, now = world.routing.state, world.clock.now
    for at, count in enumerate(in_flight):
        for _ in range(count):
            state.take(f"m-{at}", NO_LIMITS, 0, now)
    for at, each in enumerate(tokens):
        for amount in each:
            state.take(f"m-{at}", NO_LIMITS, amount, now)
    for at, each in enumerate(latencies):
        for when, seconds in each:
            state.succeeded(f"m-{at}", now + when, seconds)
    return world


def chosen(world: World) -> set[str]:
    """Where 60 calls go that are then not made."""
    ids = set()
    for _ in range(60):
        choice = world.choose()
        choice.settle(UNUSED)
        ids.add(choice.target.id)
    return ids


LEAST, USED, FASTEST = "least-busy", "usage-based-routing-v2", "latency-based-routing"


@pytest.mark.parametrize(
    ("strategy", "known", "wanted"),
    [
        (LEAST, {}, {"m-0", "m-1", "m-2"}),
        (LEAST, {"in_flight": [2, 1, 3]}, {"m-1"}),
        (LEAST, {"in_flight": [1, 1, 3]}, {"m-0", "m-1"}),
        (USED, {}, {"m-0", "m-1", "m-2"}),
        (USED, {"tokens": [[200], [50, 50], [300]]}, {"m-1"}),
        (USED, {"tokens": [[100, 0], [100], [300]]}, {"m-1"}),
        (FASTEST, {}, {"m-0", "m-1", "m-2"}),
        (FASTEST, {"latencies": [[(0, 0.3)], [(0, 0.1), (0, 0.3)], [(0, 0.4)]]}, {"m-1"}),
        (FASTEST, {"latencies": [[(0, 0.3)], [], [(0, 0.4)]]}, {"m-1"}),
    ],
)
def test_who_is_picked(strategy, known, wanted):
    """The best by its measure; among equals it is chance."""
    assert chosen(world_where(strategy, **known)) == wanted


@pytest.mark.parametrize(
    ("args", "later", "wanted"),
    [
        ({}, 0, {"m-1"}),
        ({"lowest_latency_buffer": 0.5}, 0, {"m-0", "m-1"}),
        ({"max_latency_list_size": 1}, 0, {"m-2"}),
        ({"ttl": 10}, 5, {"m-1"}),
        ({"ttl": 10}, 15, {"m-0"}),
        ({"ttl": 10}, 25, {"m-0", "m-1", "m-2"}),
    ],
)
def test_settings_of_latency(args, later, wanted):
    """Buffer, ttl and list size; what is too old is forgotten also between two calls."""
    latencies = [[(0, 0.3)], [(9, 0.1), (9, 0.3)], [(9, 0.6), (9, 0.05)]]
    world = world_where(FASTEST, args, latencies=latencies)
    assert chosen(world)
    world.clock.now += later
    assert chosen(world) == wanted


def test_shares():
    """In proportion."""
    world = World(deployments(entry("m", 0, weight=3), entry("m", 1, weight=1)), seed=5)
    assert Counter(world.ids(4000))["m-0"] == pytest.approx(3000, abs=140)


@pytest.mark.parametrize(
    ("params", "shares"),
    [
        ([{}, {}], [1, 1]),
        ([{"weight": 3}, {"weight": 1}], [3, 1]),
        ([{"weight": 3}, {}], [3, 1]),
        ([{"weight": 1}, {"weight": 0}], [1]),
        ([{"weight": 0}, {"weight": 0}], [1, 1]),
        ([{"rpm": 100}, {"rpm": 300}], [100, 300]),
        ([{"tpm": 100}, {"tpm": 300}], [100, 300]),
        ([{"rpm": 100}, {"tpm": 300}], [1, 1]),
        ([{"rpm": 1, "tpm": 9, "weight": 2}, {"rpm": 3, "tpm": 7}], [2, 1]),
    ],
)
def test_where_shares_come_from(params, shares):
    """Weight, else rpm, else tpm, else all alike; a weight of 0 takes no traffic."""
    made = deployments(*(entry("m", at, **each) for at, each in enumerate(params)))
    assert [each.share for each in World(made).routing.find("m").members] == shares


def test_prices():
    """cost-based: what a deployment says, else what is known of its model; the unknown is dear."""
    known = deployments(
        entry("m", 0, model="openai/gpt-4o"),
        entry("m", 1, model="openai/gpt-4o-mini"),
        entry("m", 2, model="openai/nobody-knows"),
    )
    assert set(World(known, routing_strategy="cost-based-routing").ids(20)) == {"m-1"}
    own = deployments(entry("m", 3, model="openai/gpt-4o", input_cost_per_token=0, output_cost_per_token=0))
    world = World([*known, *own], routing_strategy="cost-based-routing")
    assert set(world.ids(20)) == {"m-3"}
    assert cost.price_of(known[2]) == 10
    first = world.choose().target
    second = world.route().choose([first]).target
    assert [first.id, second.id, world.route().choose([first, second]).target.id] == ["m-3", "m-1", "m-0"]


LAST = ((), (0,), (0, 1), (0, 1, 2, 3))  # who is away, of five


@pytest.mark.parametrize("away", LAST, ids=str)
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_spreads(name, away):
    """Evenly among those that are alike, whoever else rests."""
    world = World(group_of(5), routing_strategy=name)
    for at in away:
        world.routing.state.cool_down(f"m-{at}", world.clock.now + 60, world.clock.now)
    counts: Counter[str] = Counter()
    for _ in range(3000):
        choice = world.choose()
        choice.settle(UNUSED)
        counts[choice.target.id] += 1
    there = 5 - len(away)
    assert counts.keys() == {f"m-{at}" for at in range(5) if at not in away}
    assert all(count == pytest.approx(3000 / there, rel=0.15) for count in counts.values())


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_serves(name):
    """From both of a pair, and from the other one while one of them rests."""
    world = World(group_of(2), routing_strategy=name)
    assert {*world.ids(1), *(world.choose().target.id for _ in range(40))} == {"m-0", "m-1"}
    away = world.settled(Outcome("failure", error_of(429)))
    assert set(world.ids(20)) == {"m-0", "m-1"} - {away.id}


def test_no_such_strategy():
    """O1: the names there are."""
    with pytest.raises(
        ValueError, match="routing_strategy must be one of simple-shuffle, least-busy, .* not 'fastest'"
    ):
        strategy_named("fastest")


def test_least_busy_counts_what_is_under_way():
    """O9."""
    world = World(group_of(3), routing_strategy="least-busy")
    held = [world.choose() for _ in range(6)]
    assert Counter(choice.target.id for choice in held) == {"m-0": 2, "m-1": 2, "m-2": 2}
    freed = held[0]
    freed.settle(Outcome("cancelled"))
    assert world.choose().target is freed.target


def test_usage_counts_tokens():
    """The one that has used least is next."""
    world = World(group_of(2), routing_strategy="usage-based-routing")
    first = world.settled(Outcome("success", usage=USAGE))
    assert world.ids(1) != [first.id]


@pytest.mark.parametrize("stream", [False, True])
def test_latency_is_learned(stream):
    """For a stream the time to its first words, else that of one token; a timeout counts as very long."""
    world = World(group_of(3), routing_strategy="latency-based-routing")
    seconds = {"m-0": 0.4, "m-1": 0.2, "m-2": 0.3}
    for _ in range(3):
        choice = world.choose(stream=stream)
        choice.settle(Outcome("success", usage={"completion_tokens": 10}, seconds=seconds[choice.target.id]))
    latencies = world.routing.state.tally("m-1", world.clock.now).latencies
    assert [taken for _, taken in latencies] == [0.2 if stream else 0.02]
    choice = world.choose(stream=stream)
    assert choice.target.id == "m-1"
    choice.settle(Outcome("failure", error_of(408)))
    assert world.choose(stream=stream).target.id == "m-2"


# --- tags ----------------------------------------------------------------------------------------------------------------

TAGGED = deployments(
    entry("m", 0, tags=["free", "eu"]),
    entry("m", 1, tags=["paid"]),
    entry("m", 2),
    entry("m", 3, tags=["default", "eu"]),
)


@pytest.mark.parametrize(
    ("asked", "match_any", "wanted"),
    [
        ([], True, "3"),
        (["free"], True, "0"),
        (["free", "paid"], True, "01"),
        (["free", "eu"], True, "03"),
        (["free", "eu"], False, "0"),
        (["free", "paid"], False, "3"),
        (["nobody"], True, "3"),
        (["nobody", "!default"], True, ""),
        (["!eu"], True, "12"),
        (["&eu"], True, "03"),
        (["&eu", "!free"], True, "3"),
        (["&eu", "free"], True, "0"),
        (["&eu", "paid"], True, "3"),
    ],
)
def test_tags(asked, match_any, wanted):
    """Any or all, none of, only those with, and the default."""
    assert [each.id[-1] for each in allowed(Group.serving("m", TAGGED), asked, match_any=match_any).members] == list(
        wanted
    )


def test_tags_without_a_default():
    """Who asks for nothing may go anywhere; who asks for what is not there may go nowhere, and is told 401."""
    world = World(TAGGED[:3], enable_tag_filtering=True)
    assert set(world.ids(60)) == {"m-0", "m-1", "m-2"}
    assert set(world.ids(20, options=RoutingOptions(tags=("paid",)))) == {"m-1"}
    with pytest.raises(AuthenticationError, match="Not allowed to access model due to tags configuration"):
        world.choose(options=RoutingOptions(tags=("gold",)))


def test_tags_are_only_looked_at_when_asked_for():
    """enable_tag_filtering."""
    assert set(World(TAGGED).ids(90, options=RoutingOptions(tags=("paid",)))) == {"m-0", "m-1", "m-2", "m-3"}


@pytest.mark.parametrize(
    ("metadata", "tags", "wanted"),
    [({}, None, ()), ({"tags": ["a"]}, ["b", "a"], ("b", "a")), ({"tags": "a"}, [1, None], ())],
)
def test_where_tags_come_from(metadata, tags, wanted):
    """A request's own field and its metadata; what is no text is none."""
    assert tags_of(metadata, tags) == wanted


# --- does it fit? --------------------------------------------------------------------------------------------------------

LONG = {"messages": [{"role": "user", "content": "word " * 300}]}


def test_prompts_go_where_they_fit():
    """enable_pre_call_checks, by model_info or by what is known; who is unknown counts as able."""
    small, large = entry("m", 0, info={"max_input_tokens": 100}), entry("m", 1, info={"max_input_tokens": 1000})
    world = World(deployments(small, large, entry("m", 2)), enable_pre_call_checks=True)
    assert set(world.ids(60, body=LONG)) == {"m-1", "m-2"}
    assert set(world.ids(60)) == {"m-0", "m-1", "m-2"}
    assert set(World(deployments(small, large)).ids(40, body=LONG)) == {"m-0", "m-1"}


def test_a_prompt_that_fits_nowhere():
    """Is what context_window_fallbacks are for."""
    world = World(deployments(entry("m", info={"max_input_tokens": 100})), enable_pre_call_checks=True)
    with pytest.raises(ContextWindowExceededError, match=r"has 3\d\d tokens; the largest deployment of m takes 100"):
        world.choose(body=LONG)
    assert world.routing.state.tally("m-0", world.clock.now).failures == {}
    assert error_of(400).status_code == 400


@pytest.mark.parametrize("messages", [[{"role": "user", "content": 5}], [5], "text", {"a": 1}], ids=str)
def test_a_prompt_that_cannot_be_counted_is_the_upstreams_to_judge(messages):
    """F1: it may be a client's mistake, and is not our fault."""
    world = World(deployments(entry("m", info={"max_input_tokens": 100})), enable_pre_call_checks=True)
    assert world.choose(body={"messages": messages}).target.id == "m-0"
