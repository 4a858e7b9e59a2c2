"""More than the gateway can take: it says so at once, holds a bounded amount of memory, and is as good as new afterwards.

The limits are small here; bench/soak.py sends two thousand connections against the usual ones.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.e2e.talk import CHAT, KEY, Answer, Talk, deployment, until_eof
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.processes import Gateway

AT_ONCE = 0.25  # seconds
CONCURRENCY = 12
ROOM = 8_000_000  # bytes


@pytest.fixture(scope="module")
def gateway(module_upstream: Upstream) -> Iterator[Gateway]:
    room = ROOM / 1e6
    # The size too: one request always finds room, however little there is.
    general = json.dumps({"master_key": KEY, "max_request_memory_mb": room, "max_request_size_mb": room})
    config = f"model_list:\n{deployment('m', module_upstream, max_retries=0)}general_settings: {general}\n"
    args = ["--host", "127.0.0.1", "--limit_concurrency", str(CONCURRENCY)]
    with Gateway(config, args=args) as server:
        yield server
    assert "Traceback" not in server.stderr


@pytest.fixture
def talk(gateway: Gateway, up: Upstream) -> Talk:
    return Talk(gateway)


def resident(gateway: Gateway) -> int:
    """Bytes of memory that the gateway holds."""
    return int(Path(f"/proc/{gateway.pid}/statm").read_text(encoding="utf-8").split()[1]) * 4096


def sockets(gateway: Gateway) -> int:
    return sum(1 for _ in Path(f"/proc/{gateway.pid}/fd").iterdir())


def whole(data: bytes) -> Answer:
    """An answer as it came over the wire."""
    top, _, body = data.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return Answer(int(lines[0].split()[1]), headers, body)


def test_one_request_too_many(talk: Talk, up: Upstream, gateway: Gateway) -> None:
    """P5, O15: it gets a 503 and a time to come back at, at once; probes are answered; when one leaves there is room."""
    up.default = act.hang()
    with ExitStack() as stack:
        inside = [stack.enter_context(talk.dial()) for _ in range(CONCURRENCY)]
        for sock in inside:
            sock.sendall(talk.request_bytes(stream=True))
        up.wait_for(lambda: len(up.requests) == CONCURRENCY)
        up.default = act.answer("in")
        started = time.monotonic()
        refused = talk.chat()
        assert time.monotonic() - started < AT_ONCE
        assert refused.status == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.error["type"] == "service_unavailable"
        assert talk.get("/health/liveliness").status == 200
        assert talk.get("/v1/models").status == 503
        assert len(up.requests) == CONCURRENCY
        inside[0].close()
        up.wait_for(lambda: up.requests[0].aborted_at)
        assert talk.chat().text == "in"


def test_a_refused_client_may_ask_again_on_its_connection(talk: Talk, up: Upstream) -> None:
    """P5: a 503 costs nobody a new connection."""
    up.default = act.hang()
    with ExitStack() as stack:
        inside = [stack.enter_context(talk.dial()) for _ in range(CONCURRENCY)]
        for sock in inside:
            sock.sendall(talk.request_bytes())
        up.wait_for(lambda: len(up.requests) == CONCURRENCY)
        with talk.dial() as sock:
            for _ in range(3):
                sock.sendall(talk.request_bytes())
                assert sock.recv(65536).startswith(b"HTTP/1.1 503")


def test_more_bodies_than_there_is_room_for(talk: Talk, up: Upstream, gateway: Gateway) -> None:
    """P5: of sixty clients with a megabyte each, some are served and the others told to come back; memory is bounded by
    the room that there is; afterwards everything is as before."""
    assert talk.chat().status == 200
    files, before = sockets(gateway), resident(gateway)
    up.default = act.answer("served", delay=0.3)
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 1_000_000}]})
    highest = 0

    def ask(_: int) -> Answer:
        nonlocal highest
        answer = talk.post(body)
        highest = max(highest, resident(gateway))
        return answer

    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(ask, range(60)))
    assert set(Counter(answer.status for answer in answers)) == {200, 503}
    for answer in answers:
        if answer.status == 503:
            assert answer.headers["retry-after"] == "1"
            assert "busy" in answer.error["message"]
        else:
            assert answer.text == "served"
    # A body is there as bytes, as text, and as what is sent on.
    assert highest - before < 5 * ROOM
    assert all(talk.chat().status == 200 for _ in range(5))
    up.wait_for(lambda: sockets(gateway) <= files + CONCURRENCY)  # those to the upstream are kept for a while


def test_it_lives_while_it_holds_long_bodies(talk: Talk, up: Upstream) -> None:
    """O15: with all of its room taken it refuses one more body, and says that it lives, on old connections and new ones."""
    up.default = act.hang()
    with ExitStack() as stack:
        kept = stack.enter_context(talk.dial())
        inside = [stack.enter_context(talk.dial()) for _ in range(7)]
        for sock in inside:
            sock.sendall(talk.request_bytes(messages=[{"role": "user", "content": "x" * 1_000_000}]))
        up.wait_for(lambda: len(up.requests) == len(inside))
        refused = talk.chat(messages=[{"role": "user", "content": "x" * 1_000_000}])
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        for _ in range(3):
            kept.sendall(b"GET /health/liveliness HTTP/1.1\r\nHost: x\r\n\r\n")
            assert kept.recv(65536).startswith(b"HTTP/1.1 200")
            assert talk.get("/health/liveliness").status == 200


def test_slow_readers_and_slow_writers(talk: Talk, up: Upstream, gateway: Gateway) -> None:
    """P5: they hold up nobody else, and no more than their share of memory."""
    before = resident(gateway)
    up.default = act.answer(("w" * 10_000 + " ") * 2000)
    with ExitStack() as stack:
        for _ in range(6):
            reader = stack.enter_context(talk.dial())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.sendall(talk.request_bytes(stream=True))
        up.wait_for(lambda: len(up.requests) == 6)
        for _ in range(50):
            writer = stack.enter_context(talk.dial())
            head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 60000\r\n\r\n"
            writer.sendall(head.encode() + b"x" * 10)
        up.default = act.answer("quick")
        for _ in range(10):
            started = time.monotonic()
            assert talk.chat().text == "quick"
            assert time.monotonic() - started < 1.0
        assert resident(gateway) - before < 40_000_000
    up.wait_for(lambda: all(seen.aborted_at or seen.finished_at for seen in up.requests))


def test_a_refusal_reaches_somebody_who_still_sends(talk: Talk, up: Upstream) -> None:
    """F4, P5: without a key, with too much; also before the body is here, and though it keeps coming."""
    for key, length, status in (("sk-wrong", 5_000_000, 401), (KEY, 200_000_000, 413)):
        head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n"
        with talk.dial() as sock:
            sock.sendall(head.encode())
            for _ in range(40):
                sock.sendall(b"x" * 100_000)
            assert whole(until_eof(sock)).error["code"] == str(status)
    assert up.requests == []


def test_as_many_files_as_it_may_open(gateway: Gateway) -> None:
    """P5: shells grant a thousand; two thousand connections are not to fail for that."""
    limits = Path(f"/proc/{gateway.pid}/limits").read_text(encoding="utf-8")
    soft, hard = re.search(r"Max open files\s+(\d+)\s+(\d+)", limits).groups()
    assert int(soft) >= min(int(hard), 3 * 16_384)


def test_names_that_are_long(talk: Talk, up: Upstream) -> None:
    """P5: names are remembered and repeated; one that is longer than any list of names is refused before that."""
    answer = talk.chat(model="m" * 1_000_000)
    assert answer.status == 400
    assert answer.error["param"] == "model"
    assert len(answer.body) < 1000
    assert up.requests == []
