"""Must S3: the usage chunk comes exactly once, when asked for, as OpenAI sends it; and never when not."""

from __future__ import annotations

import json
from itertools import count

import pytest
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.endpoints import chat_chunks
from tests.fakes.replies import USAGE, Answer, Stream, plain_json
from tests.suite.doors import text_of

ASKED = {"stream_options": {"include_usage": True}}
_fresh = count()


def fresh() -> str:
    """A model nobody has called, since what is learned of one is remembered."""
    return f"strict-{next(_fresh)}"


def usage_chunks(chunks):
    return [chunk for chunk in chunks if chunk.get("usage")]


def test_s3_asked_for(door, up):
    """S3: one extra chunk at the end, with no choices and the upstream's numbers."""
    numbers = {**USAGE, "prompt_tokens": 4711, "completion_tokens_details": {"reasoning_tokens": 2}}
    up.next(act.answer(usage=numbers))
    *others, last = door.stream(**ASKED)
    assert usage_chunks(others) == []
    assert last["choices"] == []
    assert last["usage"]["prompt_tokens"] == 4711
    assert last["usage"]["completion_tokens_details"]["reasoning_tokens"] == 2
    assert up.requests[0].fields["stream_options"] == {"include_usage": True}


def test_s3_it_comes_before_done(proxy_door, up):
    """S3: [DONE] is the very last event, and there is one."""
    events = proxy_door.events(**ASKED)
    assert json.loads(events[-2])["usage"] == USAGE
    assert events.count("[DONE]") == 1
    assert events[-1] == "[DONE]"


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": False}}, {"stream_options": {}}])
def test_s3_not_asked_for(door, up, options):
    """S3: never shown, though the proxy asks the upstream for it. All else is there."""
    up.next(Behaviour(Stream(chat_chunks(Answer(), include_usage=True))))
    chunks = door.stream(**options)
    assert usage_chunks(chunks) == []
    assert all(chunk["choices"] for chunk in chunks)
    assert text_of(chunks) == "Hello from upstream."


def test_s3_the_proxy_wants_to_know(proxy_door, up):
    """S3: the proxy asks every upstream for usage, for its own books; other options stay as the client set them."""
    proxy_door.stream()
    proxy_door.stream(stream_options={"include_obfuscation": False})
    assert [seen.fields["stream_options"] for seen in up.requests] == [
        {"include_usage": True},
        {"include_obfuscation": False, "include_usage": True},
    ]


def test_s3_the_sdk_sends_only_what_was_said(house, up):
    """S3, C12: the SDK keeps no books, so it asks for nothing."""
    house.doors["sdk"].stream()
    house.doors["asdk"].chat()
    assert all("stream_options" not in seen.fields for seen in up.requests)


def test_s3_usage_on_every_chunk_comes_once(door, up):
    """S3: vLLM's continuous usage has numbers beside the text; the last word is still one chunk without choices."""
    chunks = chat_chunks(Answer(), include_usage=True)
    running = [{**chunk, "usage": {**USAGE, "completion_tokens": at}} for at, chunk in enumerate(chunks[:-1])]
    up.next(Behaviour(Stream(running)))
    got = door.stream(**ASKED)
    assert [chunk["usage"]["completion_tokens"] for chunk in got if not chunk["choices"]] == [len(running) - 1]
    assert not got[-1]["choices"]


def test_s3_usage_before_the_end_is_kept_for_the_end(door, up):
    """S3: an upstream that sends its usage chunk early, or twice, does not confuse the order."""
    *chunks, usage = chat_chunks(Answer(), include_usage=True)
    early = {**usage, "usage": {**USAGE, "completion_tokens": 1}}
    up.next(Behaviour(Stream([chunks[0], early, *chunks[1:], usage])))
    got = door.stream(**ASKED)
    assert [chunk["usage"]["completion_tokens"] for chunk in usage_chunks(got)] == [USAGE["completion_tokens"]]
    assert not got[-1]["choices"]


def refuse_as_fastapi_does(seen):
    """422, with a list of details instead of an error object."""
    if "stream_options" not in seen.fields:
        return None
    about = {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}
    return plain_json({"detail": [about]}, 422)


@pytest.mark.parametrize("check", [act.refuse_stream_options, refuse_as_fastapi_does])
def test_s3_refused_stream_options_cost_one_request_once(door, up, check):
    """S3, decision 7: a strict upstream is asked again without, and the next call knows better."""
    up.default = act.answer(checks=(check,))
    model = fresh()
    for _ in range(2):
        assert text_of(door.stream(model=model, num_retries=0, **ASKED)) == "Hello from upstream."
    assert ["stream_options" in seen.fields for seen in up.requests] == [True, False, False]


def test_s3_what_is_learned_holds_for_one_model_only(door, up):
    """S3: another model at the same place is asked with stream_options."""
    strict, other = fresh(), fresh()
    up.models[strict] = act.answer(checks=(act.refuse_stream_options,))
    door.stream(model=strict, **ASKED)
    door.stream(model=other, **ASKED)
    assert up.requests[-1].fields["model"] == other
    assert "stream_options" in up.requests[-1].fields


def test_s3_any_other_400_is_not_asked_again(door, up):
    """S3, R3: only a refusal that names stream_options is worth another request."""
    up.default = act.error(400, "Bad temperature.")
    with pytest.raises(Exception, match="Bad temperature"):
        door.stream(**ASKED)
    assert len(up.requests) == 1


def test_s3_whole_answers_have_real_numbers(door, up):
    """S3: not streamed, the usage is the upstream's."""
    up.next(act.answer(usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.25}))
    usage = door.chat()["usage"]
    assert {name: usage[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens", "cost")} == {
        "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.25,
    }  # fmt: skip
