"""Must S1, S3, S4: streams and answers as some servers really write them; odd, but their meaning is plain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.endpoints import chat_chunks, chat_completion
from tests.fakes.replies import SSE, USAGE, Answer, Plain, Stream, plain_json
from tests.suite.doors import text_of

ASKED = {"stream_options": {"include_usage": True}}
HELLO = "Hello from upstream."
ALL = chat_chunks(Answer())
ROLE, FIRST, *REST = ALL
HEAD = {name: value for name, value in FIRST.items() if name != "choices"}


def changed(chunk: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A chunk with other fields in its choice; ... stands for "not there"."""
    choice = {name: value for name, value in {**chunk["choices"][0], **fields}.items() if value is not ...}
    return {**chunk, "choices": [choice]}


STREAMS: dict[str, list[Any]] = {
    "an empty event as heartbeat": [b"data:\n\n", ROLE, b"data: \n\n", FIRST, *REST],
    "an event without data": [ROLE, b"event: ping\n\n", FIRST, *REST, b"event: end\n\n"],
    "retry and id alone": [b"retry: 3000\n\n", ROLE, b"id: 7\n\n", FIRST, *REST],
    "blank lines": [b"\n\n\n", ROLE, b"\n\r\n", FIRST, *REST],
    "an empty object": [ROLE, {}, FIRST, *REST],
    "an object of the server's own": [ROLE, {"type": "ping"}, FIRST, *REST],
    "no choices": [{**HEAD}, ROLE, FIRST, *REST],
    "choices are null": [{**HEAD, "choices": None}, ROLE, FIRST, *REST],
    "a delta that is null": [ROLE, FIRST, *REST[:-1], changed(REST[-1], delta=None)],
    "a delta that is absent": [ROLE, FIRST, *REST[:-1], changed(REST[-1], delta=...)],
    "no index": [changed(chunk, index=...) for chunk in ALL],
    "empty finish reasons": [*(changed(chunk, finish_reason="") for chunk in ALL[:-1]), ALL[-1]],
    "no finish_reason until the end": [*(changed(chunk, finish_reason=...) for chunk in ALL[:-1]), ALL[-1]],
    "no role": [FIRST, *REST],
    "the role on each chunk": [
        changed(chunk, delta={"role": "assistant", **chunk["choices"][0]["delta"]}) for chunk in ALL
    ],
    "an object of another name": [{**chunk, "object": "text"} for chunk in ALL],
    "no object": [{name: value for name, value in chunk.items() if name != "object"} for chunk in ALL],
    "created as a text": [{**chunk, "created": "1700000000"} for chunk in ALL],
    "created as a fraction": [{**chunk, "created": 1700000000.5} for chunk in ALL],
    "the end twice": [*ALL, ALL[-1]],
    "an error that is null": [{**chunk, "error": None} for chunk in ALL],
    "large numbers": [{**chunk, "seed": 2**64 + 1, "tiny": 1e-300} for chunk in ALL],
    "usage that is empty": [*ALL[:-1], {**ALL[-1], "usage": {}}],
}


@pytest.mark.parametrize("case", STREAMS)
def test_s1_odd_streams(door, up, case):
    """S1, S4: nothing of the text is lost, and the stream ends well."""
    up.next(Behaviour(Stream(STREAMS[case])))
    chunks = door.stream()
    choices = [choice for chunk in chunks for choice in chunk.get("choices") or ()]
    assert "".join((choice.get("delta") or {}).get("content") or "" for choice in choices) == HELLO
    assert [c["finish_reason"] for c in choices if c.get("finish_reason")][:1] == ["stop"]
    sent = sum(len(chunk.get("choices") or ()) for chunk in STREAMS[case] if isinstance(chunk, dict))
    assert len(choices) == sent, "no choice is made up"


DONES = [
    b"data:[DONE]\n\n",
    b"data: [DONE] \n\n",
    b"data: [DONE]",
    b"data: [DONE]\r\n\r\n",
    b"event: done\ndata: [DONE]\n\n",
]


@pytest.mark.parametrize("done", DONES)
@pytest.mark.parametrize("finished", [True, False], ids=["finished", "no finish_reason"])
def test_s4_ways_to_say_done(door, up, done, finished):
    """S4: [DONE] is [DONE]."""
    up.next(Behaviour(Stream([*(ALL if finished else ALL[:-1]), done]), sse=SSE(done=False)))
    assert text_of(door.stream()) == HELLO


@pytest.mark.parametrize("after", [b"data: {broken\n\n", b"data: bye\n\n", b"\xff\xfe", b"data: {}\n\n"])
def test_s4_what_comes_after_done_is_not_read(door, up, after):
    """S4: the stream is over with [DONE], whatever follows."""
    up.next(Behaviour(Stream([*ALL, b"data: [DONE]\n\n" + after]), sse=SSE(done=False)))
    assert text_of(door.stream()) == HELLO


@pytest.mark.parametrize("choices", [..., None, []], ids=["absent", "null", "empty"])
def test_s3_a_usage_chunk_however_it_is_written(door, up, choices):
    """S3: it comes out as OpenAI sends it: choices are an empty list."""
    usage = {**HEAD, "usage": USAGE} | ({} if choices is ... else {"choices": choices})
    up.next(Behaviour(Stream([*ALL, usage])), Behaviour(Stream([*ALL, usage])))
    *others, last = door.stream(**ASKED)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == USAGE["total_tokens"]
    assert text_of(others) == HELLO
    assert not any(chunk.get("usage") for chunk in door.stream())


def test_s1_an_emoji_in_two_chunks(door, up):
    """S1: a server that cuts its text by UTF-16 units sends halves of an emoji; neither may break the stream."""
    halves = [changed(FIRST, delta={"content": half}) for half in ("\ud83d", "\ude00")]
    text = [json.dumps(half) for half in halves]
    up.next(Behaviour(Stream([ROLE, *text, *REST])))
    chunks = door.stream()
    assert text_of(chunks).endswith(text_of(REST))
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


WHOLE = chat_completion(Answer())
ANSWERS: dict[str, Any] = {
    "no index": {**WHOLE, "choices": [{k: v for k, v in WHOLE["choices"][0].items() if k != "index"}]},
    "no usage": {k: v for k, v in WHOLE.items() if k != "usage"},
    "usage is null": {**WHOLE, "usage": None},
    "no object": {k: v for k, v in WHOLE.items() if k != "object"},
    "created as a text": {**WHOLE, "created": "1700000000"},
    "an error that is null": {**WHOLE, "error": None},
    "large numbers": {**WHOLE, "seed": 2**64 + 1},
    "no role": {**WHOLE, "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": HELLO}}]},
    "a message with text parts": {
        **WHOLE, "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": HELLO,
                                                                               "tool_calls": []}}],
    },
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_s1_odd_answers(door, up, case):
    """S1, S2: the same for answers that are not streamed."""
    up.next(Behaviour(plain_json(ANSWERS[case])))
    assert text_of(door.chat()) == HELLO


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/json; charset=utf-8", ""])
def test_s1_the_content_type_may_be_wrong(door, up, streamed, content_type):
    """S1: what the body is, is seen from the body."""
    headers = {"content-type": content_type}
    body = json.dumps(WHOLE).encode()
    up.next(
        act.answer(headers=headers) if streamed and "json" not in content_type else Behaviour(Plain(200, body, headers))
    )
    assert text_of(door.ask(streamed=streamed)) == HELLO


def test_s1_an_answer_that_is_not_streamed_though_asked(door, up):
    """S1: it becomes a stream, with all that it said."""
    up.next(act.verbatim(200, json.dumps(WHOLE), {"content-type": "application/json"}))
    chunks = door.stream(**ASKED)
    assert text_of(chunks) == HELLO
    assert [
        c["choices"][0]["finish_reason"] for c in chunks if c["choices"] and c["choices"][0].get("finish_reason")
    ] == ["stop"]
    assert chunks[-1]["usage"]["total_tokens"] == USAGE["total_tokens"]


@pytest.mark.parametrize("how", [{"gzip": True}, {"framing": "until_close"}, {"framing": "chunked"}, {"split": 5},
                                 {"trailers": {"x-end": "1"}}, {"early": ((103, {"link": "x"}),)}], ids=str)  # fmt: skip
def test_s1_ways_to_send_a_body(door, up, streamed, how):
    """S1: compressed though we asked for none, in any framing, with heads and trailers around it."""
    up.next(act.answer("né 👩‍👩‍👧", **how))
    assert text_of(door.ask(streamed=streamed)) == "né 👩‍👩‍👧"
