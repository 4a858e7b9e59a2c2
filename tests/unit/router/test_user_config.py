"""C13, C14, F1, F2: a client's own configuration is a strict schema that inherits nothing and shares nothing."""

from __future__ import annotations

import copy
import gc
import json
import os
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.suite.examples import examples
from tests.unit.router.world import targets_of
from tests.unit.test_call_counts import OwnCalls

from litellm.exceptions import AuthenticationError, BadRequestError, Timeout
from litellm.net.guard import Guard
from litellm.net.network import Network
from litellm.providers.backend import Unusable
from litellm.router.regions import region_of
from litellm.router.user_config import MAX_MODELS, MAX_RETRIES, UserConfig, read_user_config
from litellm.types.params import OWNED
from litellm.types.router import RouterConfig

GUARDED = Network(guard=Guard())
MOST_CALLS = 120  # own calls for one deployment, as counted and a fifth more

# As in the documentation that the seeds are from.
SEED: dict[str, Any] = {
    "model_list": [
        {
            "model_name": "user-azure-instance",
            "litellm_params": {
                "model": "azure/chatgpt-v-2", "api_key": "sk-a", "api_version": "2024-02-01",
                "api_base": "https://mine.openai.azure.com", "timeout": 10,
            },
            "tpm": 240000, "rpm": 1800,
        },
        {
            "model_name": "user-openai-instance",
            "litellm_params": {"model": "gpt-3.5-turbo", "api_key": "sk-o", "timeout": 10},
            "tpm": 240000, "rpm": 1800,
        },
    ],
    "num_retries": 2, "allowed_fails": 3, "fallbacks": [{"user-azure-instance": ["user-openai-instance"]}],
}  # fmt: skip


def one(**params: Any) -> dict[str, Any]:
    """A configuration of one deployment."""
    return {"model_list": [{"model_name": "m", "litellm_params": {"model": "groq/llama3", **params}}]}


def test_the_seed():
    """Seed 003: as it is printed."""
    before = copy.deepcopy(SEED)
    routing = read_user_config(SEED, network=GUARDED)
    assert before == SEED
    assert routing.pool.names() == ["user-azure-instance", "user-openai-instance"]
    (azure,) = routing.find("user-azure-instance").members
    assert azure.target is not None
    assert azure.target.url.startswith("https://mine.openai.azure.com/openai/deployments/chatgpt-v-2/")
    assert azure.target.url.endswith("api-version=2024-02-01")
    assert (azure.limits.rpm, azure.limits.tpm, azure.target.timeouts.total) == (1800, 240000, 10)
    settings = routing.settings
    assert (settings.retry.limit, settings.cooldown.allowed_fails) == (2, 3)
    assert settings.fallbacks == {"user-azure-instance": ("user-openai-instance",)}


def dumped(**words: Any) -> dict[str, Any]:
    """The seed as a litellm.RouterConfig, which has more fields, all null."""
    return RouterConfig(**{**SEED, **words}).model_dump()


def test_a_router_config():
    """Seed 003: "You can pass a litellm.RouterConfig as user_config". What is null is not said."""
    config = dumped()
    before = copy.deepcopy(config)
    routing = read_user_config(config, network=GUARDED)
    assert config == before
    plain = read_user_config(SEED, network=GUARDED)
    assert routing.settings == plain.settings
    (azure,), (same,) = (each.find("user-azure-instance").members for each in (routing, plain))
    assert (azure.limits, azure.target.url) == (same.limits, same.target.url)


def test_what_a_router_config_may_say():
    """Seed 003: the fields that keep nobody waiting and nothing in memory."""
    config = dumped(
        stream_timeout=20, retry_after=3, max_fallbacks=1, allowed_fails_policy={"TimeoutErrorAllowedFails": 4},
        routing_strategy="latency-based-routing", routing_strategy_args={"lowest_latency_buffer": 0.5, "ttl": None},
        disable_cooldowns=True, enable_tag_filtering=True, tag_filtering_match_any=False,
    )  # fmt: skip
    params = config["model_list"][0]["litellm_params"]
    params |= {"cooldown_time": 7, "input_cost_per_token": 0, "output_cost_per_token": 2e-6}
    config["model_list"][0]["model_info"]["mode"] = "chat"
    routing = read_user_config(config, network=GUARDED)
    (azure,) = routing.find("user-azure-instance").members
    assert (azure.cooldown_time, azure.prices, azure.info) == (7, (0, 2e-6), {"mode": "chat"})
    settings = routing.settings
    assert (settings.stream_timeouts.first_byte, settings.retry.floor, settings.max_fallbacks) == (20, 3, 1)
    assert (settings.strategy.slack, settings.cooldown.seconds) == (0.5, 0)
    assert (settings.tag_filtering, settings.tags_match_any) == (True, False)
    config["disable_cooldowns"] = False
    ((kind, fails),) = read_user_config(config, network=GUARDED).settings.cooldown.allowed_by_kind
    assert (kind, fails) == (Timeout, 4)


def test_a_null_in_a_body_stays():
    """Only the schema's own fields are left out: a schema of JSON may allow null."""
    answer = {"type": "json_schema", "json_schema": {"schema": {"enum": [None], "default": None}}}
    (target,) = targets_of(read_user_config(one(response_format=answer), network=GUARDED).find("m"))
    assert target.defaults["response_format"] == answer


def test_checks_before_a_call():
    """What they go by can be said."""
    info = {"max_input_tokens": 100, "supports_response_schema": False}
    entry = one(region_name="westeurope")["model_list"][0] | {"model_info": info}
    routing = read_user_config({"model_list": [entry], "enable_pre_call_checks": True}, network=GUARDED)
    (only,) = routing.find("m").members
    assert (only.max_input_tokens, only.info["supports_response_schema"], region_of(only)) == (100, False, "eu")
    assert routing.settings.pre_call_checks


def test_a_key_that_is_null(monkeypatch):
    """Seed 003, F1: os.getenv gave nothing. The server's own key is not put in its place, and nothing is logged."""
    monkeypatch.setenv("GROQ_API_KEY", "sk-of-the-server")
    routing = read_user_config(one(api_key=None), network=GUARDED)
    (target,) = targets_of(routing.find("m"))
    assert isinstance(target.backend, Unusable)
    assert isinstance(target.backend.error, AuthenticationError)
    assert "sk-of-the-server" not in str(target.headers)


@pytest.mark.parametrize(
    "name", ["OPENAI_ORGANIZATION", "OPENAI_API_BASE", "OPENAI_BASE_URL", "OPENAI_API_KEY", "SSL_VERIFY"]
)
def test_nothing_of_the_servers_environment(monkeypatch, name):
    """F1, F2: no variable changes what is made."""
    config = {"model_list": [{"model_name": "m", "litellm_params": {"model": "openai/x", "api_key": "sk-mine"}}]}
    (plain,) = targets_of(read_user_config(config, network=GUARDED).find("m"))
    monkeypatch.setenv(name, "https://evil.example/v1")
    (target,) = targets_of(read_user_config(config, network=GUARDED).find("m"))
    assert (target.url, target.headers, target.network) == (plain.url, plain.headers, GUARDED)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "missing required field `model_list`"),
        ({"model_list": []}, "at `$.model_list`"),
        ({"model_list": "m"}, "Expected `array`, got `str` - at `$.model_list`"),
        ({"model_lst": []}, "unknown field `model_lst` (did you mean model_list?)"),
        ({"api_key": "x"} | one(), "unknown field `api_key` (it has another place)"),
        (one(api_bas="http://x"), "unknown field `api_bas` (did you mean api_base?) - at `$.model_list[0].litellm_params`"),
        (one(api_base="http://x"), "api_base needs the api_key for it in the same litellm_params - at `$.model_list[0]"),
        (one(base_url="http://x", api_key=""), "api_base needs the api_key"),
        (one(api_key="os.environ/SECRET"), "os.environ/… is not looked up for a client"),
        (one(metadata={"deep": ["os.environ/SECRET"]}), "at `$.model_list[0].litellm_params.metadata.deep[0]`"),
        (one(timeout=0), "at `$.model_list[0].litellm_params.timeout`"),
        (one(timeout="soon"), "Expected `float | null`, got `str`"),
        (one(max_retries=MAX_RETRIES + 1), "<= 10"),
        (one() | {"num_retries": 99}, "<= 10 - at `$.num_retries`"),
        (one() | {"fallbacks": [{"m": ["n"]}]}, "there is no model_name 'n' in model_list"),
        (one() | {"model_group_alias": {"x": "n"}}, "there is no model_name 'n' in model_list"),
        (one() | {"routing_strategy": "mine"}, "routing_strategy must be one of"),
        (one() | {"redis_host": "localhost"}, "unknown field `redis_host`"),
        (one() | {"retry_policy": {"RateLimitErrorRetries": 99}}, "<= 10"),
        (one() | {"allowed_fails_policy": {"RateLimitErrorRetries": 1}}, "unknown field `RateLimitErrorRetries`"),
        (one() | {"retry_after": 601}, "<= 600"),
        (one() | {"max_fallbacks": 6}, "<= 5"),
        (one() | {"routing_strategy_args": {"max_latency_list_size": 101}}, "<= 100"),
        (one() | {"routing_strategy_args": {"redis": "x"}}, "unknown field `redis`"),
        (one(cooldown_time=-1), ">= 0"),
        (one(input_cost_per_token=-1), ">= 0"),
        ({"model_list": [None]}, "Expected `object`, got `null` - at `$.model_list[0]`"),
        ({"model_list": one()["model_list"] * (MAX_MODELS + 1)}, "length <= 100"),
        (one(metadata=json.loads("[" * 70 + "]" * 70)), "nested more than 64 deep"),
        ({"model_list": [one()["model_list"][0] | {"model_name": "*a*a*b"}]}, "at `$.model_list[0].model_name`"),
        ({"model_list": [{"model_name": "m", "litellm_params": {"model": "nope"}}]}, "LLM Provider NOT provided"),
        ({"model_list": [{"model_name": "m", "litellm_params": {"model": "azure/x", "api_key": "k"}}]}, "azure has no address"),
    ],
)  # fmt: skip
def test_what_is_refused(config, said):
    """C13: a clear error that names the place."""
    with pytest.raises(BadRequestError) as raised:
        read_user_config(config, network=GUARDED)
    assert said in str(raised.value)


ALLOWED = {
    "api_key", "api_base", "base_url", "api_version", "organization", "custom_llm_provider", "timeout", "stream_timeout",
    "max_retries", "rpm", "tpm", "max_parallel_requests", "weight", "order", "tags", "region_name", "cooldown_time",
    "input_cost_per_token", "output_cost_per_token",
}  # fmt: skip


REFUSED = sorted(OWNED - ALLOWED) + ["callbacks", "success_callback", "litellm_credential_name"]


@pytest.mark.parametrize("name", REFUSED)
def test_the_administrators_words(name):
    """F1: what the schema has no field for cannot be said of a deployment."""
    with pytest.raises(BadRequestError, match="unknown field"):
        read_user_config(one(**{name: "x"}), network=GUARDED)


@pytest.mark.parametrize("name", sorted(set(REFUSED) - set(UserConfig.__struct_fields__)))
def test_the_administrators_words_on_top(name):
    """F1: nor of all."""
    with pytest.raises(BadRequestError, match="unknown field"):
        read_user_config(one() | {name: "x"}, network=GUARDED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=12,
)
PARAMS = st.dictionaries(st.sampled_from(sorted(ALLOWED | {"temperature", "model"})), JSON, max_size=5)


@given(PARAMS, st.dictionaries(st.sampled_from(["num_retries", "fallbacks", "timeout", "model_group_alias"]), JSON))
@examples(400)
def test_whatever_is_sent(params, words):
    """C13: any JSON is read or refused with a BadRequestError; nothing else comes out."""
    try:
        routing = read_user_config(one(**params) | words, network=GUARDED)
    except BadRequestError as error:
        assert error.param == "user_config"
    else:
        assert all(target.network is GUARDED for target in targets_of(routing.find("m")))


def ten(number: int = 0) -> dict[str, Any]:
    return {
        "model_list": [
            {"model_name": f"m{at}", "litellm_params": {"model": "groq/x", "api_key": f"sk-{number}-{at}"}}
            for at in range(10)
        ]
    }


def test_it_is_quick():
    """C13: counted: our own calls for each of ten models, whatever else the machine does. Time is bench/user_config.py's."""
    read_user_config(ten(), network=GUARDED)  # what is made on first use has been made
    with OwnCalls() as calls:
        read_user_config(ten(), network=GUARDED)
    assert 0 < calls.found.total() / 10 <= MOST_CALLS, calls.found.most_common(20)


def test_nothing_stays():
    """C13, P5: three hundred configurations later there is no more than before: one object of each would be seen."""
    environ = dict(os.environ)
    for number in range(20):
        read_user_config(ten(number), network=GUARDED)
    gc.collect()
    tracemalloc.start()
    before, objects = tracemalloc.get_traced_memory()[0], len(gc.get_objects())
    for number in range(300):
        routing = read_user_config(ten(number), network=GUARDED)
        routing.route  # noqa: B018
    del routing
    gc.collect()
    after, objects_after = tracemalloc.get_traced_memory()[0], len(gc.get_objects())
    tracemalloc.stop()
    assert after - before < 200_000
    assert objects_after - objects < 200
    assert dict(os.environ) == environ


def test_one_knows_nothing_of_another():
    """C14: the same configuration read twice has two states."""
    one_, other = (read_user_config(SEED, network=GUARDED) for _ in range(2))
    one_.state.cool_down("x", 10.0**9, 0.0)
    assert dict(other.state.cooling_down) == {}
