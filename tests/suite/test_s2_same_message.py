"""Must S2: the stream of a completion, put together, is the completion."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.replies import ToolCall
from tests.suite.chunks import differences
from tests.suite.doors import HI, SdkAsync, SdkSync

import litellm
from litellm import CustomLLM, ModelResponse

TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("f", "g")]
USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 7,
    "total_tokens": 12,
    "completion_tokens_details": {"reasoning_tokens": 3},
    "cost": 0.5,
}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # what the upstream says, and what is asked
    "text": ({"text": "Grüße, 日本!\n\n  Two spaces."}, {}),
    "empty text": ({"text": ""}, {}),
    "cut off": ({"finish_reason": "length"}, {}),
    "filtered": ({"text": "", "finish_reason": "content_filter"}, {}),
    "reasoning": ({"message": {"reasoning_content": "First I think."}}, {}),
    "reasoning, vLLM's name": ({"message": {"reasoning": "First I think."}}, {}),
    "one tool": ({"tool_calls": (ToolCall("f", {"city": "Zürich", "quote": '"'}),)}, {"tools": TOOLS}),
    "two tools": ({"tool_calls": (ToolCall("f", {"a": 1}), ToolCall("g", "{}"))}, {"tools": TOOLS}),
    "same tool twice": ({"tool_calls": (ToolCall("f", {"a": 1}), ToolCall("f", {"a": 1}))}, {"tools": TOOLS}),
    "tool and reasoning": (
        {"tool_calls": (ToolCall("f", {"a": 1}),), "message": {"reasoning_content": "hm"}},
        {"tools": TOOLS},
    ),
    "refusal": ({"text": None, "message": {"refusal": "I will not."}}, {}),
    "three choices": ({}, {"n": 3}),
    "usage in detail": ({"usage": USAGE}, {}),
    "vendor's fields": ({"extra": {"service_tier": "flex"}, "message": {"citations": ["https://x"]}}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_s2_stream_adds_up_to_the_whole_answer(door, up, case):
    """S2: content, reasoning, tool calls, usage and finish_reason are the same, streamed or not."""
    says, asks = CASES[case]
    up.default = act.answer(**says)
    whole = door.chat(**asks)
    chunks = door.stream(stream_options={"include_usage": True}, **asks)
    built = litellm.stream_chunk_builder(chunks)
    assert isinstance(built, ModelResponse)
    put_together = built.model_dump()
    for answer in (whole, put_together):
        del answer["id"]  # the fake numbers its answers
        for choice in answer["choices"]:
            for number, call in enumerate(choice["message"].get("tool_calls") or ()):
                assert call["id"].endswith(f"_{number}")
                del call["id"]
    assert differences(whole, put_together) == []


def test_s2_builder_takes_what_the_wrapper_gives(up):
    """S2: the chunks as they are iterated, not only as dicts."""
    up.default = act.answer(tool_calls=(ToolCall("f", {"a": [1, 2]}),), message={"reasoning_content": "hm"})
    place = {"api_base": up.base, "messages": HI, "tools": TOOLS}
    built = litellm.stream_chunk_builder(list(litellm.completion("openai/m", stream=True, **place)))
    whole = litellm.completion("openai/m", **place)
    assert built.choices[0].message.reasoning_content == whole.choices[0].message.reasoning_content == "hm"
    calls = [answer.choices[0].message.tool_calls[0].function for answer in (built, whole)]
    assert calls[0] == calls[1]
    assert built.choices[0].finish_reason == whole.choices[0].finish_reason == "tool_calls"


def test_s2_builder_of_nothing():
    """S2: no chunks, no answer; and no error."""
    assert litellm.stream_chunk_builder([]) is None


MESSAGE = {
    "role": "assistant",
    "content": "so",
    "reasoning_content": "hm",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
}


class Both(CustomLLM):
    """Says the same whole and streamed."""

    def completion(self, **_: Any) -> ModelResponse:
        return ModelResponse(choices=[{"message": MESSAGE, "finish_reason": "tool_calls"}], usage=USAGE, model="x")

    def streaming(self, **_: Any) -> Any:
        call = MESSAGE["tool_calls"][0]
        yield {"text": "", "is_finished": False, "finish_reason": None,
               "provider_specific_fields": {"reasoning_content": "hm"}}  # fmt: skip
        yield {"text": "s", "is_finished": False, "finish_reason": None, "usage": None}
        yield {"text": "o", "is_finished": False, "finish_reason": None, "usage": None}
        yield {"text": "", "is_finished": False, "finish_reason": None, "tool_use": {"index": 0, **call}}
        yield {"text": "", "is_finished": True, "finish_reason": "tool_calls", "usage": USAGE}


class OnlyWhole(CustomLLM):
    """Cannot stream."""

    completion = Both.completion


@pytest.mark.parametrize("handler", [Both, OnlyWhole])
@pytest.mark.parametrize("door_class", [SdkSync, SdkAsync])
def test_s2_handlers_too(monkeypatch, handler, door_class):
    """S2, C1: also for a CustomLLM, and for one whose whole answer has to serve as a stream."""
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": handler()}])
    door = door_class("http://unused.invalid")
    built = litellm.stream_chunk_builder(door.stream(model="mine/x", stream_options={"include_usage": True}))
    for answer in (door.chat(model="mine/x"), built.model_dump()):
        message = answer["choices"][0]["message"]
        said = {name: message[name] for name in ("content", "reasoning_content", "tool_calls")}
        assert differences({name: MESSAGE[name] for name in said}, said) == []
        assert answer["choices"][0]["finish_reason"] == "tool_calls"
        assert differences(USAGE, answer["usage"]) == []
