"""One blocking connection to an upstream, and the exchange that it carries.

The answer is read by the same parser as on an event loop, and held to the same clocks.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections.abc import Callable, Mapping

from litellm.net import failures
from litellm.net.faults import FaultKind, TransportFault
from litellm.net.messages import Request, streams
from litellm.net.network import Network
from litellm.net.readable import watch
from litellm.net.request_head import Head
from litellm.net.response import Response
from litellm.net.unzip import Malformed, too_large

LAST_BYTES = 0.2  # seconds that the end of a stream may take to arrive after its [DONE]
PIECE = 64 << 10  # bytes that are read, and of a long body written, at once
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

Key = tuple[str, str, int, Network]  # scheme, host, port: what two requests must share to share a connection


class SyncConnection:
    """A socket that carries one exchange at a time.

    idle_since: when it last had something to do, in monotonic time. sent: whether the last request was written to its end.
    """

    __slots__ = ("__weakref__", "_readable", "_socket", "_timeout", "idle_since", "key", "sent")

    def __init__(self, key: Key, sock: socket.socket) -> None:
        self.key = key
        self.idle_since = 0.0
        self.sent = False
        self._socket = sock
        self._timeout: float | None = None
        self._readable = watch(sock.fileno())

    @property
    def readable(self) -> bool:
        """Whether something has come, if only the end. On an idle connection that is unsolicited."""
        return bool(self._readable())

    def send(self, head: Head, request: Request, seconds: float) -> bytes:
        """Write the request. Gives what came before all of it was written, which ends the writing: some servers answer
        without reading it all. Raises OSError; TimeoutError after `seconds`.
        """
        self.sent = False
        self._allow(seconds)
        try:
            if len(request.body) < PIECE:
                self._socket.sendall(head.start(request) + request.body)
                self.sent = True
                return b""
            self._socket.sendall(head.start(request))
        except BaseException as error:  # noqa: BLE001 - it is raised again
            raise error.with_traceback(None)  # noqa: B904 - without the frames of ssl, which hold what was to be sent
        return self._send_long(memoryview(request.body), time.monotonic() + seconds)

    def _send_long(self, body: memoryview, deadline: float) -> bytes:
        self._allow(0.0)
        while body:
            try:
                body = body[self._socket.send(body[:PIECE]) :]
            except NOT_NOW:
                self._wait(deadline)
            if self.readable:
                try:
                    return self._socket.recv(PIECE)
                except NOT_NOW:  # TLS had something to say, and the server did not
                    continue
        self.sent = True
        return b""

    def _wait(self, deadline: float) -> None:
        """Until more can be written, or something has come."""
        remaining = deadline - time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
            if remaining <= 0 or not selector.select(remaining):
                raise TimeoutError

    def receive(self, seconds: float) -> bytes:
        """What comes next; nothing when the connection has ended. Raises OSError; TimeoutError after `seconds`."""
        if self._timeout != seconds:  # which costs a system call
            self._allow(seconds)
        return self._socket.recv(PIECE)

    def _allow(self, seconds: float) -> None:
        self._timeout = seconds
        self._socket.settimeout(seconds)

    def close(self) -> None:
        """Let go of the socket. Another process that has it too does not notice."""
        self._socket.close()

    def hang_up(self) -> None:
        """End the connection while another thread may be reading from it, which will notice and close the socket."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # it has ended by itself
            return


class SyncReply:
    """A reply whose body may still be on its way.

    keep: takes the connection when the answer is complete and it may carry another.
    """

    __slots__ = (
        "_broken", "_connection", "_deadline", "_keep", "_parts", "_silence", "body", "request", "response", "streamed",
    )  # fmt: skip
    stream_to = None

    def __init__(
        self, request: Request, connection: SyncConnection, deadline: float, keep: Callable[[SyncConnection], None]
    ) -> None:
        self.request = request
        self.response = Response(bodyless=request.method == "HEAD", max_size=request.network.max_size)
        self.streamed = False  # known when the head is here
        self.body = b""
        self._connection: SyncConnection | None = connection  # until the last byte, a fault, or close()
        self._keep = keep
        self._deadline = deadline  # when all must be over, in monotonic time
        self._silence = request.timeouts.first_byte  # seconds that the next read may take
        self._parts: list[bytes] = []  # of the body, what has come and was not read
        self._broken: tuple[FaultKind, str] | None = None

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response.headers

    def exchange(self, head: Head) -> None:
        """Send, and wait for the head, and for the body too unless a good answer is to be streamed.

        Raises TransportFault.
        """
        timeouts = self.request.timeouts
        try:
            self._begin(self._send(head))
            self.streamed = self.request.stream and streams(self.status, self.headers)
            if not self.streamed:
                self._read_whole()
            elif self._parts:
                self._silence = timeouts.between
            else:
                # The first piece may take as long as the stricter of two clocks says: for the beginning, and for silence.
                self._silence = min(timeouts.first_byte, timeouts.between)
        except BaseException:
            self.close()
            raise

    def read(self) -> bytes:
        """The next bytes of a streamed body; empty at its end. Raises TransportFault."""
        if self._parts:
            return self._parts.pop()
        if self._broken is not None:
            raise TransportFault(*self._broken)
        try:
            while self._connection is not None:
                if piece := self._feed(self._receive(self._silence)):
                    self._silence = self.request.timeouts.between
                    return piece
        except BaseException as error:
            self.close()
            if isinstance(error, TransportFault):
                self._broken = error.kind, str(error)
            raise
        return b""

    def finish(self) -> None:
        """All that matters is here: give the last bytes a moment, so that the connection can be used again."""
        self._deadline = min(self._deadline, time.monotonic() + LAST_BYTES)
        try:
            while self._connection is not None:
                self._feed(self._receive(LAST_BYTES))
        except TransportFault:  # then it is not used again
            return
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the connection, if it is still ours."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _send(self, head: Head) -> bytes:
        """Gives what came before all was sent."""
        assert self._connection is not None  # noqa: S101 - it is the beginning
        remaining, first_byte = self._deadline - time.monotonic(), self.request.timeouts.first_byte
        try:
            if remaining > 0:
                return self._connection.send(head, self.request, min(remaining, first_byte))
            fault = self._late(remaining, first_byte)
        except TimeoutError:
            fault = self._late(remaining, first_byte)
        except OSError:  # what it said before it hung up may be here
            return b""
        raise fault

    def _begin(self, early: bytes) -> None:
        """Read on until the head is here."""
        limit = first_byte = self.request.timeouts.first_byte
        due = time.monotonic() + first_byte
        part = self._feed(early) if early else b""
        while not self.response.begun:
            part = self._feed(self._receive(limit))
            limit = due - time.monotonic()  # the clock of the first byte is not impressed by half a head
        if part:
            self._parts.append(part)

    def _read_whole(self) -> None:
        network, parts = self.request.network, self._parts
        size = sum(map(len, parts))
        while self._connection is not None:
            parts.append(self._feed(self._receive(self._silence)))
            size += len(parts[-1])
            if size > network.max_size:
                raise failures.not_http(self.request, too_large(network.max_size))
        self.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts = []

    def _feed(self, data: bytes) -> bytes:
        """What of the body there is in `data`; no data says that the connection has ended."""
        response = self.response
        try:
            part = response.feed(data) if data else self._end()
        except Malformed as error:
            fault = (failures.not_http if data else failures.closed)(self.request, error)
        else:
            if response.complete:
                self._let_go()
            return part
        raise fault

    def _end(self) -> bytes:
        self.response.end()
        return b""

    def _let_go(self) -> None:
        """The answer is complete."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self.response.reusable and connection.sent and not self.response.excess:
            self._keep(connection)
        else:
            connection.close()

    def _receive(self, limit: float) -> bytes:
        """What comes next, within `limit` seconds and the clock of the whole."""
        assert self._connection is not None  # noqa: S101 - callers looked
        # Asked before each read, since one that never waits is never late by itself.
        remaining = self._deadline - time.monotonic()
        try:
            if 0 < limit < remaining:
                return self._connection.receive(limit)
            if 0 < remaining <= limit:
                return self._connection.receive(remaining)
            fault = self._late(remaining, limit)
        except TimeoutError:
            fault = self._late(remaining, limit)
        except OSError as error:
            fault = failures.closed(self.request, repr(error))
        raise fault

    def _late(self, remaining: float, limit: float) -> TransportFault:
        if remaining <= limit:
            return failures.total_timeout(self.request)
        return failures.silence(self.request) if self.streamed else failures.first_byte_timeout(self.request)
