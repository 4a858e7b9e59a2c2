"""From the path of a call to the callbacks: a bounded queue, and a thread that empties it.

    emitter                 the dispatcher's thread, an event loop            threads
    put(item) ── inbox ──▶  item.works() ── lane per (callback, call) ──▶     callbacks that block

The emitter appends to a queue and goes on. Works of one callback about one call are done in their order; those of
different calls side by side, up to LANES at a time, so a slow callback holds up its own events alone.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import inspect
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextvars import Context
from functools import cache
from typing import Any, Protocol

from litellm._credentials import mask
from litellm._log import log
from litellm._threads import Threads

MAXIMUM = 10_000  # items in the inbox, and works that wait for one callback
MAXIMUM_BYTES = 128 << 20  # that all of them keep in memory
LANES = 16  # per callback
THREADS = 32  # for all callbacks together
EXIT_SECONDS = 5.0


class Work(Protocol):
    """What is to be done for one callback."""

    callback: int  # whose work it is
    call: str  # the id of the call that it is about

    async def run(self, ask: Ask) -> Sequence[Work]:
        """Do it, with `ask` for whatever is not ours, and say what is to be done after it."""


class Item(Protocol):
    """What is put into the inbox."""

    def works(self) -> Sequence[Work]:
        """What it means, found out on the dispatcher's thread."""


class Ask(Protocol):
    async def __call__(self, function: Callable[..., Any], args: tuple[Any, ...], context: Context) -> Any:
        """What a user's function returns, awaited if need be; None, and a line in the log, if it fails."""


class Dispatcher:
    """Delivers what is put into it, in the background. Its thread starts with the first item.

    maximum: how many items may wait. maximum_bytes: what they may keep in memory until all is done that they mean; a single
    one may be larger. More are dropped, counted in `dropped`, and the log says so once.

    >>> done = threading.Event()
    >>> class Ring:
    ...     callback, call = 0, ""
    ...     def works(self): return [self]
    ...     async def run(self, ask): done.set(); return ()
    >>> dispatcher = Dispatcher()
    >>> dispatcher.put(Ring())
    >>> dispatcher.close(), done.is_set()
    (True, True)
    """

    def __init__(self, maximum: int = MAXIMUM, maximum_bytes: int = MAXIMUM_BYTES) -> None:
        self.dropped = 0
        self._maximum = (maximum, maximum_bytes)
        self._lock = threading.RLock()  # put() may be called by a finalizer, and that in the middle of _drop()
        self._worker: _Worker | None = None
        self._at_flush: list[Callable[[float], object]] = []

    def put(self, item: Item, size: int = 0) -> None:
        """Take `item`, which keeps about `size` bytes in memory, for delivery. Never waits, never raises."""
        worker = self._worker
        if worker is None or worker.process != os.getpid():  # threads do not survive a fork: the child makes its own
            worker = self._open()
        if worker is None or not worker.take(item, size):
            self._drop()

    def at_flush(self, flush: Callable[[float], object]) -> None:
        """Have `flush(seconds)` called whenever this is flushed, after all else is delivered."""
        with self._lock:
            self._at_flush.append(flush)
            if self._worker is not None:  # what it flushes may end at exit too, and must do so after us
                self._exit_before_others()

    def flush(self, timeout: float = EXIT_SECONDS) -> bool:
        """Wait, `timeout` seconds at most, until all that was put is delivered. False if it is not by then."""
        end = time.monotonic() + timeout
        worker = self._worker
        done = worker is None or worker.process != os.getpid() or worker.wait(timeout)
        for flush in tuple(self._at_flush):
            try:
                flush(max(0.0, end - time.monotonic()))
            except Exception as error:  # noqa: BLE001 - the others are to be flushed all the same
                done = False
                _warn(flush, error)
        return done

    def close(self, timeout: float = EXIT_SECONDS) -> bool:
        """Flush, and end the thread. Something put later starts another."""
        done = self.flush(timeout)
        with self._lock:
            worker, self._worker = self._worker, None
            atexit.unregister(self.close)
        if worker is not None and worker.process == os.getpid():
            worker.close()
        return done

    def _open(self) -> _Worker | None:
        # A lock that another thread held when we were forked will never be released.
        if self._worker is not None and self._worker.process != os.getpid():
            self._lock, self._worker = threading.RLock(), None
        with self._lock:
            if self._worker is None:
                with contextlib.suppress(RuntimeError):  # the process is ending, and starts no more threads
                    self._worker = _Worker(*self._maximum, self._drop)
                    self._exit_before_others()
            return self._worker

    def _exit_before_others(self) -> None:
        """Have close() called at exit. The last to be registered is the first to be called."""
        atexit.unregister(self.close)
        atexit.register(self.close)

    def _drop(self) -> None:
        with self._lock:
            self.dropped += 1
            worker = self._worker
            news = self.dropped == 1 if worker is None else not worker.dropping
            if worker is not None:
                worker.dropping = True
        if news:
            log.warning("callbacks do not keep up: events are dropped; %d so far", self.dropped)


@cache
def default_dispatcher() -> Dispatcher:
    """The one behind the module functions and the gateway."""
    return Dispatcher()


class _Footprint:
    """What an item keeps in memory. parts: its works that are not done yet, and one for the item itself."""

    __slots__ = ("parts", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.parts = 1


class _Worker:
    """A dispatcher's thread and all that only this thread touches, but for the inbox and how much is held."""

    def __init__(self, maximum: int, maximum_bytes: int, drop: Callable[[], None]) -> None:
        self.process = os.getpid()
        self.dropping = False  # whether something was dropped since the queue was last empty
        self._maximum = maximum
        self._maximum_bytes = maximum_bytes
        self._bytes = 0  # bytes
        self._lock = threading.RLock()  # for it; take() too may be called by a finalizer, in the middle of anything
        self._drop = drop
        self._inbox: deque[tuple[Item, _Footprint]] = deque()
        self._woken = False
        self._lanes: dict[tuple[int, int], deque[tuple[Work, _Footprint]]] = {}
        self._waiting: dict[int, int] = {}  # works per callback
        self._empty: list[asyncio.Future[None]] = []  # who waits for there being nothing to do
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = Threads(THREADS)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="litellm-callbacks", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._loop.close()
            raise

    def take(self, item: Item, size: int) -> bool:
        with self._lock:
            too_much = self._bytes and self._bytes + size > self._maximum_bytes
            if too_much or len(self._inbox) >= self._maximum:
                return False
            self._bytes += size
        self._inbox.append((item, _Footprint(size)))
        if not self._woken:  # set after the append and reset before the inbox is read: no item is overlooked
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._empty_inbox)
            except RuntimeError:  # closed a moment ago
                return False
        return True

    def wait(self, timeout: float) -> bool:
        """Until there is nothing to do. A callback that calls it would wait for itself: False at once."""
        if threading.current_thread() is self._thread or self._loop.is_closed():
            return False
        done: Future[None] = asyncio.run_coroutine_threadsafe(self._until_empty(), self._loop)
        try:
            done.result(timeout)
        except TimeoutError:
            done.cancel()
            return False
        return True

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=1.0)  # not for ever: a callback may hang in it

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._cancel_all())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._threads.close()
            self._loop.close()

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _empty_inbox(self) -> None:
        self._woken = False
        while self._inbox:
            item, footprint = self._inbox.popleft()
            try:
                works = item.works()
            except Exception as error:  # noqa: BLE001 - one bad item must not end the thread
                _warn(item.works, error)
            else:
                self._enqueue(works, footprint)
            self._release(footprint)
        self._settle()

    def _release(self, footprint: _Footprint) -> None:
        footprint.parts -= 1
        if not footprint.parts:
            with self._lock:
                self._bytes -= footprint.size

    def _enqueue(self, works: Iterable[Work], footprint: _Footprint) -> None:
        for work in works:
            waiting = self._waiting.get(work.callback, 0)
            if waiting >= self._maximum:
                self._drop()
                continue
            self._waiting[work.callback] = waiting + 1
            footprint.parts += 1
            name = (work.callback, hash(work.call) % LANES)
            lane = self._lanes.get(name)
            if lane is not None:
                lane.append((work, footprint))
                continue
            self._lanes[name] = lane = deque([(work, footprint)])
            task = self._loop.create_task(self._serve(name, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, name: tuple[int, int], lane: deque[tuple[Work, _Footprint]]) -> None:
        """Do the works of a lane, which exists as long as it has some."""
        while lane:
            work, footprint = lane.popleft()
            try:
                more = await work.run(_ask_with(self._threads))
            except Exception as error:  # noqa: BLE001 - it is logged, and the lane goes on
                _warn(work.run, error)
                more = ()
            self._waiting[work.callback] -= 1
            if not self._waiting[work.callback]:
                del self._waiting[work.callback]
            self._enqueue(more, footprint)
            self._release(footprint)
        del self._lanes[name]
        self._settle()

    async def _until_empty(self) -> None:
        if self._inbox or self._lanes:
            future = self._loop.create_future()
            self._empty.append(future)
            await future

    def _settle(self) -> None:
        if self._inbox or self._lanes:
            return
        if self.dropping:
            self.dropping = False
            log.warning("callbacks keep up again")
        for future in self._empty:
            if not future.done():
                future.set_result(None)
        self._empty.clear()


def _ask_with(threads: Threads) -> Ask:
    async def ask(function: Callable[..., Any], args: tuple[Any, ...], context: Context) -> Any:
        context = context.copy()  # one cannot be entered twice at the same time
        try:
            if not inspect.iscoroutinefunction(function):
                result = await threads.run(lambda: context.run(function, *args))
                if not inspect.isawaitable(result):
                    return result
            else:
                result = function(*args)
            return await asyncio.get_running_loop().create_task(_awaited(result), context=context)
        except Exception as error:  # noqa: BLE001 - a callback's failure concerns no call
            _warn(function, error)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # it is us who are to end
                raise
            _warn(function, error)
        return None

    return ask


async def _awaited(result: Any) -> Any:
    try:
        return await result
    except SystemExit as error:  # from a task it would end the loop
        raise RuntimeError(repr(error)) from None


def _warn(function: Callable[..., Any], error: BaseException) -> None:
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    log.warning("callback %s failed: %s", name, mask(f"{type(error).__name__}: {error}"))
