"""An HTTP proxy: CONNECT tunnels and absolute URLs. It never leaves this machine: hosts are looked up in `hosts` and
nowhere else, so tests can serve public names locally, without DNS."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from . import http1
from .server import Connection, Server
from .tls import ServerTLS

LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Passed:
    """A request to the proxy. What goes through a tunnel afterwards it cannot see."""

    method: str  # "CONNECT", or that of the request that was sent on
    address: str  # "example.com:443"
    target: str  # as it stood in the request line
    headers: dict[str, str]  # names in lower case
    status: int | None  # what the proxy itself answered; None: sent on
    connection_id: int


class ForwardProxy(Server):
    def __init__(
        self,
        *,
        hosts: Mapping[str, str] | None = None,  # {"example.com:443": "127.0.0.1:49152"}
        auth: tuple[str, str] | None = None,  # user and password that everyone has to give
        port: int = 0,
        tls: ServerTLS | None = None,  # for talking to the proxy itself
    ) -> None:
        super().__init__(port=port, tls=tls)
        self.connection_class = _ProxyConnection
        self.hosts = dict(hosts or {})
        self.auth = auth
        self.requests: list[Passed] = []

    @property
    def url_with_auth(self) -> str:
        user, password = self.auth or ("", "")
        return self.url.replace("://", f"://{user}:{password}@")

    def allows(self, headers: Mapping[str, str]) -> bool:
        if self.auth is None:
            return True
        return headers.get("proxy-authorization") == "Basic " + b64encode(":".join(self.auth).encode()).decode()

    def find(self, address: str) -> tuple[str, int] | None:
        real = self.hosts.get(address) or address
        host, _, port = real.rpartition(":")
        return (host.strip("[]"), int(port)) if host.strip("[]") in LOCAL else None


class _ProxyConnection(Connection):
    server: ForwardProxy

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._arrived: asyncio.Queue[http1.Request | bytes] = asyncio.Queue()  # bytes: of a tunnel
        self._tunnel = False
        self._far: asyncio.StreamWriter | None = None
        self._far_address = ""
        self._tasks: list[asyncio.Task[None]] = []  # ours, and the one that brings back what the far side says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._tasks.append(self.server.spawn(self._work()))

    def data_received(self, data: bytes) -> None:
        if self._tunnel:
            self._arrived.put_nowait(data)
            return
        for request in self.read_requests(data):
            self._arrived.put_nowait(request)
            self._tunnel = request.method == "CONNECT"
        if self._tunnel:
            self._arrived.put_nowait(self.reader.take_rest())

    def over(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._leave_far()

    async def _work(self) -> None:
        while True:
            arrived = await self._arrived.get()
            if isinstance(arrived, http1.Request):
                await self._take(arrived)
            elif self._far:
                self._far.write(arrived)

    async def _take(self, request: http1.Request) -> None:
        connect = request.method == "CONNECT"
        url = urlsplit(request.target)
        address = request.target if connect else f"{url.hostname}:{url.port or 80}"
        status = await self._reach(address) if self.server.allows(request.headers) else 407
        self.server.requests.append(
            Passed(request.method, address, request.target, request.headers, status, connection_id=self.id)
        )
        if status:
            asks = {"proxy-authenticate": 'Basic realm="fake"'} if status == 407 else {}
            await self.send(http1.response_head(status, {"content-length": "0", "connection": "close", **asks}))
            self.close()
        elif connect:
            await self.send(http1.response_head(200, {}))
        elif self._far:
            headers = {name: value for name, value in request.headers.items() if not name.startswith("proxy-")}
            target = url._replace(scheme="", netloc="", fragment="").geturl() or "/"
            self._far.write(http1.request_bytes(replace(request, target=target, headers=headers)))

    async def _reach(self, address: str) -> int | None:
        """Connects to the far side, unless connected already; gives the status to refuse with."""
        if self._far and self._far_address == address:
            return None
        found = self.server.find(address)
        if found is None:
            return 403
        try:
            reader, writer = await asyncio.open_connection(*found)
        except OSError:
            return 502
        self._leave_far()
        self._far, self._far_address = writer, address
        self._tasks[1:] = [self.server.spawn(self._bring_back(reader))]
        return None

    def _leave_far(self) -> None:
        for task in self._tasks[1:]:
            task.cancel()
        if self._far:
            self._far.transport.abort()

    async def _bring_back(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(65536):
                await self.send(data)
            self.close()
        except ConnectionError:
            self.reset()
