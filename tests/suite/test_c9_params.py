"""Must C9: by default every parameter is passed on; what is dropped is listed, asked for, and told."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.suite.doors import HI, Failure, ProxyRaw, text_of
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm.exceptions import UnsupportedParamsError

# groq documents that it refuses these three.
REFUSED = {"logit_bias": {"1": 2}, "logprobs": True, "top_logprobs": 2}
ON = [True, "true", "True", 1, "1"]
OFF = [False, "false", "False", 0, "0", "", None]


@pytest.fixture(params=["sdk", "asdk", "proxy"])
def groq(request: pytest.FixtureRequest, house: Any, up: Any) -> Any:
    """Asks groq's row, at our upstream, through each door."""
    if request.param != "proxy":
        yield lambda **params: house.doors[request.param].chat(model="groq/llama", **params)
        return
    with ServedProxy({"model_list": [deployment("m", "groq/llama", api_base=up.base, api_key="k")]}) as proxy:
        yield ProxyRaw(proxy).chat


EVERYTHING: dict[str, Any] = {
    "temperature": 0.5, "top_p": 0.1, "n": 2, "stop": ["a", "b"], "max_tokens": 5, "max_completion_tokens": 6,
    "presence_penalty": 0.25, "frequency_penalty": -0.25, "logit_bias": {"50256": -100}, "user": "u", "seed": 7,
    "response_format": {"type": "json_object"}, "tools": [{"type": "function", "function": {"name": "f"}}],
    "tool_choice": "auto", "logprobs": True, "top_logprobs": 3, "parallel_tool_calls": False, "reasoning_effort": "low",
    "modalities": ["text"], "prediction": {"type": "content", "content": "x"}, "verbosity": "low", "store": True,
    "service_tier": "flex", "safety_identifier": "s", "prompt_cache_key": "k", "web_search_options": {},
    "functions": [{"name": "f"}], "function_call": "auto", "audio": {"voice": "x", "format": "wav"},
    "top_k": 3, "min_p": 0.1, "repetition_penalty": 1.1, "guided_choice": ["a"], "thinking": {"type": "enabled"},
    "chat_template_kwargs": {"enable_thinking": True}, "vendor": None,
}  # fmt: skip


@pytest.mark.parametrize("drop", [False, True])
def test_c9_everything_passes(door, up, drop):
    """C9, C12: an OpenAI-compatible upstream gets all that was said, drop_params or not, and nothing else."""
    door.chat(**EVERYTHING, **({"drop_params": True} if drop else {}))
    sent = dict(up.requests[0].fields)
    assert sent.pop("model") == "m"
    assert sent.pop("messages") == HI
    wanted = dict(EVERYTHING)
    if not door.remote:
        del wanted["vendor"]  # the SDK's None is "not said"
    assert sent == wanted


@pytest.mark.parametrize("name", REFUSED)
def test_c9_the_error_names_the_ways_out(groq, up, name):
    """C9: the parameter, the model, and the three things one can do."""
    with pytest.raises(Failure) as told:
        groq(**{name: REFUSED[name]})
    assert told.value.status == 400
    assert told.value.kind in (None, UnsupportedParamsError)
    for word in ("groq", "llama", name, "drop_params", "allowed_openai_params", "Leave it out"):
        assert word in told.value.message
    assert up.requests == []


@pytest.mark.parametrize("on", ON)
def test_c9_drop_params(groq, up, on):
    """C9: drops what is documented as refused, and only that; true in all the ways people write it."""
    groq(**REFUSED, drop_params=on, temperature=0.5, top_k=3)
    sent = up.requests[0].fields
    assert not REFUSED.keys() & sent.keys()
    assert (sent["temperature"], sent["top_k"]) == (0.5, 3)
    assert "drop_params" not in sent


@pytest.mark.parametrize("off", OFF)
def test_c9_drop_params_off(groq, up, off):
    """C9: and false in all of them."""
    with pytest.raises(Failure):
        groq(**REFUSED, drop_params=off)
    assert up.requests == []


@pytest.mark.parametrize("name", ["sdk", "asdk"])
def test_c9_drop_params_of_the_module(house, up, monkeypatch, name):
    """C9: litellm.drop_params and LITELLM_DROP_PARAMS are the default; the call's own word stands over them."""
    ask = house.doors[name].chat
    monkeypatch.setattr(litellm, "drop_params", True)
    ask(model="groq/llama", **REFUSED)
    with pytest.raises(Failure):
        ask(model="groq/llama", drop_params=False, **REFUSED)
    monkeypatch.setattr(litellm, "drop_params", False)
    monkeypatch.setenv("LITELLM_DROP_PARAMS", "True")
    ask(model="groq/llama", **REFUSED)
    assert len(up.requests) == 2


def test_c9_what_was_dropped_is_in_the_log(groq, caplog):
    """C9: at debug level, by name."""
    with caplog.at_level(logging.DEBUG, "LiteLLM"):
        groq(**REFUSED, drop_params=True)
    (said,) = [record.getMessage() for record in caplog.records if "drop" in record.getMessage()]
    assert all(name in said for name in REFUSED)


def test_c9_allowed_openai_params(groq, up):
    """C9: sends in spite of the documentation what is listed, and only that."""
    groq(logprobs=True, allowed_openai_params=["logprobs"])
    assert up.requests[0].fields["logprobs"] is True
    assert "allowed_openai_params" not in up.requests[0].fields
    with pytest.raises(Failure, match="logit_bias"):
        groq(logprobs=True, logit_bias={"1": 1}, allowed_openai_params=["logprobs"])


NESTED = {
    "temperature": 0.5,
    "tools": [
        {"type": "function", "function": {"name": "f", "strict": True, "parameters": {"x": 1}}},
        {"type": "function", "function": {"name": "g", "strict": True}},
    ],
    "response_format": {"type": "json_schema", "json_schema": {"strict": True, "name": "n"}},
}
PATHS: dict[str, tuple[list[str], Any]] = {  # what is dropped → what must be true of the rest
    "a name": (["temperature"], lambda sent: "temperature" not in sent),
    "two names": (["temperature", "tools"], lambda sent: not {"temperature", "tools"} & sent.keys()),
    "a path": (
        ["response_format.json_schema.strict"],
        lambda sent: sent["response_format"] == {"type": "json_schema", "json_schema": {"name": "n"}},
    ),
    "each of a list": (
        ["tools[*].function.strict"],
        lambda sent: (
            [tool["function"] for tool in sent["tools"]] == [{"name": "f", "parameters": {"x": 1}}, {"name": "g"}]
        ),
    ),
    "one of a list": (
        ["tools[1].function.strict"],
        lambda sent: ["strict" in tool["function"] for tool in sent["tools"]] == [True, False],
    ),
    "an element": (["tools[0]"], lambda sent: [tool["function"]["name"] for tool in sent["tools"]] == ["g"]),
    "what is not there": (
        ["nothing", "tools[9].x", "tools.x", "temperature.x", "tools[*].y.z"],
        lambda sent: {name: sent[name] for name in NESTED} == NESTED,
    ),
}


@pytest.mark.parametrize("case", PATHS)
def test_c9_additional_drop_params(door, up, case):
    """C9: names and paths, at every door."""
    paths, holds = PATHS[case]
    door.chat(additional_drop_params=paths, **NESTED)
    sent = up.requests[0].fields
    assert holds(sent)
    assert sent["messages"] == HI
    assert "additional_drop_params" not in sent


def test_c9_additional_drop_params_spares_from_the_error(groq, up):
    """C9: what the caller drops by name cannot be refused any more."""
    groq(logprobs=True, additional_drop_params=["logprobs"])
    assert "logprobs" not in up.requests[0].fields


CONFIGURED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # litellm_params, litellm_settings
    "deployment": ({"drop_params": True}, {}),
    "deployment, a text": ({"drop_params": "true"}, {}),
    "deployment, a number": ({"drop_params": 1}, {}),
    "settings": ({}, {"drop_params": True}),
    "settings, a text": ({}, {"drop_params": "true"}),
    "deployment over settings": ({"drop_params": True}, {"drop_params": False}),
    "additional": ({"additional_drop_params": list(REFUSED)}, {}),
    "allowed": ({"allowed_openai_params": list(REFUSED)}, {}),
}


@pytest.mark.parametrize("case", CONFIGURED)
def test_c9_configured(up, case):
    """C9: the same words in the proxy's YAML."""
    params, settings = CONFIGURED[case]
    config = {
        "model_list": [deployment("m", "groq/llama", api_base=up.base, api_key="k", **params)],
        "litellm_settings": settings,
    }
    with ServedProxy(config) as proxy:
        assert text_of(ProxyRaw(proxy).chat(**REFUSED, temperature=0.5))
    sent = up.requests[0].fields
    assert sent["temperature"] == 0.5
    assert bool(REFUSED.keys() & sent.keys()) == (case == "allowed")


def test_c9_a_deployments_own_parameters(up):
    """C9: what a deployment sets is a default that the caller may overrule; extra_body is merged."""
    params = {"temperature": 0.1, "max_tokens": 5, "extra_body": {"top_k": 3}, "api_base": up.base}
    with ServedProxy({"model_list": [deployment("m", "openai/m", **params)]}) as proxy:
        ProxyRaw(proxy).chat(temperature=0.9)
    sent = up.requests[0].fields
    assert (sent["temperature"], sent["max_tokens"], sent["top_k"]) == (0.9, 5, 3)


def test_c9_extra_body(door, up):
    """C9: extra_body is merged into what is sent; a model in it is not obeyed."""
    door.chat(extra_body={"top_k": 3, "deep": {"a": [1]}, "model": "sneaky"})
    sent = up.requests[0].fields
    assert (sent["model"], sent["top_k"], sent["deep"]) == ("m", 3, {"a": [1]})
    assert "extra_body" not in sent


LITELLMS_OWN: dict[str, Any] = {
    "aws_secret_access_key": "x", "vertex_credentials": "x", "langfuse_secret_key": "x", "success_callback": ["x"],
    "mock_testing_fallbacks": False, "user_config": {}, "priority": 1, "input_cost_per_character": 0.1, "caching": True,
    "content_policy_fallbacks": [], "litellm_params": {}, "routing_strategy": "x",
}  # fmt: skip


@pytest.mark.parametrize("name", ["sdk", "asdk"])
@pytest.mark.parametrize("word", LITELLMS_OWN)
def test_c12_litellms_own_words_stay_here(house, up, name, word):
    """C12: no upstream is sent what only LiteLLM reads, secrets of other services least of all."""
    house.doors[name].chat(**{word: LITELLMS_OWN[word]})
    assert set(up.requests[0].fields) == {"model", "messages"}


def test_c12_what_a_deployment_costs_stays_here(up):
    """C12: its defaults go into requests, its prices do not; a parameter that ends in "key" is no credential."""
    mine = {"cache_read_input_token_cost": 1e-7, "output_cost_per_image": 0.1, "prompt_cache_key": "team-a", "top_k": 7}
    config = {"model_list": [deployment("m", "openai/m", api_base=up.base, api_key="k", **mine)]}
    with ServedProxy(config) as proxy:
        ProxyRaw(proxy).chat()
    sent = up.requests[0].fields
    assert {name: sent[name] for name in sent if name not in ("model", "messages")} == {
        "prompt_cache_key": "team-a", "top_k": 7,
    }  # fmt: skip
