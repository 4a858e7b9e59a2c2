"""Performing a flow's steps. The async driver adds `await`, nothing else."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, as_completed
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from litellm._threads import in_threads
from litellm.net.steps import Fan, Flow
from litellm.net.transport import AsyncTransport, SyncTransport

T = TypeVar("T")


def run(flow: Flow[T], io: SyncTransport) -> T:
    """Perform `flow` to its end, waiting for each step."""
    try:
        step = next(flow)
        while True:
            try:
                result = fan_out(step, io) if isinstance(step, Fan) else io.perform(step)
            except Exception as error:  # noqa: BLE001 - the flow decides what to make of it
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    finally:
        flow.close()


async def arun(flow: Flow[T], io: AsyncTransport) -> T:
    """Perform `flow` to its end, awaiting each step. Cancellation reaches every `finally` in it."""
    try:
        step = next(flow)
        while True:
            try:
                result = await (afan_out(step, io) if isinstance(step, Fan) else io.perform(step))
            except Exception as error:  # noqa: BLE001 - the flow decides what to make of it
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    finally:
        flow.close()


def fan_out(fan: Fan, io: SyncTransport) -> list[Any]:
    """Perform a Fan in threads. A thread cannot be interrupted: the results of flows that lost the race are dropped, and a
    process that ends does not wait for them."""
    futures = in_threads([partial(contextvars.copy_context().run, run, flow, io) for flow in fan.flows], fan.at_once)
    try:
        for future in as_completed(futures) if fan.first else ():
            if future.exception() is None:
                return [_winner(future, futures)]
        return [future.exception() or future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()  # what has not begun


async def afan_out(fan: Fan, io: AsyncTransport) -> list[Any]:
    """Perform a Fan in tasks. None of them outlives this call."""
    tasks: list[asyncio.Task[Any]] = []
    pending: set[asyncio.Task[Any]] = set()
    todo = iter(fan.flows)
    try:
        while pending := pending | _started(todo, fan.at_once - len(pending), io, tasks):
            everything = len(tasks) == len(fan.flows) and not fan.first
            when = asyncio.ALL_COMPLETED if everything else asyncio.FIRST_COMPLETED
            done, pending = await asyncio.wait(pending, return_when=when)
            won = [task for task in tasks if task in done and task.exception() is None] if fan.first else []
            if won:
                return [_winner(won[0], done)]
        return [task.exception() or task.result() for task in tasks]
    finally:
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)
            _drop(task for task in pending if not task.cancelled())


def _started(
    todo: Iterator[Flow[Any]], count: int, io: AsyncTransport, tasks: list[asyncio.Task[Any]]
) -> set[asyncio.Task[Any]]:
    """Tasks for the next flows, which are also added to `tasks`."""
    new = [asyncio.ensure_future(arun(flow, io)) for flow in islice(todo, count)]
    tasks += new
    return set(new)


def _winner(won: Any, done: Iterable[Any]) -> Any:
    _drop(other for other in done if other is not won)
    return won.result()


def _drop(losers: Iterable[Any]) -> None:
    """Streams that were opened for nothing are closed, now or when they come."""
    for loser in losers:
        if isinstance(loser, Future):
            loser.add_done_callback(_close)
        else:
            _close(loser)


def _close(loser: Any) -> None:
    if loser.cancelled() or loser.exception() is not None:
        return
    result = loser.result()
    if hasattr(type(result), "close"):
        result.close()
