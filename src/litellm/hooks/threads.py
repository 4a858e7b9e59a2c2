"""A few daemon threads for callbacks that block.

The standard library's pool will not do: the interpreter joins its threads at exit without a time limit, so one callback
that hangs would keep the process from ending, and before our queue is drained it refuses new work.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any

_Work = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Threads:
    """At most `maximum` of them; each starts when there is work and all others are busy. Belongs to one event loop."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._started = 0
        self._busy = 0

    async def run(self, function: Callable[[], Any]) -> Any:
        """Call `function` in a thread, and return or raise what it does."""
        self._busy += 1
        try:
            if self._started < min(self._busy, self._maximum):
                self._start()
            if not self._started:
                return function()
            future = asyncio.get_running_loop().create_future()
            self._work.put((function, future))
            return await future
        finally:
            self._busy -= 1

    def close(self) -> None:
        """Let the threads end when they have done what they are at."""
        for _ in range(self._started):
            self._work.put(None)

    def _start(self) -> None:
        # A process that is ending starts no more threads: those that there are, or this one, do the rest.
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=self._live, name="litellm-callback", daemon=True).start()
            self._started += 1

    def _live(self) -> None:
        while work := self._work.get():
            _perform(*work)
            del work  # or it would be kept until the next one comes


def _perform(function: Callable[[], Any], future: asyncio.Future[Any]) -> None:
    result: Any = None
    problem: Exception | None = None
    try:
        result = function()
    # A future cannot hold the first of these; the others would end the loop, or its task.
    except (StopIteration, SystemExit, asyncio.CancelledError) as error:
        problem = RuntimeError(repr(error))
    except Exception as error:  # noqa: BLE001 - whoever awaits the future decides
        problem = error
    with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits any more
        future.get_loop().call_soon_threadsafe(_settle, future, result, problem)


def _settle(future: asyncio.Future[Any], result: Any, problem: Exception | None) -> None:
    if future.done():  # cancelled: nobody waits any more
        return
    if problem is None:
        future.set_result(result)
    else:
        future.set_exception(problem)
