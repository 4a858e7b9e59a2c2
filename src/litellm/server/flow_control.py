"""Clients that read their answers slowly, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from litellm.server.buffers import Buffers, Reservation
from litellm.server.limits import Limits


class FlowControl(asyncio.Protocol):
    """The writing half of a connection: whether its client keeps up, and since when it does not."""

    __slots__ = ("_loop", "_resumed", "_transport", "_unread")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._resumed: asyncio.Future[None] | None = None
        self._unread = (0, 0.0)  # bytes of answers that the client has not read, and when they last became fewer

    def pause_writing(self) -> None:
        self._resumed = self._loop.create_future()
        self._unread = (self._transport.get_write_buffer_size(), self._loop.time())

    def resume_writing(self) -> None:
        self._wake()
        self._resumed = None

    def _wake(self) -> None:
        """Have whoever waits for the client go on."""
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)

    def drain(self) -> Awaitable[None] | None:
        return self._resumed

    async def _until_read(self, resumed: asyncio.Future[None], buffers: Buffers, limits: Limits) -> None:
        """Wait until the client has read its answer. What it has not read takes room as bodies do."""
        unread = Reservation(buffers, limits)
        unread.add(self._transport.get_write_buffer_size())
        try:
            await resumed
        finally:
            unread.release()

    def _stuck(self, now: float, limits: Limits) -> bool:
        """Whether the client has read nothing for too long."""
        unread, since = self._unread
        remaining = self._transport.get_write_buffer_size()
        if remaining < unread:
            self._unread = (remaining, now)
            return False
        return now - since > limits.slow
