"""Several flows at once, for callers that are not async."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from litellm.engine.drivers import arun, run
from litellm.net.async_io import AsyncTransport
from litellm.net.steps import Ask, Fan, Flow
from litellm.net.sync_io import SyncTransport


@pytest.fixture(scope="module")
def io() -> SyncTransport:
    return SyncTransport()


def asking(function: Callable[[], Any]) -> Flow[Any]:
    return (yield Ask(function, None))


def fanned(fan: Fan) -> Flow[list[Any]]:
    return (yield fan)


def test_all_of_them_in_their_order(io: SyncTransport) -> None:
    """Each at its place, whether it has a value or an exception, and never more side by side than allowed."""
    here, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(2, timeout=10)

    def note(value: int) -> int:
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
        together.wait()
        with lock:
            here -= 1
        together.wait()
        return 12 // value

    results = run(fanned(Fan([asking(lambda v=v: note(v)) for v in (1, 2, 0, 3)], at_once=2)), io)
    assert [results[0], results[1], type(results[2]), results[3]] == [12, 6, ZeroDivisionError, 4]
    assert most == 2
    assert run(fanned(Fan([])), io) == []


def test_the_first_is_enough(io: SyncTransport) -> None:
    """The others go on unheard; when none comes, there are all the exceptions."""
    released = threading.Event()
    flows = [asking(lambda: released.wait(10)), asking(lambda: "quick")]
    assert run(fanned(Fan(flows, first=True, at_once=2)), io) == ["quick"]
    released.set()
    failing = run(fanned(Fan([asking(lambda: 1 // 0), asking(lambda: {}["x"])], first=True)), io)
    assert [type(error) for error in failing] == [ZeroDivisionError, KeyError]


def test_a_process_that_has_its_answer_ends() -> None:
    """G1: it does not wait for the models that lost, which may take as long as their timeout."""
    script = """
import litellm
messages = [{"role": "user", "content": "hi"}]
print(litellm.batch_completion_models(models=["mock/hang", "mock/echo"], messages=messages).model)
"""
    ended = subprocess.run([sys.executable, "-c", script], timeout=30, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "echo\n", "")


# --- for those who are async ----------------------------------------------------------------------------------------------


class Crowd:
    """Flows that note how many of them are under way; none ends before `together` are."""

    def __init__(self, together: int) -> None:
        self.together = together
        self.here = self.most = 0

    async def _come(self, value: Any) -> Any:
        self.here += 1
        self.most = max(self.most, self.here)
        while self.most < self.together:
            await asyncio.sleep(0)
        for _ in range(20):  # whoever else was started gets its turn
            await asyncio.sleep(0)
        self.here -= 1
        if isinstance(value, Exception):
            raise value
        return value

    def flow(self, value: Any) -> Flow[Any]:
        return (yield Ask(None, lambda: self._come(value)))


@pytest.mark.parametrize(("count", "at_once", "most"), [(7, 3, 3), (3, 3, 3), (2, 3, 2), (9, 1, 1), (0, 3, 0)])
async def test_no_more_tasks_side_by_side_than_allowed(count: int, at_once: int, most: int) -> None:
    """All in their order, whether they have a value or an exception."""
    crowd = Crowd(most)
    values = [ValueError() if value % 3 == 2 else value for value in range(count)]
    assert await arun(fanned(Fan([crowd.flow(value) for value in values], at_once=at_once)), AsyncTransport()) == values
    assert crowd.most == most


async def test_the_first_of_more_tasks_than_allowed() -> None:
    """The next ones are tried when the first ones fail, and none after one has a value."""
    crowd = Crowd(2)
    values = [ValueError(), ValueError(), "quick", "late", "never begun", "never begun"]
    fan = Fan([crowd.flow(value) for value in values], first=True, at_once=2)
    assert await arun(fanned(fan), AsyncTransport()) == ["quick"]
    assert crowd.most == 2


class Held:
    """A result that holds something until it is closed, as a stream does."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def test_who_came_too_late_is_closed(io: SyncTransport) -> None:
    """Whatever it is, as long as it can be."""
    late, won = Held(), threading.Event()

    def second() -> Held:
        won.wait(10)
        return late

    assert run(fanned(Fan([asking(lambda: "first"), asking(second)], first=True, at_once=2)), io) == ["first"]
    won.set()
    assert late.closed.wait(10)


def test_who_came_too_late_is_closed_in_tasks() -> None:
    """The same; what nobody can close is left alone."""
    late: list[Any] = [Held(), {"close": "no method"}]

    def flow(value: Any) -> Flow[Any]:
        yield Ask(lambda: value, None)
        return value

    async def race() -> Any:
        return await arun(fanned(Fan([flow(value) for value in late], first=True)), AsyncTransport())

    (winner,) = asyncio.run(race())
    assert winner in late
    assert late[0].closed.is_set() is (winner is not late[0])
