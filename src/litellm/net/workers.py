"""Where code that is not ours runs, so that it can block without anybody else noticing."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

from litellm._containment import containing

T = TypeVar("T")

MAX_THREADS = 64
LOOK_UPS = 32


class Full(Exception):  # noqa: N818 - whoever asked says what it means
    """All threads are at work, and nothing waits for them."""


@lru_cache(maxsize=1)
def _pool_of(process: int) -> ThreadPoolExecutor:  # noqa: ARG001 - threads do not survive a fork: the child makes its own
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="litellm-handler")


def _pool() -> ThreadPoolExecutor:
    return _pool_of(os.getpid())


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run a blocking function in the bounded pool, with the caller's context variables."""
    context = contextvars.copy_context()

    def run() -> T:
        try:
            return context.run(function, *args)
        except StopIteration as error:  # a future cannot hold one: whoever awaits it would wait for ever
            raise RuntimeError("StopIteration") from error

    return await asyncio.get_running_loop().run_in_executor(_pool(), run)


@lru_cache(maxsize=1)
def _look_ups_of(process: int) -> tuple[ThreadPoolExecutor, threading.Semaphore]:  # noqa: ARG001 - as above
    return ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="litellm-names"), threading.Semaphore(LOOK_UPS)


async def looked_up(function: Callable[..., T], *args: Any) -> T:
    """Run a look-up of a name that a client chose: in threads of its own, since its name server may never answer.

    Raises Full. A thread that nobody waits for any more counts until it ends.
    """
    threads, free = _look_ups_of(os.getpid())
    if not free.acquire(blocking=False):
        raise Full
    try:
        future = threads.submit(function, *args)
    except BaseException:
        free.release()
        raise
    future.add_done_callback(lambda _: free.release())
    return await asyncio.wrap_future(future)


def run_to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine for a caller that is not async, whether or not a loop is running in this thread (notebooks)."""
    return _pool().submit(asyncio.run, coroutine).result()


class SideLoop:
    """An event loop in a thread of its own, for users' async handlers in a server.

    A handler that blocks inside `async def` (the published CustomLLM example calls the sync `completion` there) then
    delays other handlers' awaits, never the server. The thread starts with the first handler that is called.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0

    async def run(self, awaitable: Awaitable[T]) -> T:
        """Await `awaitable` over there. Cancelling this call cancels it there."""

        async def there() -> T:
            return await containing(awaitable)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(there(), self._started()))

    def run_from_thread(self, awaitable: Awaitable[T]) -> T:
        """The same for a caller that is not async: wait for the result."""

        async def there() -> T:
            return await containing(awaitable)

        return asyncio.run_coroutine_threadsafe(there(), self._started()).result()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._process = os.getpid()
                ready = threading.Event()
                self._thread = threading.Thread(target=self._live, args=(ready,), name="litellm-handlers", daemon=True)
                self._thread.start()
                ready.wait()
            assert self._loop is not None  # noqa: S101 - _live sets it before `ready`
            return self._loop

    def _live(self, ready: threading.Event) -> None:
        async def until_stopped() -> None:
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
            ready.set()
            await self._stop.wait()

        asyncio.run(until_stopped())

    def close(self) -> None:
        """End the thread; what still runs there is cancelled."""
        with self._lock:
            if self._loop is not None and self._thread is not None:
                self._loop.call_soon_threadsafe(self._stop.set)
                self._thread.join(timeout=5)
                self._loop = None
