"""Several flows at once, for callers that are not async."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from litellm.engine.drivers import run
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
