"""A server in a thread of its own: event loop, listening socket, connections. Subclasses say what a connection does."""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Self, TypeVar

from . import http1
from .tls import ServerTLS

T = TypeVar("T")


class Connection(asyncio.Protocol):
    """One accepted connection. A Protocol and not a stream: it is told of a client's leaving at once, whatever it is
    busy with, and can close, stall and reset as no well-behaved server would."""

    transport: asyncio.Transport
    id: int

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.closed_here = False
        self.reader = http1.RequestReader()
        self._ended = False
        self._room = asyncio.Event()
        self._room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        # send() shall return when the kernel has everything. 1 and not 0: with 0 the TLS transport of asyncio
        # takes its empty buffer for a full one.
        transport.set_write_buffer_limits(high=1)
        self.server.connections_made += 1
        self.id = self.server.connections_made
        self.server.connections.add(self)

    def over(self) -> None:
        """Called once, as soon as either side closes; `closed_here` tells which."""

    def eof_received(self) -> None:
        # No HTTP client half-closes and still waits, so this is taken for a full close; asyncio closes our side.
        self._end()

    def connection_lost(self, _error: Exception | None) -> None:
        self._end()
        self.server.connections.discard(self)
        self._room.set()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self.over()

    def read_requests(self, data: bytes) -> list[http1.Request]:
        try:
            requests = self.reader.feed(data)
        except ValueError:
            self.transport.write(http1.response_head(400, {"content-length": "0", "connection": "close"}))
            self.close()
            return []
        if self.reader.wants_continue:
            self.reader.wants_continue = False
            self.transport.write(http1.response_head(100, {}))
        return requests

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    async def send(self, data: bytes) -> None:
        self.transport.write(data)
        await self._room.wait()

    def close(self) -> None:
        """Closes with a FIN, after what was sent."""
        self.closed_here = True
        self.transport.close()

    def reset(self) -> None:
        """Closes with a RST. SO_LINGER with 0 seconds is what makes the kernel send one."""
        self.closed_here = True
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Server:
    """Use it as `with Server() as server:`, or call start() and stop()."""

    connection_class: type[Connection]

    def __init__(self, *, port: int = 0, tls: ServerTLS | None = None) -> None:
        self.port = port  # 0 becomes the real one at start
        self.tls = tls
        self.requests: list[Any] = []
        self.connections: set[Connection] = set()
        self.connections_made = 0  # with TLS: after the handshake
        self.tls_failures: list[str] = []  # one per handshake that came to nothing
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: list[BaseException] = []

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        return len(self.connections)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Also after stop(), on the same port."""
        self._context = self.tls.server_context() if self.tls else None
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{type(self).__name__}:{self.port}", daemon=True)
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        if self._broken:  # a bug of the fake must not pass for an upstream that misbehaves
            raise self._broken[0]

    def drop_connections(self, *, reset: bool = False) -> None:
        """Closes all connections, idle or not; new ones are welcome."""

        async def drop() -> None:
            for connection in tuple(self.connections):
                connection.reset() if reset else connection.close()
            await asyncio.sleep(0)  # asyncio closes the sockets in the next round of its loop

        asyncio.run_coroutine_threadsafe(drop(), self._loop).result()

    def wait_for(self, predicate: Callable[[], T], timeout: float = 2.0) -> T:
        """Waits until the predicate is true and returns what it gave. In a coroutine use async_wait_for."""
        end = time.monotonic() + timeout
        while not (value := predicate()):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {timeout} s; seen by then: {self.requests}")
            time.sleep(0.005)
        return value

    async def async_wait_for(self, predicate: Callable[[], T], timeout: float = 2.0) -> T:
        return await asyncio.to_thread(self.wait_for, predicate, timeout)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._broken.append(error)
            self._abort_all()  # or the client would wait for us until its timeout

    def _run(self) -> None:
        # Whatever policy a test has installed: reset() and _accept() need real sockets, which uvloop does not give.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        # Accepting ourselves, for asyncio's own servers neither tell of failed handshakes nor close unfinished ones.
        self._loop.add_reader(self._listener, self._accept)
        self._started.set()
        await self._stopping.wait()
        self._loop.remove_reader(self._listener)
        self._listener.close()
        await asyncio.sleep(0)  # a task cancelled before its first step would leave its socket open
        self._abort_all()
        for task in tuple(self._tasks):
            task.cancel()
        while self.connections or self._tasks:
            await asyncio.sleep(0)

    def _abort_all(self) -> None:
        for connection in tuple(self.connections):
            connection.closed_here = True
            connection.transport.abort()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):  # it may have left already
            sock, _ = self._listener.accept()
            sock.setblocking(False)
            # asyncio would do it, if it knew that this is TCP. Without it every second small write waits 40 ms.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.spawn(self._welcome(sock))

    async def _welcome(self, sock: socket.socket) -> None:
        tls: dict[str, Any] = {"ssl": self._context, "ssl_shutdown_timeout": 1.0} if self._context else {}
        try:
            await self._loop.connect_accepted_socket(lambda: self.connection_class(self), sock, **tls)
        except (ssl.SSLError, ConnectionError) as error:
            self.tls_failures.append(str(error))


@contextlib.contextmanager
def unconnectable() -> Iterator[str]:
    """A URL where connecting neither succeeds nor fails: the queue of the listener is full, so the kernel drops SYNs."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(2):  # Linux queues one more than it was asked to
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
