"""The texts in bodies and answers: found wherever somebody's words stand, changed in place, or left out."""

from __future__ import annotations

import copy

import pytest

from litellm.wire.texts import texts, without_answers, without_texts

PARTS = [{"type": "text", "text": "b"}, {"type": "image_url", "image_url": {"url": "https://x"}}]
CALL = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "e"}}
BODY = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "a"}, {"role": "user", "content": PARTS},
        {"role": "assistant", "content": None, "reasoning_content": "d", "tool_calls": [CALL]},
    ],
    "user": "u",
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (BODY, ["a", "b", "d", "e"]),
        ({"prompt": "a", "suffix": "b", "stop": "c"}, ["a", "b"]),
        ({"input": ["a", [1, 2]], "model": "m"}, ["a"]),
        ({"id": "1", "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}}]}, ["a"]),
        ({"choices": [{"text": "a", "finish_reason": "stop"}]}, ["a"]),
        ({"choices": [{"delta": {"content": "a", "audio": {"data": "UklG", "transcript": "b"}}}]}, ["a", "b"]),
        ({}, []),
    ],
)
def test_texts_are_found_in_their_order(body, found):
    assert [text.value for text in texts(body)] == found


def test_texts_can_be_changed_where_they_stand():
    body = copy.deepcopy(BODY)
    for text in texts(body):
        text.replace(text.value.upper())
    assert [text.value for text in texts(body)] == ["A", "B", "D", "E"]
    assert (body["model"], body["user"], body["messages"][0]["role"]) == ("m", "u", "system")


def test_what_is_left_out_leaves_no_text():
    assert {text.value for text in texts(without_texts(BODY, "…"))} == {"…"}
    answer = {"choices": [{"index": 0, "message": BODY["messages"][2]}], "usage": {"total_tokens": 1}}
    silent = without_answers(answer, "…")
    assert {text.value for text in texts(silent)} <= {"…"}
    assert silent["usage"] == answer["usage"]
