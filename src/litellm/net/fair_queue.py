"""Long work, one piece in each round of the event loop, so that short requests come in between."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

LARGE = 64 << 10  # bytes of a body, or of a piece of one, that are worth waiting for a turn


class FairQueue:
    """A queue of callbacks, of which each round of the running loop calls the first. The rest of a round is for others:
    without this, a hundred clients with 5 MB each would be handled in one round, and a probe wait for all of them.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Callable[[], None]] = deque()

    def schedule(self, callback: Callable[[], None]) -> None:
        """Have `callback` called when it is its turn."""
        self._waiting.append(callback)
        if len(self._waiting) == 1:
            self._loop.call_soon(self._next)

    def turn(self) -> asyncio.Future[None]:
        """What to await until it is one's turn."""
        turn: asyncio.Future[None] = self._loop.create_future()

        def begin() -> None:
            if not turn.done():  # cancelled: its client has gone
                turn.set_result(None)

        self.schedule(begin)
        return turn

    def _next(self) -> None:
        callback = self._waiting.popleft()
        if self._waiting:
            self._loop.call_soon(self._next)  # in the next round, after a look at the sockets
        callback()
