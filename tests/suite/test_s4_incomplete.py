"""Must S4: a stream that ended too early says so, with the text so far; nothing is made up to finish it."""

from __future__ import annotations

import json

import pytest
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.endpoints import chat_chunks
from tests.fakes.replies import SSE, Answer, Stream, openai_error
from tests.suite.doors import HI, Failure, text_of

import litellm
from litellm import exceptions as errors

ALL = chat_chunks(Answer("one two three"))  # role; "one", " two", " three"; finish_reason
FIRST = ALL[:3]
NO_DONE = SSE(done=False)


def said(*more, done=False, **fields):
    """The first chunks, then what is given, each event in a segment of its own."""
    return Behaviour(Stream([*FIRST, *more]), sse=SSE(done=done), gap=0.01, **fields)


def event_of(error):
    return json.loads(openai_error(500, **error).body)


BROKEN = {  # name: (behaviour, status, class)
    "cut": (act.cut(3, text="one two three", gap=0.01), 500, errors.APIConnectionError),
    "reset": (act.reset(3, text="one two three", gap=0.01), 500, errors.APIConnectionError),
    "properly ended": (act.cut(3, proper_end=True, text="one two three", gap=0.01), 500, errors.IncompleteStream),
    "no finish_reason, no [DONE]": (said(*ALL[3:-1]), 500, errors.IncompleteStream),
    "one of two choices": (
        said(*[{**chunk, "choices": [{**chunk["choices"][0], "index": 1}]} for chunk in ALL]),
        500,
        errors.IncompleteStream,
    ),
    "error event": (said(event_of({"message": "Boom."}), done=True), 500, errors.InternalServerError),
    "error event with a status": (
        said({"error": {"message": "Boom.", "code": 429}}), 429, errors.RateLimitError,
    ),
    "error event, overloaded": (
        said({"error": {"message": "Boom.", "code": "503"}}), 503, errors.ServiceUnavailableError,
    ),
    "error event that is a text": (said({"error": "Boom."}), 500, errors.InternalServerError),
    "bad JSON": (said('{"choices": [{'), 500, errors.APIResponseValidationError),
    "not JSON": (said("hello", done=True), 500, errors.APIResponseValidationError),
    "not an object": (said("[]", done=True), 500, errors.APIResponseValidationError),
    "a broken event at the end": (said(b'data: {"choices": ['), 500, errors.APIResponseValidationError),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_s4_broken_in_the_middle(door, up, case):
    """S4: the text so far comes out, then the error: raised by the SDK, in-band at the proxy; and no "stop"."""
    behaviour, status, kind = BROKEN[case]
    up.next(behaviour)
    with pytest.raises(Failure) as told:
        door.stream()
    assert text_of(told.value.chunks).startswith("one two")
    assert all(
        choice.get("finish_reason") is None or choice["index"] == 1
        for c in told.value.chunks
        for choice in c["choices"]
    )
    assert told.value.status == status
    if not door.remote:
        assert told.value.kind is kind
        assert told.value.partial == text_of(told.value.chunks)
    if case.startswith("error event"):
        assert "Boom." in told.value.message
    assert len(up.requests) == 1, "what the caller has seen cannot be asked for again"


@pytest.mark.parametrize("case", BROKEN)
def test_s4_proxy_says_it_in_band(proxy_door, up, case):
    """S4: one error event in OpenAI's shape, then [DONE], with HTTP's own end."""
    up.next(BROKEN[case][0])
    *events, error, done = proxy_door.events()
    assert done == "[DONE]"
    told = json.loads(error)["error"]
    assert set(told) >= {"message", "type", "param", "code"}
    assert all("error" not in json.loads(event) for event in events)


WHOLE = {
    "finish_reason and [DONE]": Behaviour(Stream(ALL)),
    "finish_reason, no [DONE]": Behaviour(Stream(ALL), sse=NO_DONE),
    "finish_reason, then cut": Behaviour(Stream(ALL), sse=NO_DONE, fault="close", after=len(ALL), gap=0.01),
    "finish_reason, then reset": Behaviour(Stream(ALL), sse=NO_DONE, fault="reset", after=len(ALL), gap=0.01),
    "[DONE], then silence": Behaviour(Stream(ALL), fault="stall", after=len(ALL) + 1),
    "[DONE], then cut": Behaviour(Stream(ALL), fault="close", after=len(ALL) + 1),
    "until the connection closes": Behaviour(Stream(ALL), framing="until_close"),
    "no [DONE], until it closes": Behaviour(Stream(ALL), sse=NO_DONE, framing="until_close"),
    "the last event has no blank line": Behaviour(
        Stream([*ALL[:-1], b"data: " + json.dumps(ALL[-1]).encode()]), sse=NO_DONE
    ),
}


@pytest.mark.parametrize("case", WHOLE)
def test_s4_complete_enough(door, up, case):
    """S4: backends that never send [DONE] pass, and so do those that end rudely after the last word."""
    up.next(WHOLE[case])
    chunks = door.stream()
    assert text_of(chunks) == "one two three"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_s4_done_without_a_finish_reason(door, up):
    """S4: [DONE] alone makes it complete; the finish_reason stays unknown and is not invented."""
    up.next(Behaviour(Stream(ALL[:-1])))
    chunks = door.stream()
    assert text_of(chunks) == "one two three"
    assert [choice.get("finish_reason") for chunk in chunks for choice in chunk["choices"]] == [None] * len(chunks)


@pytest.mark.parametrize(
    ("bad", "status", "words"),
    [
        ('{"choices": [{', 500, "sent no usable answer"),
        ({"error": {"message": "Boom.", "code": 503}}, 503, "Boom."),
    ],
)
def test_s4_nothing_said_is_lost_before_a_fault(door, up, bad, status, words):
    """S1, S4: chunks that arrive in one segment with something broken come out before the error does."""
    together = b"".join(SSE().event(event) for event in (ALL[2], ALL[3], bad))
    up.next(Behaviour(Stream([*ALL[:2], together]), gap=0.02, sse=NO_DONE))
    with pytest.raises(Failure) as told:
        door.stream()
    assert text_of(told.value.chunks) == "one two three"
    assert told.value.status == status
    assert words in told.value.message
    if not door.remote:
        assert told.value.partial == "one two three"


@pytest.mark.parametrize("fault", ["close", "reset"])
async def test_s4_a_slow_reader_loses_nothing(up, fault):
    """S1, S4: what arrived before the connection broke is still there for a caller who takes his time."""
    up.next(Behaviour(Stream(ALL), fault=fault, after=4, gap=0.01, sse=NO_DONE))
    wrapper = await litellm.acompletion("openai/m", HI, api_base=up.base, stream=True)
    chunks = []
    with pytest.raises(errors.APIConnectionError) as told:
        async for chunk in wrapper:
            chunks.append(chunk.model_dump())
            if len(chunks) == 2:
                await up.async_wait_for(lambda: up.requests[0].finished_at)  # meanwhile the rest arrives, and the end
    assert text_of(chunks) == "one two three"
    assert told.value.partial == "one two three"


@pytest.mark.parametrize("fault", ["close", "reset", None])
async def test_s4_a_slow_reader_of_a_complete_stream(up, fault):
    """S4: complete is complete, also when the upstream has hung up before the caller comes to read the end."""
    up.next(Behaviour(Stream(ALL), sse=NO_DONE, fault=fault, after=len(ALL) if fault else None, gap=0.005))
    wrapper = await litellm.acompletion("openai/m", HI, api_base=up.base, stream=True)
    chunks = []
    async for chunk in wrapper:
        chunks.append(chunk.model_dump())
        if len(chunks) == 2:
            await up.async_wait_for(lambda: up.requests[0].finished_at)
    assert text_of(chunks) == "one two three"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_s4_sync_reader_may_be_slow_too(up):
    """S4: the same without asyncio, where the kernel keeps what arrived."""
    up.next(Behaviour(Stream(ALL), sse=NO_DONE, fault="close", after=len(ALL)))
    chunks = []
    for chunk in litellm.completion("openai/m", HI, api_base=up.base, stream=True):
        chunks.append(chunk.model_dump())
        if len(chunks) == 2:
            up.wait_for(lambda: up.requests[0].finished_at)
    assert text_of(chunks) == "one two three"


def test_s4_after_the_error_the_stream_is_over(up):
    """S4: who goes on reading gets the end, not the error again, and no text twice."""
    up.next(BROKEN["cut"][0])
    wrapper = litellm.completion("openai/m", HI, api_base=up.base, stream=True)
    with pytest.raises(errors.APIConnectionError):
        list(wrapper)
    assert list(wrapper) == []


def test_s4_incomplete_is_retryable(up):
    """S4: the class says that asking again may help, and openai's users can catch it."""
    assert issubclass(errors.IncompleteStream, errors.APIConnectionError)
    up.next(BROKEN["properly ended"][0])
    with pytest.raises(errors.IncompleteStream, match="no finish_reason and no \\[DONE\\]"):
        list(litellm.completion("openai/m", HI, api_base=up.base, stream=True))
