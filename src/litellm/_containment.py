"""Code that is not ours may raise what would end its task, its event loop or the process. What asked for it survives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


def contained(error: BaseException) -> Exception:
    """`error`, as one that can be answered, logged and kept in a future: SystemExit, GeneratorExit and their like become a
    RuntimeError. Raises it instead if it is the cancellation of the running task, which comes from outside.

    >>> contained(KeyError("k")), contained(SystemExit(1))
    (KeyError('k'), RuntimeError('SystemExit(1)'))
    """
    if isinstance(error, Exception):
        return error
    if isinstance(error, asyncio.CancelledError) and _is_cancelled():
        try:
            raise error
        finally:
            del error  # its traceback leads here, where it would keep itself, and the request with it
    replacement = RuntimeError(repr(error))
    replacement.__cause__ = error
    return replacement


async def containing(awaitable: Awaitable[T]) -> T:
    """What code that is not ours gives. Raises what it raises, `contained`: for tasks, which SystemExit would leave."""
    try:
        return await awaitable
    except BaseException as error:  # noqa: BLE001 - that is the point
        raise contained(error)  # noqa: B904 - it has its cause, if it is another


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
