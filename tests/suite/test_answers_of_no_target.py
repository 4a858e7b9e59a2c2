"""A layer may answer by itself, as a cache does: what comes of it is an answer like any other, but says nothing of a target."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPMessage
from typing import Any

import pytest
from tests.suite.inprocess import ServedProxy, deployment
from tests.unit.router.world import HI

import litellm
from litellm.engine.call import Answer, Call
from litellm.engine.client import CallNext, Client
from litellm.engine.drivers import run
from litellm.engine.route import FixedRoute, Route
from litellm.engine.watchers import Watchers
from litellm.exceptions import APIResponseValidationError
from litellm.net.steps import Flow
from litellm.providers.resolve import resolve
from litellm.providers.target import EndpointSpec
from litellm.sdk._call import default_client

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
KNOWN: dict[str, Any] = {
    "id": "c-1", "object": "chat.completion", "created": 1, "model": "gpt-4o", "usage": USAGE,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "known"}, "finish_reason": "stop"}],
}  # fmt: skip


class Knowing:
    """Answers everything from memory. fields: of the Answer."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def __call__(self, call: Call, route: Route, onward: CallNext) -> Flow[Any]:  # noqa: ARG002 - nobody else is asked
        return Answer(requested_model=call.model, **self.fields)
        yield


FORMS: Mapping[str, Knowing] = {
    "decoded": Knowing(data=KNOWN, usage=USAGE),
    "as it came": Knowing(raw=json.dumps(KNOWN).encode(), model="gpt-4o", usage=USAGE),
}


def told_of(hidden: Mapping[str, Any]) -> set[str]:
    """What hidden params say of a target."""
    return {name for name in ("custom_llm_provider", "model_id", "api_base", "litellm_model_name") if hidden[name]}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_in_the_sdk(monkeypatch, is_async):
    monkeypatch.setattr(default_client(), "_layers", (FORMS["decoded"],))
    asked = {"model": "openai/gpt-4o", "messages": HI, "api_key": "sk-1", "api_base": "http://unused.invalid"}
    answer = asyncio.run(litellm.acompletion(**asked)) if is_async else litellm.completion(**asked)
    assert (answer.choices[0].message.content, answer.usage.total_tokens) == ("known", 3)
    hidden = answer._hidden_params
    assert told_of(hidden) == set()
    assert hidden["response_cost"] is None
    assert hidden["additional_headers"] == {"x-litellm-attempted-retries": 0, "x-litellm-attempted-fallbacks": 0}


def test_in_a_router():
    router = litellm.Router(model_list=[deployment("m", "mock/hang")])
    router.client = Client(layers=[FORMS["decoded"]])
    answer = router.completion("m", HI)
    assert answer.choices[0].message.content == "known"
    assert told_of(answer._hidden_params) == set()
    assert "x-litellm-model-group" not in answer._hidden_params["additional_headers"]


def asked_of(proxy: ServedProxy, model: str = "m") -> tuple[HTTPMessage, Any]:
    connection = HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps({"model": model, "messages": HI}))
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.headers, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("form", FORMS)
def test_through_the_gateway(form):
    """Under the name that was asked for; the call has its id all the same."""
    with ServedProxy({"model_list": [deployment("m", "mock/hang")]}, layers=[FORMS[form]]) as proxy:
        headers, answer = asked_of(proxy)
    assert answer == {**KNOWN, "model": "m"}
    assert headers["x-litellm-call-id"]
    assert headers["x-litellm-attempted-retries"] == "0"
    for name in ("x-litellm-model-id", "x-litellm-model-api-base", "x-litellm-model-group"):
        assert name not in headers
    assert not [name for name in headers if name.startswith("llm_provider-")]


def test_one_of_several_models_through_the_gateway():
    config = {"model_list": [deployment("a", "mock/hang"), deployment("b", "mock/hang")]}
    with ServedProxy(config, layers=[FORMS["decoded"]]) as proxy:
        _, answers = asked_of(proxy, "a,b")
    assert [answer["model"] for answer in answers] == ["a", "b"]


def test_callbacks_are_told_of_no_provider():
    records: list[Any] = []

    class Observer:
        per_chunk = False
        hooks = None

        def emit(self, event: str, record: Any, chunk: Any = None) -> None:  # noqa: ARG002
            records.append((event, record))

    client = Client(layers=[FORMS["decoded"]])
    route = FixedRoute(target=resolve(EndpointSpec(model="mock/hang")))
    run(client.flow(Call(model="m", body={"messages": HI}), route, Watchers(Observer())), client.sync_io)
    event, record = records[-1]
    assert (event, record.status, record.usage) == ("success", "success", USAGE)
    assert (record.provider, record.target_model, record.model_id, record.cost) == ("", "", "", None)
    assert record.response().choices[0].message.content == "known"


def test_one_that_is_no_answer_says_so(monkeypatch):
    monkeypatch.setattr(default_client(), "_layers", (Knowing(data={"choices": 7}),))
    with pytest.raises(APIResponseValidationError):
        litellm.completion("openai/gpt-4o", HI, api_key="sk-1", api_base="http://unused.invalid")
