"""Must S1 at the decoder: what goes into it comes out of it, field for field, however the bytes were cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.fakes.replies import SSE
from tests.suite.chunks import dialects, is_usage, segments, streams, written
from tests.suite.examples import examples
from tests.unit.wire.outgoing import decoder_of, last_items

from litellm.wire import openai_chat
from litellm.wire.protocol import Broken, StreamFault, WrongShape


def decoded(pieces, *, include_usage=True):
    decoder = decoder_of(openai_chat, show_usage=include_usage)
    chunks = []
    for piece in pieces:
        if piece and not decoder.rules.done:
            chunks += decoder.feed(piece)
    return [*chunks, *last_items(decoder)], decoder.rules


@examples(60)
@given(st.data())
def test_s1_every_field_survives_any_cutting(data):
    """S1: unknown keys, several choices, several kinds of text in one chunk, any dialect of SSE, bytes cut anywhere."""
    sent, sse = data.draw(streams()), data.draw(dialects)
    chunks, decoder = decoded(data.draw(segments(written(sent, sse))))
    assert [chunk.value for chunk in chunks] == sent
    assert decoder.complete
    for chunk, original in zip(chunks, sent, strict=True):
        assert chunk.payload is not None, "a chunk that was right is relayed as it was written"
        assert json.loads(chunk.payload) == original


@examples(25)
@given(st.data())
def test_s3_without_usage_only_the_usage_chunk_is_missing(data):
    """S3: hiding the usage chunk hides nothing else; its numbers are still known to us."""
    sent, sse = data.draw(streams()), data.draw(dialects)
    chunks, decoder = decoded([written(sent, sse)], include_usage=False)
    assert [chunk.value for chunk in chunks] == [chunk for chunk in sent if not is_usage(chunk)]
    assert decoder.usage == next((chunk["usage"] for chunk in sent if is_usage(chunk)), None)


@examples(25)
@given(streams(usage=False))
def test_s4_only_the_whole_stream_is_complete(sent):
    """S4: without its last chunk (a finish_reason) and [DONE], a stream is not complete."""
    seen = {choice["index"] for chunk in sent[:-1] for choice in chunk["choices"]}
    assume(seen >= {choice["index"] for choice in sent[-1]["choices"]})
    whole = written(sent, SSE(done=False))
    assert decoded([whole])[1].complete
    without_end = written(sent[:-1], SSE(done=False))
    assert not decoded([without_end])[1].complete
    assert decoded([without_end, b"data: [DONE]\n\n"])[1].complete


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_s1_one_byte_at_a_time(newline):
    """S1: emoji and line ends arrive in halves."""
    chunk = {"id": "1", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": "👩‍👩‍👧 né"}}]}
    data = written([chunk, chunk], SSE(newline=newline, heartbeat=": ping"))
    chunks, decoder = decoded([data[at : at + 1] for at in range(len(data))])
    assert [chunk.value for chunk in chunks] == [chunk.value for chunk in chunks[:1]] * 2 == [chunk, chunk]
    assert decoder.done


def test_s1_the_last_event_may_lack_its_blank_line():
    """S1: some servers end without the blank line after the last event."""
    chunk = {"id": "1", "created": 1, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    chunks, decoder = decoded([b"data: " + json.dumps(chunk).encode()])
    assert [made.value for made in chunks] == [chunk]
    assert decoder.complete


def test_s1_a_byte_order_mark_hides_nothing():
    """S1: the standard allows one at the beginning of the stream, to be ignored."""
    chunk = {"id": "1", "created": 1, "choices": [{"index": 0, "delta": {"content": "first"}}]}
    chunks, _ = decoded([b"\xef\xbb\xbf" + SSE().event(chunk)])
    assert [made.value for made in chunks] == [chunk]


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        (b'data: {"choices": [\n\n', WrongShape),
        (b"data: hello\n\n", WrongShape),
        (b"data: [1]\n\n", WrongShape),
        (b'data: {"choices": [1]}\n\n', WrongShape),
        (b'data: {"error": {"message": "Overloaded", "code": 503}}\n\n', StreamFault),
        (b'data: {"error": "Overloaded"}\n\n', StreamFault),
        (b'data: {"object": "error", "message": "Overloaded", "code": 503}\n\n', StreamFault),
        (b'data: {"type": "error", "message": "Overloaded"}\n\n', StreamFault),
        (b'data: {"detail": "Overloaded"}\n\n', StreamFault),
        (b'data: {"message": "Overloaded", "status": 503}\n\n', StreamFault),
    ],
)
def test_s4_what_is_no_chunk_is_a_fault(event, fault):
    """S4: neither an error inside the stream nor broken JSON is read over."""
    (broken,), rules = decoded([event])
    assert isinstance(broken, Broken)
    assert isinstance(broken.error, fault)
    assert not rules.complete
