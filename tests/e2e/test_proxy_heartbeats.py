"""S7: comments in a stream while the model thinks, so that no balancer in between takes silence for the end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from tests.e2e.talk import KEY, Answer, Talk, deployment, text_of
from tests.fakes import behaviour as act
from tests.fakes.replies import SSE
from tests.fakes.upstream import Upstream
from tests.processes import Gateway

BEAT = 0.1
LOCAL = ["--host", "127.0.0.1"]
HOOKS = """
from litellm.integrations.custom_logger import CustomLogger


class Told(CustomLogger):
    async def async_post_call_failure_hook(self, request_data, original_exception, user_api_key_dict, traceback_str=None):
        raise type(original_exception)("as the hook tells it", original_exception.model, "hook")


told = Told()
"""


def config(up: Upstream, more: str = "") -> str:
    general = json.dumps({"master_key": KEY, "stream_heartbeat_seconds": BEAT})
    return f"model_list:\n{deployment('m', up, max_retries=0)}general_settings: {general}\n{more}"


@pytest.fixture(scope="module")
def gateway(module_upstream: Upstream) -> Iterator[Gateway]:
    with Gateway(config(module_upstream), args=LOCAL) as server:
        yield server
    assert "Traceback" not in server.stderr


@pytest.fixture
def talk(gateway: Gateway, up: Upstream) -> Talk:
    return Talk(gateway)


def without_comments(answer: Answer) -> Answer:
    """What a reader of events makes of it."""
    blocks = [block for block in answer.body.decode().split("\n\n") if not block.startswith(":")]
    return Answer(answer.status, answer.headers, "\n\n".join(blocks).encode())


def test_a_slow_beginning_is_bridged(talk: Talk, up: Upstream) -> None:
    """S7: from when the request is accepted; what follows is the answer as ever."""
    up.next(act.answer("after a while", delay=5 * BEAT))
    answer = talk.chat(stream=True)
    assert answer.status == 200
    assert answer.body.startswith(b": heartbeat\n\n" * 3)
    assert text_of(without_comments(answer).events) == "after a while"
    assert answer.headers["x-litellm-call-id"]


def test_silence_in_the_middle_is_bridged(talk: Talk, up: Upstream) -> None:
    """S7: and no event is torn apart by a comment."""
    up.next(act.answer("one two three", gap=3 * BEAT))
    answer = talk.chat(stream=True)
    assert answer.body.count(b": heartbeat") > 3
    assert text_of(without_comments(answer).events) == "one two three"


def test_an_error_before_the_first_beat_has_its_status(talk: Talk, up: Upstream) -> None:
    """S7: only a beat commits to 200."""
    up.next(act.error(429, retry_after=7))
    answer = talk.chat(stream=True)
    assert answer.status == 429
    assert answer.headers["retry-after"] == "7"
    assert talk.chat(stream="yes").status == 400


def test_an_error_after_a_beat_is_told_in_the_stream(talk: Talk, up: Upstream) -> None:
    """S7: the status is 200 by then; the error is the last event before [DONE]."""
    up.next(act.error(503, "out to lunch", delay=4 * BEAT))
    answer = talk.chat(stream=True)
    assert answer.status == 200
    assert answer.body.startswith(b": heartbeat\n\n")
    (event,) = without_comments(answer).events
    assert event["error"]["code"] == "503"
    assert "out to lunch" in event["error"]["message"]
    assert talk.chat().status == 200, "the server is fine"


def test_the_connection_is_kept(talk: Talk, up: Upstream) -> None:
    """S7: no comment gets into the answer to the next request."""
    up.next(act.error(500, delay=2 * BEAT), act.answer("next"))
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes(stream=True) + talk.request_bytes())
        received = b""
        while b'"next"' not in received:
            received += sock.recv(65536)
        time.sleep(2 * BEAT)
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(1)
    stream, _, second = received.partition(b"0\r\n\r\n")
    assert b": heartbeat" in stream
    assert second.startswith(b"HTTP/1.1 200 OK")
    assert b": heartbeat" not in second


def test_http_1_0(talk: Talk, up: Upstream) -> None:
    """S7: without chunks, the end of the connection is the end of the stream."""
    up.next(act.answer("old", delay=3 * BEAT))
    received = talk.raw(talk.request_bytes(stream=True).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body.startswith(b": heartbeat\n\n")
    assert body.endswith(b"data: [DONE]\n\n")


def test_whole_answers_have_none(talk: Talk, up: Upstream) -> None:
    """S7: there is no place for comments in JSON."""
    up.next(act.answer("whole", delay=3 * BEAT))
    assert talk.chat().text == "whole"


def test_a_client_that_leaves_between_two_beats(talk: Talk, up: Upstream) -> None:
    """S7, S8: comments do not keep a request alive that nobody waits for."""
    up.next(act.hang())
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes(stream=True))
        assert b": heartbeat" in sock.recv(65536)
        left = time.monotonic()
    up.wait_for(lambda: up.requests[0].aborted_at)
    assert up.requests[0].aborted_at - left < 0.25


def test_beats_of_the_upstream_are_read_over(talk: Talk, up: Upstream) -> None:
    """S7: an upstream's comments are its own, and no event of ours."""
    up.next(act.answer("hello", sse=SSE(heartbeat=": ping"), gap=2 * BEAT))
    answer = talk.chat(stream=True)
    assert b": ping" not in answer.body
    assert text_of(without_comments(answer).events) == "hello"


def test_hooks_still_have_their_say(module_upstream: Upstream, up: Upstream, tmp_path) -> None:
    """S7: a beat is no answer yet: a hook may say what went wrong."""
    (tmp_path / "hooks.py").write_text(HOOKS, encoding="utf-8")
    more = "litellm_settings: {callbacks: [hooks.told]}\n"
    with Gateway(config(up, more), args=LOCAL, cwd=tmp_path) as gateway:
        up.next(act.error(400, delay=3 * BEAT))
        (event,) = without_comments(Talk(gateway).chat(stream=True)).events
    assert "as the hook tells it" in event["error"]["message"]


def test_off_unless_asked_for(module_upstream: Upstream, up: Upstream) -> None:
    """S7: they commit to a status; nobody gets them unasked."""
    plain = f"model_list:\n{deployment('m', up, max_retries=0)}general_settings: {{master_key: {KEY}}}\n"
    with Gateway(plain, args=LOCAL) as gateway:
        up.next(act.error(503, delay=3 * BEAT))
        assert Talk(gateway).chat(stream=True).status == 503
