"""A call's way: which fallbacks apply, how deep they go, how often is retried; and Router's words as values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.suite.examples import examples
from tests.unit.router.world import World, deployments, entry, error_of

from litellm import exceptions as errors
from litellm.engine.call import Answer
from litellm.engine.drivers import run
from litellm.engine.fallbacks import falling_back
from litellm.engine.retry_policy import Retry, limits_of
from litellm.exceptions import LiteLLMError
from litellm.net.sync_io import SyncTransport
from litellm.router.choosing import RoutingOptions
from litellm.router.fallbacks import find_fallbacks, parse_request_fallbacks
from litellm.router.settings import RoutingSettings
from litellm.types.router import AllowedFailsPolicy, RetryPolicy

NAMES = "abcdef"


def went(world: World, first: str = "a", *, fails: str = NAMES, how: Any = 500, **about: Any) -> tuple[str, Any]:
    """The groups that a call to `first` went to, in order, and its answer or error; those in `fails` fail."""
    asked: list[str] = []

    def retrying(call: Any, route: Any) -> Any:
        asked.append(call.model)
        if call.model in fails:
            raise error_of(how) if isinstance(how, int) else how
        choice = route.choose([])
        return Answer(origin=choice.target, requested_model=call.model, headers={}, data=call.body)
        yield

    try:
        ended: Any = run(falling_back(*world.plan(first, **about)[:2], retrying), SyncTransport())
    except LiteLLMError as error:
        ended = error
    return "".join(asked), ended


def world_of(**settings: Any) -> World:
    return World(deployments(*(entry(name) for name in NAMES)), **settings)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, "a"),
        ({"fallbacks": [{"a": ["b", "c"]}]}, "abc"),
        ({"fallbacks": [{"a": ["b"]}, {"b": ["c"]}]}, "abc"),
        ({"fallbacks": [{"a": ["b", "d"]}, {"b": ["c"]}]}, "abcd"),
        ({"fallbacks": [{"a": ["b", "c"]}, {"b": ["c", "a"]}, {"c": ["b"]}]}, "abc"),
        ({"fallbacks": [{"*": ["c"]}]}, "ac"),
        ({"fallbacks": [{"b": ["c"]}], "default_fallbacks": ["d", "a"]}, "ad"),
        ({"fallbacks": [{"openai/a": ["c"]}]}, "ac"),
        ({"fallbacks": [{"a": ["b"]}, {"b": ["c"]}, {"c": ["d"]}, {"d": ["e"]}], "max_fallbacks": 2}, "abc"),
        ({"fallbacks": [{"a": ["b", "c"]}], "max_fallbacks": 0}, "a"),
        ({"fallbacks": [{"a": ["alias", "b"]}], "model_group_alias": {"alias": "a"}}, "ab"),
        ({"context_window_fallbacks": [{"a": ["b"]}]}, "a"),
    ],
)
def test_where_a_call_goes(settings, wanted):
    """Exact, without the provider, "*", then the default ones; fallbacks of fallbacks so deep, no group twice."""
    asked, error = went(world_of(**settings))
    assert asked == wanted
    assert isinstance(error, errors.InternalServerError)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (errors.ContextWindowExceededError, "ab"),
        (errors.ContentPolicyViolationError, "ac"),
        (errors.BadRequestError, "ad"),
        (errors.RateLimitError, "ad"),
    ],
)
def test_fallbacks_for_the_occasion(kind, wanted):
    world = world_of(
        context_window_fallbacks=[{"a": ["b"]}], content_policy_fallbacks=[{"a": ["c"]}], fallbacks=[{"a": ["d"]}]
    )
    assert went(world, fails="a", how=kind("no", llm_provider="openai", model="a"))[0] == wanted


FILTERED = {"choices": [{"index": 0, "message": {"content": "half"}, "finish_reason": "content_filter"}]}


@pytest.mark.parametrize("raw", [False, True])
def test_an_answer_that_a_filter_cut_off(raw):
    """A whole answer with finish_reason content_filter goes to content_policy_fallbacks, where there are any."""
    from litellm import _json

    def filtered(call: Any, route: Any) -> Any:
        target = route.choose([]).target
        body = FILTERED if call.model == "a" else {"choices": []}
        yield from ()
        return Answer(
            origin=target,
            requested_model=call.model,
            headers={},
            **({"raw": _json.encode(body)} if raw else {"data": body}),
        )

    world = world_of(content_policy_fallbacks=[{"a": ["c"]}])
    answer = run(falling_back(*world.plan("a")[:2], filtered), SyncTransport())
    assert (answer.requested_model, answer.fallbacks) == ("c", 1)
    plain = world_of(fallbacks=[{"a": ["c"]}])
    assert run(falling_back(*plain.plan("a")[:2], filtered), SyncTransport()).requested_model == "a"


def test_what_the_caller_wants():
    """Its own list in place of the configured ones; or none at all."""
    world = world_of(fallbacks=[{"a": ["b"]}], default_fallbacks=["c"])
    assert went(world, options=RoutingOptions(fallbacks=["d", "e"]))[0] == "ade"
    assert went(world, options=RoutingOptions(disable_fallbacks=True))[0] == "a"
    assert went(world, options=RoutingOptions(fallbacks=["d"], disable_fallbacks=True))[0] == "a"
    assert went(world, options=RoutingOptions(may_use=lambda name: name != "b"))[0] == "a"  # R2


TABLED = [{"a": ["c", "d"]}, {"c": ["e"]}, {"b": ["f"]}]


@pytest.mark.parametrize(
    ("options", "how", "wanted"),
    [
        (RoutingOptions(fallbacks=[{"a": ["c"]}]), 500, "ac"),
        (RoutingOptions(fallbacks=[{"openai/a": ["c"]}]), 500, "ac"),
        (RoutingOptions(fallbacks=[{"*": ["c"]}]), 500, "ac"),
        (RoutingOptions(fallbacks=TABLED), 500, "aced"),
        (RoutingOptions(fallbacks=["b", *TABLED]), 500, "abfced"),
        (RoutingOptions(fallbacks=[{"x": ["c"]}]), 500, "a"),
        (RoutingOptions(fallbacks=()), 500, "a"),
        (RoutingOptions(context_window_fallbacks=[{"a": ["c"]}]), errors.ContextWindowExceededError, "ac"),
        (RoutingOptions(context_window_fallbacks=["c"]), errors.ContextWindowExceededError, "ac"),
        (RoutingOptions(context_window_fallbacks=[{"a": ["c"]}]), 500, "ab"),
        (RoutingOptions(content_policy_fallbacks=[{"a": ["d"]}]), errors.ContentPolicyViolationError, "ad"),
    ],
)
def test_a_requests_own_tables(options, how, wanted):
    """LiteLLM's usual form, for each kind of fallback; in place of those configured, and for those fallen back to."""
    how = how if isinstance(how, int) else how("no", llm_provider="openai", model="a")
    assert went(world_of(fallbacks=[{"a": ["b"]}]), options=options, how=how)[0] == wanted


@pytest.mark.parametrize("value", ["b", {"a": ["b"]}, [1], [None], [{"a": [1]}]])
def test_what_no_request_may_bring(value):
    """O1: told by its name."""
    with pytest.raises(ValueError, match="fallbacks must be a list of model names"):
        parse_request_fallbacks("fallbacks", value)


def test_a_name_that_nobody_serves():
    """The order of look-up ends with default_fallbacks; without any, nobody is asked."""
    assert went(world_of(default_fallbacks=["c", "d"]), "nobody", fails="nobodyc")[0] == "nobodycd"
    assert went(world_of(fallbacks=[{"nobody": ["c"]}]), "nobody", fails="nobody")[0] == "nobodyc"
    assert went(world_of(), "nobody", fails="nobody", options=RoutingOptions(fallbacks=["c"]))[0] == "nobodyc"
    with pytest.raises(errors.BadRequestError, match="no healthy deployments for this model"):
        world_of(default_fallbacks=["c"]).choose("nobody")
    with pytest.raises(errors.BadRequestError, match="no healthy deployments for this model"):
        world_of(default_fallbacks=["c"]).route("nobody", options=RoutingOptions(disable_fallbacks=True))


def test_fallbacks_with_other_words():
    """A mapping changes parameters, and with no name in it asks the same group again. The body is not modified."""
    world = world_of(fallbacks=[{"a": [{"model": "b", "temperature": 0, "messages": []}]}])
    body = {"messages": [1], "top_p": 1}
    _, answer = went(world, fails="a", body=body)
    assert answer.data == {"messages": [], "top_p": 1, "temperature": 0}
    assert body == {"messages": [1], "top_p": 1}
    assert went(world_of(fallbacks=[{"a": [{"temperature": 0}]}]))[0] == "aa"


def test_a_fallback_to_nowhere():
    """Says so, and the next one is tried."""
    asked, error = went(world_of(fallbacks=[{"a": ["nowhere", "b"]}]), fails="ab")
    assert asked == "ab"
    assert "a: InternalServerError, nowhere: BadRequestError, b: InternalServerError" in str(error)
    _, error = went(world_of(fallbacks=[{"a": ["nowhere"]}]), fails="a")
    assert isinstance(error, errors.InternalServerError)  # what went wrong, not the typing error
    assert "a: InternalServerError, nowhere: BadRequestError" in str(error)
    assert world_of(fallbacks=[{"a": ["b", "nowhere"]}], default_fallbacks=["gone"]).routing.dangling_fallbacks() == [
        "nowhere",
        "gone",
    ]


TABLES = st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4), max_size=6)


@given(TABLES, st.integers(0, 5), st.sets(st.sampled_from(NAMES)))
@examples(200)
def test_fallbacks_end(table, depth, fails):
    """Whatever leads to whatever, no group is asked twice, and the answer says how many it took."""
    world = world_of(fallbacks=[{name: targets} for name, targets in table.items()], max_fallbacks=depth)
    asked, ended = went(world, fails="".join(fails))
    assert len(asked) == len(set(asked))
    if isinstance(ended, Answer):
        assert ended.fallbacks == len(asked) - 1
        assert asked[-1] not in fails
    else:
        assert set(asked) <= fails


# --- retries -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "kind", "limit"),
    [
        ({}, 500, 2),
        ({"num_retries": 0}, 500, 0),
        ({"num_retries": 4}, 400, 0),
        ({"retry_policy": {"RateLimitErrorRetries": 5}}, 429, 5),
        ({"retry_policy": {"RateLimitErrorRetries": 0}}, 429, 0),
        ({"retry_policy": {"RateLimitErrorRetries": 5}}, 500, 2),
        ({"retry_policy": RetryPolicy(BadRequestErrorRetries=3)}, 400, 3),
        ({"retry_policy": {"AuthenticationErrorRetries": 1, "NotFoundErrorRetries": 2}}, 404, 2),
        (
            {"retry_policy": {"TimeoutErrorRetries": 1}, "model_group_retry_policy": {"a": {"TimeoutErrorRetries": 4}}},
            408,
            4,
        ),
        (
            {"retry_policy": {"TimeoutErrorRetries": 1}, "model_group_retry_policy": {"b": {"TimeoutErrorRetries": 4}}},
            408,
            1,
        ),
        ({"retry_policy": {"TimeoutErrorRetries": 1}, "model_group_retry_policy": {"a": {}}}, 408, 2),
    ],
)
def test_how_often_is_retried(settings, kind, limit):
    """R3: num_retries; a policy by what went wrong, of a group or of all, may also name what is not retried else."""
    retry = world_of(**settings).route("a").retry
    assert retry.limit_for(error_of(kind)) == limit


def test_what_the_caller_says_about_retries():
    """R3: counts before all policies."""
    world = world_of(retry_policy={"RateLimitErrorRetries": 5}, retry_after=3)
    assert world.route("a", retries=1).retry == Retry(1, floor=3.0)


def test_what_is_said_in_place_of_the_settings_about_retries():
    """The number changes; what a policy says of certain errors does not."""
    retry = world_of(retry_policy={"RateLimitErrorRetries": 5}).route("a", options=RoutingOptions(retries=1)).retry
    assert [retry.limit_for(error_of(status)) for status in (429, 500)] == [5, 1]


def test_fallbacks_come_before_retries_where_they_fit():
    """A prompt that is too long is not sent again where there is a larger model for it."""
    error = errors.ContextWindowExceededError("long", "a", "openai")
    policy = {"retry_policy": {"BadRequestErrorRetries": 3}}
    assert world_of(**policy).route("a").retry.limit_for(error) == 3
    assert world_of(**policy, context_window_fallbacks=[{"a": ["b"]}]).route("a").retry.limit_for(error) == 0


def test_policies_are_read_strictly():
    """O1."""
    with pytest.raises(ValueError, match="a retry policy has no RateLimitRetries; its fields are "):
        limits_of({"RateLimitRetries": 1})
    assert limits_of({"TimeoutErrorRetries": "3"}) == ((errors.Timeout, 3),)  # as os.environ/NAME gives it
    told = AllowedFailsPolicy(TimeoutErrorAllowedFails=1)
    assert RoutingSettings.of(allowed_fails_policy=told).cooldown.allowed_by_kind == ((errors.Timeout, 1),)


@pytest.mark.parametrize(
    ("table", "names", "found"),
    [
        ({"a": "1", "*": "2"}, ["a"], "1"),
        ({"a": "1", "*": "2"}, ["b"], "2"),
        ({"a": "1"}, ["b"], ()),
        ({"a": "1"}, ["openai/a"], "1"),
        ({"openai/a": "1"}, ["a"], "1"),
        ({"alias": "1", "a": "2"}, ["alias", "a"], "1"),
        ({}, ["a"], ()),
    ],
)
def test_looking_up(table, names, found):
    """Exact, provider-stripped, provider-prefixed, "*"."""
    assert find_fallbacks(table, *names) == found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"fallbacks": ["a"]}, "fallbacks must be a list like"),
        ({"context_window_fallbacks": [{"a": "b"}]}, "context_window_fallbacks: the fallbacks of 'a' must be a list"),
        ({"timeout": -1}, "timeout must be more than 0 seconds"),
        ({"routing_strategy": "x"}, "routing_strategy must be one of"),
        ({"num_retries": "two"}, "num_retries must be a whole number, 0 or more, not 'two'"),
        ({"allowed_fails": -1}, "allowed_fails must be a whole number, 0 or more, not -1"),
        ({"cooldown_time": "soon"}, "cooldown_time must be a number"),
        ({"max_fallbacks": 1.5}, "max_fallbacks must be a whole number"),
        ({"retry_after": True}, "retry_after must be a number"),
        (
            {"retry_policy": {"TimeoutErrorRetries": "two"}},
            "TimeoutErrorRetries must be a whole number, 0 or more, not 'two'",
        ),
        (
            {"retry_policy": {"TimeoutErrorRetries": [1]}},
            "TimeoutErrorRetries must be a whole number, 0 or more, not list",
        ),
        ({"retry_policy": {"BadRequestErrorRetries": True}}, "BadRequestErrorRetries must be a whole number"),
        (
            {"model_group_retry_policy": {"m": {"BadRequestErrorRetries": 1.5}}},
            "BadRequestErrorRetries must be a whole",
        ),
        ({"allowed_fails_policy": {"RateLimitErrorAllowedFails": "x"}}, "RateLimitErrorAllowedFails must be a whole"),
    ],
)
def test_settings_that_make_no_sense(words, said):
    """O1: told at once."""
    with pytest.raises(ValueError, match=said):
        RoutingSettings.of(**words)


def test_settings_as_text():
    """O1: what os.environ/NAME turns into."""
    settings = RoutingSettings.of(num_retries="3", allowed_fails="1", cooldown_time="0.5", max_fallbacks="2")
    assert (settings.retry.limit, settings.max_fallbacks) == (3, 2)
    assert (settings.cooldown.seconds, settings.cooldown.allowed_fails) == (0.5, 1)
