"""More than the gateway can take, for bench/soak.py: a burst of long bodies, some who do not read, some who do not send."""

import asyncio
import contextlib
import json
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from bench.measure import percentile
from bench.soak_client import CHAT, HI, Soak
from bench.soak_gateway import Gateway
from bench.soak_probe import probed

PIECE = 256 << 10  # bytes that a client writes at a time
KEPT = 32 << 10  # bytes that the kernel keeps for a client, in each direction
SLOW = 300  # slow readers, and as many slow writers
COPIES = 4  # of a body in memory: as bytes, as text, as what is sent on, and what the kernel has not taken yet
BASE = 160  # MB besides
LATEST = 500  # ms until it says that it lives, on a machine that does all the rest too


@dataclass(frozen=True)
class Burst:
    clients: int
    size: int  # bytes of a body
    room: int  # MB that the gateway has for bodies
    unread: float  # MB that a stream may take that nobody reads


async def overload(soak: Soak, server: Gateway, burst: Burst, verdict: Callable[[bool, str], None]) -> None:
    """Send a burst among the slow, see what becomes of it, and whether all is as before when it is over."""
    before, files = server.rss, server.files
    server.reset_peak()
    outcomes: Counter[str] = Counter()
    body = json.dumps({"model": "slow", "messages": [*HI, {"role": "user", "content": "x" * burst.size}]}).encode()
    request = soak.request(CHAT, body)
    began = time.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(SLOW):
            await stack.enter_async_context(_slow_reader(soak))
            await stack.enter_async_context(_slow_writer(soak))
        async with probed(server.port) as waits, asyncio.TaskGroup() as group:
            for _ in range(burst.clients):
                group.create_task(_send(soak, request, outcomes))
    seconds = time.monotonic() - began
    peak = server.peak
    print(f"  {burst.clients} clients with {burst.size / 1e6:g} MB each: {seconds:.1f} s")
    print(f"  beside {SLOW} that do not read, and {SLOW} that send a fifth of what they announced")
    print("\n".join(f"  {count:7} {name}" for name, count in sorted(outcomes.items())))
    bound = BASE + COPIES * burst.room + burst.unread * SLOW
    verdict(sum(outcomes.values()) == burst.clients, f"overload: {burst.clients} requests, as many ends")
    verdict(
        set(outcomes) <= {"200", "503 with Retry-After"} and outcomes["200"] > 0,
        "overload: served, or told when to come back",
    )
    verdict(peak <= bound, f"overload: at most {peak:.0f} MB, {bound} are the bound")
    for name, times in (("a connection that it had", waits.kept), ("a new connection", waits.new)):
        p50, p99, slowest = (1e3 * percentile(times, part) for part in (50, 99, 100))
        text = f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, slowest {slowest:.0f} ms"
        verdict(slowest < LATEST, f"overload: it said {len(times)} times on {name} that it lives: {text}")
    await _recovery(soak, server, before, files, verdict)


async def _recovery(
    soak: Soak, server: Gateway, before: float, files: int, verdict: Callable[[bool, str], None]
) -> None:
    began = time.monotonic()
    ended: Counter[str] = Counter()
    await _send(soak, soak.request(CHAT, json.dumps({"model": "bench", "messages": HI}).encode()), ended)
    verdict(ended["200"] == 1, f"overload: the next request is served, in {1e3 * (time.monotonic() - began):.0f} ms")
    end = time.monotonic() + 120  # connections to the upstream are kept for half a minute, free memory for one
    while (server.files > files + 16 or server.rss > 2 * before) and time.monotonic() < end:
        await asyncio.sleep(0.5)
    verdict(server.files <= files + 16, f"overload: sockets and files {files} → {server.files}")
    verdict(server.rss <= 2 * before, f"overload: memory {before:.0f} → {server.rss:.0f} MB")


async def _send(soak: Soak, request: bytes, outcomes: Counter[str]) -> None:
    """One client: it writes what it can, and reads what it gets, even if that comes early."""
    try:
        async with asyncio.timeout(120):
            reader, writer = await soak.dial()
            _keep_little(writer)
            sending = asyncio.create_task(_write(writer, request))
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                told = " with Retry-After" if b"retry-after:" in head.lower() else ""
                outcomes[head.split()[1].decode() + told] += 1
            finally:
                sending.cancel()
                writer.transport.abort()
    except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
        outcomes[type(error).__name__] += 1


def _keep_little(writer: asyncio.StreamWriter) -> None:
    """What the kernel keeps for a client is memory of the client's machine. Here both ends are on one, and with gigabytes
    of it the kernel drops everybody's packets: a probe would wait for their repetition."""
    for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, buffer, KEPT)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    with contextlib.suppress(OSError):
        for start in range(0, len(data), PIECE):
            writer.write(data[start : start + PIECE])
            await writer.drain()


@contextlib.asynccontextmanager
async def _slow_reader(soak: Soak):
    _, writer = await soak.dial()
    _keep_little(writer)
    writer.transport.pause_reading()
    writer.write(soak.request(CHAT, json.dumps({"model": "flood", "messages": HI, "stream": True}).encode()))
    try:
        yield
    finally:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def _slow_writer(soak: Soak):
    _, writer = await soak.dial()
    writer.write(soak.request(CHAT, b"x" * 50_000)[:-40_000])
    try:
        yield
    finally:
        writer.transport.abort()
