"""litellm.Router as its users' programs take it for granted (langchain-litellm, smolagents, ddtrace): calls, batches,
the list of deployments, settings; G2, P5."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import logging
import pickle
import threading
import warnings
import weakref
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.suite.inprocess import deployment

import litellm
from litellm.exceptions import (
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    RateLimitError,
    RouterRateLimitError,
    Timeout,
)
from litellm.router import Router
from litellm.router.strategies import STRATEGIES
from litellm.types.router import (
    AllowedFailsPolicy,
    CustomRoutingStrategyBase,
    Deployment,
    LiteLLM_Params,
    RetryPolicy,
    RouterConfig,
)
from litellm.types.router_words import UNSUPPORTED

HI = [{"role": "user", "content": "hi"}]
QUICK = {"retry_after": 0, "num_retries": 0}


@pytest.fixture(autouse=True)
def no_settings_of_others(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def router_of(up: Upstream, *names: str, **settings: Any) -> Router:
    """One deployment for each name, "a" as openai/a."""
    entries = [deployment(name, f"openai/{name}", api_base=up.base, api_key="sk-upstream") for name in names]
    return Router(model_list=entries, **{"num_retries": 0, **settings})


def models_seen(up: Upstream) -> list[str]:
    return [request.fields["model"] for request in up.requests]


# --- calls ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("method", "subject", "path"),
    [
        ("completion", {"messages": HI}, "/v1/chat/completions"),
        ("text_completion", {"prompt": "hi"}, "/v1/completions"),
        ("embedding", {"input": ["hi"]}, "/v1/embeddings"),
        ("moderation", {"input": "hi"}, "/v1/moderations"),
    ],
)
def test_all_operations(up, method, subject, path, is_async):
    """The same path for all of them, sync and async."""
    router = router_of(up, "a")
    call = getattr(router, ("a" if is_async else "") + method)
    answer = asyncio.run(call(model="a", **subject)) if is_async else call(model="a", **subject)
    plain = getattr(litellm, method)(model="openai/a", api_base=up.base, api_key="sk-upstream", **subject)
    assert type(answer) is type(plain)
    assert [request.path for request in up.requests] == [path, path]
    assert up.requests[0].fields == up.requests[1].fields
    hidden = answer._hidden_params
    assert hidden["model_id"] == router.get_model_ids()[0]
    assert hidden["additional_headers"]["x-litellm-model-group"] == "a"
    assert hidden["additional_headers"]["x-litellm-attempted-retries"] == 0
    assert hidden["additional_headers"]["x-litellm-attempted-fallbacks"] == 0


@pytest.mark.parametrize("method", ["completion", "text_completion"])
def test_streams(up, method):
    """Sync and async."""
    router = router_of(up, "a")
    subject = {"messages": HI} if method == "completion" else {"prompt": "hi"}
    whole = list(getattr(router, method)(model="a", stream=True, **subject))

    async def ask() -> list[Any]:
        return [chunk async for chunk in await getattr(router, "a" + method)(model="a", stream=True, **subject)]

    assert len(asyncio.run(ask())) == len(whole) > 2
    assert up.requests[0].fields["stream"] is True


def test_openais_spelling(up):
    """router.chat.completions.create."""
    answer = router_of(up, "a").chat.completions.create(model="a", messages=HI)
    assert answer.choices[0].message.content == "Hello from upstream."


def test_priority_is_accepted(up):
    """schedule_acompletion."""
    answer = asyncio.run(router_of(up, "a").schedule_acompletion("a", HI, priority=3))
    assert answer.choices[0].message.content
    assert "priority" not in up.requests[0].fields


def test_nobody_of_that_name(up):
    """In LiteLLM's words."""
    with pytest.raises(BadRequestError, match="You passed in model=b. There are no healthy deployments for this model"):
        router_of(up, "a").completion("b", HI)
    assert up.requests == []


def test_the_calls_own_words(up):
    """They come before the deployment's, and nothing that was passed is modified (G2)."""
    entry = deployment("a", "openai/a", api_base=up.base, api_key="sk-upstream", temperature=0.1, top_p=0.2)
    router = Router(model_list=[entry])
    params = {
        "messages": copy.deepcopy(HI),
        "temperature": 0.9,
        "metadata": {"tags": ["x"]},
        "extra_headers": {"x-a": "b"},
    }
    before = copy.deepcopy((entry, params))
    router.completion("a", **params)
    assert (entry, params) == before
    seen = up.requests[0]
    assert (seen.fields["temperature"], seen.fields["top_p"]) == (0.9, 0.2)
    assert seen.headers["x-a"] == "b"
    assert "metadata" not in seen.fields


def test_tools_of_both(up):
    """A deployment's tools stand before the call's own."""
    ours, theirs = ({"type": "function", "function": {"name": name}} for name in ("ours", "theirs"))
    router = Router(model_list=[deployment("a", "openai/a", api_base=up.base, api_key="sk-upstream", tools=[ours])])
    router.completion("a", HI, tools=[theirs])
    router.completion("a", HI)
    assert [seen.fields["tools"] for seen in up.requests] == [[ours, theirs], [ours]]


def test_a_calls_own_key(up):
    """C15: goes with this call, and stays with no other."""
    router = router_of(up, "a")
    router.completion("a", HI, api_key="sk-of-a-caller")
    router.completion("a", HI)
    assert [request.headers["authorization"] for request in up.requests] == [
        "Bearer sk-of-a-caller",
        "Bearer sk-upstream",
    ]


def test_timeouts(up):
    """R5: of the call, else of the deployment, else of the Router, else of the module."""
    up.default = act.hang()
    place = {"api_base": up.base, "api_key": "k"}
    patient, hasty = deployment("a", "openai/a", **place), deployment("b", "openai/b", timeout=0.11, **place)
    router = Router(model_list=[patient, hasty], timeout=0.12, num_retries=0)
    for model, words, seconds in (("a", {"timeout": 0.1}, "0.1 s"), ("b", {}, "0.11 s"), ("a", {}, "0.12 s")):
        with pytest.raises(Timeout, match=seconds):
            router.completion(model, HI, **words)
    with pytest.raises(Timeout, match=r"0.1 s"):
        router.completion("b", HI, timeout=0.1)


def test_settings_of_the_module(up, monkeypatch):
    """G2: count where the Router says nothing, as they are at the time of the call."""
    router = router_of(up, "a", num_retries=None)
    up.default = act.error(500, retry_after=0)
    for retries in (0, 1):
        monkeypatch.setattr(litellm, "num_retries", retries)
        with pytest.raises(InternalServerError):
            router.completion("a", HI)
    assert len(up.requests) == 1 + 2
    monkeypatch.setattr(litellm, "request_timeout", 0.1)
    up.default = act.hang()
    with pytest.raises(Timeout, match=r"0.1 s"):
        router.completion("a", HI)


def test_settings_of_the_module_for_deployments(up, monkeypatch):
    """G2: read when the Router is made: headers, a key for OpenAI's own models, handlers of one's own."""

    class Mine(litellm.CustomLLM):
        def completion(self, *_: Any, **__: Any) -> Any:
            return litellm.completion("mock/echo", HI)

    monkeypatch.setattr(litellm, "headers", {"x-mine": "yes"})
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": Mine()}])
    router = Router(
        model_list=[deployment("a", "openai/a", api_base=up.base, api_key="k"), deployment("b", "mine/b")],
        num_retries=0,
    )
    router.completion("a", HI)
    assert up.requests[0].headers["x-mine"] == "yes"
    assert router.completion("b", HI).choices[0].message.content == "hi"


# --- what happens when it fails ------------------------------------------------------------------------------------------


def test_retries_go_elsewhere(up):
    """R3."""
    entries = [deployment("m", f"openai/{name}", api_base=up.base, api_key="k") for name in "ab"]
    up.models["a"] = act.error(500)
    router = Router(model_list=entries)
    for _ in range(4):
        answer = router.completion("m", HI)
        assert answer.model == "b"
    assert Counter(models_seen(up))["b"] == 4


@pytest.mark.parametrize(
    ("policy", "status", "requests"),
    [({"RateLimitErrorRetries": 2}, 429, 3), (RetryPolicy(BadRequestErrorRetries=1), 400, 2), ({}, 500, 1)],
)
def test_retry_policies(up, policy, status, requests):
    """R3: retries by what went wrong."""
    up.default = act.error(status, retry_after=0)
    with pytest.raises(litellm.exceptions.LiteLLMError):
        router_of(up, "a", retry_policy=policy).completion("a", HI)
    assert len(up.requests) == requests


@pytest.mark.parametrize(
    ("switch", "kind"),
    [
        ("mock_testing_fallbacks", "fallbacks"),
        ("mock_testing_context_fallbacks", "context_window_fallbacks"),
        ("mock_testing_content_policy_fallbacks", "content_policy_fallbacks"),
    ],
)
def test_switches_to_see_fallbacks_work(up, switch, kind):
    """The first group fails without being asked."""
    router = router_of(up, "a", "b", **{kind: [{"a": ["b"]}]})
    assert router.completion("a", HI, **{switch: True}).model == "b"
    assert models_seen(up) == ["b"]
    assert switch not in up.requests[0].fields
    with pytest.raises(RateLimitError, match="This is a mock exception for model=a"):
        router.completion("a", HI, mock_testing_rate_limit_error=True, disable_fallbacks=True)


def test_fallbacks_with_a_key_of_their_own(up):
    """An override that is an access goes out with the fallback alone; it never stands in a body."""
    up.models["a"] = act.error(500)
    router = router_of(up, "a", "b", fallbacks=[{"a": [{"model": "b", "api_key": "sk-other", "seed": 1}]}])
    router.completion("a", HI)
    assert [request.headers["authorization"] for request in up.requests] == ["Bearer sk-upstream", "Bearer sk-other"]
    assert up.requests[1].fields == {"model": "b", "messages": HI, "seed": 1}


def test_limits(up):
    """Decision 11: a 429 in LiteLLM's words, which is both of the classes that programs catch."""
    router = Router(model_list=[deployment("a", "openai/a", api_base=up.base, api_key="k", rpm=2)])
    for _ in range(2):
        router.completion("a", HI)
    for kind in (RouterRateLimitError, RateLimitError, ValueError):
        with pytest.raises(kind, match="No deployments available for selected model, Try again in"):
            router.completion("a", HI)
    assert len(up.requests) == 2


def test_a_limit_holds_until_a_stream_has_ended(up):
    """O9: and is free again when it is read to its end, closed, or dropped."""
    up.default = act.answer(gap=0.05)  # so that its beginning is not all of it
    up.default = act.answer(gap=0.05)  # so that it has not ended when its first words are here
    router = Router(model_list=[deployment("a", "openai/a", api_base=up.base, api_key="k", max_parallel_requests=1)])
    for end in (list, lambda stream: stream.close(), lambda stream: stream.__next__()):
        stream = router.completion("a", HI, stream=True)
        with pytest.raises(RouterRateLimitError):
            router.completion("a", HI)
        end(stream)
        del stream
        gc.collect()
    assert router.completion("a", HI).choices


# --- batches -------------------------------------------------------------------------------------------------------------


def test_several_models(up):
    """In the order asked for; a failure stands in its place."""
    up.models["b"] = act.error(500)
    router = router_of(up, "a", "b", "c")
    answers = asyncio.run(router.abatch_completion(models=["c", "b", "a", "nobody"], messages=HI))
    assert [getattr(answer, "model", type(answer).__name__) for answer in (answers[0], answers[2])] == ["c", "a"]
    assert answers[0]._hidden_params["additional_headers"]["x-litellm-model-group"] == "c"
    assert isinstance(answers[1], InternalServerError)
    assert isinstance(answers[3], BadRequestError)


def test_several_models_and_conversations(up):
    """A list for each conversation."""
    both = asyncio.run(router_of(up, "a", "b").abatch_completion(models=["a", "b"], messages=[HI, HI, HI]))
    assert [[answer.model for answer in each] for each in both] == [["a", "b"]] * 3


def test_one_model_several_times(up):
    router = router_of(up, "a")
    asked = [[{"role": "user", "content": str(at)}] for at in range(5)]
    answers = asyncio.run(router.abatch_completion_one_model_multiple_requests("a", asked, temperature=0))
    assert len(answers) == 5
    assert sorted(request.fields["messages"][0]["content"] for request in up.requests) == list("01234")
    assert {request.fields["temperature"] for request in up.requests} == {0}


def test_the_fastest_of_several(up):
    """The others are cancelled."""
    up.models["slow"] = act.hang()
    up.models["broken"] = act.error(500)
    router = router_of(up, "slow", "broken", "quick")
    answer = asyncio.run(router.abatch_completion_fastest_response(model="slow, broken,quick", messages=HI))
    assert answer.model == "quick"
    up.wait_for(lambda: any(request.aborted_at for request in up.requests if request.fields["model"] == "slow"))
    with pytest.raises(InternalServerError):
        asyncio.run(router.abatch_completion_fastest_response(model="broken,broken", messages=HI))


# --- the list ------------------------------------------------------------------------------------------------------------


def test_the_list_of_deployments(up):
    """Names, ids, entries; ids are stable, and expand with organizations."""
    entries = [
        deployment("a", "openai/a", api_key="k"),
        deployment("a", "openai/b", api_key="k", organization=["o1", "o2"]),
        {**deployment("c", "openai/c", api_key="k"), "model_info": {"id": "mine"}},
    ]
    router, other = Router(model_list=entries, model_group_alias={"x": "a"}), Router(model_list=copy.deepcopy(entries))
    assert router.get_model_names() == ["a", "c", "x"]
    assert router.get_model_ids() == other.get_model_ids()
    assert len(set(router.get_model_ids("a"))) == 3
    assert router.get_model_ids("c") == ["mine"]
    assert [entry["litellm_params"].get("organization") for entry in router.get_model_list("x")] == [None, "o1", "o2"]
    assert router.get_deployment("mine").litellm_params.model == "openai/c"
    assert router.get_deployment("nobody") is None
    assert router.model_list == router.get_model_list()
    assert router.has_model_id("mine")


def test_ids_of_organizations(up):
    """The first has the entry's own id, so that it is found by it; the others have one that no other has."""
    entry = deployment("a", "openai/a", api_base=up.base, api_key="k", organization=["o1", "o2", "o3"])
    router = Router(model_list=[entry | {"model_info": {"id": "mine"}}])
    assert router.get_model_ids() == ["mine", "mine:2", "mine:3"]
    assert router.get_deployment("mine").litellm_params.organization == "o1"
    assert router.get_deployment("mine:3").litellm_params.organization == "o3"
    router.completion("mine:2", HI)
    assert up.requests[-1].headers["openai-organization"] == "o2"
    router.delete_deployment("mine:2")
    assert router.get_model_ids() == ["mine", "mine:3"]


def test_deployments_come_and_go(up):
    router = router_of(up, "a")
    added = router.add_deployment(
        Deployment(
            model_name="b",
            litellm_params=LiteLLM_Params(model="openai/b", api_base=up.base, api_key="k"),
            model_info={"id": "b1"},
        )
    )
    assert added.model_info.id == "b1"
    assert router.completion("b", HI).model == "b"
    assert router.add_deployment(added) is None
    changed = deployment("b", "openai/b2", api_base=up.base, api_key="k") | {"model_info": {"id": "b1"}}
    assert router.upsert_deployment(changed).litellm_params.model == "openai/b2"
    assert router.upsert_deployment(changed) is None
    assert router.completion("b", HI).model == "b2"
    assert router.delete_deployment("b1").model_name == "b"
    assert router.delete_deployment("b1") is None
    with pytest.raises(BadRequestError):
        router.completion("b", HI)
    router.set_model_list([])
    assert router.get_model_names() == []


def test_available_deployments(up):
    """An entry, and nothing is reserved."""
    router = Router(model_list=[deployment("a", "openai/a", api_key="k", rpm=1)])
    for _ in range(3):
        assert router.get_available_deployment("a", HI)["litellm_params"]["model"] == "openai/a"
    found = asyncio.run(router.async_get_available_deployment("a", {}, HI))
    assert found["model_info"]["id"] == router.get_model_ids()[0]


def test_group_info():
    """From the catalog."""
    router = Router(
        model_list=[deployment("a", "openai/gpt-4o", api_key="k", rpm=5), deployment("a", "groq/x", api_key="k")]
    )
    info = router.get_model_group_info("a")
    assert info.providers == ["groq", "openai"]
    assert info.max_input_tokens == 128_000
    assert info.rpm == 5
    assert info.supports_vision
    assert router.get_model_group_info("b") is None


def entry_of(model, info, **params):
    params = {"model": model, "api_key": "k", **params}
    return {"model_name": "a", "litellm_params": params, "model_info": info}


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            entry_of("azure/mine", {"base_model": "gpt-4o"}, api_base="https://x.example"),
            (128_000, 2.5e-6, 1e-5, "chat"),
        ),
        (entry_of("openai/gpt-4o", {"max_input_tokens": 9}, input_cost_per_token=0), (9, 0, None, "chat")),
        (entry_of("groq/x", {"mode": "embedding"}, output_cost_per_token=2), (None, None, 2, "embedding")),
        (entry_of("groq/x", {}), (None, None, None, None)),
    ],
)
def test_what_deployments_say_of_themselves(entry, told):
    """A deployment's own prices and limits count more than its model's, and base_model says which model that is."""
    info = Router(model_list=[entry]).get_model_group_info("a")
    assert (info.max_input_tokens, info.input_cost_per_token, info.output_cost_per_token, info.mode) == told


def test_a_deployment_to_print():
    """F5."""
    router = Router(model_list=[deployment("a", "openai/a", api_key="sk-secret-secret-secret")])
    assert "secret" not in str(router.print_deployment(router.model_list[0]))
    assert "secret" not in f"{router!r} {router.routing!r} {router.routing.pool.find('a')!r}"


def test_wildcards(up):
    """`openai/*`, and a name that an access is brought for."""
    router = Router(model_list=[deployment("team/*", "openai/*", api_base=up.base, api_key="k")])
    assert router.completion("team/x", HI).model == "x"
    assert router.completion("team/y", HI, api_key="other").model == "y"
    assert [request.headers["authorization"] for request in up.requests] == ["Bearer k", "Bearer other"]


# --- settings ------------------------------------------------------------------------------------------------------------


def test_words_that_wait(caplog):
    """O1: accepted, and said once for each to have no effect; unknown ones are an error."""
    Router(model_list=[], redis_host="localhost", cache_responses=True, client_ttl=None)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert "Router(redis_host=…) has no effect: cooldowns and limits hold within this process" in caplog.text
    Router(model_list=[], optional_pre_call_checks=["enforce_model_rate_limits"])  # as always
    assert len(caplog.records) == 2
    Router(model_list=[], optional_pre_call_checks=["enforce_model_rate_limits", "router_budget_limiting"])
    assert len(caplog.records) == 3
    with pytest.raises(TypeError, match="Router\\(\\) got an unexpected keyword argument 'model_lst'"):
        Router(model_lst=[])


def test_every_documented_word_is_taken():
    """The constructor's vocabulary."""
    words = """model_list assistants_config search_tools guardrail_list redis_url redis_host redis_port redis_password
        redis_db cache_responses cache_kwargs caching_groups client_ttl polling_interval default_priority num_retries
        max_fallbacks timeout stream_timeout default_litellm_params default_max_parallel_requests set_verbose debug_level
        default_fallbacks fallbacks context_window_fallbacks content_policy_fallbacks model_group_alias
        enable_pre_call_checks enable_tag_filtering tag_filtering_match_any tag_routing_prefix plugins retry_after
        retry_policy model_group_retry_policy allowed_fails allowed_fails_policy cooldown_time disable_cooldowns
        routing_strategy optional_pre_call_checks routing_strategy_args routing_groups provider_budget_config
        alerting_config router_general_settings deployment_affinity_ttl_seconds model_group_affinity_config
        ignore_invalid_deployments enable_health_check_routing enable_weighted_failover fallback_access_check
        fallback_budget_check""".split()
    shown = inspect.signature(Router).parameters
    assert set(words) <= shown.keys()
    assert shown["max_fallbacks"].default is None
    assert shown["tag_filtering_match_any"].default is True
    assert [each.kind for each in shown.values()][1:] == [inspect.Parameter.KEYWORD_ONLY] * (len(shown) - 1)


def test_what_waits_is_documented():
    """O1: docs/router.md lists every word that has no effect, and every strategy there is."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "router.md").read_text(encoding="utf-8")
    missing = [name for name in UNSUPPORTED if f"`{name}`" not in page and not name.startswith("redis_")]
    assert missing + [name for name in STRATEGIES if f"`{name}`" not in page] == []


def test_changing_settings(up):
    """For calls from then on."""
    router = router_of(up, "a", "b")
    up.models["a"] = act.error(500)
    with pytest.raises(InternalServerError):
        router.completion("a", HI)
    router.update_settings(fallbacks=[{"a": ["b"]}], num_retries=1)
    assert router.completion("a", HI).model == "b"
    assert router.get_settings()["num_retries"] == 1
    with pytest.raises(ValueError):
        router.update_settings(routing_strategy="nothing")
    with pytest.raises(TypeError, match=r"Router.update_settings\(\) got an unexpected keyword argument 'nothing'"):
        router.update_settings(nothing=1)


def test_as_one_object(up):
    """RouterConfig, with policies as objects."""
    config = RouterConfig(
        model_list=[deployment("a", "openai/a", api_base=up.base, api_key="k")],
        allowed_fails_policy=AllowedFailsPolicy(RateLimitErrorAllowedFails=1),
        retry_policy=RetryPolicy(TimeoutErrorRetries=1),
        fallbacks=[{"a": ["a"]}],
    )
    assert Router(**config.model_dump(exclude_none=True)).completion("a", HI).choices


def test_names_from_the_environment(monkeypatch, up):
    """os.environ/NAME, looked up when the Router is made; a variable that is not set is an error, not another key."""
    monkeypatch.setenv("MY_KEY", "sk-mine")
    entry = deployment("a", "openai/a", api_base=up.base, api_key="os.environ/MY_KEY")
    Router(model_list=[entry]).completion("a", HI)
    assert up.requests[0].headers["authorization"] == "Bearer sk-mine"
    assert entry["litellm_params"]["api_key"] == "os.environ/MY_KEY"
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(ValueError, match="environment variable MY_KEY is not set"):
        Router(model_list=[entry])


@pytest.mark.parametrize(
    "entry", ["a", {}, {"model_name": 1}, {"model_name": "a"}, {"model_name": "a", "litellm_params": {}}]
)
def test_what_is_no_entry(entry):
    """O1."""
    with pytest.raises((ValueError, BadRequestError), match="model"):
        Router(model_list=[entry])


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([{"rpm": "os.environ/RPM"}], "the entry 'a' of model_list: rpm must be a whole number, 0 or more, not 'ten'"),
        ([{"weight": -1}], "the entry 'a' of model_list: weight must be a number, 0 or more, not -1"),
        ([{"id": "x"}, {"id": "x"}], "two entries of model_list have the id 'x'"),
    ],
)
def test_entries_that_make_no_sense(monkeypatch, entries, said):
    """O1: told when the Router is made."""
    monkeypatch.setenv("RPM", "ten")
    made = [deployment("a", "mock/echo", **each) for each in entries]
    for each in made:
        each["model_info"] = {"id": each["litellm_params"].pop("id")} if "id" in each["litellm_params"] else {}
    with pytest.raises(ValueError, match=said):
        Router(model_list=made)


def test_the_same_entry_twice_is_no_mistake():
    """Without ids of their own, it is how some give a deployment twice the traffic."""
    assert Router(model_list=[deployment("a", "mock/echo")] * 2).completion("a", HI).choices


def test_a_fallback_that_is_not_there(caplog, up):
    """O1: a warning when the Router is made, and the upstream's own error when it is needed."""
    router = router_of(up, "a", fallbacks=[{"a": ["typo"]}])
    assert "there is no 'typo' in model_list to fall back on" in caplog.text
    up.models["a"] = act.error(500)
    with pytest.raises(InternalServerError):
        router.completion("a", HI)


def test_a_model_that_nobody_serves(up):
    """Is served by default_fallbacks."""
    answer = router_of(up, "a", "b", default_fallbacks=["b"]).completion("nobody", HI)
    assert answer.model == "b"
    assert answer._hidden_params["additional_headers"]["x-litellm-attempted-fallbacks"] == 1


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("fallbacks", act.error(500)),
        ("context_window_fallbacks", act.error(400, "too long", code="context_length_exceeded")),
        ("content_policy_fallbacks", act.error(400, "refused", code="content_filter")),
    ],
)
def test_a_requests_own_tables(up, kind, fault):
    """LiteLLM's usual form of per-request fallbacks is obeyed, by Routers and by completion, and not sent."""
    up.models["a"] = fault
    assert router_of(up, "a", "b").completion("a", HI, **{kind: [{"a": ["b"]}]}).model == "b"
    access = {"api_base": up.base, "api_key": "k", "num_retries": 0}
    assert litellm.completion("openai/a", HI, **{kind: [{"openai/a": ["openai/b"]}]}, **access).model == "b"
    assert models_seen(up) == ["a", "b"] * 2
    assert all(kind not in request.fields and "a" not in request.fields for request in up.requests)
    with pytest.raises(BadRequestError, match=f"{kind} must be a list of model names"):
        router_of(up, "a").completion("a", HI, **{kind: "b"})


def test_batches_of_nobody():
    """O1: BadRequestError, and no IndexError or KeyError."""
    with pytest.raises(BadRequestError, match="name the models"):
        asyncio.run(Router().abatch_completion_fastest_response(model=" ,", messages=HI))
    with pytest.raises(BadRequestError, match="each of the deployments needs a model"):
        litellm.batch_completion_models(deployments=[{"api_key": "x"}], messages=HI)


def test_a_key_that_is_missing():
    """Concerns those who ask for that model."""
    router = Router(model_list=[deployment("a", "openai/gpt-4o"), deployment("b", "mock/echo")])
    assert router.completion("b", HI).choices
    with pytest.raises(AuthenticationError, match="no API key for openai"):
        router.completion("a", HI)


class Second(CustomRoutingStrategyBase):
    """Takes the second deployment."""

    def __init__(self, router: Router) -> None:
        self.router = router

    def get_available_deployment(self, model, *args: Any, **kwargs: Any) -> Any:
        return self.router.get_model_list(model)[1]


class SecondAsync(CustomRoutingStrategyBase):
    """The same, after a wait."""

    def __init__(self, router: Router) -> None:
        self.router = router

    async def async_get_available_deployment(self, model, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return self.router.get_model_list(model)[1]


@pytest.mark.parametrize("strategy", [Second, SecondAsync])
def test_a_strategy_of_ones_own(up, strategy):
    """Chooses for the first try; retries go elsewhere. Works in both worlds."""
    entries = [deployment("m", f"openai/{name}", api_base=up.base, api_key="k") for name in "abc"]
    router = Router(model_list=entries)
    router.set_custom_routing_strategy(strategy(router))
    assert {router.completion("m", HI).model for _ in range(5)} == {"b"}
    assert asyncio.run(router.acompletion("m", HI)).model == "b"
    up.models["b"] = act.error(500)
    assert router.completion("m", HI).model in ("a", "c")
    with pytest.raises(TypeError, match="a routing strategy has get_available_deployment"):
        router.set_custom_routing_strategy(object())


# --- state ---------------------------------------------------------------------------------------------------------------


class Foreign(CustomRoutingStrategyBase):
    """Takes what is not there."""

    def get_available_deployment(self, model, *args: Any, **kwargs: Any) -> Any:
        return {"model_name": model, "model_info": {"id": "theirs"}}


def test_a_strategy_that_chooses_what_is_not_there(up, caplog):
    """O1: a warning; the routing strategy decides."""
    router = router_of(up, "a")
    router.set_custom_routing_strategy(Foreign())
    assert router.completion("a", HI).model == "a"
    assert "the custom routing strategy chose 'theirs', which is no deployment of a" in caplog.text


def test_two_routers_share_nothing(up):
    """G2: neither limits nor cooldowns, also of the same deployments."""
    entries = [deployment("a", "openai/a", api_base=up.base, api_key="k", rpm=1)]
    one, other = Router(model_list=entries), Router(model_list=entries)
    one.completion("a", HI)
    with pytest.raises(RouterRateLimitError):
        one.completion("a", HI)
    other.completion("a", HI)
    one.reset()
    one.completion("a", HI)
    other.flush_cache()
    other.completion("a", HI)


def test_from_many_threads(up):
    """G2: one Router, 16 threads, each its own words."""
    router = router_of(up, "a", "b")
    failures: list[Any] = []

    def work(number: int) -> None:
        for at in range(5):
            content = f"{number}-{at}"
            answer = router.completion("ab"[number % 2], [{"role": "user", "content": content}], user=content)
            if answer.model != "ab"[number % 2]:
                failures.append(content)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {request.fields["user"] for request in up.requests} == {
        request.fields["messages"][0]["content"] for request in up.requests
    }
    assert len(up.requests) == 80


def test_nothing_is_left_of_a_router(up):
    """P5 (PR#41582): when the last reference is gone, so is the Router, with its deployments and connections."""
    router = router_of(up, "a", routing_strategy="latency-based-routing")
    router.completion("a", HI)
    router.embedding("a", ["hi"])
    router.completion("a", HI, api_key="another")
    refs = [weakref.ref(thing) for thing in (router, router.routing, router.client, router.routing.state)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # what is open is closed by being dropped, which is the point
        del router
        gc.collect()
    assert [ref() for ref in refs] == [None] * 4


def test_a_router_can_be_emptied(up):
    """discard."""
    router = router_of(up, "a")
    router.discard()
    assert router.get_model_names() == []


def test_the_error_survives_being_copied(up):
    """G3: process pools pickle what is raised."""
    router = Router(model_list=[deployment("a", "mock/echo", rpm=0)])
    with pytest.raises(RouterRateLimitError) as raised:
        router.completion("a", HI)
    error = pickle.loads(pickle.dumps(raised.value))
    assert isinstance(error, RouterRateLimitError)
    assert (str(error), error.model, error.status_code) == (str(raised.value), "a", 429)
    assert error.response_headers == raised.value.response_headers


def test_nothing_is_printed(capfd, caplog, up):
    """G6: a library says nothing by itself."""
    caplog.set_level(logging.WARNING)
    router_of(up, "a").completion("a", HI)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
