"""Completions over chat and back: nothing is lost on the way, whatever the answers look like."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.suite.chunks import streams
from tests.suite.examples import examples
from tests.unit.wire.outgoing import decoder_of, last_items, outgoing

from litellm.wire import openai_chat, openai_text
from litellm.wire.bridge import (
    ChatOverText,
    TextOverChat,
    as_chat,
    as_chat_body,
    as_text,
    as_text_body,
    merged,
    prompts_of,
)
from litellm.wire.decoding import EventDecoder
from litellm.wire.framing import sse
from litellm.wire.openai_format import request
from litellm.wire.protocol import Unsuitable

text = st.text(max_size=8)
reasons = st.sampled_from(["stop", "length", "content_filter"])


def read(decoder: EventDecoder, payloads: list[Any]) -> list[dict[str, Any]]:
    events = b"".join(sse.event(json.dumps(payload).encode()) for payload in payloads) + sse.event(sse.DONE)
    return [chunk.value for chunk in [*decoder.feed(events), *last_items(decoder)]]


def said(chunks: list[dict[str, Any]], index: int, name: str = "text") -> str:
    choices = [choice for chunk in chunks for choice in chunk["choices"] if choice.get("index", 0) == index]
    return "".join((choice[name] if name == "text" else choice["delta"].get(name)) or "" for choice in choices)


def ends(chunks: list[dict[str, Any]]) -> dict[int, str]:
    return {c["index"]: c["finish_reason"] for chunk in chunks for c in chunk["choices"] if c.get("finish_reason")}


@examples(60)
@given(streams())
def test_any_stream_of_chat_says_the_same_as_one_of_completions(sent):
    """S1: every choice's text, reasoning and end, the usage, and one id."""
    chat = read(decoder_of(openai_chat, show_usage=True), json.loads(json.dumps(sent)))
    got = read(decoder_of(TextOverChat(openai_chat), show_usage=True), sent)
    for index in ends(chat):
        assert said(got, index) == said(chat, index, "content")
    assert ends(got) == ends(chat)
    assert [chunk["usage"] for chunk in got if chunk.get("usage")] == [c["usage"] for c in chat if c.get("usage")]
    assert {chunk["object"] for chunk in got} <= {"text_completion"}
    assert all("delta" not in choice for chunk in got for choice in chunk["choices"])


@examples(60)
@given(st.lists(st.tuples(st.integers(0, 2), text), max_size=8), reasons)
def test_any_stream_of_completions_says_the_same_as_one_of_chat(words, reason):
    """S1, S5: each choice says its role once, first."""
    head = {"id": "1", "object": "text_completion", "created": 1, "model": "m"}
    sent = [{**head, "choices": [{"index": at, "text": word, "finish_reason": None}]} for at, word in words]
    indices = sorted({at for at, _ in words} | {0})
    sent += [{**head, "choices": [{"index": at, "text": "", "finish_reason": reason}]} for at in indices]
    got = read(decoder_of(ChatOverText(openai_text)), sent)
    for index in indices:
        assert said(got, index, "content") == said(sent, index)
        assert said(got, index, "role") == "assistant"
    assert ends(got) == dict.fromkeys(indices, reason)


@examples(60)
@given(st.lists(st.tuples(text, reasons), min_size=1, max_size=4))
def test_whole_answers_there_and_back(choices):
    """What completions can say is the same after a detour through chat."""
    rows = [{"text": said, "index": at, "finish_reason": why} for at, (said, why) in enumerate(choices)]
    answer = {
        "id": "1",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": rows,
        "vendor": {"a": None},
    }
    back = as_text(as_chat(answer))
    assert back == answer | {"choices": [row | {"logprobs": None} for row in rows]}


def test_log_probabilities_there_and_back():
    logprobs = {
        "tokens": ["a", "bc"],
        "token_logprobs": [-0.5, -1.0],
        "top_logprobs": [{"a": -0.5}, {}],
        "text_offset": [0, 1],
    }
    answer = {"choices": [{"text": "abc", "index": 0, "finish_reason": "stop", "logprobs": logprobs}]}
    assert as_text(as_chat(answer))["choices"][0]["logprobs"] == logprobs


def test_bodies_are_not_changed():
    """What the caller passed stays the caller's."""
    body = {"prompt": ["x"], "logprobs": 1, "echo": False}
    as_chat_body(body)
    assert body == {"prompt": ["x"], "logprobs": 1, "echo": False}
    chat = {"messages": [{"role": "user", "content": "x"}], "logprobs": True, "max_completion_tokens": 1}
    as_text_body(chat)
    assert chat == {"messages": [{"role": "user", "content": "x"}], "logprobs": True, "max_completion_tokens": 1}


def test_what_is_sent():
    out = outgoing("m", {"prompt": "x", "top_k": 3}, stream=True)
    assert json.loads(TextOverChat(openai_chat).request(out).body) == {
        "model": "m", "messages": [{"role": "user", "content": "x"}], "top_k": 3, "stream": True,
    }  # fmt: skip
    talk = [{"role": "user", "content": "x"}]
    out = outgoing("m", {"messages": talk, "logprobs": True, "top_logprobs": 2})
    assert json.loads(ChatOverText(openai_text).request(out).body) == {"model": "m", "prompt": "x", "logprobs": 2}
    assert json.loads(request(outgoing("m", {"prompt": "x"})).body) == {"model": "m", "prompt": "x"}


@pytest.mark.parametrize("prompt", [[1, 2], [[1], [2]], [], None, [{"a": 1}]], ids=str)
def test_prompts_that_are_no_text(prompt):
    with pytest.raises(Unsuitable):
        as_chat_body({"prompt": prompt})


@pytest.mark.parametrize(
    ("prompt", "several"),
    [("a", ["a"]), ([], []), ([1, 2], [[1, 2]]), (["a", "b"], ["a", "b"]), ([[1], "b"], [[1], "b"]), (None, [None])],
)
def test_prompts_of(prompt, several):
    assert prompts_of(prompt) == several


def test_merged_usage():
    """Numbers add up, at every depth; what is no number stays."""
    usages = [
        {"total_tokens": 3, "details": {"cached": 1, "x": None}, "tier": "a"},
        {"total_tokens": 4, "details": {"cached": 2}},
    ]
    whole = merged([{"choices": [], "usage": usage} for usage in usages])
    assert whole["usage"] == {"total_tokens": 7, "details": {"cached": 3, "x": None}, "tier": "a"}
    assert "usage" not in merged([{"choices": []}, {"choices": []}])
