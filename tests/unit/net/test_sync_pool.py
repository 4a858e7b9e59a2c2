"""Connections without an event loop: shared by threads, bounded, and let go of."""

import contextlib
import socket
import threading
import time

import msgspec
import pytest
from tests.unit.net.asking import QUICK, request
from tests.unit.net.direct import to
from tests.unit.net.scripted import Scripted, always, whole
from tests.unit.net.test_connecting import black_hole, listening, port  # noqa: F401 - a fixture

from litellm.net import sync_pool
from litellm.net.connect import HEAD_START
from litellm.net.faults import TransportFault
from litellm.net.network import Network
from litellm.net.steps import Send
from litellm.net.sync_connect import connected
from litellm.net.sync_io import SyncTransport
from litellm.net.sync_pool import SyncPool

pytestmark = pytest.mark.alone


@contextlib.contextmanager
def pool(**options):
    made = SyncPool(**options)
    try:
        yield made
    finally:
        made.close()
        assert made.size[1] == 0


def at_once(calls):
    """Run these in threads of their own, and wait for all."""
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


def test_one_connection_serves_one_call_after_another(open_files):
    with Scripted(always(whole())) as server, pool() as ours:
        for _ in range(5):
            assert ours.send(to(server)).body == b"{}"
        assert server.connections_made == 1
        assert ours.size == (1, 1)


def test_calls_at_once_have_connections_of_their_own():
    """And no more are kept than the maximum: those that have been idle longest go."""
    together = threading.Barrier(8)

    def answer(connection, _):
        connection.server._loop.call_later(0.1, connection.say, whole())

    with Scripted(answer) as server, pool(max_idle=3) as ours:
        at_once([lambda: (together.wait(), ours.send(to(server)))] * 8)
        assert server.connections_made == 8
        assert ours.size[1] == 3
        server.wait_for(lambda: server.open_connections == 3)


def test_those_that_were_idle_for_long_go(monkeypatch):
    """When another is kept, or when one is wanted: without a loop there is nobody to look in between."""
    with Scripted(always(whole())) as server, Scripted(always(whole())) as other, pool() as ours:
        ours.send(to(server))
        now = time.monotonic
        monkeypatch.setattr(sync_pool.time, "monotonic", lambda: now() + sync_pool.IDLE)
        ours.send(to(other))
        assert ours.size[1] == 1
        server.wait_for(lambda: server.open_connections == 0)


def test_closing_while_somebody_waits(open_files):
    """Whoever waits for an answer, or for more of a stream, is told at once; the next call opens a new connection."""
    io, faults = SyncTransport(), []

    def ask():
        try:
            io.perform(Send(to(server)))
        except TransportFault as fault:
            faults.append(fault.kind)

    with Scripted(always(whole(b"12345")[:-3])) as server:
        stream = io.perform(Send(to(server, stream=True)))
        assert stream.read() == b"12"
        server.answer = lambda *_: None
        waiting = threading.Thread(target=ask)
        waiting.start()
        server.wait_for(lambda: len(server.by) == 2)
        io.close()
        waiting.join(2)
        for _ in range(2):
            with pytest.raises(TransportFault) as caught:
                stream.read()
            assert caught.value.kind == "closed"
        assert faults == ["closed"]
        server.answer = always(whole())
        assert io.perform(Send(to(server))).body == b"{}"
        io.close()
        server.wait_for(lambda: server.open_connections == 0)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_an_answer_before_all_was_sent(tls, secure):
    """By a server that keeps the connection open and reads no further: it is read, and the rest not sent."""

    class Refusing(Scripted):
        def __init__(self, **options):
            super().__init__(always(b""), **options)

            class Refused(self.connection_class):
                def data_received(self, data):
                    if not self.closed_here:
                        self.closed_here = True
                        self.transport.write(whole(b"too much", status=413))
                        self.transport.pause_reading()

            self.connection_class = Refused

    with Refusing(tls=tls if secure else None) as server, pool() as ours:
        network = Network(verify=str(tls.ca_file)) if secure else Network()
        asked = msgspec.structs.replace(to(server, body=b"x" * 40_000_000, timeouts=QUICK), network=network)
        reply = ours.send(asked)
        assert (reply.status, reply.body) == (413, b"too much")
        assert ours.size[1] == 0, "half a request has gone on it"


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_long_request_arrives_whole(tls, secure):
    with Scripted(always(whole()), tls=tls if secure else None) as server, pool() as ours:
        network = Network(verify=str(tls.ca_file)) if secure else Network()
        body = bytes(range(256)) * 40_000
        for _ in range(2):
            ours.send(msgspec.structs.replace(to(server, body=body), network=network))
        assert [seen.body == body for seen in server.requests] == [True, True]
        assert server.connections_made == 1


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_request_that_nobody_reads(tls, secure):
    """Its clock is the one of the first byte."""

    class Deaf(Scripted):
        def __init__(self, **options):
            super().__init__(always(b""), **options)

            class Unread(self.connection_class):
                def data_received(self, data):
                    self.transport.pause_reading()

            self.connection_class = Unread

    with Deaf(tls=tls if secure else None) as server, pool() as ours:
        network = Network(verify=str(tls.ca_file)) if secure else Network()
        clocks = msgspec.structs.replace(QUICK, first_byte=0.2)
        asked = to(server, body=b"x" * 40_000_000, timeouts=clocks)
        with pytest.raises(TransportFault, match="first byte") as caught:
            ours.send(msgspec.structs.replace(asked, network=network))
        assert caught.value.kind == "timeout"


def test_the_first_address_that_answers(port):  # noqa: F811
    """One that refuses costs no time, one that leads nowhere a head start; the others are closed."""
    with black_hole("127.0.0.1", port), listening(("127.0.0.3", port)):
        start = time.monotonic()
        with connected(["127.0.0.1", "127.0.0.2", "127.0.0.3"], port, 5.0) as sock:
            assert sock.getpeername()[0] == "127.0.0.3"
        assert HEAD_START * 0.9 < time.monotonic() - start < 2 * HEAD_START


def test_no_address_answers(port):  # noqa: F811
    """What each of them said, once; or that it took too long."""
    with pytest.raises(OSError, match="refused") as caught:
        connected(["127.0.0.1", "127.0.0.2"], port, 5.0)
    assert str(caught.value).count("refused") == 1
    with pytest.raises(OSError, match="no address"):
        connected([], port, 5.0)
    with black_hole("127.0.0.1", port), pytest.raises(TimeoutError):
        connected(["127.0.0.1"], port, 0.1)


def test_a_handshake_that_nobody_answers():
    """TLS belongs to the clock of the connection."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pool() as ours:
        asked = request(
            f"https://127.0.0.1:{silent.getsockname()[1]}/v1", timeouts=msgspec.structs.replace(QUICK, connect=0.2)
        )
        with pytest.raises(TransportFault, match="connect timeout") as caught:
            ours.send(asked)
        assert caught.value.kind == "timeout"
