"""HTTP/1.1 as it is really spoken to a gateway, byte by byte: odd framing, old versions, attempts at smuggling."""

import json
import re
import time

import pytest
from tests.e2e.talk import CHAT, HI, KEY, Talk, deployment, until_eof
from tests.fakes import behaviour as act
from tests.processes import Gateway


@pytest.fixture(scope="module")
def gateway(module_upstream):
    config = f"model_list:\n{deployment('m', module_upstream)}general_settings: {{master_key: {KEY}}}\n"
    with Gateway(config, args=["--host", "127.0.0.1"]) as server:
        yield server
    assert "Traceback" not in server.stderr


@pytest.fixture
def talk(gateway, up):
    return Talk(gateway)


BODY = json.dumps({"model": "m", "messages": HI}).encode()
AUTH = f"Host: gateway\r\nAuthorization: Bearer {KEY}\r\n".encode()
POST = f"POST {CHAT} HTTP/1.1\r\n".encode() + AUTH


def statuses(data):
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d+) ", data)]


NONSENSE = {
    "nothing": (b"", []),
    "a line": (b"hello\r\n\r\n", [400]),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400]),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    "no such version": (b"GET / HTTP/7.7\r\n\r\n", [400]),
    "a bad header": (b"GET / HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n", [400]),
    "a bad length": (POST + b"Content-Length: many\r\n\r\n", [400]),
    "a negative length": (POST + b"Content-Length: -5\r\n\r\n", [400]),
    "two lengths": (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", [400]),
    "length and chunks": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400]),
    "chunks in disguise": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", [501]),
    "a bad chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", [400]),
    "a header of 100 kB": (b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", [431]),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"X-Y: zzzzzzzz\r\n" * 10_000 + b"\r\n", [431]),
    "a URL of 100 kB": (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", [431]),
    "half a request": (POST + b"Content-Length: 100\r\n\r\n{", []),
}


@pytest.mark.parametrize(("data", "wanted"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense(talk, up, data, wanted):
    """F2: refused with a status where one can be given; the connection ends; no request is made out of it."""
    try:
        came = talk.raw(data, half_close=not wanted)
    except (BrokenPipeError, ConnectionResetError):
        assert wanted == [431], "only while we were still sending what nobody wants"
    else:
        assert statuses(came) == wanted
        if wanted:
            assert b"connection: close" in came.lower()
            assert json.loads(came.partition(b"\r\n\r\n")[2])["error"]["message"]
    assert up.requests == []
    assert talk.chat().status == 200


def test_keep_alive(talk, up):
    """One connection serves many requests, also after an error and a stream."""
    kinds = [
        talk.request_bytes(),
        talk.request_bytes(stream=True),
        talk.request_bytes(model="nope"),
        talk.request_bytes(),
    ]
    with talk.dial() as sock:
        for data in kinds:
            sock.sendall(data)
            came = b""
            while not came.endswith((b"}", b"0\r\n\r\n")):
                came += sock.recv(65536)
            assert len(statuses(came)) == 1
            assert b"connection: close" not in came.lower()
    assert len(up.requests) == 3


def test_pipelining(talk, up):
    """HTTP/1.1: requests sent at once are answered one after another, in their order."""
    up.next(act.answer("slow", delay=0.1), act.answer("quick"), act.answer("last", delay=0.05))
    data = b"".join(talk.request_bytes(user=str(number)) for number in range(2))
    with talk.dial() as sock:
        sock.sendall(data + talk.request_bytes(user="2", extra="Connection: close\r\n"))
        came = until_eof(sock)
    assert statuses(came) == [200] * 3
    assert [seen.fields["user"] for seen in up.requests] == ["0", "1", "2"]
    assert came.index(b"slow") < came.index(b"quick") < came.index(b"last")


def test_many_pipelined_requests(talk, up):
    """G3: more than may wait at once; none is lost and none answered twice."""
    data = b"".join(talk.request_bytes(user=str(number)) for number in range(60))
    with talk.dial() as sock:
        sock.sendall(data + talk.request_bytes(extra="Connection: close\r\n"))
        assert statuses(until_eof(sock)) == [200] * 61


@pytest.mark.parametrize("stream", [False, True])
def test_http_1_0(talk, up, stream):
    """HTTP/1.0 clients (ab, old proxies) get no chunks, and the end of the connection as the end."""
    body = json.dumps({"model": "m", "messages": HI, "stream": stream}).encode()
    came = talk.raw(
        f"POST {CHAT} HTTP/1.0\r\n".encode() + AUTH + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    )
    head, _, rest = came.partition(b"\r\n\r\n")
    assert statuses(head) == [200]
    assert b"transfer-encoding" not in head.lower()
    if stream:
        assert rest.endswith(b"data: [DONE]\n\n")
    else:
        assert json.loads(rest)["choices"]


def test_byte_by_byte(talk, up):
    """A request in as many packets as it has bytes."""
    data = talk.request_bytes(extra="Connection: close\r\n")
    with talk.dial() as sock:
        for at in range(len(data)):
            sock.sendall(data[at : at + 1])
            if at % 40 == 0:
                time.sleep(0.001)
        assert statuses(until_eof(sock)) == [200]
    assert up.requests[0].fields["messages"] == HI


def test_chunked_requests(talk, up):
    """With extensions and trailers, which mean nothing here."""
    data = (
        b"5;name=value\r\n" + BODY[:5] + b"\r\n" + b"%x\r\n" % len(BODY[5:]) + BODY[5:] + b"\r\n0\r\nX-Sum: 1\r\n\r\n"
    )
    came = talk.raw(POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + data)
    assert statuses(came) == [200]
    assert up.requests[0].fields["messages"] == HI


def test_expect_continue(talk, up):
    """curl asks for leave before it sends more than a kilobyte."""
    with talk.dial() as sock:
        sock.sendall(POST + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        assert statuses(sock.recv(1000)) == [100]
        sock.sendall(BODY)
        assert statuses(until_eof(sock)) == [200]


def test_an_offer_of_http_2_is_not_taken(talk, up):
    """Java's client makes it with every first request; it is served as if it had not."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    with talk.dial() as sock:
        sock.sendall(POST + offer + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
        assert statuses(sock.recv(65536)) == [200]


def test_an_absolute_url(talk, up):
    """RFC 9112 3.2.2: a server must accept it; clients send it to what they take for a proxy."""
    data = f"POST http://gateway{CHAT} HTTP/1.1\r\n".encode() + AUTH + b"Connection: close\r\n"
    assert statuses(talk.raw(data + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)) == [200]


def test_a_client_that_reads_slowly(talk, up):
    """P5: a stream waits for its client instead of filling the memory, and arrives whole."""
    words = "word " * 20_000
    up.next(act.answer(words))
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes(stream=True, extra="Connection: close\r\n"))
        first = sock.recv(2000)
        time.sleep(0.3)
        came = first + until_eof(sock)
    assert came.count(b'"content": " word"') + came.count(b'"content":" word"') == 20_000 - 1
    assert came.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_answers_say_what_they_are(talk, up):
    """Length, type, and the headers that keep browsers from doing harm, on every answer."""
    for answer in (
        talk.chat(),
        talk.chat(model="nope"),
        talk.get("/nothing"),
        talk.get("/v1/models"),
        Talk(talk.gateway, None).chat(),
    ):
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["content-length"] == str(len(answer.body))
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
        assert "date" in answer.headers
        assert "server" not in answer.headers
    stream = talk.chat(stream=True)
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["cache-control"] == "no-cache"
    assert stream.headers["x-accel-buffering"] == "no"
    assert stream.headers["x-content-type-options"] == "nosniff"
