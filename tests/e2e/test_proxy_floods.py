"""What strangers may not do to a server: fill its memory, smuggle fields, call it from their pages."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.processes import Gateway

KEY = "sk-a-key-that-is-long-enough-to-be-strong"
CONFIG = {"model_list": [{"model_name": "my-model", "litellm_params": {"model": "mock/echo"}}]}


def config(**general: str) -> str:
    return json.dumps({**CONFIG, "general_settings": general})


@pytest.fixture(scope="module")
def guarded() -> Iterator[Gateway]:
    with Gateway(config(master_key=KEY), args=["--host", "127.0.0.1"]) as server:
        yield server


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]
    return int(pages) * 4096


def send(port: int, data: bytes, *, seconds: float = 5.0) -> bytes:
    """Send, and read until the server hangs up or falls silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as sock:
        try:
            sock.sendall(data)
        except OSError:
            pass  # it hung up in the middle, which is what some of these tests are about
        sock.settimeout(1.0)
        received = b""
        try:
            while piece := sock.recv(65536):
                received += piece
        except OSError:
            pass
        return received


def chat(body: bytes, *headers: str, key: str = KEY) -> bytes:
    head = ["POST /v1/chat/completions HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}", *headers]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


def test_a_long_body_without_a_key_is_not_received(guarded: Gateway) -> None:
    """F4: the key is looked at when the head is here, not after megabytes."""
    before = resident(guarded.pid)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n"
    answer = send(guarded.port, head + b"x" * 20_000_000)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 401")
    assert resident(guarded.pid) - before < 10_000_000


def test_a_header_without_an_end(guarded: Gateway) -> None:
    """F4: it is refused, and meanwhile others are served at once."""
    before = resident(guarded.pid)
    with ExitStack() as stack:
        for _ in range(4):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", guarded.port), timeout=5))
            try:
                sock.sendall(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 20_000_000)
            except OSError:
                continue  # it has hung up, and its answer was thrown away here
            assert sock.recv(65536).startswith(b"HTTP/1.1 431")
        started = time.monotonic()
        alive = b"GET /health/liveliness HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert send(guarded.port, alive).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - started < 1.0
    assert resident(guarded.pid) - before < 10_000_000


def test_announcing_takes_no_room_where_custom_auth_decides(tmp_path: Path) -> None:
    """F4, P5: it wants the whole request, so nobody is known before; six strangers were enough to keep all others out."""
    rules = "async def who(request, api_key):\n    return {'api_key': api_key}\n"
    (tmp_path / "rules.py").write_text(rules, encoding="utf-8")
    body = json.dumps({"model": "my-model", "messages": [{"role": "user", "content": "hi"}]}).encode()
    with Gateway(config(custom_auth="rules.who"), cwd=tmp_path) as server, ExitStack() as stack:
        for length in (*5 * (99_999_999,), 12_000_005):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            sock.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        assert send(server.port, chat(body, "Connection: close")).startswith(b"HTTP/1.1 200")


def test_pipelining_without_reading_is_held_back(guarded: Gateway) -> None:
    """O15: whoever does not read answers gets no further ones, however many requests are sent."""
    before = resident(guarded.pid)
    request = f"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode() * 500
    with socket.create_connection(("127.0.0.1", guarded.port)) as sock:
        sock.settimeout(0.5)
        end = time.monotonic() + 3
        try:
            while time.monotonic() < end:
                sock.sendall(request)
        except TimeoutError:
            pass  # the server has stopped reading: well done
        assert resident(guarded.pid) - before < 20_000_000


def test_a_prompt_may_speak_of_upgrades(guarded: Gateway) -> None:
    """S1: what stands in a body is the caller's, also where it looks like a header."""
    text = "Explain the header\r\n\r\nUpgrade: h2c please"
    body = json.dumps({"model": "my-model", "messages": [{"role": "user", "content": text}]}).encode()
    answer = send(guarded.port, chat(body, "Connection: close"))
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"] == text


def test_a_prompt_that_comes_with_the_end_of_the_head(guarded: Gateway) -> None:
    """S1: the same, where the network cuts in the blank line before the body."""
    text = "Upgrade: h2c"
    body = json.dumps({"model": "my-model", "messages": [{"role": "user", "content": text}]}).encode()
    data = chat(body, "Connection: close")
    for cut in range(1, 6):
        with socket.create_connection(("127.0.0.1", guarded.port), timeout=5) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(b"GET /health/liveliness HTTP/1.1\r\nHost: x\r\n\r\n" + data[: -len(body) - cut])
            assert sock.recv(65536).startswith(b"HTTP/1.1 200")  # so the first piece has been read
            sock.sendall(data[-len(body) - cut :])
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"] == text


def test_an_offer_of_http2_is_passed_over(guarded: Gateway) -> None:
    """What Java's client sends with its first request; the body comes along."""
    body = json.dumps({"model": "my-model", "messages": [{"role": "user", "content": "hi"}]}).encode()
    offer = (
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    )
    assert send(guarded.port, chat(body, *offer)).startswith(b"HTTP/1.1 200")


def test_trailers_change_nothing(guarded: Gateway) -> None:
    """F4: a key that comes after the body is no key; a long body with a trailer is no long head."""
    body = json.dumps({"model": "my-model", "messages": [{"role": "user", "content": "x" * 70_000}]}).encode()
    chunked = b"%x\r\n%b\r\n0\r\n" % (len(body), body)
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    smuggled = send(guarded.port, head.encode() + b"\r\n" + chunked + f"Authorization: Bearer {KEY}\r\n\r\n".encode())
    assert smuggled.startswith(b"HTTP/1.1 401")
    honest = head + f"Authorization: Bearer {KEY}\r\n\r\n"
    assert send(guarded.port, honest.encode() + chunked + b"X-Checksum: 1\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", b"403"),
        ("null", b"403"),
        ("http://[", b"403"),
        ("http://localhost:3000", b"200"),
        ("http://127.0.0.1", b"200"),
    ],
)
def test_pages_of_other_hosts_need_a_strong_key(origin: str, status: bytes) -> None:
    """Decision 2: without a strong key only this machine can connect; that is meant of pages in its browser too."""
    body = json.dumps({"model": "my-model", "messages": [{"role": "user", "content": "hi"}]}).encode()
    with Gateway(config()) as server:
        answer = send(server.port, chat(body, f"Origin: {origin}", "Connection: close"))
    assert answer.split(b" ", 2)[1] == status


def test_a_page_that_had_its_name_lead_here_needs_a_strong_key(guarded: Gateway) -> None:
    """Its browser says no `Origin` with a GET: `Host` alone tells. Names of this machine, and addresses, are nobody's to lead."""
    ours = ["localhost", "LOCALHOST:80", "a.localhost", "127.0.0.1:4000", "[::1]", "192.0.2.1"]
    theirs = ["evil.example", "evil.example:4000", "127.0.0.1.evil.example", "localhost.evil.example", ""]
    paths = ["/v1/models", "/health/readiness", "/", "/openapi.json"]

    def statuses(port: int, hosts: list[str], target: str) -> set[bytes]:
        requests = [f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode() for host in hosts]
        return {send(port, request).split(b" ", 2)[1] for request in requests}

    with Gateway(config()) as server:
        for path in paths:
            assert statuses(server.port, ours, path) == {b"200"}, path
            assert statuses(server.port, theirs, path) == {b"403"}, path
        assert statuses(server.port, ours, "http://evil.example/v1/models") == {b"403"}, "the whole URL is what counts"
    assert statuses(guarded.port, theirs, "/health/readiness") == {b"200"}


def test_pages_with_a_strong_key_may_call(guarded: Gateway) -> None:
    """CORS is open where there is a key that keeps strangers out."""
    body = json.dumps({"model": "my-model", "messages": [{"role": "user", "content": "hi"}]}).encode()
    answer = send(guarded.port, chat(body, "Origin: https://chat.example", "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"access-control-allow-origin: *" in answer
