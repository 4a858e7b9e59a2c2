"""Where an answer ends, in what encoding it comes, and to which host it goes: one suite over all transports."""

import contextlib
import gzip
import socket
import threading
import time
import zlib

import msgspec
import pytest
from tests.fakes import http1
from tests.unit.net.asking import STRAIGHT, read_all, request
from tests.unit.net.scripted import Answering, Scripted, always, whole

from litellm.net.faults import TransportFault
from litellm.net.messages import Timeouts
from litellm.net.network import Network

STREAM = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
TEXT = b"Hello from upstream. " * 50
OK = b"HTTP/1.1 200 OK\r\n"


def said(caller, base, *, stream=False, **options):
    reply = caller.send(request(base + "/chat/completions", stream=stream, **options))
    return read_all(caller, reply) if stream else reply.body


# --- encodings -----------------------------------------------------------------------------------------------------------


def bare(data):
    pack = zlib.compressobj(wbits=-15)
    return pack.compress(data) + pack.flush()


ENCODED = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "GZIP": ("GZIP", gzip.compress(TEXT)),
    "x-gzip": ("x-gzip", gzip.compress(TEXT)),
    "deflate": ("deflate", zlib.compress(TEXT)),
    "deflate without its wrapper": ("deflate", bare(TEXT)),
    "two members": ("gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
    "padded": ("gzip", gzip.compress(TEXT) + bytes(7)),
    "identity": ("identity", TEXT),
}
FRAMED = {
    "length": lambda body: (b"content-length: %d\r\n\r\n" % len(body), body, b""),
    "chunked": lambda body: (b"transfer-encoding: chunked\r\n\r\n", http1.chunk(body), http1.last_chunk({})),
    "until close": lambda body: (b"connection: close\r\n\r\n", body, None),
}


def framed(encoding, body, framing):
    """What a server does: says the answer in two pieces, and closes if that is its only end."""
    head, sent, end = FRAMED[framing](body)

    def answer(connection, _):
        connection.say(OK + b"content-encoding: " + encoding.encode() + b"\r\n" + head + sent[:40])
        connection.say(sent[40:] + (end or b""))
        if end is None:
            connection.close()

    return answer


@STREAM
@pytest.mark.parametrize("framing", FRAMED)
def test_encodings_nobody_asked_for(caller, framing, stream):
    """Read all the same, in every framing."""
    for name, (encoding, body) in ENCODED.items():
        with Scripted(framed(encoding, body, framing)) as server:
            assert said(caller, server.base, stream=stream) == TEXT, name


CUT = {
    "half of it": gzip.compress(TEXT)[:30],
    "no checksum": gzip.compress(TEXT)[:-8],
    "a wrong checksum": gzip.compress(TEXT)[:-8] + bytes(8),
    "half of the second member": gzip.compress(TEXT) + gzip.compress(TEXT)[:30],
    "something else behind it": gzip.compress(TEXT) + b"?",
}


@STREAM
@pytest.mark.parametrize("framing", FRAMED)
def test_a_compressed_body_that_breaks_off(caller, framing, stream):
    """S1: for HTTP the answer is complete; what is in it is not, and that is an error and no short answer."""
    for name, body in CUT.items():
        with Scripted(framed("gzip", body, framing)) as server:
            with pytest.raises(TransportFault) as caught:
                said(caller, server.base, stream=stream)
            assert caught.value.kind in ("protocol", "closed"), name
            assert server.url in str(caught.value), name


# --- framing -------------------------------------------------------------------------------------------------------------

AGAIN = {  # what is said, and how many connections three such answers take
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", 3),
    "HTTP/1.0, keep-alive": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}", None),
    "connection: close": (whole(b"{}", "connection: close"), 3),
    "length and chunked": (
        OK + b"content-length: 99\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", None
    ),
    "the same length twice": (OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}", None),
    "trailers": (OK + b"transfer-encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\na: b\r\n\r\n", 1),
    "1xx before it": (b"HTTP/1.1 103 Early\r\nlink: </>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + whole(), 1),
}  # fmt: skip


@STREAM
@pytest.mark.parametrize(("answer", "connections"), AGAIN.values(), ids=AGAIN)
def test_whether_a_connection_is_used_again(caller, answer, connections, stream):
    """G2: only if nobody can be in doubt about where the answer has ended. (An older parser may refuse the doubtful.)"""
    with Scripted(always(answer)) as server:
        for _ in range(3):
            with contextlib.nullcontext() if connections else contextlib.suppress(TransportFault):
                assert said(caller, server.base, stream=stream) == b"{}"
            caller.notice()
        assert len(server.requests) == 3
        assert server.connections_made == connections or connections is None


@STREAM
@pytest.mark.parametrize("lengths", [(2, 3), (3, 2)])
def test_two_lengths_that_differ(caller, lengths, stream):
    """F2: refused: whoever stands between us and the server may have read the other one."""
    head = OK + b"".join(b"content-length: %d\r\n" % length for length in lengths)
    with Scripted(always(head + b"\r\n{} ")) as server, pytest.raises(TransportFault):
        said(caller, server.base, stream=stream)


@STRAIGHT  # by way of a proxy, aiohttp does not tell us
@STREAM
def test_a_reset_is_no_end(caller, stream):
    """S1: an answer that only the connection's end delimits is complete when it ends in good order, not when it breaks."""

    def answer(connection, _):
        connection.say(OK + b"content-type: text/plain\r\n\r\nhalf of it")
        connection.server._loop.call_later(0.05, connection.reset)

    with Scripted(answer) as server:
        with pytest.raises(TransportFault, match="closed the connection before the answer was complete"):
            said(caller, server.base, stream=stream)


@STREAM
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_tls_that_ends_without_a_goodbye(caller, tls, framing, stream):
    """S1: where the answer says how long it is, nothing else tells us that it is complete."""

    def answer(connection, _):
        connection.say(OK + FRAMED[framing](TEXT)[0] + FRAMED[framing](TEXT)[1][:30])
        connection.server._loop.call_later(0.05, connection.vanish)

    with Scripted(answer, tls=tls) as server, pytest.raises(TransportFault, match="closed the connection"):
        said_securely(caller, server, tls, stream=stream)


def said_securely(caller, server, tls, *, stream):
    asked = request(server.base + "/chat/completions", stream=stream)
    asked = msgspec.structs.replace(asked, network=Network(verify=str(tls.ca_file)))
    reply = caller.send(asked)
    return read_all(caller, reply) if stream else reply.body


@pytest.mark.parametrize("status", [200, 404])
def test_head(caller, status):
    """Its answer states a length and has no body; the connection goes on."""

    def answer(connection, seen):
        connection.say(whole(b"12345", status=status)[: None if seen.method != "HEAD" else -5])

    with Scripted(answer) as server:
        for method, body in ("HEAD", b""), ("GET", b"12345"), ("HEAD", b""):
            reply = caller.send(request(server.base, method=method, body=b""))
            assert (reply.status, reply.headers["content-length"], reply.body) == (status, "5", body)
        assert server.connections_made == 1


class Refusing(Answering):
    """Answers the first bytes of a request, and reads no more."""

    def data_received(self, data):
        self.transport.pause_reading()
        self.say(whole(b'{"error": {}}', status=413))


@STREAM
@pytest.mark.parametrize(
    "caller", ["async", "uvloop"], indirect=True
)  # the sync transport writes first, and then reads
def test_a_server_that_is_done_before_we_are(caller, stream):
    """G3: its answer is read while we still write, and the connection is not used again."""
    with Scripted(always(b"")) as server:
        server.connection_class = Refusing
        for _ in range(2):
            reply = caller.send(request(server.base, stream=stream, body=b"x" * (8 << 20)))
            assert (reply.status, reply.body) == (413, b'{"error": {}}')
        assert server.connections_made == 2


# --- slow heads ----------------------------------------------------------------------------------------------------------


@STRAIGHT
@STREAM
@pytest.mark.parametrize("piece", [b"x", b"HTTP/1.1 100 Continue\r\n\r\n"], ids=["byte by byte", "interim answers"])
def test_a_head_that_never_ends(caller, piece, stream):
    """S6: `first_byte` is for the whole head: bytes of it, or answers before the answer, do not start it again."""

    def answer(connection, _):
        connection.say(b"HTTP/1.1 200 " if piece == b"x" else b"")

        def go_on():
            if not connection.lost:
                connection.say(piece)
                connection.server._loop.call_later(0.02, go_on)

        go_on()

    with Scripted(answer) as server:
        timeouts = Timeouts(connect=5, first_byte=0.2, between=5, total=5)
        with pytest.raises(TransportFault, match=r"no answer from .* within 0\.2 s \(first byte\)"):
            said(caller, server.base, stream=stream, timeouts=timeouts)
        caller.notice()
        server.wait_for(lambda: server.by[0].lost)


@pytest.mark.parametrize("caller", ["sync"], indirect=True)  # the others do not wait for it; see test_direct_clocks.py
def test_an_end_that_never_comes(caller):
    """S4: after [DONE] the last bytes have a moment, also if it is filled with heartbeats."""

    def answer(connection, _):
        connection.say(OK + FRAMED["chunked"](b"")[0] + http1.chunk(b"data: [DONE]\n\n"))

        def go_on():
            if not connection.lost:
                connection.say(http1.chunk(b": ping\n\n"))
                connection.server._loop.call_later(0.02, go_on)

        go_on()

    with Scripted(answer) as server:
        reply = caller.send(request(server.base, stream=True))
        assert caller.read(reply).startswith(b"data: [DONE]")
        start = time.monotonic()
        reply.finish()
        assert time.monotonic() - start < 2  # of the five that the whole call may take
        server.wait_for(lambda: server.by[0].lost)


# --- hosts ---------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def on_ipv6():
    """A server on ::1 that answers one request after the other. Gives its port and what it has read."""
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    heard = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    heard.append(connection.recv(65536))
                    connection.sendall(whole(TEXT, "connection: close"))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], heard
    listener.shutdown(socket.SHUT_RDWR)
    thread.join(2)
    listener.close()


@STRAIGHT
@STREAM
def test_an_ipv6_address(caller, stream):
    """In brackets, in the URL and in the Host header."""
    with on_ipv6() as (port, heard):
        assert said(caller, f"http://[::1]:{port}/v1", stream=stream) == TEXT
    (head,) = heard
    assert f"\r\nhost: [::1]:{port}\r\n".encode() in head.lower()


def resolving(monkeypatch, host, port):
    real = socket.getaddrinfo

    def getaddrinfo(name, *rest, **named):
        name = name.decode() if isinstance(name, bytes) else name
        return real("127.0.0.1" if name == host else name, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@STRAIGHT
@STREAM
def test_a_host_in_other_letters(caller, up, monkeypatch, stream):
    """A name in any script is looked up and said as DNS and HTTP spell it."""
    resolving(monkeypatch, "xn--bcher-kva.example", up.port)
    assert b"Hello" in said(caller, f"http://Bücher.example:{up.port}/v1", stream=stream)
    assert up.requests[0].headers["host"] == f"xn--bcher-kva.example:{up.port}"


@STREAM
def test_a_path_in_other_letters(caller, up, stream):
    """And with a query, characters that are escaped already, and some that should be."""
    url = up.url + "/modèle/a%2Fb/{x} y/chat/completions?api-version=2024-01&q=ü z"
    reply = caller.send(request(url, stream=stream))
    if stream:
        read_all(caller, reply)
    (seen,) = up.requests
    assert seen.path == "/mod%C3%A8le/a%2Fb/%7Bx%7D%20y/chat/completions"
    assert seen.query == "api-version=2024-01&q=%C3%BC%20z"


NO_HOSTS = [
    "http://a..b/v1",
    f"http://{'a' * 64}.example/v1",
    "http://host:0/v1",
    "http://ho st/v1",
    "host/v1",
    "http:///v1",
]


@pytest.mark.parametrize("url", NO_HOSTS)
def test_what_is_no_url(caller, url):
    """G3: the same fault on every transport, before anything is looked up."""
    with pytest.raises(TransportFault, match="api_base is no usable URL") as caught:
        caller.send(request(url))
    assert caught.value.kind == "url"


def test_a_header_with_a_line_end(caller, up):
    """F2: nothing is sent, and the value is not repeated."""
    with pytest.raises(TransportFault) as caught:
        caller.send(request(up.base + "/chat/completions", headers={"x-key": "canary\r\nEvil: 1"}))
    assert caught.value.kind == "url"
    assert "canary" not in str(caught.value)
    assert up.requests == []


def test_headers_of_the_callers_own(caller, up):
    """A Host that is given is the one that is sent; a length that is given is not."""
    own = {"Host": "model.internal", "Content-Length": "3", "Transfer-Encoding": "chunked", "X-Name": "é"}
    assert b"Hello" in said(caller, up.base, headers=own)
    (seen,) = up.requests
    assert seen.headers["host"] == "model.internal"
    assert seen.headers["content-length"] == str(len(seen.body))
    assert "transfer-encoding" not in seen.headers


def test_headers_that_change(caller, up):
    """G2: what is sent is what the headers say now, also if they are the same object as before."""
    asked = request(up.base + "/chat/completions")
    asked.cacheable_head = True
    for value in "one", "two":
        asked.headers["x-tag"] = value
        assert caller.send(asked).status == 200
    asked.method, asked.body = "GET", b""
    caller.send(asked)
    assert [seen.headers["x-tag"] for seen in up.requests] == ["one", "two", "two"]
    assert [seen.method for seen in up.requests] == ["POST", "POST", "GET"]
