"""What upstreams send that is not quite an answer, at every door: what still counts comes first, then why it broke."""

from __future__ import annotations

import json

import pytest
from tests.fakes import behaviour as act
from tests.suite.doors import HI, Failure

CHUNK = {
    "id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "It "}, "finish_reason": None}],
}  # fmt: skip
END = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
ERRORS = [
    {"error": {"message": "Overloaded", "code": 503}},
    {"object": "error", "message": "Overloaded", "type": "overloaded", "code": 503},
    {"message": "Overloaded", "status_code": 503},
]


@pytest.mark.parametrize("error", ERRORS, ids=["OpenAI's", "vLLM's", "a proxy's"])
def test_what_came_before_an_error_is_told_before_it(door, up, error):
    """Though both arrive in one piece."""
    up.default = act.events([CHUNK, error])
    with pytest.raises(Failure) as failure:
        door.streamed("chat", HI, num_retries=0)
    told = [chunk["choices"][0]["delta"].get("content") for chunk in failure.value.chunks]
    assert [text for text in told if text] == ["It "]
    assert failure.value.status == 503
    assert "Overloaded" in failure.value.message


def test_events_without_a_payload_are_heartbeats(door, up):
    up.default = act.events(["", CHUNK, " ", END, "[DONE]"])
    chunks = door.streamed("chat", HI, num_retries=0)
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == "It "


BODIES = {
    "chat": b'{"id":"1","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\xff"}}]}',
    "text": b'{"id":"1","created":1,"model":"m","choices":[{"index":0,"text":"\xff"}]}',
    "embeddings": b'{"object":"list","model":"m","data":[{"index":0,"embedding":[1.0],"note":"\xff"}]}',
    "moderations": b'{"id":"1","model":"m","results":[{"flagged":false,"note":"\xff"}]}',
}


@pytest.mark.parametrize("operation", BODIES)
def test_an_answer_that_is_no_text_is_an_error(proxy_door, up, operation):
    """And not passed on to a client that could not read it."""
    up.default = act.verbatim(body=BODIES[operation], headers={"content-type": "application/json"})
    with pytest.raises(Failure) as failure:
        proxy_door.whole(operation, HI if operation == "chat" else "hi", num_retries=0)
    assert failure.value.status == 500
    assert json.dumps(failure.value.body).isascii()
