"""P5: connections that go straight to an upstream: which is used, which is kept, which is dropped; and that nothing is
left of them."""

import asyncio
import collections
import contextlib
import gc
import socket
import weakref

import msgspec
import pytest
from tests.unit.net.asking import STREAMED, request
from tests.unit.net.direct import LOOPS, drained, pool, to, until
from tests.unit.net.scripted import Answering, Scripted, Skipping, always, whole

from litellm.net.async_connection import IDLE
from litellm.net.async_io import AsyncTransport
from litellm.net.async_pool import AsyncPool
from litellm.net.connect import MAX_NAMES
from litellm.net.faults import TransportFault
from litellm.net.guard import Guard
from litellm.net.messages import Timeouts
from litellm.net.network import Network
from litellm.net.request_head import MAX_HEADS
from litellm.net.steps import Send

pytestmark = pytest.mark.alone  # seconds, counted objects

# --- which one -----------------------------------------------------------------------------------------------------------


def test_the_last_used_is_used_first(run):
    """So that those which are not needed grow old, and are closed."""

    async def scene():
        async with pool() as ours:
            calls = [asyncio.create_task(ours.send(to(server))) for _ in range(3)]
            await until(lambda: len(server.by) == 3)
            first, second, third = server.by
            for number, connection in enumerate((second, third, first), 1):
                connection.server._loop.call_soon_threadsafe(connection.say, whole())
                await until(lambda: ours.size[1] == number)  # noqa: B023
            await asyncio.gather(*calls)
            server.answer = always(whole())
            for _ in range(3):
                await ours.send(to(server))
            assert server.by[3:] == [first] * 3

    with Scripted(lambda *_: None) as server:
        run(scene())


def test_settings_do_not_share_connections(run):
    """P9, F2: another Network, another connection; the same said twice, the same connection."""
    networks = [Network(), Network(ipv4_only=True), Network(guard=Guard.of("127.0.0.1")), Network(verify=False)]
    again = [Network(), Network(ipv4_only=True), Network(guard=Guard.of("127.0.0.1")), Network(verify=False)]

    async def scene():
        async with pool() as ours:
            for network in [*networks, *again]:
                await ours.send(msgspec.structs.replace(to(server), network=network))
            assert ours.size == (4, 4)

    with Scripted(always(whole())) as server:
        run(scene())
        assert server.by[:4] == server.by[4:]
        assert len(set(server.by)) == 4


def test_many_origins(run, monkeypatch):
    """P5: what is kept is bounded: the connection that has been idle longest makes room."""
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **named: real("127.0.0.1", *rest, **named))

    async def scene():
        async with pool(max_idle=20) as ours:
            for number in range(2 * MAX_HEADS + 50):
                asked = request(f"http://h{number}.example:{server.port}/v1")
                asked.cacheable_head = number % 2 == 0
                await ours.send(asked)
                assert ours.size[1] <= 20
            await until(lambda: ours.size == (20, 20))
            assert 0 < len(ours._heads._heads) <= MAX_HEADS
            assert len(ours._names._known) <= MAX_NAMES
            assert len(ours._idle) == 20
            made = server.connections_made
            for number in range(2 * MAX_HEADS + 30, 2 * MAX_HEADS + 50):  # the last twenty
                await ours.send(request(f"http://h{number}.example:{server.port}/v1"))
            assert server.connections_made == made

    with Scripted(always(whole())) as server:
        run(scene())


def test_headers_of_one_call_are_not_kept(run):
    """F5: they may hold a client's key, which is nobody's business after the call."""

    async def scene():
        async with pool() as ours:
            for cacheable_head in False, True:
                asked = to(server)
                asked.cacheable_head = cacheable_head
                await ours.send(asked)
                assert len(ours._heads._heads) == cacheable_head

    with Scripted(always(whole())) as server:
        run(scene())


def test_idle_connections_are_closed():
    """After IDLE, without anybody asking; and none that is older is used, should we get to it first."""

    async def scene(loop):
        async with pool() as ours:
            await ours.send(to(server))
            await loop.skip(IDLE - 1)
            await ours.send(to(server))
            assert server.connections_made == 1
            loop.skipped += IDLE  # before any timer has noticed
            await ours.send(to(server))
            assert server.connections_made == 2
            for _ in range(4):
                await loop.skip(IDLE / 2)
            assert ours.size == (0, 0)
            await until(lambda: all(connection.lost for connection in server.by))

    with Scripted(always(whole())) as server, asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(scene(runner.get_loop()))


# --- races ---------------------------------------------------------------------------------------------------------------


def test_a_cancelled_call_leaves_the_next_one_alone(run):
    """R6: an answer has come, its connection carries the next request already, and then the task that the answer was for
    is cancelled before it has run."""

    async def scene():
        async with pool() as ours:
            first = asyncio.create_task(ours.send(to(server)))
            async with asyncio.timeout(5):
                while ours.size[1] == 0:  # in the round of the loop in which the connection is given back
                    await asyncio.sleep(0)
            overtaken = not first.done()
            first.cancel()
            second = await ours.send(to(server))
            assert second.body == b"{}"
            assert server.by[0] is server.by[1]
            with contextlib.suppress(asyncio.CancelledError):
                await first
            return overtaken

    with Scripted(always(whole())) as server:
        assert run(scene()), "the scene is about a task that has not run yet"


class Greeting(Scripted):
    """Does something with each connection as soon as it stands."""

    def __init__(self, greet, **options):
        super().__init__(always(b""), **options)

        class Greeted(Answering):
            def connection_made(self, transport):
                super().connection_made(transport)
                greet(self)

        self.connection_class = Greeted


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_server_that_hangs_up_as_soon_as_it_can(run, tls, secure):
    """Told at once, and not by a clock."""

    async def scene():
        async with pool() as ours:
            for _ in range(20):
                with pytest.raises(TransportFault, match="closed the connection") as caught:
                    await asyncio.wait_for(ours.send(asked), 2)
                assert caught.value.kind == "closed"
            await until(lambda: ours.size == (0, 0))

    with Greeting(lambda connection: connection.close(), tls=tls if secure else None) as server:
        network = Network(verify=str(tls.ca_file)) if secure else Network()
        asked = msgspec.structs.replace(to(server), network=network)
        run(scene())


class Late(asyncio.SelectorEventLoop):
    """Its connections have a past when they are handed over."""

    async def create_connection(self, *args, **kwargs):
        made = await super().create_connection(*args, **kwargs)
        await asyncio.sleep(0.05)
        return made


def test_a_connection_that_is_lost_before_it_is_used():
    """Told at once, and not remembered."""

    async def scene():
        async with pool() as ours:
            with pytest.raises(TransportFault, match="closed the connection") as caught:
                await asyncio.wait_for(ours.send(to(server)), 2)
            assert caught.value.kind == "closed"
            assert ours.size == (0, 0)

    with Greeting(lambda connection: connection.close()) as server, asyncio.Runner(loop_factory=Late) as runner:
        runner.run(scene())


def test_closing_while_somebody_waits(run):
    """G1: whoever waits for a head, or for a stream's next piece, is told; nobody waits for ever."""

    async def scene():
        io = AsyncTransport()
        server.answer = always(whole(b"12345")[:-3])
        stream = await io.perform(Send(to(server, stream=True)))
        assert await stream.read() == b"12"
        server.answer = lambda *_: None
        waiting = [asyncio.create_task(stream.read()), asyncio.create_task(io.perform(Send(to(server))))]
        await until(lambda: len(server.by) == 2)
        await io.aclose()
        async with asyncio.timeout(2):
            for fault in await asyncio.gather(*waiting, return_exceptions=True):
                assert isinstance(fault, TransportFault)
                assert fault.kind == "closed"
                assert "closed on our side" in str(fault)
        server.answer = always(whole())
        assert (await io.perform(Send(to(server)))).body == b"{}", "another call opens it again"
        await io.aclose()

    with Scripted(lambda *_: None) as server:
        run(scene())
        server.wait_for(lambda: server.open_connections == 0)


def test_closing_while_a_connection_comes_about(run, tls):
    """G1: it is not left behind by a pool that has closed."""

    async def scene():
        ours = AsyncPool()
        asked = msgspec.structs.replace(to(server), network=Network(verify=str(tls.ca_file)))
        call = asyncio.create_task(ours.send(asked))
        await asyncio.sleep(0)
        ours.close()
        with pytest.raises(TransportFault) as caught:
            await asyncio.wait_for(call, 2)
        assert caught.value.kind == "closed"
        await until(lambda: ours.size == (0, 0))

    with Scripted(always(whole()), tls=tls) as server:
        run(scene())
        server.wait_for(lambda: server.open_connections == 0)


def test_a_whole_answer_is_given_once(run):
    """In `body`; there is nothing to read besides."""

    def answer(connection, _):
        connection.say(whole(b"12345")[:-3])
        connection.server._loop.call_later(0.02, connection.say, b"345")

    async def scene():
        async with pool() as ours:
            reply = await ours.send(to(server))
            assert reply.body == b"12345"
            assert await reply.read() == b""

    with Scripted(answer) as server:
        run(scene())


def test_a_reply_that_outlives_its_connection(run):
    """S1: what has arrived can be read after the connection has broken, or has gone to somebody else; then comes the end,
    or what went wrong, each time it is asked for."""

    async def scene():
        async with pool() as ours:
            complete = await ours.send(to(server, stream=True))
            server.answer = breaking
            broken = await ours.send(to(server, stream=True))
            await until(lambda: ours.size == (0, 0))
            assert await drained(complete) == b"{}"
            assert await complete.read() == b""
            assert await broken.read() == b"12"
            for _ in range(2):
                with pytest.raises(TransportFault, match="closed the connection"):
                    await broken.read()
            broken.close()
            complete.close()
            complete.finish()

    def breaking(connection, _):
        connection.say(whole(b"12345")[:-3])
        connection.close()

    with Scripted(always(whole())) as server:
        run(scene())


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("fresh", [False, True], ids=["a connection that is there", "a new connection"])
def test_cancelled_wherever_it_is(run, tls, secure, stream, fresh):
    """S8, R6: in every round of the loop in turn, from the first to the last of a call: nothing is left, nobody else
    notices."""

    async def call(ours):
        reply = await ours.send(asked)
        return await drained(reply) if stream else reply.body

    async def cancelled_after(rounds):
        async with pool() as ours:
            if not fresh:
                assert await call(ours) == b"{}"
            task = asyncio.create_task(call(ours))
            for _ in range(rounds):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                assert await task == b"{}"
            await until(lambda: ours.size[0] == ours.size[1])
            assert await call(ours) == b"{}"
            return task.cancelled()

    async def scene():
        rounds = 0
        while await cancelled_after(rounds):
            rounds += 1
        assert rounds > 1

    with Scripted(always(whole()), tls=tls if secure else None) as server:
        network = Network(verify=str(tls.ca_file)) if secure else Network()
        asked = msgspec.structs.replace(to(server, stream=stream), network=network)
        run(scene())
        server.wait_for(lambda: server.open_connections == 0)


# --- nothing is left -----------------------------------------------------------------------------------------------------


def counted():
    gc.collect()
    kept = ("Task", "Future", "TimerHandle", "Handle", "socket", "TCPTransport", "_SelectorSocketTransport")
    ours = ("AsyncReply", "Response", "AsyncConnection", "Request", "Unzip", "TransportFault")
    names = collections.Counter(type(thing).__name__ for thing in gc.get_objects())
    return {name: names[name] for name in (*kept, *ours)}


def test_ten_thousand_calls_leave_nothing(run):
    """P5: no timer, task, future, socket or reply, whether the calls went well, were streamed, left or broken."""

    async def one(ours, number):
        server_says = number % 50
        asked = to(server, stream=bool(number % 2), body=STREAMED if server_says else b"break")
        try:
            reply = await ours.send(asked)
            if number % 2 and number % 20 != 1:
                await drained(reply)
            reply.finish() if number % 3 else reply.close()
        except TransportFault:
            assert not server_says

    async def some(ours, count):
        for start in range(0, count, 25):
            await asyncio.gather(*[one(ours, number) for number in range(start, start + 25)])
        await until(lambda: ours.size[0] == ours.size[1])
        server.by.clear()
        server.requests.clear()

    async def scene():
        async with pool(max_idle=5) as ours:
            await some(ours, 100)
            await asyncio.sleep(0.05)
            before = counted()
            await some(ours, 10_000)
            await asyncio.sleep(0.05)
            after = counted()
            for name, count in before.items():
                assert after[name] <= count + 30, (name, count, after[name])

    def answer(connection, asked):
        if asked.body == b"break":
            connection.close()
        else:
            connection.say(whole(b"x" * 50))

    with Scripted(answer) as server:
        run(scene())


class Counting(asyncio.SelectorEventLoop):
    timers = 0

    def call_at(self, *args, **kwargs):
        self.timers += 1
        return super().call_at(*args, **kwargs)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("timeouts", [Timeouts(), Timeouts.of(5)], ids=["usual clocks", "5 s"])
def test_a_call_sets_no_timer(stream, timeouts):
    """P2: in the steady state: the one of its connection is there already."""

    async def scene(loop):
        async with pool() as ours:
            for number in range(1_000):
                if number == 3:
                    loop.timers = 0
                reply = await ours.send(to(server, stream=stream, timeouts=timeouts))
                if stream:
                    await drained(reply)
                    reply.finish()
            assert loop.timers <= 2  # those of the clock itself, should it be slow here

    said = whole(b"x" * 100)
    with Scripted(always(said)) as server, asyncio.Runner(loop_factory=Counting) as runner:
        runner.run(scene(runner.get_loop()))


@pytest.mark.parametrize("kind", LOOPS)
def test_loops_that_have_ended_are_forgotten(kind):
    """G1, P5: a transport that lives through a hundred loops keeps none of them alive."""
    io = AsyncTransport()
    loops = []

    async def call():
        loops.append(weakref.ref(asyncio.get_running_loop()))
        assert (await io.perform(Send(to(server)))).status == 200

    with Scripted(always(whole())) as server:
        for _ in range(100):
            with asyncio.Runner(loop_factory=LOOPS[kind]) as runner:
                runner.run(call())
        del runner
        gc.collect()
        assert sum(loop() is not None for loop in loops) <= 1
        server.wait_for(lambda: server.open_connections == 0)


GUARDED = Network(guard=Guard.of("127.0.0.1", "*.example"))


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_clients_upstreams_share_a_room(run, stream):
    """P5: what does not fit into it is refused, whoever has begun is served, and all of it is free again afterwards."""

    async def scene():
        async with pool(buffer_limit=100_000) as ours:
            calls = [asyncio.create_task(ours.send(asked())) for _ in range(2)]
            await until(lambda: ours.buffer_remaining == 100_000 - 2 * 40_000)
            with pytest.raises(TransportFault, match="no room") as caught:
                await ours.send(asked())
            assert caught.value.kind == "busy"
            assert len((await ours.send(to(other))).body) == 200_000, (
                "the server's own upstreams have nothing to do with it"
            )
            calls.pop().cancel()
            await until(lambda: ours.buffer_remaining == 60_000)
            for connection in server.by[:2]:  # either may be the one that was cancelled
                connection.say(b"x" * 10_000)
            assert len((await calls.pop()).body) == 50_000
            server.answer = lambda connection, _: (connection.say(begun), connection.vanish())
            with pytest.raises(TransportFault, match="closed"):
                await ours.send(asked())
            assert ours.buffer_remaining == 100_000

    def asked():
        return msgspec.structs.replace(to(server, stream=stream), network=GUARDED)

    begun = whole(b"x" * 50_000, "content-type: application/json")[:-10_000]
    with Scripted(always(begun)) as server, Scripted(always(whole(b"x" * 200_000))) as other:
        run(scene())


def test_clients_upstreams_do_not_push_out_our_own(run, monkeypatch):
    """P2: a client may send us to any number of hosts."""
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **named: real("127.0.0.1", *rest, **named))

    async def scene():
        async with pool(max_idle=20, max_idle_guarded=5) as ours:
            await ours.send(to(server))
            for number in range(50):
                asked = request(f"http://h{number}.example:{server.port}/v1")
                await ours.send(msgspec.structs.replace(asked, network=GUARDED))
            await until(lambda: ours.size == (6, 6))
            await ours.send(to(server))
            assert server.by[-1] is server.by[0]

    with Scripted(always(whole())) as server:
        run(scene())
