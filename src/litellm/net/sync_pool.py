"""A pool of direct connections, blocking: shared by threads, with one exchange on each at a time.

They are kept per origin, the last used first.
"""

from __future__ import annotations

import ssl
import threading
import time
from weakref import WeakSet

from litellm.net import failures
from litellm.net.messages import Request
from litellm.net.request_head import HeadCache, Origin, origin_of
from litellm.net.sync_connect import open_socket
from litellm.net.sync_connection import Key, SyncConnection, SyncReply

IDLE = 30.0  # seconds that a connection is kept for; servers commonly close after 60 or more
MAX_IDLE = 100


class SyncPool:
    """One process's connections. There is no limit to how many work. Safe to share between threads, not to fork.

    max_idle: how many are kept for later, to all origins together.
    """

    def __init__(self, max_idle: int = MAX_IDLE) -> None:
        self._max_idle = max_idle
        self._lock = threading.Lock()
        self._open: WeakSet[SyncConnection] = WeakSet()  # weak, for those that are forgotten in mid-stream
        self._idle: dict[Key, list[SyncConnection]] = {}
        self._idle_order: dict[SyncConnection, None] = {}  # the idle ones of all origins, the longest idle first
        self._heads = HeadCache()

    @property
    def size(self) -> tuple[int, int]:
        """How many connections stand, or are still referred to; and how many of these have nothing to do."""
        return len(self._open), len(self._idle_order)

    def send(self, request: Request) -> SyncReply:
        """Send on a connection that is there, or on a new one, and wait for the head; and for the body too unless a good
        answer is to be streamed. Raises TransportFault.
        """
        origin = origin_of(request.url)
        network = request.network
        if network.guard is not None:
            network.guard.check(origin.scheme, origin.host, origin.port)
        head = self._heads.find(origin, request)
        deadline = time.monotonic() + request.timeouts.total
        key = (origin.scheme, origin.host, origin.port, network)
        reply = SyncReply(request, self._take(key) or self._connect(origin, request, key), deadline, self._keep)
        reply.exchange(head)
        return reply

    def close(self) -> None:
        """End all connections; what is on its way on them is broken off."""
        for connection in self._forget_idle():
            connection.hang_up()

    def abandon(self) -> None:
        """Close the sockets, and leave the connections to another process that has them too. Takes no lock: a fork may
        have frozen it.
        """
        for connection in [*self._open]:
            connection.close()

    def _take(self, key: Key) -> SyncConnection | None:
        while (connection := self._last_used(key)) is not None:
            if time.monotonic() - connection.idle_since < IDLE and not connection.readable:
                return connection
            connection.close()
        return None

    def _last_used(self, key: Key) -> SyncConnection | None:
        with self._lock:
            idle = self._idle.get(key)
            if idle is None:
                return None
            connection = idle.pop()
            if not idle:
                del self._idle[key]
            del self._idle_order[connection]
            return connection

    def _keep(self, connection: SyncConnection) -> None:
        connection.idle_since = time.monotonic()
        with self._lock:
            self._idle.setdefault(connection.key, []).append(connection)
            self._idle_order[connection] = None
            while (oldest := self._surplus(connection.idle_since)) is not None:
                oldest.close()

    def _surplus(self, now: float) -> SyncConnection | None:
        """The one that has been idle for longest, taken out, if that is too long or there are too many."""
        oldest = next(iter(self._idle_order))
        if len(self._idle_order) <= self._max_idle and now - oldest.idle_since < IDLE:
            return None
        del self._idle_order[oldest]
        idle = self._idle[oldest.key]
        idle.remove(oldest)
        if not idle:
            del self._idle[oldest.key]
        return oldest

    def _forget_idle(self) -> list[SyncConnection]:
        """Forget the idle ones, and close them; gives those in use."""
        with self._lock:
            idle, self._idle_order, self._idle = self._idle_order, {}, {}
        for connection in idle:
            connection.close()
        return [connection for connection in self._open if connection not in idle]

    def _connect(self, origin: Origin, request: Request, key: Key) -> SyncConnection:
        timeouts = request.timeouts
        try:
            # Less than the total, so that a connection that does not come about says that this was it.
            sock = open_socket(origin, request.network, min(timeouts.connect, 0.75 * timeouts.total))
        except TimeoutError:
            fault = failures.connect_timeout(request)
        except ssl.SSLError as error:
            fault = failures.tls_failed(request, error)
        except OSError as error:
            fault = failures.cannot_connect(request, error)
        else:
            connection = SyncConnection(key, sock)
            self._open.add(connection)
            return connection
        raise fault
