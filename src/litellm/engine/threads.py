"""Calls side by side in threads that nobody has to wait for.

The standard library's pool will not do: the interpreter joins its threads at exit, so that a process which has its answer
would wait for the models that lost the race.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

Thunk = Callable[[], Any]


def in_threads(calls: Iterable[Thunk], at_once: int) -> Sequence[Future[Any]]:
    """The futures of `calls`, of which at most `at_once` run side by side. One that is cancelled before it runs never does.

    >>> [future.result() for future in in_threads([lambda: 1, lambda: 2], at_once=2)]
    [1, 2]
    """
    todo: list[tuple[Future[Any], Thunk]] = [(Future(), call) for call in calls]
    queue = iter(todo)  # which threads may share, as it is a list's
    for _ in range(min(at_once, len(todo))):
        threading.Thread(target=_work, args=(queue,), name="litellm-fan", daemon=True).start()
    return [future for future, _ in todo]


def _work(queue: Iterator[tuple[Future[Any], Thunk]]) -> None:
    for future, call in queue:
        if not future.set_running_or_notify_cancel():
            continue
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)
        else:
            future.set_result(result)
