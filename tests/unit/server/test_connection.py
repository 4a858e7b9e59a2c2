"""What a server keeps is bounded, and let go of however a connection ends. Over real sockets, with the clock in our hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm.net.fair_queue import LARGE
from litellm.server.buffers import FREE
from litellm.server.connection import LARGE_CHUNKED, SMALL_BODY, Connections
from litellm.server.exchange import Exchange
from litellm.server.head import MAX_HEAD, Head
from litellm.server.limits import LINGER, Limits
from litellm.server.refusal import Refusal
from litellm.server.routing import Match

BIG = SMALL_BODY + 1


class Place:
    """A server that answers with the length of what it was sent, as soon as it is allowed to."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.allowed = asyncio.Event()
        self.allowed.set()
        self.cancelled = 0
        self.answers: Callable[[Exchange], Awaitable[None] | None] = self.length
        self.connections = Connections(self)
        self.highest = 0
        self.match = Match(None)

    @property
    def held(self) -> int:
        return self.connections.buffers.buffered_bytes

    exchange = Exchange

    def route(self, head: Head) -> Match:
        return self.match

    def render(self, http: Exchange, error: Exception) -> tuple[int, bytes, list]:
        if not isinstance(error, Refusal):
            return 500, repr(error).encode(), []
        return error.status, error.message.encode(), error.headers

    async def __call__(self, http: Exchange) -> None:
        self.highest = max(self.highest, self.held)
        try:
            await self.allowed.wait()
            waiting = self.answers(http)
            if waiting is not None:
                await waiting
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def length(self, http: Exchange) -> None:
        http.answer(200, b"%d" % len(http.body), [])

    def admit(self, head: Head) -> bool:
        if b"stranger" in head.headers:
            raise Refusal(401, "who are you?")
        return b"unknown" not in head.headers

    def waits(self) -> bool:
        """Whether a client has to read before anything goes on."""
        return any(connection.drain() for connection in self.connections.open)

    def later(self, seconds: float) -> None:
        """Let time pass for the server."""
        self.connections.sweep(asyncio.get_running_loop().time() + seconds)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0.001)


Dial = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@asynccontextmanager
async def place(**limits: float) -> AsyncIterator[tuple[Place, Dial]]:
    made = Place(msgspec.structs.replace(Limits(), **limits))
    server = await asyncio.get_running_loop().create_server(made.connections, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    writers = []

    async def dial():
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        writers.append(writer)
        return reader, writer

    try:
        yield made, dial
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        made.connections.abort()
        await made.until(lambda: not made.connections.open)


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
UNKNOWN = "unknown: yes"


def head(length: int, *more: str) -> bytes:
    return "\r\n".join(["POST / HTTP/1.1", "Host: x", f"Content-Length: {length}", *more, "", ""]).encode()


def request(length: int, *more: str) -> bytes:
    return head(length, *more) + b"x" * length


def chunked(length: int, *more: str) -> bytes:
    chunk = b"%x\r\n%b\r\n" % (length, b"x" * length) if length else b""
    return b"\r\n".join([CHUNKED, *(line.encode() for line in more), b"", b""]) + chunk + b"0\r\n\r\n"


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """(status, head, body)"""
    async with asyncio.timeout(5):
        top = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in top.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(top.split()[1]), top, await reader.readexactly(int(length.split()[1]))


# --- room for bodies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("send", [request, chunked])
@pytest.mark.parametrize("length", [0, 1, SMALL_BODY, BIG, 1_000_000])
async def test_what_is_served_is_let_go(send, length):
    """P5: the room that a request takes is its body's length, for as long as it is under way."""
    async with place() as (server, dial):
        reader, writer = await dial()
        for _ in range(3):
            server.allowed.clear()
            writer.write(send(length))
            await server.until(lambda: server.held == length)
            server.allowed.set()
            assert (await answer(reader))[::2] == (200, b"%d" % length)
            await server.until(lambda: server.held == 0)


async def test_a_body_for_which_there_is_no_room():
    """P5: it is refused when its length is known, with a time to come back at; the refusal arrives though the body is
    still being sent; whoever was let in is served."""
    async with place(buffer_limit=3 * BIG) as (server, dial):
        server.allowed.clear()
        inside = [await dial() for _ in range(3)]
        for _, writer in inside:
            writer.write(request(BIG))
        await server.until(lambda: server.held == 3 * BIG)
        reader, writer = await dial()
        writer.write(head(3 * BIG))
        sending = asyncio.create_task(_send_much(writer, 50_000_000))
        status, top, body = await answer(reader)
        assert status == 503
        assert b"retry-after: 1\r\n" in top
        assert b"busy" in body
        assert await reader.read() == b"", "and that is all"
        await sending
        assert server.held == 3 * BIG
        server.allowed.set()
        for reader, _ in inside:
            assert (await answer(reader))[0] == 200
        await server.until(lambda: server.held == 0)
        reader, writer = await dial()
        writer.write(request(BIG))
        assert (await answer(reader))[0] == 200, "the burst is over"


async def _send_much(writer: asyncio.StreamWriter, size: int) -> None:
    for _ in range(size // 500_000):
        writer.write(b"x" * 500_000)
        await writer.drain()


class Line(asyncio.Transport):
    """A transport of which the protocol alone decides whether it is read."""

    reading = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_reading(self) -> bool:
        return self.reading

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("top", "large"),
    [(head(50_000_000), LARGE), (CHUNKED + b"\r\n\r\n" + b"fffff\r\n", LARGE_CHUNKED)],
)
async def test_long_bodies_are_read_by_turns(top, large):
    """P3, O15: after a large piece of a body the next is read when it is one's turn, which one connection has in each round
    of the loop; a small request needs none. Of what comes in chunks less is large: each of them takes time."""
    async with place() as (server, _):
        lines = [Line() for _ in range(3)]
        for line in lines:
            connection = server.connections()
            connection.connection_made(line)
            connection.data_received(top)
            line.resume_reading()
            connection.data_received(b"x" * large)
        for count in range(4):
            assert [line.reading for line in lines] == [True] * count + [False] * (3 - count)
            await asyncio.sleep(0)
        connection.data_received(b"x" * (large - 1))
        assert lines[-1].reading
        for connection in list(server.connections.open):
            connection.connection_lost(None)


async def test_long_requests_are_served_by_turns():
    """P3, O15: no two begin in the same round of the loop, however many are here."""
    async with place() as (server, dial):
        loop, rounds, begun = asyncio.get_running_loop(), [0], []

        def tick() -> None:
            rounds[0] += 1
            loop.call_soon(tick)

        tick()

        def noted(http: Exchange) -> None:
            begun.append(rounds[0])
            server.length(http)

        server.answers = noted
        inside = [await dial() for _ in range(20)]
        for _, writer in inside:
            writer.write(request(BIG))
        for reader, _ in inside:
            assert (await answer(reader))[0] == 200
        assert len(set(begun)) == len(begun) == 20


async def test_small_bodies_count_too():
    """P5: those that need not be announced, and those without a length."""
    async with place(buffer_limit=1000) as (server, dial):
        server.allowed.clear()
        for _ in range(2):
            _, writer = await dial()
            writer.write(request(400))
        await server.until(lambda: server.held == 800)
        for send in (request, chunked):
            reader, writer = await dial()
            writer.write(send(400))
            assert (await answer(reader))[0] == 503
        assert server.held == 800


async def test_a_stranger_is_told_so():
    """F4, P5: before the body is here, without room for it, and so that it can be read."""
    async with place() as (server, dial):
        reader, writer = await dial()
        writer.write(head(80_000_000, "stranger: yes"))
        sending = asyncio.create_task(_send_much(writer, 30_000_000))
        assert (await answer(reader))[0] == 401
        assert server.held == 0
        await sending


async def test_room_is_not_kept_for_what_somebody_unknown_announces():
    """F4, P5: only for what is here. Whoever is known gets in beside as many as like."""
    async with place(buffer_limit=10 * BIG, unauthenticated_limit=2 * BIG) as (server, dial):
        for _ in range(6):
            _, idle = await dial()
            idle.write(head(9 * BIG, UNKNOWN) + b"x")
        await server.until(lambda: server.held == 6)
        reader, writer = await dial()
        writer.write(request(9 * BIG))
        assert (await answer(reader))[0] == 200
        writer.write(request(BIG, UNKNOWN))
        assert (await answer(reader))[0] == 200


@pytest.mark.parametrize("send", [request, chunked])
async def test_the_unknown_do_not_take_the_room_of_others(send):
    """F4, P5: of what those send of whom nothing is known until the end, less is held than there is room for."""
    async with place(buffer_limit=10 * BIG, unauthenticated_limit=2 * BIG) as (server, dial):
        sending = [await dial() for _ in range(2)]
        for _, writer in sending:
            writer.write(send(BIG, UNKNOWN)[:-6])
        await server.until(lambda: server.held >= 2 * BIG - 12)
        reader, writer = await dial()
        writer.write(send(BIG, UNKNOWN)[:-6])
        assert (await answer(reader))[0] == 503
        reader, writer = await dial()
        writer.write(request(5 * BIG))
        assert (await answer(reader))[0] == 200
        reader, writer = await dial()
        writer.write(request(SMALL_BODY, UNKNOWN))
        assert (await answer(reader))[0] == 200, "what is here at once does not arrive"
        sending[0][1].transport.abort()  # one goes, the other one finishes
        sending[1][1].write(send(BIG, UNKNOWN)[-6:])
        assert (await answer(sending[1][0]))[0] == 200
        await server.until(lambda: server.held == 0)
        for _ in range(3):
            reader, writer = await dial()
            writer.write(send(2 * BIG, UNKNOWN))
            assert (await answer(reader))[0] == 200, "all of their room is there again"


@pytest.mark.parametrize("more", [(), (UNKNOWN,)])
@pytest.mark.parametrize("sent", ["half a body", "a body", "two requests"])
async def test_a_client_that_leaves(sent, more):
    """P5, S8: what it sent, and what it had room for, is let go."""
    whole = request(BIG, *more)
    data, held = {
        "half a body": (whole[:-1], BIG - 1),
        "a body": (whole, BIG),
        "two requests": (2 * whole, BIG + len(whole) - FREE),
    }[sent]
    async with place(unauthenticated_limit=3 * BIG) as (server, dial):
        server.allowed.clear()
        _, writer = await dial()
        writer.write(data)
        await server.until(lambda: server.held >= held)
        writer.transport.abort()
        await server.until(lambda: server.held == 0 and not server.connections.open)
        assert server.connections.buffers.unauthenticated_bytes == 0


ACTIONS = st.lists(
    st.tuples(
        st.integers(0, 3),  # which connection
        st.sampled_from(["request", "chunked", "part", "unknown", "unknown part", "leave", "go on", "stop"]),
        st.integers(0, 2 * BIG),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(actions=ACTIONS)
def test_nothing_is_held_in_the_end(actions):
    """P5: whatever clients do, there is never more than fits, and nothing is left of it when they have gone."""

    async def run():
        limit = 3 * BIG
        async with place(buffer_limit=limit, unauthenticated_limit=BIG) as (server, dial):
            clients = {}
            for number, action, size in actions:
                if number not in clients:
                    clients[number] = await dial()
                reader, writer = clients[number]
                match action:
                    case "request":
                        writer.write(request(size))
                    case "chunked":
                        writer.write(chunked(size))
                    case "part":
                        writer.write(request(size + 1)[: -(size + 1) // 2])
                    case "unknown":
                        writer.write(request(size, UNKNOWN))
                    case "unknown part":
                        writer.write(request(size + 1, UNKNOWN)[: -(size + 1) // 2])
                    case "leave":
                        writer.transport.abort()
                        del clients[number]
                    case "go on":
                        server.allowed.set()
                    case "stop":
                        server.allowed.clear()
                await asyncio.sleep(0)
                assert 0 <= server.held <= limit
                assert 0 <= server.connections.buffers.unauthenticated_bytes <= BIG
            for _, writer in clients.values():
                writer.transport.abort()
            await server.until(lambda: not server.connections.open)
            await server.until(lambda: server.held == 0)
            assert server.connections.buffers.unauthenticated_bytes == 0
            assert server.highest <= limit

    asyncio.run(run())


# --- what is not a body --------------------------------------------------------------------------------------------------

ENDLESS = {
    "a header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
    "a header's name": b"GET / HTTP/1.1\r\n",
    "a path": b"GET /",
    "a chunk's extension": CHUNKED + b"\r\n\r\n5;",
    "a trailer": CHUNKED + b"\r\n\r\n1\r\nx\r\n0\r\nX-A: ",
    "a trailer's name": CHUNKED + b"\r\n\r\n1\r\nx\r\n0\r\n",
}


@pytest.mark.parametrize("where", ENDLESS)
@pytest.mark.parametrize("piece", [b"a" * 10, b"a" * 1400, b"a" * 100_000])
async def test_what_does_not_end(where, piece):
    """F4, P5: it is refused when it is longer than any head, in however small pieces it comes."""
    async with place() as (_, dial):
        reader, writer = await dial()
        writer.write(request(10) + ENDLESS[where])
        assert (await answer(reader))[0] == 200
        told = asyncio.create_task(answer(reader))
        for _ in range(3 * MAX_HEAD // len(piece) + 5):
            if not told.done():
                writer.write(piece)
                await asyncio.sleep(0)
        assert (await told)[0] == 431
        assert await reader.read() == b""


@pytest.mark.parametrize(("lines", "status"), [(b"\r\n", 400), (b"x: y\r\n", 431)])
async def test_many_trailers(lines, status):
    """F4, P5: they are counted together; of empty lines between requests, one is forgiven."""
    start = request(1) if lines == b"\r\n" else CHUNKED + b"\r\n\r\n0\r\n"
    async with place() as (_, dial):
        reader, writer = await dial()
        writer.write(start)
        for _ in range(400):
            writer.write(lines * 500)
            await asyncio.sleep(0)
        if start == request(1):
            assert (await answer(reader))[0] == 200
        assert (await answer(reader))[0] == status


@pytest.mark.parametrize("size", [100, 1400])
async def test_a_request_in_small_pieces(size):
    """P5: whatever the network makes of them, a large head and a large body are no more than they are."""
    data = request(3 * BIG, "X-A: " + "a" * 60_000) + chunked(10)
    async with place() as (server, dial):
        reader, writer = await dial()
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await asyncio.sleep(0)
        assert (await answer(reader))[::2] == (200, b"%d" % (3 * BIG))
        assert (await answer(reader))[::2] == (200, b"10")
        await server.until(lambda: server.held == 0)


@pytest.mark.parametrize(
    ("top", "status"),
    [
        (b"CONNECT example.com:443 HTTP/1.1\r\nHost: x", 405),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket", 426),
        (b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked", 501),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked", 200),
    ],
)
async def test_what_is_not_spoken_here(top, status):
    """S1: it is told so, where it would be misunderstood; the connection ends with it."""
    async with place() as (_, dial):
        reader, writer = await dial()
        writer.write(top + b"\r\n\r\n0\r\n\r\n")
        assert (await answer(reader))[0] == status
        if status != 200:
            assert await reader.read() == b""


# --- connections ---------------------------------------------------------------------------------------------------------


async def test_one_connection_too_many():
    """P5: it is told to come back later; when another goes, there is room again."""
    async with place(connections=2) as (server, dial):
        first = await dial()
        await dial()
        await server.until(lambda: len(server.connections.open) == 2)
        reader, _ = await dial()
        status, top, _ = await answer(reader)
        assert status == 503
        assert b"retry-after: 1\r\n" in top
        first[1].transport.abort()
        await server.until(lambda: len(server.connections.open) == 1)
        reader, writer = await dial()
        writer.write(request(1))
        assert (await answer(reader))[0] == 200


# --- the slow ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"POST / HTTP/1.1\r\nHost:", head(100), request(100)[:-1], request(BIG)[:-1]])
async def test_a_request_that_stops_arriving(sent):
    """P5: in its head or in its body, it is given up after a minute, and told so."""
    async with place() as (server, dial):
        reader, writer = await dial()
        writer.write(request(1) + sent)  # whose beginning is here when the first one is answered
        await answer(reader)
        server.later(59)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await reader.read(1)
        server.later(61)
        assert (await answer(reader))[0] == 408
        assert server.held == 0
        server.later(61 + LINGER + 1)
        await server.until(lambda: not server.connections.open)


async def test_a_request_that_drips():
    """P5: a byte now and then does not keep a place for ever; a slow line that is no trick may go on."""
    async with place(slow=0.5) as (server, dial):
        reader, slow = await dial()
        slow.write(head(BIG))
        _, steady = await dial()
        steady.write(head(10 * BIG) + b"x" * 4 * BIG)
        await server.until(lambda: server.held == 11 * BIG)

        async def drip():
            while True:
                slow.write(b"x")
                steady.write(b"x")
                await asyncio.sleep(0.02)
                server.later(0)

        dripping = asyncio.create_task(drip())
        assert (await answer(reader))[0] == 408
        dripping.cancel()
        assert server.held == 10 * BIG, "0.5 s are enough for some bytes, and not for 260 KB"


async def test_a_client_that_does_not_read():
    """P5, S8: after a minute in which it has read nothing, its request is cancelled and its memory is free."""
    async with place() as (server, dial):
        server.answers = endless
        reader, writer = await dial()
        reader._transport.pause_reading()
        writer.write(request(BIG))
        await server.until(server.waits)
        server.later(59)
        await asyncio.sleep(0.01)
        assert server.held == BIG
        server.later(61)
        await server.until(lambda: not server.connections.open)
        assert server.cancelled == 1
        assert server.held == 0


async def endless(http: Exchange) -> None:
    http.begin(200, [], b"text/event-stream")
    while True:
        waiting = http.write(b"data: x\n\n" * 1000)
        if waiting is not None:
            await waiting
        await asyncio.sleep(0)


@pytest.mark.parametrize("more", [(), ("Connection: close",)])
async def test_a_client_that_reads_slowly(more):
    """P5, S8: as long as it reads at all, it is waited for. What nobody fetches is thrown away in the end."""
    async with place() as (server, dial):
        server.answers = lambda http: http.answer(200, b"x" * 60_000_000, [])
        reader, writer = await dial()
        writer.write(request(1, *more))
        for minute in range(1, 4):
            await reader.readexactly(15_000_000)
            assert server.waits()
            server.later(61 * minute)
            assert server.connections.open
        reader._transport.pause_reading()
        server.later(61 * 9)
        server.later(61 * 18)
        await server.until(lambda: not server.connections.open)


@pytest.mark.parametrize("leaves", [True, False])
async def test_an_answer_that_nobody_reads(leaves):
    """P5: until its client has read it, or is gone, it takes room like a body, and there may be none for others."""
    async with place(buffer_limit=10 * BIG) as (server, dial):
        server.answers = lambda http: http.answer(200, b"x" * 60_000_000, [])
        reader, writer = await dial()
        reader._transport.pause_reading()
        writer.write(request(1))
        await server.until(lambda: server.held > 10 * BIG)
        server.answers = server.length
        other = await dial()
        other[1].write(request(1))
        status, top, _ = await answer(other[0])
        assert (status, b"retry-after: 1" in top) == (503, True)
        if leaves:
            writer.transport.abort()
        else:
            reader._transport.resume_reading()
            await answer_of(reader, 60_000_000)
        await server.until(lambda: server.held == 0)
        other = await dial()
        other[1].write(request(1))
        assert (await answer(other[0]))[0] == 200


async def answer_of(reader: asyncio.StreamReader, length: int) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(length)


async def test_an_idle_connection():
    """O15: it is closed after its time, without a word."""
    async with place() as (server, dial):
        reader, writer = await dial()
        writer.write(request(1))
        await answer(reader)
        server.later(74)
        assert len(server.connections.open) == 1
        server.later(76)
        assert await reader.read() == b""


# --- handlers that are cancelled, or say so ------------------------------------------------------------------------------


async def cancels_itself(_: Exchange) -> None:
    asyncio.current_task().cancel()
    await asyncio.sleep(10)


async def answers_and_cancels_itself(http: Exchange) -> None:
    http.answer(200, b"", [])
    asyncio.current_task().cancel()


async def pretends_to_be_cancelled(_: Exchange) -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("sent", [request(1), 2 * request(1), request(1) + head(10)])
@pytest.mark.parametrize("handler", [cancels_itself, answers_and_cancels_itself, pretends_to_be_cancelled])
async def test_a_handler_that_is_cancelled(handler, sent):
    """By nobody's wish but its own: the client is answered, or sees the connection end, and nothing of it is kept."""
    async with place() as (server, dial):
        server.answers = handler
        reader, writer = await dial()
        writer.write(sent)
        async with asyncio.timeout(5):
            if handler is cancels_itself:
                assert await reader.read() == b""
            else:
                assert (await answer(reader))[0] == (200 if handler is answers_and_cancels_itself else 500)
        server.answers = server.length
        other = await dial()
        other[1].write(request(3))
        assert (await answer(other[0]))[::2] == (200, b"3")
        writer.transport.abort()
        await server.until(lambda: len(server.connections.open) == 1 and server.held == 0)
