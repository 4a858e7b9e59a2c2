"""A whole answer as chunks, and the same again as a whole."""

from __future__ import annotations

import copy

import pytest

from litellm.engine.assemble import stream_chunk_builder
from litellm.wire.chunks import as_chunks, words

CALLS = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
HEAD = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE}
MESSAGES = {
    "text": {"role": "assistant", "content": "one two  three"},
    "nothing": {"role": "assistant", "content": ""},
    "calls": {"role": "assistant", "content": None, "tool_calls": CALLS},
    "reasons": {"role": "assistant", "content": "so", "reasoning_content": "because"},
}


@pytest.mark.parametrize("cut", [words, list], ids=["by words", "by letters"])
@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_nothing_is_lost(message, cut):
    """The role is said once, the reason for the end once, and neither clock nor chance has a part in it."""
    answer = {**HEAD, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    before = copy.deepcopy(answer)
    chunks = as_chunks(answer, show_usage=True, cut=cut)
    assert answer == before
    assert [chunk.value for chunk in chunks] == [chunk.value for chunk in as_chunks(answer, show_usage=True, cut=cut)]
    assert {chunk.value["object"] for chunk in chunks} == {"chat.completion.chunk"}
    roles = [choice["delta"].get("role") for chunk in chunks for choice in chunk.value["choices"]]
    assert [role for role in roles if role] == ["assistant"]
    whole = stream_chunk_builder([chunk.value for chunk in chunks])
    said = whole.choices[0].message.model_dump(exclude_none=True)
    assert (said.get("content") or "") == (message["content"] or "")
    assert said.get("reasoning_content") == message.get("reasoning_content")
    assert [call["function"] for call in said.get("tool_calls") or ()] == [
        call["function"] for call in message.get("tool_calls", ())
    ]
    assert (whole.id, whole.choices[0].finish_reason, whole.usage.total_tokens) == ("c-1", "stop", 3)


def test_completions_stay_completions():
    answer = {
        **HEAD,
        "object": "text_completion",
        "choices": [{"index": 0, "text": "one two", "finish_reason": "length"}],
    }
    chunks = [chunk.value for chunk in as_chunks(answer, show_usage=False, cut=words)]
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert "".join(choice["text"] for chunk in chunks for choice in chunk["choices"]) == "one two"
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


def test_usage_is_said_to_those_who_want_it():
    answer = {**HEAD, "choices": []}
    assert as_chunks(answer, show_usage=False) == []
    assert as_chunks(answer, show_usage=True)[0].value["usage"] == USAGE
