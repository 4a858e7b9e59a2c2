"""Must C11: what an upstream says survives, at every level and in both directions; `model` is named by one rule."""

from __future__ import annotations

import json

import pytest
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.endpoints import chat_chunks, chat_completion
from tests.fakes.replies import Answer, Plain, plain_json
from tests.suite.chunks import differences
from tests.suite.doors import request

import litellm

# What vendors may call their fields although Python or pydantic have other plans for the name.
AWKWARD = (
    "self cls data stream json copy dict keys get values model_dump model_config model_fields model_extra model_computed "
    "_hidden_params _response_headers response_ms _response_ms __class__ __dict__ __pydantic_extra__ fields schema construct"
).split()


def with_fields(extra: dict[str, object]) -> tuple[dict, list[dict]]:
    """An answer, whole and streamed, with these fields at every level."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}", **extra}, **extra}
    said = {"role": "assistant", "content": "hi", "tool_calls": [call], **extra}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, **extra}
    head = {"id": "1", "created": 1, "model": "m", **extra}
    end = {"index": 0, "finish_reason": "tool_calls", **extra}
    whole = {**head, "object": "chat.completion", "choices": [{**end, "message": said}], "usage": usage}
    chunk = {**head, "object": "chat.completion.chunk"}
    return whole, [{**chunk, "choices": [{**end, "delta": said}]}, {**chunk, "choices": [], "usage": usage}]


def test_c11_no_name_of_a_field_is_too_awkward(door, up, streamed):
    """C11: unknown fields survive whatever they are called."""
    whole, chunks = with_fields({name: {"kept": at} for at, name in enumerate(AWKWARD)})
    up.next(act.events(chunks) if streamed else Behaviour(plain_json(whole)))
    if streamed:
        assert differences(chunks, door.stream(stream_options={"include_usage": True})) == []
    else:
        assert differences(whole, door.chat()) == []


def test_c11_unknown_parameters_reach_the_upstream(door, up, streamed):
    """C11, decision 10: what we do not know is sent on as it is, `user` too; `metadata` stays here."""
    params = {
        "chat_template_kwargs": {"enable_thinking": False},
        "guided_json": {"a": [1, None]},
        "user": "u-1",
        "top_k": 3,
    }
    door.ask(streamed=streamed, metadata={"trace": "t"}, **params)
    sent = up.requests[0].fields
    assert {name: sent.get(name) for name in params} == params
    assert "metadata" not in sent


def test_c11_unknown_fields_of_messages_reach_the_upstream(door, up):
    """C11: messages, parts and tools go out as they were given."""
    parts = [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}, "vendor": [1]}]
    messages = [{"role": "user", "content": parts, "name": "n", "vendor": {"a": None}}]
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}, "vendor": 1}]
    door.chat(messages, tools=tools)
    assert up.requests[0].fields["messages"] == messages
    assert up.requests[0].fields["tools"] == tools


@pytest.mark.parametrize("sent", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize("read", ["reasoning", "reasoning_content"])
def test_c11_reasoning_can_be_read_under_both_names(up, sent, read, streamed):
    """C11: `reasoning` and `reasoning_content` are both readable, whichever of them was sent."""
    up.next(act.answer("so", message={sent: "hm"}))
    answer = litellm.completion("openai/m", [{"role": "user", "content": "hi"}], api_base=up.base, stream=streamed)
    if streamed:
        assert "".join(getattr(chunk.choices[0].delta, read, None) or "" for chunk in answer) == "hm"
    else:
        assert getattr(answer.choices[0].message, read) == answer.choices[0].message[read] == "hm"


def test_c11_reasoning_is_absent_when_there_is_none(up):
    """C11: callers branch on hasattr."""
    message = litellm.completion("openai/m", [{"role": "user", "content": "hi"}], api_base=up.base).choices[0].message
    assert not hasattr(message, "reasoning_content")
    assert not hasattr(message, "reasoning")


@pytest.mark.parametrize("theirs", ["gpt-x-2026", "openai/gpt-x", "m", "meta-llama/X", 'q"uote'])
def test_c11_model_is_named_by_one_rule(door, up, theirs, streamed):
    """C11, decision 5: the SDK gives the upstream's own name as it is, the proxy the name that was asked for."""
    up.next(act.answer(model=theirs))
    answer = door.ask(streamed=streamed)
    named = {chunk["model"] for chunk in answer} if streamed else {answer["model"]}
    assert named == {"m" if door.remote else theirs}


@pytest.mark.parametrize("layout", [{"separators": (",", ":")}, {"indent": 2}, {"separators": (" , ", " : ")}])
def test_c11_the_name_is_found_in_any_layout(proxy_door, up, layout):
    """C11: however the upstream lays out its JSON, and wherever else "model" stands in it."""
    whole = chat_completion(Answer(extra={"vendor": {"model": "fake-model", "x": '"model": "fake-model"'}}))
    body = json.dumps(whole, **layout).encode()
    up.next(Behaviour(Plain(200, body, {"content-type": "application/json"})))
    assert proxy_door.chat() == whole | {"model": "m"}


def test_c11_the_proxy_says_who_answered(proxy_door, up, streamed):
    """C11: group, deployment and the upstream's own name are in headers, on streams too."""
    up.next(act.answer(model="theirs", headers={"x-ratelimit-remaining-requests": "7", "x-vendor": "v"}))
    headers = proxy_door.post(stream=streamed).headers
    assert headers["x-litellm-model-group"] == "m"
    assert headers["x-litellm-model-id"]
    assert headers["x-litellm-model-name"] == "theirs"
    assert headers["x-ratelimit-remaining-requests"] == "7"
    assert headers["llm_provider-x-vendor"] == "v"
    assert headers["llm_provider-x-request-id"] == "req-fake-1"


def test_c11_whole_and_streamed_agree_on_unknown_fields(door, up):
    """C11, S2: an upstream's own top-level fields are on every chunk and on the whole answer."""
    up.default = act.answer(extra={"service_tier": "flex", "vendor": {"a": [1, {"b": None}]}})
    assert door.chat()["vendor"] == {"a": [1, {"b": None}]}
    assert all(chunk["vendor"] == {"a": [1, {"b": None}]} for chunk in door.stream())


def test_c11_tools_of_the_fake_are_what_openai_sends():
    """The fake's stream is the reference for the tests here; it must not be wrong itself."""
    assert [chunk["choices"][0]["finish_reason"] for chunk in chat_chunks(Answer())][-1] == "stop"


def test_c11_models_of_the_proxy_need_no_upstream(house, up):
    """C11: listing names asks nobody."""
    names = json.loads(request(house.proxy, "GET", "/v1/models").body)["data"]
    assert [entry["id"] for entry in names] == ["m", "*"]
    assert up.requests == []
