"""What a connection does with its requests, one after another: without sockets, on a transport in memory."""

from __future__ import annotations

import asyncio
import re

import pytest
from tests.unit.server.test_connection import Place

from litellm.server.buffers import FREE
from litellm.server.connection import READ_AHEAD, SMALL_BODY
from litellm.server.limits import LINGER, Limits
from litellm.server.refusal import Refusal
from litellm.server.routing import Match

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire(asyncio.Transport):
    """The client's side: what it was sent, and whether it is read."""

    def __init__(self, place: Place) -> None:
        self.sent = b""
        self.reading, self.ended, self.closed = True, False, False
        self.connection = place.connections()
        self.connection.connection_made(self)

    def write(self, data: bytes) -> None:
        self.sent += data

    def write_eof(self) -> None:
        self.ended = True

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_reading(self) -> bool:
        return self.reading

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)

    abort = close

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def say(self, data: bytes) -> None:
        self.connection.data_received(data)

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.sent)]


async def settle() -> None:
    """Let everything happen that can."""
    for _ in range(50):
        await asyncio.sleep(0)


def post(length: int, *lines: str) -> bytes:
    return "\r\n".join(["POST / HTTP/1.1", "Host: x", f"Content-Length: {length}", *lines, "", ""]).encode()


# --- one after another ------------------------------------------------------------------------------------------------------


async def test_as_many_requests_as_one_likes():
    """What one read brings is answered in order, and what waits is bytes that are counted."""
    place = Place(Limits())
    wire = Wire(place)
    place.allowed.clear()
    wire.say(GET * 1000)
    await settle()
    assert wire.sent == b""
    assert place.held == 999 * len(GET) - FREE
    assert place.connections.buffers.unauthenticated_bytes == place.held
    place.allowed.set()
    for _ in range(200):
        await settle()
    assert wire.statuses == [200] * 1000
    assert place.held == 0


async def test_who_sends_much_behind_a_request_is_not_read_on():
    """Until that has been answered."""
    place = Place(Limits())
    wire = Wire(place)
    place.allowed.clear()
    wire.say(GET)
    while wire.reading:
        wire.say(GET * 100)
    assert len(wire.connection._parser.pending) <= READ_AHEAD + 100 * len(GET)
    place.allowed.set()
    for _ in range(20):
        await settle()
    assert wire.reading


async def test_there_is_little_room_for_what_waits():
    """Strangers' bytes behind requests have their part and no more: the request is answered, and the rest forgotten."""
    place = Place(Limits(unauthenticated_limit=10_000))
    wire = Wire(place)
    place.allowed.clear()
    wire.say(GET * 1000)
    assert place.held == 0
    place.allowed.set()
    await settle()
    assert wire.statuses == [200]
    assert wire.ended or wire.closed


@pytest.mark.parametrize("bad", [b"garbage\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"])
async def test_a_good_request_before_a_bad_one(bad):
    """It is answered, and the bad one after it."""
    wire = Wire(Place(Limits()))
    wire.say(GET + bad)
    assert wire.sent == b""
    await settle()
    assert wire.statuses == [200, 400]
    assert wire.ended


async def test_what_comes_behind_the_last_request():
    """After `Connection: close` it is not looked at."""
    wire = Wire(Place(Limits()))
    wire.say(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + GET)
    await settle()
    assert wire.statuses == [200]
    assert wire.ended


async def test_leave_to_go_on_waits_for_its_turn():
    """`100 Continue` comes after the answers before it, and not in the middle of one."""
    place = Place(Limits())
    wire = Wire(place)

    async def streamed(http) -> None:
        http.begin(200, [], b"text/plain")
        http.write(b"one")
        await settle()
        wire.say(post(5, "Expect: 100-continue"))
        await settle()
        http.write(b"two", more=False)
        place.answers = place.length

    place.answers = streamed
    wire.say(GET)
    for _ in range(5):
        await settle()
    first, _, second = wire.sent.partition(b"0\r\n\r\n")
    assert b"Continue" not in first
    assert second == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.say(b"hello")
    await settle()
    assert wire.statuses == [200, 100, 200]


async def test_no_leave_for_what_is_here():
    """Whoever has sent the body already needs none."""
    wire = Wire(Place(Limits()))
    wire.say(post(5, "Expect: 100-continue") + b"hello")
    await settle()
    assert wire.statuses == [200]


# --- refused at the head ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 404, 405])
@pytest.mark.parametrize("pieces", [1, 2])
async def test_a_short_body_that_nobody_wants(status, pieces):
    """It is thrown away as it comes, and the connection is used again."""
    place = Place(Limits())
    wire = Wire(place)
    route, place.route = place.route, lambda _head: (_ for _ in ()).throw(Refusal(status, "no"))
    body = b"x" * 1000
    wire.say(post(len(body)) + (body if pieces == 1 else b""))
    await settle()
    if pieces == 2:
        assert wire.sent == b""
        wire.say(body)
        assert place.held == 0
        await settle()
    place.route = route
    wire.say(GET)
    await settle()
    assert wire.statuses == [status, 200]
    assert not wire.closed


@pytest.mark.parametrize("more", [(SMALL_BODY + 1,), (5, "Expect: 100-continue")])
async def test_a_body_that_is_not_waited_for(more):
    """A long one, or one for which leave is asked: the answer comes before it, and is the last."""
    place = Place(Limits())
    wire = Wire(place)
    wire.say(post(*more, "stranger: yes"))
    await settle()
    assert wire.statuses == [401]
    assert wire.ended
    wire.say(b"x" * 5)
    await settle()
    assert wire.statuses == [401]


async def test_strangers_short_bodies_count_as_theirs():
    """However short they are, what they have sent of them leaves the rest of the room to others."""
    place = Place(Limits(buffer_limit=100_000, unauthenticated_limit=10_000))
    wires = [Wire(place) for _ in range(43)]
    for wire in wires:
        wire.say(post(60_000, "unknown: yes") + b"x" * 1000)
    await settle()
    assert place.connections.buffers.unauthenticated_bytes == 10_000
    assert [wire.statuses for wire in wires].count([503]) == 33
    known = Wire(place)
    known.say(post(50_000) + b"x" * 10)
    known.say(b"x" * 49_990)
    await settle()
    assert known.statuses == [200]
    for wire in wires:
        wire.close()
    await settle()
    assert place.held == 0


# --- handlers that fail -----------------------------------------------------------------------------------------------------


class Odd(BaseException):
    pass


@pytest.mark.parametrize(
    "error", [ValueError, Odd, GeneratorExit, asyncio.CancelledError, SystemExit, KeyboardInterrupt]
)
@pytest.mark.parametrize("started", [False, True])
async def test_whatever_a_handler_raises(error, started):
    """Its client is answered, or sees the connection end; the server serves on."""
    place = Place(Limits())
    wire = Wire(place)

    def answers(http) -> None:
        if started:
            http.begin(200, [], b"text/plain")
            http.write(b"one")
        raise error

    place.answers = answers
    wire.say(GET)
    await settle()
    assert wire.statuses == [200 if started else 500]
    assert wire.closed is started
    place.answers = place.length
    other = Wire(place)
    other.say(GET)
    await settle()
    assert other.statuses == [200]


@pytest.mark.parametrize("started", [False, True])
async def test_a_handler_that_says_nothing(started):
    """Nobody waits for what does not come."""
    place = Place(Limits())
    wire = Wire(place)
    place.answers = lambda http: http.begin(200, [], b"text/plain") if started else None
    wire.say(GET)
    await settle()
    assert wire.statuses == ([] if started else [500])
    assert wire.closed is started


# --- other ways to read a request -------------------------------------------------------------------------------------------


async def test_a_body_that_is_read_as_it_comes():
    """The handler is called at the head; while it does not read, the client has to wait."""
    place = Place(Limits())
    place.match = Match(None, "stream")
    wire, read, go = Wire(place), [], asyncio.Event()

    async def upload(http) -> None:
        await go.wait()
        async for piece in http.stream():
            read.append(piece)
        http.answer(201, b"", [])

    place.answers = upload
    wire.say(post(1_000_000))
    sent = 0
    while wire.reading:
        wire.say(b"x" * 10_000)
        sent += 10_000
    assert sent < 400_000
    go.set()
    await settle()
    assert wire.reading
    while sent < 1_000_000:
        wire.say(b"x" * 10_000)
        sent += 10_000
        await settle()
    assert wire.statuses == [201]
    assert b"".join(read) == b"x" * 1_000_000
    assert place.held == 0
    wire.say(GET)
    await settle()
    assert wire.statuses == [201, 201]


async def test_an_upload_that_had_to_wait_for_its_handler_is_not_late(monkeypatch):
    """The time for which the server did not read is not the client's. From then on the client's time counts again."""
    place = Place(Limits())
    place.match = Match(None, "stream")
    wire, go, loop = Wire(place), asyncio.Event(), asyncio.get_running_loop()
    begun = loop.time()
    passed = [0.0]
    monkeypatch.setattr(loop, "time", lambda: begun + passed[0])

    async def upload(http) -> None:
        await go.wait()
        read = sum([len(piece) async for piece in http.stream()])
        http.answer(201, b"%d" % read, [])

    place.answers = upload
    wire.say(post(1_000_000))
    while wire.reading:
        wire.say(b"x" * 10_000)
    passed[0] = 10_000
    place.later(0)
    go.set()
    await settle()
    assert wire.reading
    place.later(1)
    await settle()
    assert wire.statuses == []
    place.later(10_000)
    await settle()
    assert wire.statuses == [408]


async def test_what_is_not_read_any_more_does_not_keep_a_connection_open(monkeypatch):
    """However much of it comes."""
    place = Place(Limits())
    place.match = Match(None, "stream")
    wire, loop = Wire(place), asyncio.get_running_loop()
    begun = loop.time()
    passed = [0.0]
    monkeypatch.setattr(loop, "time", lambda: begun + passed[0])
    wire.say(post(10_000_000) + b"x")
    await settle()
    assert wire.ended
    for _ in range(10):
        passed[0] += LINGER / 5
        wire.say(b"x" * 300_000)
        await settle()
        place.later(0)
    assert wire.closed


async def test_a_handler_that_has_read_enough():
    """It may answer before the end; what still comes is not read, and the connection ends."""
    place = Place(Limits())
    place.match = Match(None, "stream")
    wire = Wire(place)
    place.answers = lambda http: http.answer(413, b"", [])
    wire.say(post(1_000_000) + b"x")
    await settle()
    assert wire.statuses == [413]
    assert wire.ended
    assert place.held == 0


async def test_a_stream_that_breaks_off():
    """Whoever reads it is told; what it becomes is the client's answer."""
    place = Place(Limits())
    place.match = Match(None, "stream")
    wire = Wire(place)

    async def upload(http) -> None:
        async for _ in http.stream():
            pass

    place.answers = upload
    wire.say(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
    await settle()
    wire.say(b"zz\r\n")
    await settle()
    assert wire.statuses == [400]
    assert wire.ended


async def test_a_route_that_speaks_another_protocol():
    """After the head, bytes go both ways as they are."""
    place = Place(Limits())
    place.match = Match(None, "socket")
    wire = Wire(place)

    async def echo(http) -> None:
        http.switch_protocols([(b"upgrade", b"websocket"), (b"connection", b"upgrade")])
        async for piece in http.stream():
            http.write(piece)
            if piece == b"end":
                http.write(b"", more=False)
                return

    place.answers = echo
    wire.say(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
    await settle()
    wire.say(GET)
    await settle()
    wire.say(b"end")
    await settle()
    assert wire.sent.partition(b"\r\n\r\n")[2] == b"first" + GET + b"end"
    assert wire.closed or wire.ended


@pytest.mark.parametrize("mode", ["whole", "stream"])
async def test_a_websocket_where_none_is_spoken(mode):
    """426, and the connection ends: what follows may be no HTTP."""
    place = Place(Limits())
    place.match = Match(None, mode)
    wire = Wire(place)
    wire.say(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
    await settle()
    assert wire.statuses == [426]
    assert wire.ended


async def test_a_handler_that_answers_without_reading_a_long_body():
    """All of which is here: the connection goes on with the next request."""
    place = Place(Limits())
    place.match = Match(None, "stream")
    wire = Wire(place)
    place.allowed.clear()
    wire.say(post(300_000) + b"x" * 300_000)
    await settle()
    assert not wire.reading
    place.allowed.set()
    await settle()
    assert wire.statuses == [200]
    assert wire.reading
    assert not wire.ended


@pytest.mark.parametrize("behind", [GET * 1000, GET + b"garbage\r\n\r\n"])
async def test_what_comes_behind_a_whole_stream_does_not_break_it(behind):
    """It is read and answered; what waits is more than there is room for, or no request, and the connection ends."""
    place = Place(Limits(unauthenticated_limit=10_000))
    place.match = Match(None, "stream")
    wire, read = Wire(place), []

    async def upload(http) -> None:
        read.append(b"".join([piece async for piece in http.stream()]))
        http.answer(201, b"", [])

    place.answers = upload
    place.allowed.clear()
    wire.say(post(4) + b"body")
    await settle()
    wire.say(behind)
    place.allowed.set()
    await settle()
    assert read[0] == b"body"
    assert wire.statuses[0] == 201
    assert wire.ended or wire.closed
    assert place.held == 0


async def test_a_stranger_is_told_before_a_long_stream_is_read():
    """No handler is called for it."""
    place = Place(Limits())
    place.match = Match(None, "stream")
    wire = Wire(place)
    wire.say(post(1_000_000, "stranger: yes") + b"x")
    await settle()
    assert wire.statuses == [401]
    assert wire.ended


@pytest.mark.parametrize("all_here", [False, True])
async def test_an_answer_before_the_body_says_that_the_connection_ends(all_here):
    """The client is told not to send another request behind it."""
    place = Place(Limits())
    place.match = Match(None, "stream")
    wire = Wire(place)
    wire.say(post(10) + b"x" * (10 if all_here else 1))
    await settle()
    assert wire.statuses == [200]
    assert (b"connection: close" in wire.sent) is not all_here
    assert (wire.ended or wire.closed) is not all_here


async def test_what_waits_is_counted_by_the_limits_of_now():
    """Those of a connection that was open before they changed, too."""
    place = Place(Limits())
    wire = Wire(place)
    place.allowed.clear()
    wire.say(GET)
    place.limits = Limits(unauthenticated_limit=10_000)
    wire.say(GET * 1000)
    assert place.held == 0
    place.allowed.set()
    await settle()
    assert wire.statuses == [200]
    assert wire.ended or wire.closed


async def test_requests_that_cannot_be_read_share_nothing():
    """What one exchange does to its headers is not seen by another."""
    place = Place(Limits())
    seen = []

    def render(http, error):
        seen.append(dict(http.headers))
        http.headers[b"mark"] = b"1"
        return 400, b"", []

    place.render = render
    for _ in range(2):
        Wire(place).say(b"garbage\r\n\r\n")
    assert seen == [{}, {}]
