"""Accepting connections that speak TLS. They count before they have shaken hands, and have little time to do it: a loop's
own server would let any number of silent ones take all files of the process."""

from __future__ import annotations

import asyncio
import socket
import ssl

from litellm._log import log
from litellm.server.connection import Connections

HANDSHAKE = 10.0  # seconds
PAUSE = 0.1  # seconds, when the system has no room for one more


class Handshakes:
    """Accepts connections on a listening socket, until `close`, and hands them to `connections`."""

    def __init__(self, connections: Connections, sock: socket.socket, context: ssl.SSLContext) -> None:
        self._connections = connections
        self._sock = sock
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._accepting = self._loop.create_task(self._accept())

    def close(self) -> None:
        """Accept no more, and let go of those that are not there yet."""
        for task in (self._accepting, *self._handshakes):
            task.cancel()
        self._sock.close()

    async def _accept(self) -> None:
        while True:
            try:
                client, _ = await self._loop.sock_accept(self._sock)
            except OSError as error:  # no files left, or a client that has gone again
                log.warning("a connection could not be accepted: %s", error)
                await asyncio.sleep(PAUSE)
                continue
            if self._connections.room > len(self._handshakes):
                task = self._loop.create_task(self._shake_hands(client))
                self._handshakes.add(task)
                task.add_done_callback(self._handshakes.discard)
            else:
                client.close()

    async def _shake_hands(self, client: socket.socket) -> None:
        client.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(
                self._connections, client, ssl=self._context, ssl_handshake_timeout=HANDSHAKE
            )
        except OSError as error:  # which ssl.SSLError and TimeoutError are
            log.debug("no TLS: %s", error)
