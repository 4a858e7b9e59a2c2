"""S8: a client that goes away takes its request with it. The upstream sees it within 250 ms, before the first byte, in
mid-stream and while a whole answer is made, with one worker and with two."""

import contextlib
import socket
import struct
import time

import pytest
from tests.e2e.talk import KEY, Talk, deployment
from tests.fakes import behaviour as act
from tests.processes import Gateway

AT_ONCE = 0.25


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def gateway(request, module_upstream):
    config = f"""
model_list:
{deployment("m", module_upstream)}{deployment("n", module_upstream)}
litellm_settings: {{fallbacks: [{{m: [n]}}]}}
general_settings: {{master_key: {KEY}}}
"""
    with Gateway(config, args=["--host", "127.0.0.1", "--num_workers", request.param]) as server:
        yield server
    assert "Traceback" not in server.stderr
    assert "a bug" not in server.stderr


@pytest.fixture
def talk(gateway, up):
    return Talk(gateway)


def hang_up(sock, how):
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if how == "half":
        sock.shutdown(socket.SHUT_WR)
    else:
        sock.close()


SCENES = {
    "whole, nothing yet": (act.hang(), {}, 0),
    "whole, after the head": (act.stall(after=0), {}, 0),
    "whole, in the body": (act.stall(after=1), {}, 0),
    "stream, nothing yet": (act.hang(), {"stream": True}, 0),
    "stream, after the head": (act.stall(after=0), {"stream": True}, 0),
    "stream, role only": (act.stall(after=1), {"stream": True}, 0),
    "stream, in the middle, silent": (act.stall(after=4), {"stream": True}, 1),
    "stream, in the middle, talking": (act.answer("word " * 500, gap=0.01), {"stream": True}, 1),
}


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(("behaviour", "fields", "reads"), SCENES.values(), ids=SCENES)
def test_the_upstream_is_told(talk, up, behaviour, fields, reads, how):
    """S8: and is not asked a second time, neither by a retry nor by a fallback."""
    up.next(behaviour)
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes(**fields))
        up.wait_for(lambda: up.requests)
        if reads:
            assert sock.recv(1000)
        time.sleep(0.03)
        left = time.monotonic()
        hang_up(sock, how)
        seen = up.requests[0]
        up.wait_for(lambda: seen.aborted_at, timeout=1)
    assert seen.aborted_at - left < AT_ONCE
    time.sleep(0.05)
    assert len(up.requests) == 1


def test_a_client_that_leaves_while_its_retry_waits(talk, up):
    """S8: nothing is sent for it any more."""
    up.default = act.error(503, retry_after=0.4)
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes())
        up.wait_for(lambda: up.requests)
        time.sleep(0.05)
    time.sleep(0.6)
    assert len(up.requests) == 1


def test_a_client_that_leaves_before_its_request_is_complete(talk, up):
    """S8: nobody is asked for half a request."""
    data = talk.request_bytes()
    with talk.dial() as sock:
        sock.sendall(data[:-5])
        time.sleep(0.05)
    time.sleep(0.05)
    assert up.requests == []
    assert talk.chat().status == 200


def test_a_client_that_leaves_with_its_answer_half_read(talk, up):
    """P5, S8: the gateway does not go on reading for nobody; it holds a bounded part of what was not read."""
    up.next(act.answer("word " * 120_000))
    with talk.dial() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(talk.request_bytes(stream=True))
        assert sock.recv(1000)
        time.sleep(0.3)
        assert up.requests[0].finished_at is None, "the upstream has to wait as well"
        left = time.monotonic()
    up.wait_for(lambda: up.requests[0].aborted_at, timeout=1)
    assert up.requests[0].aborted_at - left < AT_ONCE


def test_others_do_not_notice(talk, up):
    """S8: of forty at a time, every second one leaves; connections to the upstream return to the baseline."""
    up.default = act.answer("word " * 20, gap=0.02)
    before = up.open_connections  # idle ones of earlier tests; a worker that gets none of the forty still holds its own
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(talk.dial()) for _ in range(40)]
        for sock in socks:
            sock.sendall(talk.request_bytes(stream=True, extra="Connection: close\r\n"))
        up.wait_for(lambda: len(up.requests) == 40)
        for sock in socks[::2]:
            sock.close()
        for sock in socks[1::2]:
            came = b"".join(iter(lambda: sock.recv(65536), b""))
            assert came.count(b" word") + came.count(b'"word') == 20
            assert came.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    up.wait_for(lambda: sum(bool(seen.aborted_at) for seen in up.requests) == 20)
    up.wait_for(lambda: up.open_connections <= before + 20)  # those that were left are closed, the others kept
