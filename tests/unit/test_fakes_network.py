"""Upstreams and proxies break connections as they are told to, and notice when a client does."""

import asyncio
import contextlib
import http.client
import itertools
import socket
import ssl
import struct
import time

import pytest
from tests.fakes import behaviour as act
from tests.fakes.forward_proxy import ForwardProxy
from tests.fakes.raw_client import CHAT, ask, ask_raw, dial, request, until_eof
from tests.fakes.replies import Stream
from tests.fakes.server import unconnectable
from tests.fakes.tls import ServerTLS
from tests.fakes.upstream import Upstream


@pytest.fixture
def up():
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    return ServerTLS(tmp_path_factory.mktemp("tls"), hosts=("127.0.0.1", "example.com"))


# Connections that go wrong


def test_hang(up):
    up.next(act.hang())
    with dial(up) as sock:
        sock.settimeout(0.1)
        sock.sendall(request())
        with pytest.raises(TimeoutError):
            sock.recv(1)


def test_hang_up(up):
    up.next(act.hang_up())
    assert ask_raw(up) == b""
    assert up.requests[0].finished_at


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("after", [None, 0, 2])
def test_reset(up, after, stream):
    up.next(act.reset(after))
    with dial(up) as sock:
        sock.sendall(request(stream=stream))
        got = b""
        with pytest.raises(ConnectionResetError):
            while True:
                got += sock.recv(65536)
    events = 2 if stream and after else 0
    assert (bool(got), got.count(b"data: ")) == (after is not None, events)
    assert up.requests[0].finished_at
    assert not up.requests[0].aborted_at


def test_cut(up):
    up.default = act.cut(after=3)
    body = ask_raw(up, stream=True)
    assert body.count(b"data: ") == 3
    assert not body.endswith(b"0\r\n\r\n")
    with pytest.raises(http.client.IncompleteRead):
        ask(up)  # a plain body breaks in its middle


def test_cut_with_a_proper_end(up):
    up.default = act.cut(after=3, proper_end=True)
    body = ask(up, stream=True).body
    assert body.count(b"data: ") == 3
    assert b"DONE" not in body
    assert b'"stop"' not in body
    assert b'"object"' in ask(up).body, "half an answer, and HTTP finds nothing wrong with it"


def test_stall(up):
    up.next(act.stall(after=1, text="x"))
    with dial(up) as sock:
        sock.settimeout(0.1)
        sock.sendall(request(stream=True))
        got = b""
        with pytest.raises(TimeoutError):
            while True:
                got += sock.recv(65536)
        assert up.open_connections == 1
    assert got.count(b"data: ") == 1


ENDLESS = Stream(itertools.repeat({"choices": []}))


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    "behaviour",
    [act.hang(), act.answer(delay=30), act.stall(after=2), act.answer(gap=30), act.Behaviour(ENDLESS)],
    ids=["black hole", "slow first byte", "stall", "slow chunks", "endless, and nobody reads"],
)
def test_aborts_are_seen_at_once(behaviour, reset, secure, tls):
    with Upstream(tls=tls if secure else None) as up, contextlib.ExitStack() as stack:
        up.next(behaviour)
        sock = stack.enter_context(dial(up))
        if secure:
            sock = stack.enter_context(tls.client_context().wrap_socket(sock, server_hostname="127.0.0.1"))
        sock.sendall(request(stream=True))
        up.wait_for(lambda: up.requests)
        time.sleep(0.02)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        closed = time.monotonic()
        sock.close()
        aborted = up.wait_for(lambda: up.requests[0].aborted_at)
        assert 0 <= aborted - closed < 0.25
        assert up.requests[0].finished_at is None
        up.wait_for(lambda: up.open_connections == 0, timeout=0.25)


async def test_async_wait_for(up):
    reader, writer = await asyncio.open_connection("127.0.0.1", up.port)
    up.next(act.hang())
    writer.write(request())
    await up.async_wait_for(lambda: up.requests)
    writer.close()
    await up.async_wait_for(lambda: up.requests[0].aborted_at)
    with pytest.raises(TimeoutError, match="seen by then"):
        await up.async_wait_for(lambda: False, timeout=0.01)


# The server below


def test_down_and_up_again(up):
    with dial(up) as idle:
        idle.sendall(request())
        up.wait_for(lambda: up.requests and up.requests[0].finished_at)
        up.drop_connections()
        assert b"Hello" in until_eof(idle)
    up.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(up)
    up.start()
    assert ask(up).status == 200


def test_a_bug_of_the_fake_is_not_swallowed():
    def broken(seen):
        raise LookupError("bug")

    up = Upstream()
    up.start()
    up.default = act.answer(checks=(broken,))
    assert ask_raw(up) == b""
    with pytest.raises(LookupError):
        up.stop()


def test_not_http(up):
    with pytest.raises(ssl.SSLError), dial(up) as sock:
        ssl.create_default_context().wrap_socket(sock, server_hostname="127.0.0.1")


def test_unconnectable():
    with unconnectable() as url, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=0.1)


def ask_tls(address, context, *, tunnel=None, auth=None):
    with contextlib.closing(http.client.HTTPSConnection(*address, context=context, timeout=2)) as connection:
        if tunnel:
            connection.set_tunnel(tunnel, headers={"Proxy-Authorization": auth} if auth else {})
        connection.request("GET", "/v1/models")
        return connection.getresponse().status


@pytest.mark.parametrize("self_signed", [False, True])
def test_tls(self_signed, tmp_path):
    tls = ServerTLS(tmp_path, self_signed=self_signed)
    with Upstream(tls=tls) as up:
        assert up.base.startswith("https://127.0.0.1:")
        address = ("127.0.0.1", up.port)
        assert ask_tls(address, tls.client_context()) == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            ask_tls(address, ssl.create_default_context())
        up.wait_for(lambda: len(up.tls_failures) == 1)
        assert up.connections_made == 1
        with dial(up):  # never shakes hands; stop() has to cope
            time.sleep(0.02)
            up.stop()


def test_client_certificates(tmp_path):
    tls = ServerTLS(tmp_path, require_client=True)
    with Upstream(tls=tls) as up:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask_tls(("127.0.0.1", up.port), tls.client_context())
        assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in up.wait_for(lambda: up.tls_failures)[0]
        assert ask_tls(("127.0.0.1", up.port), tls.client_context(with_certificate=True)) == 200
        pair = tls.client_context()
        pair.load_cert_chain(tls.client_cert_file, tls.client_key_file)
        assert ask_tls(("127.0.0.1", up.port), pair) == 200


# The forward proxy


def test_tunnel_to_a_public_name(tls):
    with Upstream(tls=tls) as up, ForwardProxy(hosts={"example.com:443": f"127.0.0.1:{up.port}"}) as proxy:
        assert ask_tls(("127.0.0.1", proxy.port), tls.client_context(), tunnel="example.com:443") == 200
        (passed,) = proxy.requests
        assert (passed.method, passed.address, passed.status) == ("CONNECT", "example.com:443", None)
        assert up.requests[0].headers["host"] == "example.com"


def test_absolute_urls_on_one_connection(up):
    with Upstream() as other, ForwardProxy(hosts={"a.test:80": f"127.0.0.1:{up.port}"}) as proxy:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=2)) as connection:
            for url in (f"http://a.test{CHAT}?x=1", f"{other.url}{CHAT}", f"http://a.test{CHAT}"):
                connection.request("POST", url, b'{"messages": []}', {"Proxy-Connection": "keep-alive"})
                assert b"Hello" in connection.getresponse().read()
        assert proxy.connections_made == 1
        assert [passed.address for passed in proxy.requests] == ["a.test:80", f"127.0.0.1:{other.port}", "a.test:80"]
    first, third = up.requests
    assert (first.path, first.query, first.json) == (CHAT, "x=1", {"messages": []})
    assert "proxy-connection" not in first.headers
    assert (third.path, other.requests[0].path) == (CHAT, CHAT)


def test_proxy_refusals(up):
    with ForwardProxy(auth=("me", "secret")) as proxy:
        assert proxy.url_with_auth == f"http://me:secret@127.0.0.1:{proxy.port}"
        right = {"Proxy-Authorization": "Basic bWU6c2VjcmV0"}
        answers = [ask(proxy, f"{up.url}{CHAT}", headers=headers) for headers in ({}, right)]
        answers += [ask(proxy, f"http://{host}/", headers=right) for host in ("example.com", "127.0.0.1:1")]
        assert [answer.status for answer in answers] == [407, 200, 403, 502]
        assert answers[0].headers["proxy-authenticate"].startswith("Basic")
        assert [passed.status for passed in proxy.requests] == [407, None, 403, 502]
        with dial(proxy) as sock:
            sock.sendall(f"CONNECT 127.0.0.1:{up.port} HTTP/1.1\r\n\r\n".encode())
            assert until_eof(sock).startswith(b"HTTP/1.1 407 ")
    assert len(up.requests) == 1


@pytest.mark.parametrize("reset", [False, True])
def test_a_tunnel_hides_nothing(up, reset):
    up.next(act.reset(after=1) if reset else act.cut(after=1), act.stall())
    call = f"CONNECT 127.0.0.1:{up.port} HTTP/1.1\r\n\r\n".encode() + request(stream=True)
    with ForwardProxy() as proxy:
        with dial(proxy) as sock:
            sock.sendall(call)
            assert sock.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n\r\n")
            with pytest.raises(ConnectionResetError) if reset else contextlib.nullcontext():
                until_eof(sock)
        with dial(proxy) as sock:
            sock.sendall(call)
            up.wait_for(lambda: len(up.requests) == 2)
        closed = time.monotonic()
        assert up.wait_for(lambda: up.requests[1].aborted_at) - closed < 0.25
