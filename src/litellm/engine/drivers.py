"""Performing a flow's steps. The async driver adds `await`, nothing else."""

from __future__ import annotations

from typing import TypeVar

from litellm.net.steps import Flow
from litellm.net.transport import AsyncTransport, SyncTransport

T = TypeVar("T")


def run(flow: Flow[T], io: SyncTransport) -> T:
    """Perform `flow` to its end, waiting for each step."""
    try:
        step = next(flow)
        while True:
            try:
                result = io.perform(step)
            except Exception as error:  # noqa: BLE001 - it is the flow's business what to make of it
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
                result = await io.perform(step)
            except Exception as error:  # noqa: BLE001 - it is the flow's business what to make of it
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    finally:
        flow.close()
