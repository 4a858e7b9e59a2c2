"""Must C3: a handler receives all that the caller, and the configuration, said."""

from __future__ import annotations

import copy
import ssl
from typing import Any

import pytest
from tests.suite.doors import HI, ProxyRaw, SdkAsync, SdkSync, text_of
from tests.suite.handlers import NOWHERE, Everything, answer
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm import CustomLLM

YAML_PARAMS = {
    "api_base": "http://theirs.example/v9",
    "api_key": "sk-of-the-handler",
    "api_version": "2026-01-01",
    "timeout": 7,
    "temperature": 0.25,
    "extra_headers": {"x-team": "blue"},
    "my_region": "eu",
    "my_list": [1, {"two": None}],
    "my_secret_token": "do not mask me",
    "rpm": 60,
}


@pytest.fixture
def handler():
    return Everything()


def test_c3_everything_from_the_configuration(handler, streamed):
    """C3: every litellm_params key of the YAML reaches the handler (LiteLLM: #18216), in the clear."""
    config = {"model_list": [deployment("m", "mine/their-model", **YAML_PARAMS)]}
    with ServedProxy(config, handlers={"mine": handler}) as proxy:
        ProxyRaw(proxy).ask(
            [{"role": "user", "content": "hi", "vendor": 1}], streamed=streamed, top_k=3, max_tokens=9,
            metadata={"trace": "t"}, tools=[{"type": "function", "function": {"name": "f"}}],
        )  # fmt: skip
    (given,) = handler.given
    assert given["model"] == "their-model"
    assert given["messages"] == [{"role": "user", "content": "hi", "vendor": 1}]
    assert given["api_base"] == "http://theirs.example/v9"
    assert given["api_key"] == "sk-of-the-handler"
    assert given["timeout"] == 7
    assert given["headers"] == {"x-team": "blue"}
    wanted = {
        "temperature": 0.25,
        "top_k": 3,
        "max_tokens": 9,
        "tools": [{"type": "function", "function": {"name": "f"}}],
    }
    assert {name: given["optional_params"].get(name) for name in wanted} == wanted
    assert given["litellm_params"]["metadata"] == {"trace": "t"}
    for name, value in YAML_PARAMS.items():
        assert given["litellm_params"].get(name) == value, name


@pytest.mark.parametrize("door", [SdkSync, SdkAsync])
def test_c3_everything_from_the_call(monkeypatch, handler, door, streamed):
    """C3: and everything of an SDK call."""
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": handler}])
    door(NOWHERE).ask(
        model="mine/their/model", streamed=streamed, api_base="http://theirs.example", api_key="sk-1", timeout=7,
        temperature=0.25, top_k=3, user="u", metadata={"trace": "t"}, extra_headers={"x-team": "blue"},
        model_info={"id": "a"}, extra_body={"deep": {"er": 1}},
    )  # fmt: skip
    (given,) = handler.given
    assert given["model"] == "their/model"
    assert given["messages"] == HI
    assert (given["api_base"], given["api_key"]) == ("http://theirs.example", "sk-1")
    assert given["timeout"] == 7
    assert given["headers"] == {"x-team": "blue"}
    wanted = {"temperature": 0.25, "top_k": 3, "user": "u", "deep": {"er": 1}}
    assert {name: given["optional_params"].get(name) for name in wanted} == wanted
    assert given["litellm_params"]["metadata"] == {"trace": "t"}
    assert given["litellm_params"]["model_info"] == {"id": "a"}


def test_c3_what_litellms_handlers_call_is_there(handlers, handler, streamed):
    """C3: names from LiteLLM's signature, each usable as handlers use it."""
    handlers.ask(handler, streamed=streamed)
    (given,) = handler.given
    assert set(given) >= {
        "model", "messages", "api_base", "custom_prompt_dict", "model_response", "print_verbose", "encoding", "api_key",
        "logging_obj", "optional_params", "acompletion", "litellm_params", "logger_fn", "headers", "timeout", "client",
    }  # fmt: skip
    given["print_verbose"]("said by nobody")
    given["logging_obj"].pre_call(input="x", api_key="k", additional_args={})
    given["logging_obj"].post_call(original_response="x")
    assert given["model_response"].choices[0].message.content is None
    assert isinstance(given["timeout"], float)


def test_c3_deployments_of_a_wildcard(handler):
    """C3: with "mine/*" the handler gets the name that was asked for."""
    config = {"model_list": [deployment("mine/*", "mine/*", my_region="eu")]}
    with ServedProxy(config, handlers={"mine": handler}) as proxy:
        assert text_of(ProxyRaw(proxy).chat(model="mine/some/model"))
    assert handler.given[0]["model"] == "some/model"
    assert handler.given[0]["litellm_params"]["my_region"] == "eu"


def test_c3_a_handler_that_scribbles_harms_nobody():
    """C3, G2: what a handler does to its arguments is not seen by the next call."""

    class Scribbler(CustomLLM):
        seen: list[Any] = []

        def completion(self, **given: Any) -> Any:
            self.seen.append(
                copy.deepcopy({name: given[name] for name in ("optional_params", "litellm_params", "headers")})
            )
            given["optional_params"]["stop"].append("scribbled")
            given["optional_params"]["temperature"] = 99
            given["litellm_params"]["my_region"] = "scribbled"
            given["litellm_params"]["my_list"].append("scribbled")
            given["headers"]["x-scribbled"] = "1"
            return answer()

    params = {"my_region": "eu", "my_list": [1], "temperature": 0.5, "stop": ["x"], "extra_headers": {"x-team": "blue"}}
    with ServedProxy({"model_list": [deployment("m", "mine/x", **params)]}, handlers={"mine": Scribbler()}) as proxy:
        for _ in range(2):
            ProxyRaw(proxy).chat()
    first, second = Scribbler.seen
    for of_one_call in (first, second):
        of_one_call["litellm_params"].pop("litellm_call_id")
    assert first == second


def test_c3_tools_of_both(handler):
    """C3: a request's tools are added to the deployment's, as for any upstream."""
    mine, theirs = ({"type": "function", "function": {"name": name}} for name in ("mine", "theirs"))
    with ServedProxy({"model_list": [deployment("m", "mine/x", tools=[mine])]}, handlers={"mine": handler}) as proxy:
        ProxyRaw(proxy).ask(HI, streamed=False, tools=[theirs])
    assert handler.given[0]["optional_params"]["tools"] == [mine, theirs]


@pytest.mark.parametrize("door", [SdkSync, SdkAsync])
def test_c3_what_cannot_be_copied(monkeypatch, handler, door):
    """C3: reaches the handler as it is."""
    context = ssl.create_default_context()
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": handler}])
    door(NOWHERE).ask(model="mine/x", streamed=False, ssl_verify=context)
    assert handler.given[0]["litellm_params"]["ssl_verify"] is context
