"""A10: the routing strategies, as pure functions of candidates, numbers, a clock and a seed; and what makes them up."""

from __future__ import annotations

from collections import Counter
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.router.world import USAGE, World, deployments, entry, error_of, group_of

from litellm.engine.call import Outcome
from litellm.exceptions import AuthenticationError, ContextWindowExceededError
from litellm.router.choosing import Steer
from litellm.router.pick import cost, latency, least_busy, shuffle, usage
from litellm.router.strategies import STRATEGIES, strategy_named
from litellm.router.tags import allowed, tags_of

THREE = group_of(3)


def numbers(**each: Any) -> Any:
    """What is known of m-0, m-1 and m-2: a list of three for each name."""
    defaults = {"in_flight": [0] * 3, "tokens": [0] * 3, "requests": [0] * 3, "latencies": [[]] * 3} | each
    return lambda deployment: SimpleNamespace(
        **{name: values[int(deployment.id[-1])] for name, values in defaults.items()}
    )


def picked(pick: Any, tally: Any, now: float = 0.0, candidates: Any = THREE, **args: Any) -> set[str]:
    rng = Random(3)
    return {pick(candidates, tally, now, rng, **args).id for _ in range(60)}


@pytest.mark.parametrize(
    ("pick", "known", "wanted"),
    [
        (least_busy.pick, {}, {"m-0", "m-1", "m-2"}),
        (least_busy.pick, {"in_flight": [2, 1, 3]}, {"m-1"}),
        (least_busy.pick, {"in_flight": [1, 1, 3]}, {"m-0", "m-1"}),
        (usage.pick, {}, {"m-0", "m-1", "m-2"}),
        (usage.pick, {"tokens": [200, 100, 300], "requests": [1, 9, 1]}, {"m-1"}),
        (usage.pick, {"tokens": [100, 100, 300], "requests": [2, 1, 0]}, {"m-1"}),
        (latency.pick, {}, {"m-0", "m-1", "m-2"}),
        (latency.pick, {"latencies": [[(0, 0.3)], [(0, 0.1), (0, 0.3)], [(0, 0.4)]]}, {"m-1"}),
        (latency.pick, {"latencies": [[(0, 0.3)], [], [(0, 0.4)]]}, {"m-1"}),
    ],
)
def test_who_is_picked(pick, known, wanted):
    """A10: the best by its measure; among equals it is chance."""
    assert picked(pick, numbers(**known)) == wanted


@pytest.mark.parametrize(
    ("args", "now", "wanted"),
    [
        ({}, 0, {"m-1"}),
        ({"lowest_latency_buffer": 0.5}, 0, {"m-0", "m-1"}),
        ({"max_latency_list_size": 1}, 0, {"m-2"}),
        ({"ttl": 10}, 15, {"m-0"}),
    ],
)
def test_settings_of_latency(args, now, wanted):
    """A10: buffer, ttl and list size."""
    known = [[(0, 0.3)], [(9, 0.1), (9, 0.3)], [(9, 0.6), (9, 0.05)]]
    assert picked(latency.pick, numbers(latencies=known), now, **args) == wanted


def test_shares():
    """A10: in proportion; a share of 0 only where all have none."""
    rng = Random(5)
    two = World(deployments(entry("m", 0, weight=3), entry("m", 1, weight=1))).routing.find("m").members
    counts = Counter(shuffle.pick(two, numbers(), 0.0, rng).id for _ in range(4000))
    assert counts["m-0"] == pytest.approx(3000, abs=140)


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
    """A10: weight, else rpm, else tpm, else all alike; a weight of 0 takes no traffic."""
    made = deployments(*(entry("m", at, **each) for at, each in enumerate(params)))
    assert [each.share for each in World(made).routing.find("m").members] == shares


def test_prices():
    """A10: cost-based: what a deployment says, else what is known of its model; the unknown is dear."""
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
    second = world.call().choose([first]).target
    assert [first.id, second.id, world.call().choose([first, second]).target.id] == ["m-3", "m-1", "m-0"]


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_serves(name):
    """A10: from both of a pair, and from the other one while one of them rests."""
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
    """A10, O9."""
    world = World(group_of(3), routing_strategy="least-busy")
    held = [world.choose() for _ in range(6)]
    assert Counter(choice.target.id for choice in held) == {"m-0": 2, "m-1": 2, "m-2": 2}
    freed = held[0]
    freed.settle(Outcome("cancelled"))
    assert world.choose().target is freed.target


def test_usage_counts_tokens():
    """A10: the one that has used least is next."""
    world = World(group_of(2), routing_strategy="usage-based-routing")
    first = world.settled(Outcome("success", usage=USAGE))
    assert world.ids(1) != [first.id]


@pytest.mark.parametrize("stream", [False, True])
def test_latency_is_learned(stream):
    """A10: for a stream the time to its first words, else that of one token; a timeout counts as very long."""
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
    """A10: any or all, none of, only those with, and the default."""
    assert [each.id[-1] for each in allowed(TAGGED, asked, match_any=match_any)] == list(wanted)


def test_tags_without_a_default():
    """A10: who asks for nothing may go anywhere; who asks for what is not there may go nowhere, and is told 401."""
    world = World(TAGGED[:3], enable_tag_filtering=True)
    assert set(world.ids(60)) == {"m-0", "m-1", "m-2"}
    assert set(world.ids(20, steer=Steer(tags=("paid",)))) == {"m-1"}
    with pytest.raises(AuthenticationError, match="Not allowed to access model due to tags configuration"):
        world.choose(steer=Steer(tags=("gold",)))


def test_tags_are_only_looked_at_when_asked_for():
    """A10: enable_tag_filtering."""
    assert set(World(TAGGED).ids(90, steer=Steer(tags=("paid",)))) == {"m-0", "m-1", "m-2", "m-3"}


@pytest.mark.parametrize(
    ("metadata", "tags", "wanted"),
    [({}, None, ()), ({"tags": ["a"]}, ["b", "a"], ("b", "a")), ({"tags": "a"}, [1, None], ())],
)
def test_where_tags_come_from(metadata, tags, wanted):
    """A10: a request's own field and its metadata; what is no text is none."""
    assert tags_of(metadata, tags) == wanted


# --- does it fit? --------------------------------------------------------------------------------------------------------

LONG = {"messages": [{"role": "user", "content": "word " * 300}]}


def test_prompts_go_where_they_fit():
    """A10: enable_pre_call_checks, by model_info or by what is known; who is unknown counts as able."""
    small, large = entry("m", 0, info={"max_input_tokens": 100}), entry("m", 1, info={"max_input_tokens": 1000})
    world = World(deployments(small, large, entry("m", 2)), enable_pre_call_checks=True)
    assert set(world.ids(60, body=LONG)) == {"m-1", "m-2"}
    assert set(world.ids(60)) == {"m-0", "m-1", "m-2"}
    assert set(World(deployments(small, large)).ids(40, body=LONG)) == {"m-0", "m-1"}


def test_a_prompt_that_fits_nowhere():
    """A10: is what context_window_fallbacks are for."""
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
