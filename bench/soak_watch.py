"""What holds up the gateway's event loop: a uvloop that notes how long each callback takes. bench/soak.py copies it beside
the gateway, whose configuration imports it.

asyncio's own detector (`loop.slow_callback_duration`, in debug mode) knows wall time only, which on a busy machine is also
other processes' time; and on uvloop it does not see what happens in `data_received`, where bodies come in.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import uvloop

SLOW = 0.1  # seconds
MOST = 50  # slow callbacks that are remembered
BEAT = 0.01  # seconds between looks at how late the loop is
METHODS = ("connection_made", "connection_lost", "data_received", "eof_received", "pause_writing", "resume_writing")


class Watch:
    """What was seen so far. A time is a pair: seconds on the wall, and of CPU, which are the loop's own."""

    def __init__(self) -> None:
        self.callbacks = 0
        self.slow: list[tuple[float, float, str]] = []
        self.longest = (0.0, 0.0, "")  # of CPU
        self.late = (0.0, 0.0)  # the longest that a timer was late, by the wall

    def call(self, callback: Callable[..., Any], *args: Any) -> Any:
        cpu, wall = time.thread_time(), time.perf_counter()
        try:
            return callback(*args)
        finally:
            wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
            self.callbacks += 1
            if cpu > self.longest[1] or wall > SLOW:
                self._note(wall, cpu, _name(callback))

    def _note(self, wall: float, cpu: float, name: str) -> None:
        if cpu > self.longest[1]:
            self.longest = (wall, cpu, name)
        if wall > SLOW and len(self.slow) < MOST:
            self.slow.append((wall, cpu, name))

    def beat(self, loop: asyncio.AbstractEventLoop, due: float, cpu: float) -> None:
        late = loop.time() - due
        if late > self.late[0]:
            self.late = (late, time.thread_time() - cpu)
        loop.call_later(BEAT, self.beat, loop, loop.time() + BEAT, time.thread_time())

    def told(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {"callbacks": self.callbacks, "slow": self.slow, "longest": self.longest, "late": self.late}


class WatchedLoop(uvloop.Loop):
    """Times what it calls. Its own C code calls protocols by another way, so their classes are wrapped as they come."""

    def call_soon(self, callback, *args, context=None):
        return super().call_soon(partial(watch.call, callback), *args, context=context)

    def call_soon_threadsafe(self, callback, *args, context=None):
        return super().call_soon_threadsafe(partial(watch.call, callback), *args, context=context)

    def call_later(self, delay, callback, *args, context=None):
        return super().call_later(delay, partial(watch.call, callback), *args, context=context)

    async def create_server(self, factory, *args, **options):
        self.call_soon(watch.beat, self, self.time(), time.thread_time())
        return await super().create_server(lambda: _watched(factory()), *args, **options)

    async def create_connection(self, factory, *args, **options):
        return await super().create_connection(lambda: _watched(factory()), *args, **options)


def install() -> None:
    """Have every loop that is made from here on be watched."""
    uvloop.new_event_loop = WatchedLoop


def _watched(protocol: asyncio.BaseProtocol) -> asyncio.BaseProtocol:
    kind = type(protocol)
    if kind not in _seen:
        _seen.add(kind)
        for name in METHODS:
            if hasattr(kind, name):
                setattr(kind, name, _timed(getattr(kind, name)))
    return protocol


def _timed(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def timed(*args: Any) -> Any:
        return watch.call(method, *args)

    return timed


def _name(callback: Callable[..., Any]) -> str:
    """What was called; a task by its coroutine, and the line where that waits now."""
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return getattr(callback, "__qualname__", repr(callback))
    coroutine = task.get_coro()
    frames = []
    while coroutine is not None and len(frames) < 12:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is None:
            break
        frames.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return f"{task.get_coro().__qualname__} {' > '.join(frames)}".strip()


_seen: set[type] = set()
watch = Watch()
