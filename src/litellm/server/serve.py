"""Running an application in one process: its socket, its signals."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec

from litellm._log import log
from litellm.server import memory
from litellm.server.application import Application
from litellm.server.connection import Connections
from litellm.server.limits import CONNECTIONS, Limits
from litellm.server.tls import Handshakes

SIGNALS = (signal.SIGTERM, signal.SIGINT)
RELOAD = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()  # Windows has none
SWEEP = 5.0  # seconds between looks for idle connections
TRIM = 12  # sweeps until memory is given back
CANCEL_GRACE = 2.0  # seconds for cancelled requests to clean up
WANTED_FILES = 3 * CONNECTIONS
BACKLOG = 4096  # connections that wait to be accepted; the kernel takes as many at the most, as it is delivered
UNSENT = 128 << 10  # bytes that the kernel takes of an answer before the client has read what was sent

Reload = Callable[[], Awaitable[None]]  # has the application serve its configuration as it is now; never raises


class ListenOptions(msgspec.Struct, frozen=True):
    """Where to listen; and in seconds: how long to finish what is under way after a signal, how long clients may idle."""

    host: str
    port: int
    grace: float = 30.0
    keep_alive: float = 75.0
    certificate: str | None = None
    private_key: str | None = None


def bind(listening: ListenOptions) -> socket.socket:
    """A listening socket. Raises OSError when the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # connections inherit it
        # Without this, each client that does not read makes the kernel keep megabytes; some hundreds of them, and it drops
        # packets of everybody.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
    try:
        sock.bind((listening.host, listening.port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


class Server:
    """Serves `app` on a listening socket until `stop` is called, then finishes what is under way."""

    def __init__(self, app: Application, listening: ListenOptions) -> None:
        self._app = app
        self._listening = listening
        self._stopping: asyncio.Event | None = None
        self._connections = CONNECTIONS
        self._limits_of = (Limits(), Limits())  # the application's, and what they are here

    async def serve(self, sock: socket.socket, on_start: Callable[[], None] = lambda: None) -> None:
        """Serve until stopped. on_start: called once connections are accepted."""
        loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._connections = min(CONNECTIONS, _raise_file_limit() // 2)  # the other half is for connections to upstreams
        connections = Connections(self._app, self._limits)
        tls = self._tls()
        server = (
            Handshakes(connections, sock, tls)
            if tls is not None
            else await loop.create_server(connections, sock=sock, backlog=BACKLOG)
        )
        gc.collect()
        gc.freeze()  # what the start made lives as long as the process; the collector need not look at it again
        on_start()
        sweeping = loop.create_task(self._sweep(connections))
        try:
            await self._stopping.wait()
        finally:
            server.close()
            sweeping.cancel()
            connections.close_idle()
            await self._finish(connections)
            await self._app.close()

    def stop(self) -> None:
        """Stop accepting, and let `serve` return. Call it on the loop's thread (a signal handler of the loop is)."""
        if self._stopping is not None:
            self._stopping.set()

    async def _finish(self, connections: Connections) -> None:
        """Wait for what is under way, `grace` seconds at the most; then cancel it."""
        grace = self._listening.grace
        try:
            await asyncio.wait_for(connections.all_closed.wait(), grace)
        except TimeoutError:
            log.warning("%d requests are cut off after %g s of grace", len(connections.open), grace)
            connections.abort()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(connections.all_closed.wait(), CANCEL_GRACE)

    async def _sweep(self, connections: Connections) -> None:
        for count in itertools.count(1):
            await asyncio.sleep(SWEEP)
            connections.sweep(asyncio.get_running_loop().time())
            if count % TRIM == 0:
                memory.trim_heap()

    def _limits(self) -> Limits:
        of_app, here = self._limits_of
        limits = self._app.limits
        if limits is not of_app:
            here = msgspec.structs.replace(limits, connections=self._connections, idle=self._listening.keep_alive)
            self._limits_of = (limits, here)
        return here

    def _tls(self) -> ssl.SSLContext | None:
        if self._listening.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._listening.certificate, self._listening.private_key)
        return context


def _raise_file_limit() -> int:
    """How many files and connections this process may have open, after asking for more than shells usually grant."""
    if sys.platform == "win32":
        return WANTED_FILES
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return WANTED_FILES
    granted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft < granted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    return max(soft, granted)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where it is installed, else on asyncio's own loop."""
    if sys.platform == "win32":
        asyncio.run(coroutine)
        return
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(coroutine)


def serve(
    app: Application,
    listening: ListenOptions,
    sock: socket.socket,
    on_start: Callable[[], None] = lambda: None,
    *,
    reload: Reload | None = None,
    lifeline: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way, for `listening.grace` seconds at the most.

    reload: what to do on SIGHUP. lifeline: a file descriptor that becomes readable when the parent process is gone, which
    ends this one too.
    """
    memory.mmap_large_blocks()
    server = Server(app, listening)
    reloads: set[asyncio.Task[None]] = set()

    def reload_once(reload: Reload) -> None:
        if not reloads:  # while one is at it, the file is being read
            task = asyncio.get_running_loop().create_task(_awaited(reload))
            reloads.add(task)
            task.add_done_callback(reloads.discard)

    async def until_signal() -> None:
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
                loop.add_signal_handler(number, server.stop)
        if reload is not None and RELOAD:
            loop.add_signal_handler(RELOAD[0], reload_once, reload)
        if lifeline is not None:
            loop.add_reader(lifeline, server.stop)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (*SIGNALS, *RELOAD))
        await server.serve(sock, on_start)

    run(until_signal())


async def _awaited(reload: Reload) -> None:
    await reload()
