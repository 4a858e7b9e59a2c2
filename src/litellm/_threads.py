"""Where code that may block runs, so that it holds up no event loop.

Bounded pools of the standard library for what has an end (handlers, tokens, look-ups of names). Daemon threads where
something may never end, such as a callback that hangs or a model that lost the race: the interpreter joins a pool's threads
at exit, without a time limit, and would wait for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

from litellm._containment import containing

T = TypeVar("T")
Thunk = Callable[[], Any]
_Work = tuple[Callable[[], Any], "asyncio.Future[Any]"]

MAX_THREADS = 64
LOOK_UPS = 32


class PoolExhausted(Exception):  # noqa: N818 - the caller translates it
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
        except StopIteration as error:  # a future cannot hold one: its awaiter would wait for ever
            raise RuntimeError("StopIteration") from error

    return await asyncio.get_running_loop().run_in_executor(_pool(), run)


@lru_cache(maxsize=1)
def _look_ups_of(process: int) -> tuple[ThreadPoolExecutor, threading.Semaphore]:  # noqa: ARG001 - as above
    return ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="litellm-names"), threading.Semaphore(LOOK_UPS)


async def resolve_in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run a look-up of a name that a client chose: in threads of its own, since its name server may never answer.

    Raises PoolExhausted. A thread whose result is not awaited any more counts until it ends.
    """
    threads, free = _look_ups_of(os.getpid())
    if not free.acquire(blocking=False):
        raise PoolExhausted
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
    except Exception as error:  # noqa: BLE001 - it is raised where the future is awaited
        problem = error
    with contextlib.suppress(RuntimeError):  # the loop has been closed
        future.get_loop().call_soon_threadsafe(_settle, future, result, problem)


def _settle(future: asyncio.Future[Any], result: Any, problem: Exception | None) -> None:
    if future.done():  # cancelled
        return
    if problem is None:
        future.set_result(result)
    else:
        future.set_exception(problem)
