"""P2: a streamed body that is given where it comes in, to a function: in order, once, with its end or what went wrong; and the
function can make the upstream wait."""

import asyncio

import pytest
from tests.fakes import http1
from tests.unit.net.direct import pool, to, until
from tests.unit.net.scripted import Scripted, always, whole

from litellm.net.async_connection import HIGH_WATER
from litellm.net.faults import TransportFault
from litellm.net.messages import Timeouts

pytestmark = pytest.mark.alone

EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
HELD = b"x" * HIGH_WATER


class Taken:
    """A sink. It may hold the upstream up: `holds` gives a future for each piece, or None."""

    def __init__(self, holds=lambda: None):
        self.holds = holds
        self.pieces = []
        self.ended = None

    def __call__(self, piece):
        assert self.ended is None, "nothing comes after the end"
        if not piece or isinstance(piece, TransportFault):
            self.ended = piece
            return None
        self.pieces.append(piece)
        return self.holds()

    @property
    def data(self):
        return b"".join(self.pieces)


async def poured(ours, server, sink, **options):
    reply = await ours.send(to(server, stream=True, **options))
    reply.stream_to(sink)
    return reply


def test_all_of_it_is_given(run):
    """P2: what had come before somebody took it, what comes later, and an empty piece at the end."""

    def answer(connection, _):
        connection.say(EVENTS + http1.chunk(b"one "))
        for at, data in enumerate((http1.chunk(b"two "), http1.chunk(b"three"), http1.last_chunk({})), 1):
            connection.server._loop.call_later(0.02 * at, connection.say, data)

    async def scene():
        async with pool() as ours:
            for _ in range(2):
                sink = Taken()
                reply = await poured(ours, server, sink)
                await until(lambda: sink.ended is not None)
                assert (sink.data, sink.ended) == (b"one two three", b"")
                reply.finish()
                reply.close()
            assert ours.size == (1, 1)
            assert server.connections_made == 1

    with Scripted(answer) as server:
        run(scene())


def test_what_is_there_already_is_given_at_once(run):
    """P2: also if the answer is complete, or has broken."""

    async def scene():
        async with pool() as ours:
            for answer, ended in ((whole(b"12345"), b""), (whole(b"12345678")[:-3], "closed")):
                server.answer = lambda connection, _, said=answer: (connection.say(said), connection.close())
                reply = await ours.send(to(server, stream=True))
                await until(lambda: ours.size == (0, 0))
                sink = Taken()
                reply.stream_to(sink)
                assert sink.data == b"12345"
                assert sink.ended == ended or sink.ended.kind == ended

    with Scripted(always(b"")) as server:
        run(scene())


def test_one_that_was_made_to_wait_goes_on(run):
    """P2: so much had come before somebody took it that the upstream waits."""

    async def scene():
        async with pool() as ours:
            reply = await ours.send(to(server, stream=True))
            await until(lambda: reply._size >= HIGH_WATER)
            sink = Taken()
            reply.stream_to(sink)
            await until(lambda: sink.ended is not None)
            assert (len(sink.data), sink.ended) == (40 * HIGH_WATER, b"")

    with Scripted(always(EVENTS + http1.chunk(HELD) * 40 + http1.last_chunk({}))) as server:
        run(scene())


def test_a_sink_that_is_slow(run):
    """P5: the upstream waits until the sink has room; what is in between is bounded."""

    async def scene():
        async with pool() as ours:
            rooms = []

            def hold():
                rooms.append(asyncio.get_running_loop().create_future())
                return rooms[-1]

            sink = Taken(hold)
            await poured(ours, server, sink)
            given = 0
            while sink.ended is None:
                await until(lambda: len(rooms) > given or sink.ended is not None)  # noqa: B023
                before = len(sink.pieces)
                await asyncio.sleep(0.005)
                assert len(sink.pieces) == before, "it holds"
                for room in rooms[given:]:
                    room.set_result(None)
                given = len(rooms)
            assert len(sink.data) == 4 * HIGH_WATER

    with Scripted(always(EVENTS + http1.chunk(HELD) * 4 + http1.last_chunk({}))) as server:
        run(scene())


@pytest.mark.parametrize("way", ["close", "pool", "silence"])
def test_one_that_is_held_up_and_ends(run, way):
    """S8: it is closed, or breaks, while its sink has no room; room that comes later does nothing to anybody."""

    async def scene():
        async with pool() as ours:
            room = asyncio.get_running_loop().create_future()
            sink = Taken(lambda: room)
            reply = await poured(ours, server, sink, timeouts=Timeouts(total=0.5 if way == "silence" else 60))
            await until(lambda: sink.pieces)
            if way == "close":
                reply.close()
            elif way == "pool":
                ours.close()
            await until(lambda: ours.size == (0, 0))
            assert (sink.ended is None) == (way == "close")
            assert way == "close" or sink.ended.kind == {"pool": "closed", "silence": "timeout"}[way]
            room.set_result(None)
            await asyncio.sleep(0)

    with Scripted(always(EVENTS + http1.chunk(b"x"))) as server:
        run(scene())
        server.wait_for(lambda: server.by[0].lost)


def test_a_sink_that_lets_go(run):
    """S8: of its own reply, while it is given a piece."""

    async def scene():
        async with pool() as ours:
            reply = await ours.send(to(server, stream=True))
            sink = Taken(reply.close)
            reply.stream_to(sink)
            await until(lambda: ours.size == (0, 0))
            assert sink.pieces
            assert sink.ended is None

    with Scripted(always(EVENTS + http1.chunk(b"x"))) as server:
        run(scene())
