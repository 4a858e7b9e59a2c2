"""Must C2: a handler may yield generic chunks or OpenAI's, as dicts or objects; all fields survive."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.suite.chunks import differences, streams
from tests.suite.doors import text_of
from tests.suite.examples import examples
from tests.suite.handlers import generic, with_method

import litellm
from litellm import ModelResponseStream
from litellm.types.utils import Delta, GenericStreamingChunk, StreamingChoices

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cache_read_input_tokens": 1}
ASKED = {"stream_options": {"include_usage": True}}


def yielding(*chunks: Any, sync: bool = True) -> Any:
    def plain(_self: Any, **_: Any) -> Any:
        yield from chunks

    async def asynchronous(_self: Any, **_: Any) -> Any:
        for chunk in chunks:
            yield chunk

    return with_method("streaming", plain) if sync else with_method("astreaming", asynchronous)


@pytest.mark.parametrize("sync", [True, False], ids=["streaming", "astreaming"])
@examples(12)
@given(sent=streams())
def test_c2_openai_chunks_survive(handlers, sync, sent):
    """C2, S1: random OpenAI chunks as dicts, through a handler, at every door."""
    got = handlers.ask(yielding(*sent, sync=sync), streamed=True, **ASKED)
    wanted = [chunk | {"model": "m"} for chunk in sent] if handlers.name == "proxy" else sent
    assert differences(wanted, got) == []


@examples(12)
@given(sent=streams())
def test_c2_chunk_objects_survive(handlers, sent):
    """C2: the same as ModelResponseStream objects."""
    got = handlers.ask(yielding(*[ModelResponseStream(**chunk) for chunk in sent]), streamed=True, **ASKED)
    wanted = [chunk | {"model": "m"} for chunk in sent] if handlers.name == "proxy" else sent
    assert differences(wanted, got) == []


def test_c2_objects_built_by_hand(handlers):
    """C2: what a handler's author would write; one id and one time for all chunks."""
    made = [
        ModelResponseStream(choices=[StreamingChoices(delta=Delta(content="a", reasoning_content="hm"))]),
        ModelResponseStream(choices=[StreamingChoices(delta=Delta(content="b"))]),
        ModelResponseStream(choices=[StreamingChoices(finish_reason="stop")]),
    ]
    got = handlers.ask(yielding(*made), streamed=True)
    assert text_of(got) == "ab"
    assert got[0]["choices"][0]["delta"]["reasoning_content"] == "hm"
    assert len({chunk["id"] for chunk in got}) == len({chunk["created"] for chunk in got}) == 1


def test_c2_generic_chunks(handlers):
    """C2: text, tool calls, reasoning, fields of their own, usage and end, each in its place."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}, "index": 0}
    got = handlers.ask(
        yielding(
            generic("", provider_specific_fields={"reasoning_content": "hm", "thinking_blocks": [{"thinking": "hm"}]}),
            generic("so", provider_specific_fields={"citations": ["https://x"]}),
            generic("", tool_use=call),
            generic("", finish="tool_calls", usage=USAGE),
        ),
        streamed=True,
        **ASKED,
    )
    deltas = [chunk["choices"][0]["delta"] for chunk in got if chunk["choices"]]
    assert deltas[0]["role"] == "assistant"
    assert deltas[0]["reasoning_content"] == "hm"
    assert deltas[1]["content"] == "so"
    assert deltas[1]["provider_specific_fields"] == {"citations": ["https://x"]}
    assert differences([call], deltas[2]["tool_calls"]) == []
    assert got[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert (got[-1]["choices"], differences(USAGE, got[-1]["usage"])) == ([], [])


def test_c2_text_and_end_in_one_chunk(handlers):
    """C2: the text comes first, then an empty delta with the end, as OpenAI sends it."""
    got = handlers.ask(yielding(generic("Hi", finish="stop")), streamed=True)
    assert [(c["choices"][0]["delta"].get("content"), c["choices"][0].get("finish_reason")) for c in got] == [
        ("Hi", None), (None, "stop"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "chunk", [GenericStreamingChunk(text="Hi", is_finished=False, finish_reason=None), {"text": "Hi"}]
)
def test_c2_only_the_text_is_needed(handlers, chunk):
    """C2: keys that say nothing may be left out, and a handler that returns has said all."""
    got = handlers.ask(yielding(chunk), streamed=True)
    assert text_of(got) == "Hi"
    assert [c["choices"][0].get("finish_reason") for c in got] == [None, "stop"]


def test_c2_every_choice_is_finished(handlers):
    """C2, S4: a handler that returns has ended all its choices, not only the first."""
    head = {"choices": [{"index": at, "delta": {"content": str(at)}} for at in range(2)]}
    got = handlers.ask(yielding(head), streamed=True)
    ended = [choice["index"] for chunk in got for choice in chunk["choices"] if choice.get("finish_reason")]
    assert sorted(ended) == [0, 1]


def test_c2_usage_is_hidden_unless_asked_for(handlers):
    """C2, S3: also a handler's usage is a chunk of its own, and only for who asked."""
    made = (generic("Hi"), generic("", finish="stop", usage=USAGE))
    assert all(chunk["choices"] for chunk in handlers.ask(yielding(*made), streamed=True))
    got = handlers.ask(yielding(*made), streamed=True, **ASKED)
    assert [chunk["usage"]["total_tokens"] for chunk in got if chunk.get("usage")] == [3]


def test_c2_nothing_at_all(handlers):
    """C2: a stream without chunks is an empty answer, with an end."""
    got = handlers.ask(yielding(), streamed=True)
    assert text_of(got) == ""
    assert got[-1]["choices"][0]["finish_reason"] == "stop"


ANOTHER: Any = {"stream": True, "mock_response": "Hello!", "custom_llm_provider": "openai"}


@pytest.mark.parametrize("name", ["streaming", "astreaming"])
def test_c2_the_stream_of_another_call(handlers, name):
    """C2: a handler that returns it as it is: an iterator of both kinds, which is read in the way that it was made."""

    def streaming(_self: Any, **_: Any) -> Any:
        return litellm.completion("x", [], **ANOTHER)

    async def astreaming(_self: Any, **_: Any) -> Any:
        return await litellm.acompletion("x", [], **ANOTHER)

    function = streaming if name == "streaming" else astreaming
    assert text_of(handlers.ask(with_method(name, function), streamed=True)) == "Hello!"


def test_c2_chunks_of_another_call(handlers):
    """C2: a handler that passes on what litellm.completion(stream=True) gave it."""

    def streaming(_self: Any, **_: Any) -> Any:
        yield from litellm.completion("x", [], stream=True, mock_response="Hello!", custom_llm_provider="openai")

    got = handlers.ask(with_method("streaming", streaming), streamed=True)
    assert text_of(got) == "Hello!"
    assert [c["choices"][0].get("finish_reason") for c in got].count("stop") == 1
