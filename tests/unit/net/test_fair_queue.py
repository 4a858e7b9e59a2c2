"""P3, O15: what takes a while happens one piece in a round of the event loop, and everybody else comes in between."""

import asyncio
import contextlib

import pytest
from tests.unit.net.asking import request

from litellm.net.async_connection import AsyncConnection
from litellm.net.fair_queue import LARGE, FairQueue
from litellm.net.network import Network
from litellm.net.request_head import HeadCache, origin_of

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 100000000\r\n\r\n"


def head_of(asked):
    return HeadCache().find(origin_of(asked.url), asked)


class Rounds:
    """Counts the rounds of the running loop."""

    def __init__(self):
        self.count = 0
        self._tick()

    def _tick(self):
        self.count += 1
        asyncio.get_running_loop().call_soon(self._tick)


async def test_one_in_a_round():
    """P3: the first come first, and never two in one round."""
    rounds, turns, seen = Rounds(), FairQueue(), []
    for name in "abcd":
        turns.schedule(lambda name=name: seen.append((name, rounds.count)))
    while len(seen) < 4:
        await asyncio.sleep(0)
    assert [name for name, _ in seen] == list("abcd")
    assert len({count for _, count in seen}) == 4


async def test_one_who_does_not_wait_any_more():
    """P5: it costs the others nothing but its turn; one who comes when all have had theirs has one too."""
    turns = FairQueue()
    first, second = turns.turn(), turns.turn()
    first.cancel()
    await second
    await turns.turn()


class Line(asyncio.Transport):
    """A transport of which the protocol alone decides whether it is read."""

    def __init__(self):
        super().__init__()
        self.reading = True
        self.written = 0

    def pause_reading(self):
        assert self.reading, "asyncio's loops mind less than we do"
        self.reading = False

    def resume_reading(self):
        assert not self.reading
        self.reading = True

    def is_closing(self):
        return False

    def get_write_buffer_size(self):
        return 0

    def write(self, data):
        self.written += len(data)

    def writelines(self, parts):
        for part in parts:
            self.write(part)

    def abort(self):
        pass


class ConnectionOwner:
    """A pool of nothing."""

    buffer_remaining = 0

    def __init__(self):
        self.fair_queue = FairQueue()

        self.kept = []

    def keep(self, connection):
        self.kept.append(connection)

    def forget(self, connection):
        pass


@contextlib.asynccontextmanager
async def streaming(owner, body=b"{}"):
    """A connection in the middle of a streamed answer, and its line."""
    loop = asyncio.get_running_loop()
    connection, line = AsyncConnection(owner, ("http", "x", 80, Network()), loop), Line()
    connection.connection_made(line)
    asked = request("http://x/", stream=True, body=body)
    exchange = loop.create_task(connection.exchange(asked, head_of(asked), loop.time() + 60))
    await asyncio.sleep(0)
    connection.data_received(HEAD)
    reply = await exchange
    try:
        yield connection, line, reply
    finally:
        reply.close()
        connection.connection_lost(None)


async def test_upstreams_that_say_much_are_read_by_turns():
    """P3: after a large piece, the next is read when it is one's turn; small ones are read as they come."""
    owner = ConnectionOwner()
    async with streaming(owner) as (one, first, _), streaming(owner) as (other, second, _):
        one.data_received(b"x" * (LARGE - 1))
        assert first.reading
        one.data_received(b"x" * LARGE)
        other.data_received(b"x" * LARGE)
        assert (first.reading, second.reading) == (False, False)
        await asyncio.sleep(0)
        assert (first.reading, second.reading) == (True, False)
        await asyncio.sleep(0)
        assert (first.reading, second.reading) == (True, True)


@pytest.mark.parametrize("early", [True, False], ids=["goes on before its turn", "goes on after it"])
async def test_a_turn_does_not_wake_who_has_enough(early):
    """P5: one whose reader is slow is read on when both have been: its turn, and its reader."""
    async with streaming(ConnectionOwner()) as (connection, line, _):
        connection.data_received(b"x" * LARGE)
        connection.pause()
        if early:
            connection.resume()
            assert not line.reading
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not line.reading
            connection.resume()
        assert line.reading


async def test_long_requests_are_written_by_turns():
    """P3: two of them are not written in one round."""
    owner, loop = ConnectionOwner(), asyncio.get_running_loop()
    lines, tasks = [], []
    for _ in range(3):
        connection, line = AsyncConnection(owner, ("http", "x", 80, Network()), loop), Line()
        connection.connection_made(line)
        asked = request("http://x/", body=b"x" * LARGE)
        tasks.append(loop.create_task(connection.exchange(asked, head_of(asked), loop.time() + 60)))
        lines.append(line)
    written = []
    while not written or written[-1] < 3:
        await asyncio.sleep(0)
        written.append(sum(line.written > LARGE for line in lines))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(later - earlier <= 1 for earlier, later in zip([0, *written], written, strict=False))


async def test_a_request_that_is_answered_before_its_turn_is_not_sent():
    """P9: by then the connection may be somebody else's."""
    owner, loop = ConnectionOwner(), asyncio.get_running_loop()
    connection, line = AsyncConnection(owner, ("http", "x", 80, Network()), loop), Line()
    connection.connection_made(line)
    owner.fair_queue.schedule(lambda: None)
    asked = request("http://x/", body=b"x" * LARGE)
    exchange = loop.create_task(connection.exchange(asked, head_of(asked), loop.time() + 60))
    await asyncio.sleep(0)
    connection.data_received(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
    assert (await exchange).status == 503
    assert owner.kept == [connection]
    for _ in range(3):
        await asyncio.sleep(0)
    assert line.written == 0
