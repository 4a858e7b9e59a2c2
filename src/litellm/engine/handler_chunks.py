"""Taking chunks out of what a handler's streaming method returned, whichever kind of iterator it is."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from pydantic import BaseModel

from litellm._credentials import mask
from litellm._log import log
from litellm._threads import SideLoop
from litellm.engine.handler_calls import as_litellm_error, handler_of, wrong_kind
from litellm.providers.target import Target

END = b""  # what Source says at the end of a stream

# What a generator says that is at work in another thread or task, which will close it or was cancelled.
_AT_WORK = ("generator already executing", "aclose(): asynchronous generator is already running")


class Puller:
    """Takes one chunk after another out of a handler's iterator, sync or async, for a driver of either kind."""

    def __init__(self, iterator: Any, target: Target, *, awaited: bool) -> None:
        self.target = target
        self.asynchronous = hasattr(iterator, "__anext__") or hasattr(iterator, "__aiter__")
        if self.asynchronous and hasattr(iterator, "__iter__"):  # such as litellm's own streams, which are both
            self.asynchronous = awaited
        self.iterator = aiter(iterator) if self.asynchronous else iter(iterator)
        self._side_loop: SideLoop | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._task: asyncio.Future[None] | None = None
        self.pull = self._pull_async_from_sync if self.asynchronous else self._pull
        self.apull = self._apull if self.asynchronous else None

    def _pull(self) -> Any:
        try:
            return self._checked(next(self.iterator, END))
        except Exception as error:
            raise as_litellm_error(error, self.target) from error
        finally:
            if self._closing:  # while it ran in this thread
                self._close_iterator()

    async def _apull(self) -> Any:
        self._loop = asyncio.get_running_loop()
        try:
            return self._checked(await anext(self.iterator, END))
        except Exception as error:
            raise as_litellm_error(error, self.target) from error

    def _pull_async_from_sync(self) -> Any:
        if self._side_loop is None:
            self._side_loop = SideLoop()
        return self._side_loop.run_from_thread(self._apull())

    def _checked(self, chunk: Any) -> Any:
        if chunk is END or isinstance(chunk, dict):
            return chunk
        if isinstance(chunk, BaseModel):
            return chunk.model_dump(exclude_unset=True)
        raise wrong_kind(self.target, "streaming", chunk, "GenericStreamingChunk or OpenAI chunks")

    def close(self) -> None:
        """Let the handler's generator run its `finally`, in the thread or on the loop that it runs in."""
        self._closing = True
        if not self.asynchronous:
            self._close_iterator()
        elif self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._start_closing)
        if self._side_loop is not None:
            self._side_loop.close()

    def _close_iterator(self) -> None:
        closing = getattr(self.iterator, "close", None)
        if closing is not None:
            try:
                closing()
            except Exception as error:  # noqa: BLE001 - the stream has ended all the same
                self._log(error)

    def _start_closing(self) -> None:
        self._task = asyncio.ensure_future(self._aclose())

    async def _aclose(self) -> None:
        closing = getattr(self.iterator, "aclose", None)
        if closing is not None:
            try:
                await closing()
            except Exception as error:  # noqa: BLE001 - the stream has ended all the same
                self._log(error)

    def _log(self, error: Exception) -> None:
        if str(error) not in _AT_WORK:
            handler = type(handler_of(self.target)).__name__
            log.warning("the stream of %s failed to close: %s", handler, mask(repr(error)), exc_info=error)


def puller(iterator: Any, target: Target, *, awaited: bool) -> Puller:
    """awaited: it comes from the handler's async method. That decides about those that are of both kinds."""
    if isinstance(iterator, dict | str | bytes | BaseModel) or not (
        hasattr(iterator, "__iter__") or hasattr(iterator, "__aiter__") or hasattr(iterator, "__anext__")
    ):
        if inspect.iscoroutine(iterator):
            iterator.close()
        raise wrong_kind(target, "streaming", iterator, "an iterator of chunks (write it with `yield`)")
    return Puller(iterator, target, awaited=awaited)
