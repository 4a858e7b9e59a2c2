"""A pool of direct connections on asyncio: our own, because this is where a gateway spends its time.

They are kept per origin, the last used first.
"""

from __future__ import annotations

import asyncio
import ssl

from litellm.net import failures
from litellm.net.async_connection import AsyncConnection, AsyncReply, Key
from litellm.net.connect import DNSCache, connected_socket
from litellm.net.fair_queue import FairQueue
from litellm.net.faults import TransportFault
from litellm.net.messages import Request
from litellm.net.request_head import HeadCache, Origin, origin_of
from litellm.net.tls import ssl_context

MAX_IDLE = 1000
MAX_IDLE_GUARDED = 250
BUFFER_LIMIT = 256 << 20  # bytes of unfinished answers to guarded requests, all together
HANDSHAKE = 86_400.0  # seconds for TLS alone: never reached, the clock for the whole connection is stricter


class AsyncPool:
    """One loop's connections. There is no limit to how many work: limits belong to deployments, not to sockets.

    max_idle: how many are kept for later, to all origins together. max_idle_guarded: the same where a guard says
    that a client has chosen the origin; they are counted apart, so that these never push out the others.
    buffer_limit: bytes that unfinished answers from such origins may take, all together.
    """

    def __init__(
        self, max_idle: int = MAX_IDLE, max_idle_guarded: int = MAX_IDLE_GUARDED, buffer_limit: int = BUFFER_LIMIT
    ) -> None:
        self._max_idle = (max_idle, max_idle_guarded)
        self.buffer_remaining = buffer_limit
        self.fair_queue = FairQueue()
        self._loop = asyncio.get_running_loop()
        self._open: set[AsyncConnection] = set()
        self._idle: dict[Key, list[AsyncConnection]] = {}
        # The idle ones of all origins, the longest idle first: our own, and those to where clients have sent us.
        self._idle_order: tuple[dict[AsyncConnection, None], dict[AsyncConnection, None]] = ({}, {})
        self._heads = HeadCache()
        self._names = DNSCache()
        self._closed = False

    @property
    def size(self) -> tuple[int, int]:
        """How many connections stand, and how many of these have nothing to do."""
        return len(self._open), sum(map(len, self._idle_order))

    async def send(self, request: Request) -> AsyncReply:
        """Send on a connection that is there, or on a new one. Raises TransportFault."""
        origin = origin_of(request.url)
        network = request.network
        if network.guard is not None:
            network.guard.check(origin.scheme, origin.host, origin.port)
        head = self._heads.find(origin, request)
        deadline = self._loop.time() + request.timeouts.total
        key = (origin.scheme, origin.host, origin.port, network)
        connection = self._take(key) or await self._connect(origin, request, key)
        return await connection.exchange(request, head, deadline)

    def close(self) -> None:
        """End all connections; what is on its way on them is broken off."""
        self._closed = True
        for connection in tuple(self._open):
            text = f"the connection to {connection.key[1]} was closed on our side: its client, or its event loop, has ended"
            connection.break_off(TransportFault("closed", text))

    # --- the connections' side ----------------------------------------------------------------------------------------

    def keep(self, connection: AsyncConnection) -> None:
        """A connection has nothing to do."""
        self._idle.setdefault(connection.key, []).append(connection)
        guarded = connection.key[3].guard is not None
        idle_order = self._idle_order[guarded]
        idle_order[connection] = None
        if len(idle_order) > self._max_idle[guarded]:
            oldest = next(iter(idle_order))
            self.forget(oldest)
            oldest.abort()

    def forget(self, connection: AsyncConnection) -> None:
        """A connection has ended."""
        self._open.discard(connection)
        idle = self._idle.get(connection.key)
        if idle is None:
            return
        idle_order = self._idle_order[connection.key[3].guard is not None]
        if connection in idle_order:
            del idle_order[connection]
            idle.remove(connection)
        if not idle:
            del self._idle[connection.key]

    # --- opening and sending ------------------------------------------------------------------------------------------

    def _take(self, key: Key) -> AsyncConnection | None:
        idle = self._idle.get(key)
        while idle:
            connection = idle.pop()
            del self._idle_order[key[3].guard is not None][connection]
            if connection.usable:
                return connection
            connection.abort()
        return None

    async def _connect(self, origin: Origin, request: Request, key: Key) -> AsyncConnection:
        timeouts = request.timeouts
        try:
            # Less than the total, so that a connection that does not come about says that this was it.
            async with asyncio.timeout(min(timeouts.connect, 0.75 * timeouts.total)):
                return await self._open_connection(origin, key)
        except TimeoutError:
            fault = failures.connect_timeout(request)
        except ssl.SSLError as error:
            raise failures.tls_failed(request, error) from None
        except OSError as error:
            fault = failures.cannot_connect(request, error)
        self._names.forget(origin)
        raise fault

    async def _open_connection(self, origin: Origin, key: Key) -> AsyncConnection:
        network = key[3]
        context = ssl_context(network) if origin.scheme == "https" else None
        addresses = await self._names.addresses(origin, network)
        connection = AsyncConnection(self, key, self._loop)
        sock = await connected_socket(addresses, origin.port)
        try:
            transport, _ = await self._loop.create_connection(lambda: connection, sock=sock)
        except BaseException:
            sock.close()
            raise
        if context is not None:
            # A step of its own, because create_connection(ssl=…) leaks its socket if it is cancelled before the handshake.
            secured = await self._loop.start_tls(
                transport, connection, context, server_hostname=origin.host, ssl_handshake_timeout=HANDSHAKE
            )
            if secured is not None:  # else it has been lost meanwhile, as the bare transport says
                connection.connection_made(secured)
        if self._closed:
            connection.abort()
        if connection.is_open:  # it may have been lost before we got to know it
            self._open.add(connection)
        return connection
