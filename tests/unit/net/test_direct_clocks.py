"""S6: the clocks of connections that go straight to an upstream, on a loop whose time the tests move: none is late, and none
takes our own slowness for the upstream's."""

import asyncio

import msgspec
import pytest
from tests.fakes import http1
from tests.unit.net.asking import request
from tests.unit.net.direct import pool, to, until
from tests.unit.net.scripted import Scripted, Skipping, always, whole

from litellm.net.async_connection import CHECK_INTERVAL, HIGH_WATER, LAST_BYTES
from litellm.net.faults import TransportFault
from litellm.net.messages import Timeouts
from litellm.net.network import Network

pytestmark = pytest.mark.alone

EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
HOURS = 100_000.0
ONE_READ = 256 << 10


@pytest.fixture
def hurry():
    """Runs scene(loop) on a loop whose time can be skipped."""

    def run(scene):
        with asyncio.Runner(loop_factory=Skipping) as runner:
            runner.run(scene(runner.get_loop()))

    return run


def says(connection, data):
    connection.server._loop.call_soon_threadsafe(connection.say, data)


async def told(task):
    """The text of the TransportFault that ends `task`, now."""
    await asyncio.sleep(0)
    assert task.done(), "it is late"
    with pytest.raises(TransportFault) as caught:
        task.result()
    assert caught.value.kind == "timeout"
    return str(caught.value)


WAITING = {
    "first byte": (Timeouts(first_byte=100, total=HOURS), 100, "no answer from .* within 100 s"),
    "total": (Timeouts(first_byte=HOURS, total=100), 100, "was not complete after 100 s"),
    "soon": (Timeouts(first_byte=3, total=HOURS), 3, "no answer from .* within 3 s"),
}


@pytest.mark.parametrize(("timeouts", "after", "text"), WAITING.values(), ids=WAITING)
@pytest.mark.parametrize("used", [False, True], ids=["new", "used before, with other clocks"])
def test_no_answer(hurry, timeouts, after, text, used):
    """S6: not before the time and not after it, whenever the connection has meant to look at its clock."""

    async def scene(loop):
        async with pool() as ours:
            if used:
                server.answer = always(whole())
                await ours.send(to(server, timeouts=Timeouts(first_byte=HOURS, total=HOURS)))
                server.answer = lambda *_: None
            waiting = asyncio.create_task(ours.send(to(server, timeouts=timeouts)))
            await until(lambda: len(server.by) == 1 + used)
            for _ in range(10):
                await loop.skip((after - 0.5) / 10)
            assert not waiting.done()
            await loop.skip(0.5)
            assert text.split(" .* ")[1] in await told(waiting) if " .* " in text else text in await told(waiting)
            await until(lambda: server.by[-1].lost)

    with Scripted(lambda *_: None) as server:
        hurry(scene)


@pytest.mark.parametrize("after", [1.0, 9.0, 17.0, 29.0])
def test_silence_counts_from_the_last_byte(hurry, after):
    """S6: 30 s after it, and not 30 s after somebody happened to look."""

    async def scene(loop):
        async with pool() as ours:
            reply = await ours.send(to(server, stream=True, timeouts=Timeouts(between=30, total=HOURS)))
            for _ in range(3):
                assert await reply.read() == b"x"
                await loop.skip(after)
                says(server.by[0], http1.chunk(b"x"))
            assert await reply.read() == b"x"
            reading = asyncio.create_task(reply.read())
            await loop.skip(29.5)
            assert not reading.done()
            await loop.skip(0.5)
            assert "was silent for 30 s in mid-stream" in await told(reading)

    with Scripted(always(EVENTS + http1.chunk(b"x"))) as server:
        hurry(scene)


def test_the_first_piece_has_the_stricter_of_two_clocks(hurry):
    """S6: after the head: the one for the beginning of an answer, or the one for silence."""

    async def scene(loop):
        async with pool() as ours:
            for first_byte, between in ((20, 50), (50, 20)):
                timeouts = Timeouts(first_byte=first_byte, between=between, total=HOURS)
                reply = await ours.send(to(server, stream=True, timeouts=timeouts))
                reading = asyncio.create_task(reply.read())
                await loop.skip(19.5)
                assert not reading.done()
                await loop.skip(0.5)
                assert "in mid-stream" in await told(reading)

    with Scripted(always(EVENTS)) as server:
        hurry(scene)


def test_a_thousand_black_holes(hurry, many_files):
    """S6: all of them end in time."""

    async def scene(loop):
        async with pool() as ours:
            asked = to(server, timeouts=Timeouts(connect=50, first_byte=60, total=HOURS))
            waiting = [asyncio.create_task(ours.send(asked)) for _ in range(1_000)]
            async with asyncio.timeout(20):
                while len(server.by) < 1_000:
                    await asyncio.sleep(0.01)
            await loop.skip(40)
            assert not any(task.done() for task in waiting)
            await loop.skip(20)
            for task in waiting:
                assert "no answer" in await told(task)

    with Scripted(lambda *_: None) as server:
        hurry(scene)


def test_a_stream_that_is_finished_has_a_moment_for_its_end(hurry):
    """LAST_BYTES, also if it goes on with what nobody reads; then the connection is given up."""

    async def scene(loop):
        async with pool() as ours:
            reply = await ours.send(to(server, stream=True, timeouts=Timeouts()))
            assert await reply.read() == b"x"
            reply.finish()
            await loop.skip(LAST_BYTES - 0.2)
            says(server.by[0], http1.chunk(b"more"))
            await asyncio.sleep(0.02)
            assert ours.size == (1, 0)
            await loop.skip(0.3)
            await until(lambda: ours.size == (0, 0))

            reply = await ours.send(to(server, stream=True, timeouts=Timeouts()))
            assert await reply.read() == b"x"
            reply.finish()
            says(server.by[1], http1.last_chunk({}))
            await until(lambda: ours.size == (1, 1))
            await loop.skip(LAST_BYTES + 1)
            assert ours.size == (1, 1), "it is somebody else's by now"

    with Scripted(always(EVENTS + http1.chunk(b"x"))) as server:
        hurry(scene)


# --- slow readers --------------------------------------------------------------------------------------------------------


class Endless(Scripted):
    """Sends `size` bytes as fast as they are taken, in chunks, and then its end, or nothing more. sent: so far."""

    def __init__(self, size, *, ends=True, **options):
        super().__init__(lambda connection, _: self.spawn(self._say(connection)), **options)
        self.size = size
        self.ends = ends
        self.sent = 0

    async def _say(self, connection):
        await connection.send(EVENTS)
        block = http1.chunk(b"x" * 65_536)
        while self.sent < self.size:
            await connection.send(block)
            if connection.lost:
                return
            self.sent += 65_536
        if self.ends:
            connection.say(http1.last_chunk({}))


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_an_upstream_that_is_faster_than_its_reader(run, tls, secure):
    """P5: it waits. What waits for the reader is bounded; in the end everything is there."""
    size = (30 if secure else 100) << 20

    async def scene():
        async with pool() as ours:
            reply = await ours.send(asked)
            total = 0
            for pause in (0.3, 0.1, 0.1):
                await asyncio.sleep(pause)  # time enough for all of it
                assert server.sent < size
                data = await reply.read()
                assert HIGH_WATER <= len(data) < HIGH_WATER + 2 * ONE_READ
                total += len(data)
            while data := await reply.read():
                assert len(data) < HIGH_WATER + 2 * ONE_READ
                total += len(data)
            assert total == size
            await until(lambda: ours.size == (1, 1))

    with Endless(size, tls=tls if secure else None) as server:
        network = Network(verify=str(tls.ca_file)) if secure else Network()
        asked = to(server, stream=True, timeouts=Timeouts(total=60))
        asked = msgspec.structs.replace(asked, network=network)
        run(scene())


def test_a_slow_reader_is_not_a_silent_upstream(hurry):
    """S6: while we do not read, only the clock for the whole runs. When we do, the upstream's silence counts from then on."""

    async def scene(loop):
        async with pool() as ours:
            reply = await ours.send(to(server, stream=True, timeouts=Timeouts(between=20, total=HOURS)))
            for _ in range(3):
                await until(lambda: reply._size >= HIGH_WATER)
                for _ in range(20):
                    await loop.skip(CHECK_INTERVAL / 2)
                assert len(await reply.read()) >= HIGH_WATER
                await loop.skip(19)
                says(server.by[0], much)
            await until(lambda: reply._size >= HIGH_WATER)
            await reply.read()
            reading = asyncio.create_task(reply.read())
            await loop.skip(19)
            assert not reading.done()
            await loop.skip(1)
            assert "was silent for 20 s" in await told(reading)

    much = http1.chunk(b"x" * HIGH_WATER)
    with Scripted(always(EVENTS + much)) as server:
        hurry(scene)


def test_nobody_reads_for_ever(hurry):
    """S6: `total` holds while an upstream waits for us; what has arrived by then can still be read."""

    async def scene(loop):
        async with pool() as ours:
            reply = await ours.send(to(server, stream=True, timeouts=Timeouts(total=500)))
            await asyncio.sleep(0.05)
            await loop.skip(501)
            assert ours.size == (0, 0)
            assert len(await reply.read()) >= HIGH_WATER
            with pytest.raises(TransportFault, match="was not complete after 500 s"):
                await reply.read()

    with Endless(20 << 20) as server:
        hurry(scene)


def test_a_whole_answer_is_not_held_up(run):
    """One that is not streamed is read as fast as it comes."""

    async def scene():
        async with pool() as ours:
            reply = await ours.send(request(server.base))
            assert len(reply.body) == server.size

    with Endless(20 << 20) as server:
        run(scene())
