"""What a transport takes for an answer, and for how long: the same on an event loop and without one."""

import contextlib
import socket
import threading
import time

import pytest
from tests.unit.net.asking import STRAIGHT, read_all, request

from litellm.net.faults import TransportFault
from litellm.net.messages import Timeouts

pytestmark = pytest.mark.alone


@contextlib.contextmanager
def saying(begin, again=b""):
    """A server that says `begin`, and then `again` as fast as it is read, for as long as anybody listens."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(begin)
                    while again:
                        connection.sendall(again)
                    connection.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    listener.close()


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
ENDLESS = {
    "comments": (STREAM, b": still here\n\n" * 500),
    "events": (STREAM, b"data: {}\n\n" * 500),
    "chunks": (STREAM[:-2] + b"transfer-encoding: chunked\r\n\r\n", b"5\r\n: ok\n\r\n" * 500),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("begin", "again"), ENDLESS.values(), ids=ENDLESS)
def test_the_clock_of_the_whole_holds_at_full_speed(caller, begin, again, stream):
    """Bytes that keep coming do not hold it up: a read that never waits is late all the same."""
    clocks = Timeouts(connect=30, first_byte=30, between=30, total=0.1)  # before a whole answer is too large
    with saying(begin, again) as base:
        start = time.monotonic()
        with pytest.raises(TransportFault) as caught:
            reply = caller.send(request(base, stream=stream, timeouts=clocks))
            read_all(caller, reply)
        assert caught.value.kind == "timeout"
        assert time.monotonic() - start < 10, "without the clock it would not end"


@STRAIGHT
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_interim_answers_do_not_wind_the_clock_of_the_first_byte(caller, stream):
    """They are no beginning of an answer."""
    clocks = Timeouts(connect=30, first_byte=0.3, between=30, total=60)
    with saying(b"", ENDLESS["interim answers"][1]) as base:
        start = time.monotonic()
        with pytest.raises(TransportFault) as caught:
            caller.send(request(base, stream=stream, timeouts=clocks))
        assert caught.value.kind == "timeout"
        assert time.monotonic() - start < 10, "without the clock it would not end"


LAX = {
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 2\n\n{}",
    "one bare line feed": b"HTTP/1.1 200 OK\r\nx-a: 1\ncontent-length: 2\r\n\r\n{}",
    "a folded line": b"HTTP/1.1 200 OK\r\nx-a: 1\r\n b: 2\r\ncontent-length: 2\r\n\r\n{}",
    "another version": b"HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "an older version": b"HTTP/0.9 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "a signed length": b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\n{}",
    "a space before the colon": b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\n{}",
    "a zero": b"HTTP/1.1 200 OK\r\nx-a: \0\r\ncontent-length: 2\r\n\r\n{}",
    "a status of two digits": b"HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\n{}",
    "another protocol": b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n",
    "a chunk's size that is none": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
}


@STRAIGHT
@pytest.mark.parametrize("answer", LAX.values(), ids=LAX)
def test_what_is_not_plainly_right_is_refused(caller, answer):
    """Two readers may take it for two different answers."""
    with saying(answer) as base, pytest.raises(TransportFault) as caught:
        caller.send(request(base))
    assert caught.value.kind == "protocol"
