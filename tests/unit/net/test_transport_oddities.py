"""Servers and settings that are wrong in ways that must not become somebody else's problem: answers that nobody asked for,
refusals before all was sent, encodings we did not ask for, proxies that are none."""

import contextlib
import json
import socket
import threading
import time

import pytest
from tests.fakes import behaviour as act
from tests.fakes.endpoints import chat_completion
from tests.fakes.replies import Answer
from tests.unit.net.asking import STRAIGHT

import litellm


def answer_bytes(text, extra=b""):
    body = json.dumps(chat_completion(Answer(text), model="m")).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body + extra


UNASKED = {
    "in the same packet": (answer_bytes("first") + answer_bytes("somebody else's"),),
    "a moment later": (answer_bytes("first"), answer_bytes("somebody else's")),
    "half of one": (answer_bytes("first") + answer_bytes("somebody else's")[:60],),
    "garbage in the same packet": (answer_bytes("first", b"GARBAGE"),),
    "garbage a moment later": (answer_bytes("first"), b"GARBAGE"),
}


@pytest.mark.parametrize("pieces", UNASKED.values(), ids=UNASKED)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_nobody_asked_for(caller, up, pieces, stream):
    """G2: a connection with bytes left over is not used again: the next caller would get an answer to a question that it
    never asked. (The first call may fail, and then is retried.)"""
    up.next(act.raw(*pieces, gap=0.005, after_answer="keep"))
    assert caller.ask(api_base=up.base).choices[0].message.content in ("first", "Hello from upstream.")
    time.sleep(0.02)
    caller.notice()
    if stream:
        chunks = caller.chunks(api_base=up.base, num_retries=0)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello from upstream."
    else:
        assert caller.ask(api_base=up.base, num_retries=0).choices[0].message.content == "Hello from upstream."


@contextlib.contextmanager
def hasty_server(reply, *, reads=4096):
    """Answers after the first few bytes of a request, reads no more, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(reads)
                    connection.sendall(reply)
                    time.sleep(0.05)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    listener.shutdown(socket.SHUT_RDWR)
    thread.join(2)
    listener.close()


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_before_all_was_sent(caller, stream):
    """G3: a server that answers 413 in the middle of our 20 MB is understood, instead of being called broken."""
    body = b'{"error": {"message": "that is too much", "code": "too_large"}}'
    head = f"HTTP/1.1 413 Too Large\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    with hasty_server(head.encode() + b"connection: close\r\n\r\n" + body) as base:
        with pytest.raises(litellm.exceptions.LiteLLMError) as caught:
            params = {"api_base": base, "user": "x" * 20_000_000, "num_retries": 0}
            caller.chunks(**params) if stream else caller.ask(**params)
    assert caught.value.status_code == 413
    assert "that is too much" in str(caught.value)


@pytest.mark.parametrize("encoding", ["br", "gzip", "zstd"])
def test_an_encoding_that_cannot_be_read(caller, up, encoding):
    """G3: what was not asked for and cannot be decoded is an error of ours with a name, and the next call works."""
    up.next(
        act.verbatim(200, b"\x0b\x02\x80{}\x03", {"content-encoding": encoding, "content-type": "application/json"})
    )
    with pytest.raises(litellm.exceptions.LiteLLMError):
        caller.ask(api_base=up.base, num_retries=0)
    assert caller.ask(api_base=up.base).choices


@pytest.mark.parametrize("status", [101, 204, 304])
def test_answers_without_a_body(caller, up, status):
    """G3: no answer at all, told as such; the next call works."""
    up.next(act.raw(b"HTTP/1.1 %d Odd\r\n\r\n" % status, after_answer="keep"))
    with pytest.raises(litellm.exceptions.LiteLLMError):
        caller.ask(api_base=up.base, num_retries=0, timeout=2)
    caller.notice()
    assert caller.ask(api_base=up.base).choices


@STRAIGHT
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://user:canary@127.0.0.1:1"),
        ("HTTP_PROXY", "ftp://user:canary@127.0.0.1:1"),
        ("HTTP_PROXY", "http://user:canary@127.0.0.1:99999"),
        ("HTTP_PROXY", "http://user:canary@"),
        ("HTTP_PROXY", "not a proxy"),
    ],
)
def test_proxies_that_are_none(caller, up, monkeypatch, variable, value):
    """P9, G3, F5: a proxy that cannot be used is an error that says "proxy"; it is not passed by in silence, and its
    password is not said."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(litellm.exceptions.LiteLLMError, match=r"(?i)proxy") as caught:
        caller.ask(api_base=up.base, num_retries=0, timeout=2)
    assert "canary" not in str(caught.value)
    assert up.requests == []
