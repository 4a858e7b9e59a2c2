"""Moderations at every door, with and without a model."""

from __future__ import annotations

import json

import pytest
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.replies import plain_json
from tests.suite.doors import KEY, Failure, ProxyRaw
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm.exceptions import AuthenticationError, BadRequestError
from litellm.types.categories import CATEGORIES

PARTS = [{"type": "text", "text": "kill"}, {"type": "image_url", "image_url": {"url": "data:,"}}]


@pytest.mark.parametrize("texts", ["kill", ["kill", "kiss"], PARTS], ids=["text", "texts", "parts"])
def test_answers(door, up, texts):
    """C12: as they are; nothing else is sent."""
    got = door.moderate(texts)
    (seen,) = up.requests
    assert seen.path == "/v1/moderations"
    assert seen.json == {"model": "m", "input": texts}
    assert got["results"][0]["flagged"] is True
    assert got["results"][0]["categories"]["violence/graphic"] is False
    assert got["model"] == "m"


@pytest.mark.parametrize("name", ["sdk", "asdk"])
def test_without_a_model_the_upstream_chooses(house, up, name):
    """C12: no model is sent; the answer says which one it was."""
    got = house.doors[name].moderate("x", model=None)
    assert up.requests[0].json == {"input": "x"}
    assert got["model"] == "omni-moderation-latest"


def test_without_a_model_it_is_openai(monkeypatch):
    """Where there is no key, that is said before anything is sent."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(AuthenticationError, match="no API key for openai"):
        litellm.moderation("x")


@pytest.mark.parametrize("ask", [litellm.completion, litellm.text_completion, litellm.embedding])
def test_other_operations_need_a_model(ask):
    """Also when the provider is named by itself."""
    subject = {litellm.completion: "messages", litellm.text_completion: "prompt", litellm.embedding: "input"}[ask]
    with pytest.raises(BadRequestError, match="model must be a name"):
        ask(model="", custom_llm_provider="openai", api_key="k", **{subject: []})


def test_the_object(house):
    """OpenAI's client's attributes, LiteLLM's items; null for what the upstream said nothing about."""
    got = litellm.moderation("kill", **house.doors["sdk"].params("m", {}))
    (result,) = got.results
    assert result.flagged is result["flagged"] is True
    assert result.categories.violence is result.categories["violence"] is True
    assert result.categories["violence/graphic"] is result.categories.violence_graphic is False
    assert result.categories["self-harm/intent"] is result.categories.self_harm_intent is None
    assert dict(result.category_scores.items())["violence"] == 0.9
    assert set(result.categories.model_dump()) == set(CATEGORIES)
    assert got._hidden_params["custom_llm_provider"] == "openai"
    with pytest.raises(AttributeError):
        _ = result.categories.nothing


def test_c11_relayed_as_it_came(proxy_door, up):
    """C11: nulls and unknown fields, except for the name."""
    sent = {"id": "modr-1", "model": "x", "results": [{"flagged": None, "vendor": {"a": None}}], "more": 1}
    up.next(Behaviour(plain_json(sent)))
    assert proxy_door.moderate() == sent | {"model": "m"}


def test_an_answer_without_results(door, up):
    up.default = Behaviour(plain_json({"id": "x"}))
    with pytest.raises(Failure, match="no results"):
        door.moderate(num_retries=0)


def test_r3_retries(door, up):
    """R3: as for chat."""
    up.next(act.error(503))
    assert door.moderate()["results"]
    assert len(up.requests) == 2


@pytest.mark.parametrize("params", [{"stream": True}, {"model": "groq/x"}], ids=str)
def test_other_providers_and_streams_are_the_upstreams_business(house, up, params):
    """A parameter that nobody knows is sent; a provider is one like any other."""
    house.doors["sdk"].moderate("x", **params)
    assert up.requests[0].json["input"] == "x"


@pytest.mark.parametrize("provider", ["azure", "text-completion-openai"])
def test_providers_without_moderations(provider):
    with pytest.raises(BadRequestError, match="does not serve moderations"):
        litellm.moderation("x", model=f"{provider}/m", api_base="http://unused.invalid", api_key="k")


def test_mocks():
    """A text that names a category is of it; mock_response says it for all."""
    hate, nothing = litellm.moderation(["such hate", "such joy"], "mock/m").results
    assert (hate.flagged, nothing.flagged) == (True, False)
    assert hate.categories.hate is True
    assert litellm.moderation("x", mock_response=True).results[0].flagged is True
    with pytest.raises(litellm.RateLimitError):
        litellm.moderation("x", mock_response="litellm.RateLimitError", num_retries=0)


# --- a server that has no model for it -------------------------------------------------------------------------------------

CONFIG = {"model_list": [deployment("m", "openai/m", api_base="http://unused.invalid", api_key=KEY)]}


def test_a_server_without_a_key_says_what_to_do(monkeypatch):
    """A clear error, before anything is sent."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ServedProxy(CONFIG) as proxy:
        with pytest.raises(Failure, match="set OPENAI_API_KEY in the server's environment") as told:
            ProxyRaw(proxy).moderate("x", model=None)
        assert told.value.status == 400
        assert told.value.body["param"] == "model"
        with pytest.raises(Failure, match="/moderations: Invalid model name passed in model=other"):
            ProxyRaw(proxy).moderate("x", model="other")


def test_a_server_whose_openai_is_elsewhere_asks_there(monkeypatch, up):
    """C8: the key in the environment is for the address that stands beside it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_BASE", up.base)
    with ServedProxy(CONFIG) as proxy:
        assert ProxyRaw(proxy).moderate("kill", model=None)["results"][0]["flagged"] is True
    assert up.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("model", [None, "omni-moderation-latest"])
def test_a_server_with_a_key_asks_openai(monkeypatch, up, model):
    """Its official address, with the server's key; the model as sent, or none."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ServedProxy(CONFIG) as proxy:
        asked = []

        async def perform(step):
            asked.append(step.request)
            step.request.url = f"{up.base}/moderations"
            return await real(step)

        real, proxy.client.async_io.perform = proxy.client.async_io.perform, perform
        reply = ProxyRaw(proxy).post("kill", operation="moderations", model=model)
    assert json.loads(reply.body)["results"][0]["flagged"] is True
    assert json.loads(reply.body)["model"] == (model or "omni-moderation-latest")
    assert reply.headers["x-litellm-model-api-base"] == "https://api.openai.com/v1"
    (seen,) = up.requests
    assert seen.json == ({"input": "kill"} if model is None else {"input": "kill", "model": model})
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert len(asked) == 1


def test_chat_does_not_fall_back_on_openai(monkeypatch):
    """Only moderations do."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ServedProxy(CONFIG) as proxy, pytest.raises(Failure, match="Invalid model name"):
        ProxyRaw(proxy).chat(model="gpt-4o")


def test_bad_bodies(proxy_door):
    with pytest.raises(Failure, match="/moderations: Missing required parameter: 'input'"):
        proxy_door.post("x", operation="text", path="/moderations")
    with pytest.raises(Failure, match="input must be text or a list, not a number"):
        proxy_door.moderate(7)
