"""Cancelling a coroutine at each point where it waits, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any


class CancelledAt:
    """Awaits `coroutine`, and cancels the task that does so when it comes to wait for the `turn`-th time (from 1)."""

    def __init__(self, coroutine: Awaitable[Any], turn: int, note: Callable[[], int]) -> None:
        self._coroutine = coroutine
        self._turn = turn
        self._note = note
        self.waits = 0
        self.noted = 0  # what note() gave at that moment

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._coroutine.__await__()
        act = lambda: next(inner)  # noqa: E731
        while True:
            try:
                waited_for = act()
            except StopIteration as done:
                return done.value
            self.waits += 1
            if self.waits == self._turn:
                task = asyncio.current_task()
                assert task is not None
                self.noted = self._note()
                task.cancel()  # takes effect as soon as we wait, which we do next
            try:
                sent = yield waited_for
            except BaseException as error:  # noqa: BLE001 - handed on as it is
                act = _throwing(inner, error)
            else:
                act = _sending(inner, sent)


def _throwing(inner: Any, error: BaseException) -> Callable[[], Any]:
    return lambda: inner.throw(error)


def _sending(inner: Any, value: Any) -> Callable[[], Any]:
    return lambda: inner.send(value)


async def at_every_wait(
    make: Callable[[], Awaitable[Any]], after_each: Callable[[int], Awaitable[None]], count: Callable[[], int]
) -> int:
    """Runs make() again and again, cancelled at its first wait, its second, … until it comes to its end uncancelled.

    Each time CancelledError has to come out, and what `count` counts (requests) may not have grown since. after_each
    checks the traces. Gives the number of waits.
    """
    for turn in range(1, 200):
        watched = CancelledAt(make(), turn, count)

        async def run(watched: CancelledAt = watched) -> Any:
            return await watched

        task = asyncio.ensure_future(run())
        try:
            await task
        except asyncio.CancelledError:
            assert task.cancelled()
            assert watched.waits >= turn
            assert count() == watched.noted, f"cancelled at wait {turn}, and sent another request"
            await after_each(turn)
        else:
            assert watched.waits < turn, f"cancelled at wait {turn}, and went on to its end"
            return turn - 1
    raise AssertionError("it never comes to its end")
