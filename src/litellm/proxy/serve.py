"""Running the application: sockets, signals, workers. The only file that knows uvicorn."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from litellm._log import log
from litellm.proxy.app import CONNECTION, App

if TYPE_CHECKING:
    import asyncio


class Listening(msgspec.Struct, frozen=True):
    """Where to listen, and for how long to finish what is under way after a signal (seconds)."""

    host: str
    port: int
    grace: float = 30.0
    keep_alive: float = 75.0
    certificate: str | None = None
    private_key: str | None = None


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, which also cancels the request that is being served when its client goes away.

    uvicorn itself only tells an application that keeps asking; asking would cost a task for every request.
    """

    serving: asyncio.Task[Any] | None = None
    lost = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[CONNECTION] = self  # type: ignore[literal-required]  # the scope is a plain dict, open to servers

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        super().connection_lost(exc)
        if self.serving is not None:
            self.serving.cancel()


class Server(uvicorn.Server):
    """uvicorn's server, which exits 0 after a signal that it obeyed, instead of dying of it."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_start()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal lets requests finish; a second one does not."""
        super().handle_exit(sig, frame)
        if sig == signal.SIGTERM:
            self.force_exit = False


def _config(app: App, listening: Listening) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=listening.host,
        port=listening.port,
        http=Connection,
        loop="auto",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_keep_alive=int(listening.keep_alive),
        timeout_graceful_shutdown=max(0, round(listening.grace)),
        ssl_certfile=listening.certificate,
        ssl_keyfile=listening.private_key,
    )


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
    sock.set_inheritable(True)
    return sock


def serve(app: App, listening: Listening, sock: socket.socket, on_start: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way, for `listening.grace` seconds at the most."""
    Server(_config(app, listening), on_start).run(sockets=[sock])


def serve_workers(make_app: Callable[[], App], listening: Listening, sock: socket.socket, count: int) -> int:
    """Serve from `count` processes that share the socket. One that dies is replaced. Returns the exit status.

    This process only watches: it passes SIGTERM and SIGINT on, and ends when all workers have.
    """
    workers: dict[int, int] = {}
    stopping = False

    def start(number: int) -> None:
        process = os.fork()
        if process:
            workers[process] = number
            return
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, signal.SIG_DFL)
        status = 1
        try:
            serve(make_app(), listening, sock, lambda: None)
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

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for number in range(count):
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
            start(number)
    return 1 if failed else 0
