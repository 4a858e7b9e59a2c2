"""Must S1: a stream of an OpenAI-compatible upstream comes out of every door field for field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.replies import SSE, Stream, plain_json
from tests.suite.chunks import dialects, differences, is_usage, streams, unknown
from tests.suite.examples import examples


@examples(12)
@given(st.data())
def test_s1_stream_comes_out_as_it_went_in(door, up, data):
    """S1: random valid streams in every dialect, split across TCP segments."""
    sent = data.draw(streams())
    split = data.draw(st.sampled_from([0, 0, 1000, 101]))
    up.next(Behaviour(Stream(sent), sse=data.draw(dialects), split=split))
    got = door.stream(stream_options={"include_usage": True})
    assert len(got) == len(sent)
    for one, other in zip(sent, got, strict=True):
        assert len(one["choices"]) == len(other["choices"])
        wanted = one | {"model": "m"} if door.remote else one  # decision 5: the proxy answers with the name asked for
        assert differences(wanted, other) == []


@examples(12)
@given(streams())
def test_s1_the_proxy_changes_the_name_only(proxy_door, up, sent):
    """S1: by bare HTTP the chunks are equal, nulls included; without include_usage only the usage chunk is missing."""
    up.next(Behaviour(Stream(sent)), Behaviour(Stream(sent)))
    wanted = [chunk | {"model": "m"} for chunk in sent]
    assert proxy_door.stream(stream_options={"include_usage": True}) == wanted
    assert proxy_door.stream() == [chunk for chunk in wanted if not is_usage(chunk)]


@examples(12)
@given(st.data())
def test_s1_whole_answer_comes_out_as_it_went_in(door, up, data):
    """S1, C11: the same for answers that are not streamed."""
    message = {"role": "assistant", "content": "x", "reasoning_content": "y", **data.draw(unknown)}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None, **data.draw(unknown)}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, **data.draw(unknown)}
    sent = {"id": "1", "object": "chat.completion", "created": 7, "model": "x", "choices": [choice], "usage": usage}
    sent |= data.draw(unknown)
    up.next(Behaviour(plain_json(sent)))
    assert differences(sent | {"model": "m"} if door.remote else sent, door.chat()) == []


def test_s1_emoji_in_halves(door, up):
    """S1: a character that is cut by a TCP segment is still one character."""
    up.next(act.answer("né 👩‍👩‍👧 日本", split=3, sse=SSE(newline="\r\n", space=False, heartbeat=": ping")))
    said = "".join(c["delta"].get("content") or "" for chunk in door.stream() for c in chunk["choices"])
    assert said == "né 👩‍👩‍👧 日本"


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_s1_reasoning_beside_text(door, up, name):
    """S1: a chunk with reasoning and text and a tool call loses none of them."""
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    delta = {"role": "assistant", name: "hm", "content": "so", "tool_calls": [call]}
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    sent = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": "tool_calls"}]}]
    up.next(act.events(sent))
    assert differences(sent, door.stream()) == []
