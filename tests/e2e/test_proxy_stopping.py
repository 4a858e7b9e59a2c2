"""O15, S8: SIGTERM finishes what is under way, within a limit, and exits 0. A worker that dies is replaced."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import pytest
from tests.e2e.talk import CHAT, HI, KEY, Talk, deployment, text_of
from tests.fakes import behaviour as act
from tests.processes import COMMAND, Gateway

WORKERS = pytest.mark.parametrize("workers", [1, 2], ids=["one worker", "two workers"])


def gateway_for(up, workers=1, **general):
    config = f"""
model_list:
{deployment("m", up)}
general_settings: {json.dumps({"master_key": KEY, **general})}
"""
    return Gateway(config, args=["--host", "127.0.0.1", "--num_workers", str(workers)])


def refused(gateway):
    """Nobody listens any more."""
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", gateway.port), timeout=1):
        return False
    return True


def calm(gateway):
    """Nothing went wrong that only shows on stderr."""
    for word in ("Traceback", "Warning", "Exception ignored", "a bug"):
        assert word not in gateway.stderr, gateway.stderr


def wait_until(predicate, timeout=5.0, pause=0.02):
    end = time.monotonic() + timeout
    while not (value := predicate()):
        assert time.monotonic() < end, f"not within {timeout} s"
        time.sleep(pause)
    return value


# --- stopping ------------------------------------------------------------------------------------------------------------


@WORKERS
def test_what_is_under_way_is_finished(module_upstream, up, workers):
    """O15: plain and streamed; new connections are refused meanwhile; kept ones are closed after their answer."""
    with gateway_for(up, workers) as gateway, ThreadPoolExecutor(4) as pool:
        talk = Talk(gateway)
        up.next(act.answer("slow", delay=0.6), act.answer("one two three four five six", gap=0.08))
        plain = pool.submit(talk.chat)
        up.wait_for(lambda: len(up.requests) == 1)
        stream = pool.submit(talk.chat, stream=True)
        up.wait_for(lambda: len(up.requests) == 2)
        with talk.dial(), talk.dial() as idle:  # one that said nothing, and one that is between two requests
            idle.sendall(talk.request_bytes())
            assert idle.recv(65536)
            gateway.signal(signal.SIGTERM)
            up.wait_for(lambda: refused(gateway))
            assert idle.recv(65536) == b"", "closed at once, for nothing is under way on it"
            answer = plain.result()
            assert answer.text == "slow"
            assert answer.headers["connection"] == "close"
            assert stream.result().streamed_text == "one two three four five six"
            assert gateway.wait(3) == 0
    calm(gateway)
    assert not [seen for seen in up.requests if seen.aborted_at]


@WORKERS
def test_stopping_an_idle_gateway_is_quick(module_upstream, up, workers):
    """O15: also with clients that keep their connections."""
    with gateway_for(up, workers) as gateway:
        talk = Talk(gateway)
        with talk.dial() as idle:
            idle.sendall(talk.request_bytes())
            assert idle.recv(65536)
            started = time.monotonic()
            assert gateway.stop() == 0
            assert time.monotonic() - started < 1.0
    calm(gateway)


@WORKERS
def test_the_grace_has_an_end(module_upstream, up, workers):
    """O15, S8: graceful_shutdown_seconds; then the upstream sees the connections close, and it is still exit 0."""
    up.default = act.answer("word " * 1000, gap=0.02)
    up.next(act.hang())
    with gateway_for(up, workers, graceful_shutdown_seconds=0.4) as gateway, ThreadPoolExecutor(4) as pool:
        talk = Talk(gateway)
        hanging = pool.submit(talk.chat)
        up.wait_for(lambda: len(up.requests) == 1)
        streaming = pool.submit(talk.chat, stream=True)
        up.wait_for(lambda: len(up.requests) == 2)
        signalled = time.monotonic()
        gateway.signal(signal.SIGTERM)
        assert gateway.wait(4) == 0
        assert 0.35 < time.monotonic() - signalled < 2.5
        assert hanging.exception() is not None or hanging.result().status >= 500
        assert streaming.exception() is not None or b"[DONE]" not in streaming.result().body
    up.wait_for(lambda: all(seen.aborted_at for seen in up.requests))
    assert all(0.3 < seen.aborted_at - signalled < 0.4 + 0.6 for seen in up.requests)
    calm(gateway)


@pytest.mark.parametrize(("workers", "after"), [(1, 0.0), (2, 0.0), (2, 0.01)])
def test_stopping_right_after_the_start(tmp_path, workers, after):
    """O15: an orchestrator that changes its mind gets exit code 0 too."""
    (tmp_path / "config.yaml").write_text("model_list: []\n")
    command = [*COMMAND, "--config", str(tmp_path / "config.yaml"), "--port", "0", "--num_workers", str(workers)]
    with open(tmp_path / "stderr", "w") as stderr:
        process = subprocess.Popen(command, stderr=stderr, env={"PATH": os.defpath}, start_new_session=True)
    try:
        wait_until(lambda: " on http://" in (tmp_path / "stderr").read_text(), pause=0.001)
        time.sleep(after)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_no_grace_at_all(module_upstream, up):
    """O15: 0 means now."""
    up.default = act.hang()
    with gateway_for(up, graceful_shutdown_seconds=0) as gateway, ThreadPoolExecutor(1) as pool:
        pending = pool.submit(Talk(gateway).chat)
        up.wait_for(lambda: up.requests)
        started = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - started < 1.0
        assert pending.exception() is not None or pending.result().status >= 500


def test_stopping_under_load_loses_nothing(module_upstream, up):
    """O15: whatever was accepted before the signal is answered; what comes later is refused, not dropped half-way."""
    up.default = act.answer("word " * 5, gap=0.01, delay=0.02)
    outcomes = []
    with gateway_for(up, 2) as gateway:
        talk = Talk(gateway)

        def ask():
            while True:
                try:
                    answer = talk.chat(stream=True)
                except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError) as error:
                    outcomes.append(type(error))
                    return
                outcomes.append(answer.streamed_text)

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 5
        while len(outcomes) <= 12 and time.monotonic() < end:
            time.sleep(0.01)
        gateway.signal(signal.SIGTERM)
        assert gateway.wait(5) == 0
        for thread in threads:
            thread.join(5)
    answered = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(answered) > 12
    assert set(answered) == {"word " * 5}
    assert not [seen for seen in up.requests if seen.aborted_at], "what reached the upstream was brought to its end"


# --- workers -------------------------------------------------------------------------------------------------------------


def workers_of(pid):
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def test_workers_share_the_load_and_survive(module_upstream, up):
    """O15: a worker that is killed is replaced, those that are not go on, and the end is an exit code 0."""
    up.default = act.answer(delay=0.02)
    with gateway_for(up, 2) as gateway:
        talk = Talk(gateway)
        first = wait_until(lambda: len(workers_of(gateway.pid)) == 2 and workers_of(gateway.pid))

        killed, kept = sorted(first)
        os.kill(killed, signal.SIGKILL)
        for _ in range(30):
            assert talk.chat().status == 200, "the other one serves while the first is replaced"
        second = wait_until(lambda: len(workers_of(gateway.pid) - {killed}) == 2 and workers_of(gateway.pid))
        assert kept in second
        assert str(killed) in gateway.stderr, "and it is told"

        for worker in second:
            os.kill(worker, signal.SIGKILL)
        third = wait_until(lambda: len(workers_of(gateway.pid) - second) == 2 and workers_of(gateway.pid))
        assert not third & second
        wait_until(lambda: talk.chat().status == 200)
        assert gateway.stop() == 0
    for pid in first | second | third:
        assert not Path(f"/proc/{pid}").exists(), "nobody is left behind"


def test_workers_do_not_outlive_their_parent(module_upstream, up):
    """O15: when the parent is killed, nobody would stop them, and the port would stay taken."""
    with gateway_for(up, 2) as gateway:
        workers = wait_until(lambda: len(workers_of(gateway.pid)) == 2 and workers_of(gateway.pid))
        wait_until(lambda: Talk(gateway).chat().status == 200)
        gateway.signal(signal.SIGKILL)
        assert gateway.wait() == -signal.SIGKILL
        try:
            wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), timeout=3)
        finally:
            for pid in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


# --- many at a time ------------------------------------------------------------------------------------------------------


@WORKERS
async def test_many_streams_at_once(module_upstream, up, workers):
    """G2: 200 streams, each gets its own words, and the gateway stays awake meanwhile (/live under load, O15)."""
    up.default = act.answer("a b c d e f", gap=0.02)
    slowest = 0.0

    async def ask(session, number, url):
        body = {"model": "m", "messages": HI, "stream": True, "user": f"u{number}"}
        async with session.post(url + CHAT, json=body, headers={"authorization": f"Bearer {KEY}"}) as response:
            assert response.status == 200
            *events, done, rest = (await response.text()).split("\n\n")
        assert (done, rest) == ("data: [DONE]", "")
        chunks = [json.loads(event.removeprefix("data: ")) for event in events]
        assert text_of(chunks) == "a b c d e f"
        (id_,) = {chunk["id"] for chunk in chunks}
        return id_

    async def probe(session, url):
        nonlocal slowest
        while True:
            started = time.monotonic()
            async with session.get(url + "/health/liveliness") as response:
                assert response.status == 200
            slowest = max(slowest, time.monotonic() - started)
            await asyncio.sleep(0.02)

    with gateway_for(up, workers) as gateway:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            probing = asyncio.create_task(probe(session, gateway.url))
            ids = await asyncio.gather(*(ask(session, number, gateway.url) for number in range(200)))
            assert not probing.done(), "it failed"
            probing.cancel()
    assert len(set(ids)) == 200
    assert {seen.fields["user"] for seen in up.requests} == {f"u{number}" for number in range(200)}
    assert slowest < 1.0
