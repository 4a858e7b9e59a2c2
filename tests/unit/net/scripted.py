"""A server whose connections do exactly what a test says, and an event loop whose time a test can move."""

import asyncio
from collections.abc import Callable

from tests.fakes import http1
from tests.fakes.server import Connection, Server
from tests.fakes.tls import ServerTLS


def whole(body=b"{}", *headers, status=200):
    """An answer of known length."""
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status} Said\r\ncontent-length: {len(body)}\r\n{lines}\r\n".encode() + body


class Scripted(Server):
    """Calls `answer(connection, request)` for each request. requests: all of them; by: the connection of each."""

    def __init__(self, answer: Callable[["Answering", http1.Request], None], *, tls: ServerTLS | None = None) -> None:
        super().__init__(tls=tls)
        self.connection_class = Answering
        self.answer = answer
        self.by: list[Answering] = []

    @property
    def base(self) -> str:
        return self.url + "/v1"


class Answering(Connection):
    server: Scripted
    lost = False

    def data_received(self, data: bytes) -> None:
        for request in self.read_requests(data):
            self.server.requests.append(request)
            self.server.by.append(self)
            self.server.answer(self, request)

    def over(self) -> None:
        self.lost = True

    def say(self, data: bytes) -> None:
        self.transport.write(data)

    def vanish(self) -> None:
        """Close the socket, and with TLS say no goodbye."""
        self.closed_here = True
        self.transport.abort()


def always(data: bytes) -> Callable[[Answering, http1.Request], None]:
    return lambda connection, _: connection.say(data)


class Skipping(asyncio.SelectorEventLoop):
    """Its time is the real one and what was skipped."""

    skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped

    async def skip(self, seconds: float) -> None:
        """Timers that are due within `seconds` find that these have passed."""
        self.skipped += seconds
        for _ in range(5):  # for what they have started
            await asyncio.sleep(0)
