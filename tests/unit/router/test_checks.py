"""Which part of a group may have a call: by the region that it is held to, its response_format, and its length."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.suite.examples import examples
from tests.unit.router.world import HI, World, deployments, entry

from litellm.exceptions import BadRequestError, ContextWindowExceededError, UnsupportedParamsError
from litellm.net.steps import Ask
from litellm.router.checks import at_one_address, capable, in_region
from litellm.router.choosing import RoutingOptions
from litellm.router.pool import Group
from litellm.router.regions import REGIONS, parse_region, region_in, region_of

EU, US = RoutingOptions(region="eu"), RoutingOptions(region="us")
SCHEMA = {"messages": HI, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}}
LONG = {"messages": [{"role": "user", "content": "word " * 300}]}


def ids(group: Group) -> list[str]:
    return [each.id for each in group.members]


def group(*entries: dict[str, Any]) -> Group:
    return Group.serving("m", deployments(*entries))


# --- regions -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("eu", "eu"), ("EU", "eu"), ("westeurope", "eu"), ("West Europe", "eu"), ("francecentral", "eu"),
        ("eu-west-1", "eu"), ("eu-central-1", "eu"), ("europe-west1", "eu"), ("europe-central2", "eu"), ("eu-de", "eu"),
        ("us", "us"), ("eastus", "us"), ("East US 2", "us"), ("southcentralus", "us"), ("us-east-1", "us"),
        ("us-gov-west-1", "us"), ("usgovvirginia", "us"), ("us-central1", "us"), ("us-south", "us"),
        ("eu-west-2", None), ("eu-central-2", None), ("europe-west2", None), ("europe-west6", None), ("uksouth", None),
        ("switzerlandnorth", None), ("norwayeast", None), ("eu-gb", None), ("australiaeast", None), ("", None),
        ("southeastasia", None), ("global", None), ("eu-nowhere-1", None), ("usa-is-not-a-region", None),
    ],
)  # fmt: skip
def test_where_a_clouds_regions_are(name, region):
    """The EU is its member states. London, Zurich and Oslo are not in it, whatever a cloud calls them."""
    assert region_in(name) == region


@pytest.mark.parametrize(
    ("params", "info", "region"),
    [
        ({"region_name": "eu"}, {}, "eu"),
        ({"aws_region_name": "us-east-1"}, {}, "us"),
        ({"vertex_location": "europe-west4"}, {}, "eu"),
        ({"region_name": "us", "vertex_location": "europe-west4"}, {}, "us"),
        ({"region_name": "japaneast"}, {"base_model": "azure/eu/gpt-4o"}, None),
        ({}, {"base_model": "azure/eu/gpt-4o"}, "eu"),
        ({}, {"base_model": "azure/us/gpt-4o"}, "us"),
        ({}, {"base_model": "azure/gpt-4o"}, None),
        ({"model": "openai/eu/mine"}, {}, None),
        ({}, {}, None),
    ],
)
def test_where_a_deployment_is(params, info, region):
    """As its entry says; the first word counts."""
    (made,) = deployments(entry("m", info=info, **params))
    assert region_of(made) == region


@given(st.one_of(st.text(max_size=6), st.integers(), st.lists(st.text(max_size=3)), st.booleans()))
@examples(200)
def test_what_may_be_asked(value):
    """F1: "eu" and "us", and an error in our words for all else."""
    if isinstance(value, str) and value.strip().lower() in REGIONS:
        assert parse_region(value) == value.strip().lower()
    else:
        with pytest.raises(ValueError, match='allowed_model_region must be "eu" or "us", not '):
            parse_region(value)


PLACES = (
    entry("m", 0, region_name="westeurope"),
    entry("m", 1, region_name="us"),
    entry("m", 2),
    entry("m", 3, region_name="eu"),
)


@pytest.mark.parametrize("settings", [{}, {"enable_pre_call_checks": True}])
def test_calls_stay_in_their_region(settings):
    """On retries too. With or without enable_pre_call_checks: who says where data may go is not ignored."""
    world = World(deployments(*PLACES), **settings)
    assert set(world.ids(60)) == {"m-0", "m-1", "m-2", "m-3"}
    assert set(world.ids(60, options=EU)) == {"m-0", "m-3"}
    assert set(world.ids(20, options=US)) == {"m-1"}
    route = world.route(options=EU)
    tried = [route.choose([]).target]
    tried.append(route.choose(tried).target)
    assert {each.id for each in (*tried, route.choose(tried).target)} == {"m-0", "m-3"}


def test_a_region_where_nobody_is():
    """O1: a 400 that says what to do; nothing is sent, and a fallback has to be in the region as well."""
    world = World(deployments(entry("m"), entry("b"), entry("c", region_name="eu")), fallbacks=[{"m": ["b", "c"]}])
    with pytest.raises(BadRequestError) as raised:
        world.choose(options=EU)
    assert raised.value.status_code == 400
    assert raised.value.param == "allowed_model_region"
    assert "no deployment of m is in the region 'eu'" in raised.value.message
    assert "set region_name: eu" in raised.value.message
    first, second = (make().route for make in world.route(options=EU).fallbacks("fallbacks"))
    with pytest.raises(BadRequestError, match="no deployment of b is in the region 'eu'"):
        first.choose([])
    assert second.choose([]).target.id == "c-0"


def test_regions_with_tags():
    """Both count."""
    made = deployments(
        entry("m", 0, region_name="eu", tags=["a"]), entry("m", 1, region_name="eu"), entry("m", 2, tags=["a"])
    )
    world = World(made, enable_tag_filtering=True)
    assert set(world.ids(20, options=RoutingOptions(tags=("a",), region="eu"))) == {"m-0"}
    with pytest.raises(BadRequestError, match="is in the region 'us'"):
        world.choose(options=RoutingOptions(tags=("a",), region="us"))


# --- answers by a schema -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "info", "takes"),
    [
        ({"model": "openai/gpt-4o"}, {}, True),
        ({"model": "openai/gpt-audio"}, {}, False),
        ({"model": "openai/gpt-4"}, {}, True),  # known, but not in this
        ({"model": "openai/nobody-knows-me"}, {}, True),
        ({"model": "openai/gpt-audio"}, {"supports_response_schema": True}, True),
        ({"model": "openai/gpt-audio"}, {"supports_response_schema": "true"}, True),
        ({"model": "openai/gpt-4o"}, {"supports_response_schema": False}, False),
        ({"model": "openai/mine"}, {"base_model": "gpt-audio"}, False),
        ({"model": "openai/gpt-audio"}, {"base_model": "gpt-4o"}, True),
    ],
)
def test_who_answers_by_a_schema(params, info, takes):
    """model_info, else what is known of the model or its base_model. To know nothing is no reason to leave it out."""
    made = group(entry("m", 0, info=info, **params), entry("m", 1))
    assert ids(capable(made, SCHEMA)) == (["m-0", "m-1"] if takes else ["m-1"])


@pytest.mark.parametrize("wanted", [None, {"type": "json_object"}, {"type": "text"}, {}, "json_schema", [], 5], ids=str)
def test_other_formats_are_for_everybody(wanted):
    """F1."""
    made = group(entry("m", 0, info={"supports_response_schema": False}))
    assert capable(made, {"messages": HI, "response_format": wanted}) is made


def test_nobody_answers_by_a_schema():
    """O1: a 400 that says what to do, and to which fallbacks apply."""
    no = {"supports_response_schema": False}
    world = World(deployments(entry("m", info=no), entry("b")), enable_pre_call_checks=True, fallbacks=[{"m": ["b"]}])
    route = world.route(body=SCHEMA)
    with pytest.raises(UnsupportedParamsError) as raised:
        route.choose([])
    assert (raised.value.status_code, raised.value.param) == (400, "response_format")
    assert "no deployment of m answers by a JSON schema" in raised.value.message
    assert "supports_response_schema: true" in raised.value.message
    (instead,) = (make().route for make in route.fallbacks("fallbacks"))
    assert instead.choose([]).target.id == "b-0"
    assert World(deployments(entry("m", info=no))).choose(body=SCHEMA).target.id == "m-0"  # without the checks


# --- all of them ---------------------------------------------------------------------------------------------------------


def test_sizes_are_told_apart():
    """Whoever has just enough room is asked, whatever was asked before."""
    sizes = [5, 100, 1000]
    made = group(*(entry("m", at, info={"max_input_tokens": size}) for at, size in enumerate(sizes)), entry("m", 3))
    for words, wanted in ((50, [1, 2, 3]), (300, [2, 3]), (2000, [3]), (50, [1, 2, 3])):
        body = {"messages": [{"role": "user", "content": "word " * words}]}
        assert ids(capable(made, body)) == [f"m-{at}" for at in wanted]


SEEN = st.tuples(
    st.sampled_from([None, "eu", "us", "japaneast"]),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, 100, 1000]),
)


@given(st.lists(SEEN, min_size=1, max_size=6), st.sampled_from([None, "eu", "us"]), st.booleans(), st.booleans())
@examples(200)
def test_together(seen, region, schema, long):
    """What is left passes every check, nothing that passes is left out, and asking twice changes nothing."""
    infos = [{"supports_response_schema": able, "max_input_tokens": room} for _, able, room in seen]
    made = group(*(entry("m", at, info=infos[at], region_name=place) for at, (place, _, _) in enumerate(seen)))
    body = {
        **(LONG if long else {"messages": HI}),
        **({"response_format": SCHEMA["response_format"]} if schema else {}),
    }
    wanted = [
        f"m-{at}"
        for at, (place, able, room) in enumerate(seen)
        if region in (None, place) and not (schema and able is False) and not (long and room == 100)
    ]

    def left() -> Group:
        return capable(made if region is None else in_region(made, region), body)

    if not wanted:
        with pytest.raises((BadRequestError, UnsupportedParamsError, ContextWindowExceededError)):
            left()
        return
    first = left()
    assert ids(first) == wanted
    assert left() is first
    assert (first is made) == (len(wanted) == len(seen))


class Counted(dict[str, Any]):
    """Facts about a deployment that count how often they are looked at."""

    looks = 0

    def get(self, name: str, default: Any = None) -> Any:
        self.looks += 1
        return super().get(name, default)


def test_deployments_are_looked_at_once():
    """P2: calls do not pay for the size of a group."""
    import msgspec

    facts = Counted(supports_response_schema=False)
    params = Counted(region_name="eu")
    made = deployments(entry("m", 0), entry("m", 1))
    made[0] = msgspec.structs.replace(made[0], info=facts, params=params)
    world = World(made, enable_pre_call_checks=True)
    for _ in range(5):
        world.settled(body=SCHEMA)
        world.settled(options=EU)
    assert (facts.looks, params.looks) == (1, 1)


# --- counting takes long ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "counts"), [(1, False), (300, True)])
def test_a_prompt_is_counted_where_it_delays_nobody(words, counts):
    """P3: a step of the call, which a loop has done in a thread; and not at all, when it fits whatever it is."""
    world = World(
        deployments(entry("m", 0, info={"max_input_tokens": 100}), entry("m", 1)), enable_pre_call_checks=True
    )
    route = world.route(body={"messages": [{"role": "user", "content": "word " * words}]})
    consulting = route.consult()
    steps = list(consulting) if not counts else [next(consulting)]
    assert [type(step) for step in steps] == ([Ask] if counts else [])
    if counts:
        with pytest.raises(StopIteration):
            consulting.send(steps[0].sync_fn())
    chosen = {route.choose([]).target.id for _ in range(40)}
    assert chosen == ({"m-1"} if counts else {"m-0", "m-1"})


# --- one address ---------------------------------------------------------------------------------------------------------


def at(number: int, base: str, model: str = "openai/x", order: int = 1) -> dict[str, Any]:
    return entry("m", number, model=model, api_base=base, order=order)


def test_one_address_is_that_of_the_first_of_the_lowest_order() -> None:
    """The same address of another provider is another place."""
    places = [
        at(0, "https://a/v1", order=2),
        at(1, "https://b/v1"),
        at(2, "https://b/v1", order=3),
        at(3, "https://b/v1", "groq/x"),
    ]
    whole = group(*places)
    part = at_one_address(whole)
    assert part.members == (whole.members[1], whole.members[2])
    assert (part.name, part.wild) == ("m", whole.wild)
    assert at_one_address(whole) is part, "it is found once"
    alone = group(places[0])
    assert at_one_address(alone) is alone
