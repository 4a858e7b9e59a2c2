"""From a host's name to a socket: names are looked up once, addresses are tried side by side, and nothing is left of those
that lose."""

import asyncio
import contextlib
import gc
import socket
import threading
import time

import msgspec
import pytest
from tests.unit.net.asking import request
from tests.unit.net.direct import pool, until
from tests.unit.net.scripted import Scripted, Skipping, always, whole

from litellm._threads import LOOK_UPS, in_thread
from litellm.net.connect import DNS_TTL, HEAD_START, connected_socket
from litellm.net.faults import TransportFault
from litellm.net.guard import Guard
from litellm.net.messages import Timeouts
from litellm.net.network import Network

pytestmark = pytest.mark.alone  # head starts are times


@pytest.fixture
def port():
    """A port on which nobody listens, on any loopback address, until somebody does."""
    with socket.create_server(("127.0.0.9", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def listening(*addresses):
    with contextlib.ExitStack() as stack:
        for host, port in addresses:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            stack.enter_context(socket.create_server((host, port), family=family))
        yield


@contextlib.contextmanager
def black_hole(host, port):
    """Packets to it get no answer: the queue of its listener is full."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(2):  # Linux queues one more than it was asked to
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((host, port))
        yield


def reached(run, addresses, port):
    """Where a connection was made to, and how long it took."""

    async def scene():
        start = time.monotonic()
        with await connected_socket(addresses, port) as sock:
            return sock.getpeername()[0], time.monotonic() - start

    return run(scene())


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["::1", "127.0.0.1"], ["127.0.0.1", "::1"]]
)
def test_the_first_address_is_preferred(run, port, addresses):
    """In the system's order."""
    with listening(*[(address, port) for address in addresses]):
        assert reached(run, addresses, port)[0] == addresses[0]


def test_an_address_that_refuses_costs_no_time(run, port):
    """The next is tried at once."""
    with listening(("127.0.0.3", port)):
        address, took = reached(run, ["127.0.0.1", "127.0.0.2", "127.0.0.3"], port)
    assert address == "127.0.0.3"
    assert took < HEAD_START


def test_an_address_that_leads_nowhere_costs_a_head_start(run, port):
    """The next is tried beside it."""
    with black_hole("127.0.0.1", port), listening(("127.0.0.2", port), ("127.0.0.3", port)):
        address, took = reached(run, ["127.0.0.1", "127.0.0.2", "127.0.0.3"], port)
    assert address == "127.0.0.2"
    assert HEAD_START * 0.9 < took < 2 * HEAD_START


def test_the_families_take_turns(run, port):
    """Five addresses of a family that leads nowhere cost one head start, not five."""
    dead = [f"127.0.0.{number}" for number in range(1, 6)]
    with contextlib.ExitStack() as stack:
        for host in dead:
            stack.enter_context(black_hole(host, port))
        stack.enter_context(listening(("::1", port)))
        address, took = reached(run, [*dead, "::1"], port)
    assert address == "::1"
    assert took < 2 * HEAD_START


def test_none_answers(port):
    """What each of them said, once."""
    with pytest.raises(OSError) as caught:
        reached(asyncio.run, ["127.0.0.1", "::1", "127.0.0.1"], port)
    assert [text.count("Connect call failed") for text in str(caught.value).split("; ")] == [1, 1]
    with pytest.raises(OSError, match="no address"):
        reached(asyncio.run, [], port)


class Gated(asyncio.SelectorEventLoop):
    """Its connections stand, and are told of when the test says so: all at once."""

    def open_gate(self):
        self.gate.set()

    async def sock_connect(self, sock, address):
        self.tried = [*getattr(self, "tried", []), address]
        self.gate = getattr(self, "gate", None) or asyncio.Event()
        await super().sock_connect(sock, address)
        await self.gate.wait()


@pytest.mark.parametrize("leave", [False, True], ids=["one wins", "cancelled"])
def test_two_that_answer_at_once(port, open_files, leave):
    """One is given, the other closed; none is, if nobody waits any more."""

    async def scene(loop):
        task = asyncio.create_task(connected_socket(["127.0.0.1", "127.0.0.2"], port))
        await until(lambda: len(getattr(loop, "tried", [])) == 2)
        loop.open_gate()
        if leave:
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            (await task).close()
        del task

    with listening(("127.0.0.1", port), ("127.0.0.2", port)):
        with asyncio.Runner(loop_factory=Gated) as runner:
            runner.run(scene(runner.get_loop()))
        gc.collect()


def test_cancelled_while_connecting(run, port):
    """S8: no socket is left."""

    async def scene():
        task = asyncio.create_task(connected_socket(["127.0.0.1", "127.0.0.2"], port))
        await asyncio.sleep(HEAD_START * 1.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with black_hole("127.0.0.1", port), black_hole("127.0.0.2", port):
        run(scene())
        gc.collect()


def test_the_connect_clock_covers_all_of_it(run, port):
    """S6: however many addresses there are."""

    async def scene():
        async with pool() as ours:
            start = time.monotonic()
            with pytest.raises(TransportFault, match=r"within 0\.4 s \(connect timeout\)") as caught:
                await ours.send(request(f"http://127.0.0.1:{port}/", timeouts=Timeouts(connect=0.4)))
            assert caught.value.kind == "timeout"
            assert 0.35 < time.monotonic() - start < 0.8

    with black_hole("127.0.0.1", port):
        run(scene())


def test_the_connect_clock_covers_tls(run, tls):
    """S6: a server that accepts and does not shake hands."""

    async def scene():
        async with pool() as ours:
            with pytest.raises(TransportFault, match="connect timeout"):
                await ours.send(
                    request(f"https://127.0.0.1:{server.getsockname()[1]}/", timeouts=Timeouts(connect=0.3))
                )

    with socket.create_server(("127.0.0.1", 0)) as server:
        run(scene())
        gc.collect()


# --- names ---------------------------------------------------------------------------------------------------------------


class NameServer:
    """Answers look-ups with 127.0.0.1, or fails as it is told; counts them."""

    def __init__(self, monkeypatch):
        self.asked = 0
        self.fails = 0
        self.delay = 0.0
        self.real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host, *rest, **named):
        if host != "named.example":
            return self.real(host, *rest, **named)
        self.asked += 1
        time.sleep(self.delay)
        if self.asked <= self.fails:
            raise socket.gaierror(-2, "Name or service not known")
        return self.real("127.0.0.1", *rest, **named)


@pytest.fixture
def names(monkeypatch):
    return NameServer(monkeypatch)


def named(server):
    return request(f"http://named.example:{server.port}/v1")


def test_a_name_is_looked_up_once(run, names):
    """P2: also if a hundred calls come before the answer does, and some of them leave."""
    names.delay = 0.05

    async def scene():
        async with pool() as ours:
            calls = [asyncio.create_task(ours.send(named(server))) for _ in range(100)]
            await asyncio.sleep(0.01)
            for call in calls[::10]:  # the first among them, which asked
                call.cancel()
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert sum(isinstance(answer, asyncio.CancelledError) for answer in answers) == 10
            assert all(answer.body == b"{}" for number, answer in enumerate(answers) if number % 10)
            assert names.asked == 1

    with Scripted(always(whole())) as server:
        run(scene())


def test_a_name_is_looked_up_again_after_a_minute(names):
    """And not before."""

    async def scene(loop):
        async with pool() as ours:
            for seconds, asked in ((0, 1), (DNS_TTL - 2, 1), (2, 2)):
                await loop.skip(seconds)
                server.answer = always(whole(b"{}", "connection: close"))
                await ours.send(named(server))
                assert names.asked == asked

    with Scripted(always(whole())) as server, asyncio.Runner(loop_factory=Skipping) as runner:
        runner.run(scene(runner.get_loop()))


def test_a_look_up_that_failed_is_not_remembered(run, names):
    """Nor are addresses at which nobody answered."""
    names.fails = 1

    async def scene():
        async with pool() as ours:
            with pytest.raises(TransportFault, match=r"cannot connect to http://named\.example") as caught:
                await ours.send(named(server))
            assert caught.value.kind == "connect"
            assert (await ours.send(named(server))).body == b"{}"
            with pytest.raises(TransportFault, match="cannot connect"):
                await ours.send(request("http://named.example:1/v1"))
            asked = names.asked
            with pytest.raises(TransportFault, match="cannot connect"):
                await ours.send(request("http://named.example:1/v1"))
            assert names.asked == asked + 1

    with Scripted(always(whole())) as server:
        run(scene())


def test_a_look_up_that_nobody_waits_for(run, names):
    """G1: its failure is nobody's: nothing is said of it."""
    names.delay, names.fails = 0.05, 1

    async def scene():
        async with pool() as ours:
            call = asyncio.create_task(ours.send(named(server)))
            await asyncio.sleep(0.01)
            call.cancel()
            await asyncio.wait([call])
            await asyncio.sleep(0.1)
        gc.collect()

    with Scripted(always(whole())) as server:
        run(scene())


def test_a_look_up_that_failed_for_nobody_is_not_remembered(run, names):
    """Whoever asks after its caller has left looks for himself."""
    names.delay, names.fails = 0.05, 1

    async def scene():
        async with pool() as ours:
            call = asyncio.create_task(ours.send(named(server)))
            await until(lambda: names.asked == 1)
            call.cancel()
            await asyncio.wait([call])
            await until(lambda: not ours._names._known)
            assert (await ours.send(named(server))).body == b"{}"
            assert names.asked == 2

    with Scripted(always(whole())) as server:
        run(scene())


def test_clients_names_hold_up_nobody_else(run):
    """G1: look-ups that never end have threads of their own, and no queue. One that nobody waits for counts to its end."""
    answered = threading.Event()
    begun = []

    def never(host, _port, _family):
        begun.append(host)
        answered.wait(10)
        return ["127.0.0.1"]

    def asked(resolve):
        network = Network(guard=msgspec.structs.replace(Guard.of("*.example"), resolve=resolve))
        return msgspec.structs.replace(named(server), network=network)

    async def scene():
        async with pool() as ours:
            calls = [asyncio.create_task(ours.send(asked(never))) for _ in range(LOOK_UPS)]
            await until(lambda: len(begun) == LOOK_UPS)
            calls.pop().cancel()
            await asyncio.sleep(0)
            with pytest.raises(TransportFault, match="try again") as caught:
                await ours.send(asked(lambda *_: ["127.0.0.1"]))
            assert caught.value.kind == "busy"
            assert await in_thread(lambda: "handlers run on") == "handlers run on"
            answered.set()
            assert [reply.body for reply in await asyncio.gather(*calls)] == [b"{}"] * (LOOK_UPS - 1)
            assert (await ours.send(asked(lambda *_: ["127.0.0.1"]))).body == b"{}"

    with Scripted(always(whole())) as server:
        run(scene())
