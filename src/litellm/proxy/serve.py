"""Running the application: sockets, signals, workers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import ssl
import sys
import time
import traceback
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any

import msgspec

from litellm._log import log
from litellm.proxy.app import App
from litellm.proxy.http1 import Connections, Limits

SIGNALS = (signal.SIGTERM, signal.SIGINT)
SWEEP = 5.0  # seconds between looks for idle connections
CUT_OFF = 2.0  # seconds for cancelled requests to clean up


class Listening(msgspec.Struct, frozen=True):
    """Where to listen; and in seconds: how long to finish what is under way after a signal, how long clients may idle."""

    host: str
    port: int
    grace: float = 30.0
    keep_alive: float = 75.0
    certificate: str | None = None
    private_key: str | None = None


def bind(listening: Listening) -> socket.socket:
    """A listening socket. Raises OSError when the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((listening.host, listening.port))
        sock.listen(2048)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


class Server:
    """Serves `app` on a listening socket until `stop` is called, then finishes what is under way."""

    def __init__(self, app: App, listening: Listening) -> None:
        self._app = app
        self._listening = listening
        self._stopping: asyncio.Event | None = None

    async def serve(self, sock: socket.socket, on_start: Callable[[], None] = lambda: None) -> None:
        """Serve until stopped. on_start: called once connections are accepted."""
        loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        connections = Connections(self._app, self._limits, self._admit)
        server = await loop.create_server(connections, sock=sock, ssl=self._tls(), backlog=2048)
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
            await self._app.proxy.client.async_io.aclose()

    def stop(self) -> None:
        """Stop accepting, and let `serve` return. Call it on the loop's thread (a signal handler of the loop is)."""
        if self._stopping is not None:
            self._stopping.set()

    async def _finish(self, connections: Connections) -> None:
        """Wait for what is under way, `grace` seconds at the most; then cancel it."""
        grace = self._listening.grace
        try:
            await asyncio.wait_for(connections.gone.wait(), grace)
        except TimeoutError:
            log.warning("%d requests are cut off after %g s of grace", len(connections.open), grace)
            connections.abort()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(connections.gone.wait(), CUT_OFF)

    async def _sweep(self, connections: Connections) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            connections.sweep(asyncio.get_running_loop().time())

    def _admit(self, headers: dict[bytes, bytes]) -> None:
        self._app.proxy.gate.admit(headers)

    def _limits(self) -> Limits:
        return Limits(max_body=self._app.proxy.max_body, idle=self._listening.keep_alive)

    def _tls(self) -> ssl.SSLContext | None:
        if self._listening.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._listening.certificate, self._listening.private_key)
        return context


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where it is installed, else on asyncio's own loop."""
    if sys.platform == "win32":
        asyncio.run(coroutine)
        return
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(coroutine)


def serve(
    app: App,
    listening: Listening,
    sock: socket.socket,
    on_start: Callable[[], None] = lambda: None,
    lifeline: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way, for `listening.grace` seconds at the most.

    lifeline: a file descriptor that becomes readable when the parent process is gone, which ends this one too.
    """
    server = Server(app, listening)

    async def until_signal() -> None:
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
                loop.add_signal_handler(number, server.stop)
        if lifeline is not None:
            loop.add_reader(lifeline, server.stop)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        await server.serve(sock, on_start)

    run(until_signal())


def serve_workers(make_app: Callable[[], App], listening: Listening, sock: socket.socket, count: int) -> int:
    """Serve from `count` processes that share the socket. One that dies is replaced. Returns the exit status.

    This process only watches: it passes SIGTERM and SIGINT on, and ends when all workers have.
    """
    workers: dict[int, int] = {}
    stopping = False
    # Only this process holds the writing end: when it dies, however it dies, the workers read an end of file.
    lifeline, held = os.pipe()

    def start(number: int) -> None:
        # Signals wait until the worker's loop can obey them.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        process = os.fork()
        if process:
            workers[process] = number
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            return
        os.close(held)
        for signal_number in SIGNALS:
            signal.signal(signal_number, signal.SIG_DFL)
        status = 1
        try:
            serve(make_app(), listening, sock, lifeline=lifeline)
            status = 0
        except BaseException:  # noqa: BLE001 - a forked worker must not run on into its parent's code
            traceback.print_exc()
        os._exit(status)

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        for process in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    for signal_number in SIGNALS:
        signal.signal(signal_number, stop)
    for number in range(count):
        if not stopping:
            start(number)
    failed = False
    while workers:
        process, status = os.wait()
        number = workers.pop(process, -1)
        if number < 0:
            continue
        failed = failed or status != 0
        if not stopping:
            log.error("worker %d (process %d) ended with status %d and is replaced", number, process, status)
            time.sleep(0.5)  # a worker that cannot start must not make a busy loop
            failed = False
            if not stopping:
                start(number)
    sock.close()
    os.close(held)
    os.close(lifeline)
    return 1 if failed else 0
