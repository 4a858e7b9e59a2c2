"""P2, G2: which deployments serve a name, and that this takes as long with ten thousand as with ten."""

from __future__ import annotations

import gc
import time
import weakref
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.suite.examples import examples
from tests.unit.router.world import GOOD, World, deployments, entry, group_of, targets_of

from litellm.exceptions import BadRequestError
from litellm.providers.backend import Unusable
from litellm.providers.target import Target
from litellm.router.pool import MAX_EXPANDED, Group, Level, Pool
from litellm.router.settings import RoutingSettings

NAMES = deployments(
    entry("m", 0), entry("m", 1), entry("n", 0, model="openai/the-model"), entry("team/*", 0, model="openai/*"),
    entry("team/special/*", 0, model="groq/special-*"), entry("fixed/*", 0, model="openai/always"),
    entry("*", 0, model="openai/*"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "group", "models"),
    [
        ("m", "m", ["m", "m"]),
        ("alias", "m", ["m", "m"]),
        ("m-1", "m", ["m"]),
        ("team/x", "team/x", ["x"]),
        ("team/special/x", "team/special/x", ["special-x"]),
        ("fixed/x", "fixed/x", ["always"]),
        ("anything/else", "anything/else", ["anything/else"]),
    ],
)
def test_lookup(asked, group, models):
    """Alias, group, deployment id, longest wildcard, "*"."""
    found = Pool.of(NAMES, {"alias": ("m", False)}).find(asked)
    assert found is not None
    assert found.name == group
    assert [target.model for target in targets_of(found)] == models


@pytest.mark.parametrize(
    ("asked", "name"),
    [("alias", "alias"), ("m", "m"), ("m-1", "m"), ("openai/the-model", "n"), ("team/x", "team/x"), ("gone", "gone")],
)
def test_a_right_is_about_the_group_that_is_found_or_about_an_alias(asked, name):
    assert Pool.of(NAMES[:-1], {"alias": ("m", False)}).permitted_as(asked) == name


def test_lookup_by_model():
    """Last of all, by the model that a deployment sends to; else LiteLLM's words."""
    world = World(NAMES[:3])
    assert world.routing.find("openai/the-model").name == "n"
    with pytest.raises(BadRequestError, match="You passed in model=q. There are no healthy deployments for this model"):
        world.routing.find("q")


def test_names_to_show():
    """In the order of the configuration, aliases that are not hidden after them."""
    pool = Pool.of(NAMES, {"alias": ("m", False), "secret": ("m", True)})
    assert pool.names() == ["m", "n", "team/*", "team/special/*", "fixed/*", "*", "alias"]
    assert pool.find("secret") is pool.find("m")


def test_what_wildcards_answered_is_bounded():
    """P5: names that clients make up."""
    pool = Pool.of(NAMES)
    for at in range(MAX_EXPANDED + 10):
        pool.find(f"team/{at}")
    assert len(pool._expanded) == MAX_EXPANDED
    assert pool.find(f"team/{MAX_EXPANDED}") is pool.find(f"team/{MAX_EXPANDED}"), "kept, so that a target stays itself"


def test_a_part_that_is_forgotten_at_this_moment_is_made_again():
    """Another thread may need its place; the whole group, of which it was to be a part, is never given for it."""

    class Key:
        """Whoever has found it in a dict finds it gone the next time."""

        found = False

        def __hash__(self) -> int:
            return 1

        def __eq__(self, _: object) -> bool:
            if self.found:
                group._parts.clear()
            self.found = True
            return True

    group = Group.serving("m", deployments(entry("m", 0), entry("m", 1)))
    for _ in range(3):
        assert [each.id for each in group.part(Key(), lambda members: members[:1]).members] == ["m-0"]


def test_patterns_are_not_compared_with_endless_names():
    """P3: a client's name of many megabytes does not hold up the others."""
    pool = Pool.of(deployments(entry("*a*a*a*b", model="openai/*")))
    started = time.process_time()
    assert pool.find("a" * 10**6) is None
    assert pool.find("a" * 20 + "b") is not None
    assert time.process_time() - started < 0.5


def test_those_without_a_key_are_asked_last(monkeypatch):
    """Only where there is no other, to say so."""
    bare = {"model": "openai/gpt-4o", "api_base": None, "api_key": None}
    made = deployments(entry("m", 0, **bare), entry("m", 1), entry("n", 0, **bare))
    world = World(made)
    assert set(world.ids(20)) == {"m-1"}
    assert isinstance(world.choose("n").target.backend, Unusable)


def test_orders():
    """The lowest first; the next when those were tried."""
    world = World(deployments(entry("m", 0, order=2), entry("m", 1, order=1), entry("m", 2, order=1)))
    assert set(world.ids(40)) == {"m-1", "m-2"}
    route, tried = world.route(), []
    for _ in range(3):
        tried.append(route.choose(tried).target)
    assert tried[2].id == "m-0"
    assert {target.id for target in tried} == {"m-0", "m-1", "m-2"}
    assert route.choose(tried).target.id in {"m-0", "m-1", "m-2"}


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=20), st.integers())
@examples(100)
def test_draws(shares, seed):
    """Whatever the shares, somebody is drawn, in a time that does not depend on their number."""
    made = [deployments(entry("m", at, weight=share))[0] for at, share in enumerate(shares)]
    level = Level(Group.serving("m", made).members)
    rng = Random(seed)
    assert {level.members[level.draw(rng)].id for _ in range(50)} <= {each.id for each in made}


def test_draws_are_in_proportion():
    """Bounds are five standard deviations."""
    level = World(deployments(entry("m", 0, weight=1), entry("m", 1, weight=9))).routing.find("m").levels()[0]
    rng = Random(1)
    assert Counter(level.members[level.draw(rng)].id for _ in range(10_000))["m-0"] == pytest.approx(1000, abs=150)


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("ab*"), st.integers(0, 3)),
        st.tuples(st.just("remove"), st.sampled_from("ab*"), st.integers(0, 3)),
    ),
    max_size=20,
)


@given(CHANGES)
@examples(200)
def test_changing_is_the_same_as_making_anew(changes):
    """However a pool came about, it serves what a fresh one of the same deployments serves."""
    pool, kept = Pool.of(), {}
    for what, name, number in changes:
        (deployment,) = deployments(entry(name, number, model=f"openai/{name}-{number % 2}"))
        before = pool.names()
        if what == "add":
            changed = pool.changed(add=[deployment])
            kept.pop(deployment.id, None)
            kept[deployment.id] = deployment
        else:
            changed = pool.changed(remove=[deployment.id])
            kept.pop(deployment.id, None)
        assert pool.names() == before, "a pool never changes"
        pool = changed
    fresh = Pool.of(kept.values())
    assert set(pool.names()) == set(fresh.names())
    assert pool.by_id == fresh.by_id
    assert pool.by_model.keys() == fresh.by_model.keys()
    for name in ("a", "b", "c", "a-1", "b-2", "openai/a-1"):
        one, other = pool.find(name), fresh.find(name)
        assert (one is None) == (other is None)
        assert one is None or other is None or {each.id for each in one.members} == {each.id for each in other.members}


def test_a_call_keeps_what_it_began_with():
    """Deployments may go while a call is under way; what it gives back then is no mistake."""
    world = World(group_of(2, rpm=5))
    route = world.route()
    first = route.choose([])
    world.routing.remove("m-0", "m-1", "no such id")
    assert world.routing.pool.names() == []
    second = route.choose([first.target])
    first.settle(GOOD)
    second.settle(GOOD)


def test_what_is_known_outlives_a_change():
    """A deployment that stays keeps its cooldown and what it has used; one that goes is forgotten."""
    world = World(group_of(3, rpm=5))
    world.fail("m-0", 429)
    world.fail("m-1", 429)
    world.routing.replace(group_of(1, rpm=5))
    assert world.cooling_down() == {"m-0": 5}
    world.routing.configure(RoutingSettings.of(model_group_alias={"alias": "m"}))
    assert world.routing.find("alias").name == "m"
    assert world.routing.state.tally("m-0", world.clock.now).requests == 1


def spent(world: World, calls: int = 1500) -> float:
    started = time.process_time()
    for _ in range(calls):
        world.route().choose(()).settle(GOOD)
    return (time.process_time() - started) / calls


@pytest.mark.parametrize(
    ("params", "settings"),
    [
        ({}, {}),
        ({"weight": 2}, {}),
        ({"rpm": 10**9}, {}),
        ({}, {"routing_strategy": "cost-based-routing"}),
        ({"model": "openai/gpt-4o"}, {"enable_pre_call_checks": True}),
    ],
)
def test_the_number_of_deployments_does_not_matter(params, settings):
    """P2: choosing among 10 000 takes no longer than among 10, but for what memory costs. A pass over them all would take
    a thousand times as long; figures are in bench/routing.py."""
    worlds = [World(group_of(size, **params), **settings) for size in (10, 10_000)]
    best = [min(spent(world) for _ in range(5)) for world in worlds]
    assert best[1] < 5 * best[0]


def test_nothing_is_left_of_a_routing():
    """P5 (PR#41582): no registry, and no cache of a class, keeps one alive."""
    world = World([*deployments(entry("gone", rpm=5)), *NAMES[3:]], routing_strategy="latency-based-routing")
    world.ids(2, "gone")
    world.ids(5, "team/x")
    refs = [weakref.ref(world.routing), weakref.ref(world.routing.pool), weakref.ref(world.routing.state)]
    del world
    gc.collect()
    assert [ref() for ref in refs] == [None] * 3
    assert not any(isinstance(value, Target) and value.id == "gone-0" for value in gc.get_objects())
