"""O14: a bounded queue off the path of calls, with a drop counter; what a callback does is nobody's business but its own."""

import asyncio
import logging
import os
import threading
from contextvars import ContextVar, copy_context

import pytest
from tests.processes import run_python

from litellm.hooks.dispatch import Dispatcher

REQUEST = ContextVar("REQUEST", default="")


class Job:
    """An item of one work: a call of `function(*args)`."""

    def __init__(self, function, *args, callback=0, call=""):
        self.function, self.args, self.callback, self.call = function, args, callback, call
        self.context = copy_context()

    def works(self):
        return [self]

    async def run(self, ask):
        await ask(self.function, self.args, self.context)
        return ()


class Gate:
    """A callback that does not return before it is let."""

    def __init__(self):
        self.entered, self.open = threading.Event(), threading.Event()
        self.told = []

    def __call__(self, value=None):
        self.entered.set()
        assert self.open.wait(10)
        self.told.append(value)


@pytest.fixture
def gate():
    made = Gate()
    yield made
    made.open.set()


def test_no_thread_before_the_first_item():
    """O14: nothing configured costs nothing."""
    before = set(threading.enumerate())
    dispatcher = Dispatcher()
    assert dispatcher.flush()
    assert dispatcher.close()
    assert set(threading.enumerate()) == before


def test_put_returns_before_the_callback_does(dispatcher, gate):
    """O14: a slow callback costs the caller nothing, not even on the first call."""
    dispatcher.put(Job(gate))
    assert gate.entered.wait(10), "it runs in the background"
    assert gate.told == [], "and has not ended"
    assert not dispatcher.flush(0.01)
    gate.open.set()
    assert dispatcher.flush(10)
    assert gate.told == [None]


def test_every_item_exactly_once(dispatcher):
    """O14."""
    told = []
    threads = [
        threading.Thread(
            target=lambda at=at: [dispatcher.put(Job(told.append, (at, n), call=str(n))) for n in range(200)]
        )
        for at in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dispatcher.flush(30)
    assert sorted(told) == [(at, n) for at in range(8) for n in range(200)]
    assert dispatcher.dropped == 0


def test_works_of_one_call_keep_their_order(dispatcher):
    """A span that was opened on "input" is there on "success"."""
    told = []
    for n in range(100):
        dispatcher.put(Job(told.append, n, call="the same"))
    assert dispatcher.flush(10)
    assert told == list(range(100))


def test_a_slow_callback_delays_only_itself(dispatcher, gate):
    """O14."""
    told = []
    for n in range(100):
        dispatcher.put(Job(gate, n, callback=1, call=str(n)))
    assert gate.entered.wait(10)
    done = threading.Event()
    dispatcher.put(Job(told.append, "fast", callback=2))
    dispatcher.put(Job(done.set, callback=2))
    assert done.wait(10)
    assert (told, gate.told) == (["fast"], [])


@pytest.mark.parametrize(
    "failure", [ValueError("sk-abcdefghijklmnop is wrong"), SystemExit(3), StopIteration(), asyncio.CancelledError()]
)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_raising_callback(dispatcher, caplog, failure, is_async):
    """O14, F5: one line in the log, without secrets, and the next event is delivered."""

    def fails():
        raise failure

    async def fails_later():
        await asyncio.sleep(0)
        raise failure

    told = []
    with caplog.at_level(logging.WARNING, logger="LiteLLM"):
        dispatcher.put(Job(fails_later if is_async else fails))
        dispatcher.put(Job(told.append, 1))
        assert dispatcher.flush(10)
    assert told == [1]
    assert len(caplog.records) == 1
    assert "fails" in caplog.text
    assert "abcdefghijklmnop" not in caplog.text


def test_a_full_queue_drops_and_counts(gate, caplog):
    """O14: memory is bounded, nobody waits, and the log says so once, and once more when it is over."""
    dispatcher = Dispatcher(maximum=10)
    with caplog.at_level(logging.WARNING, logger="LiteLLM"):
        for n in range(500):
            dispatcher.put(Job(gate, n))
        gate.entered.wait(10)
        gate.open.set()
        assert dispatcher.close(10)
    assert len(gate.told) + dispatcher.dropped == 500
    assert 10 <= len(gate.told) <= 20, "at most so many in the inbox and as many in the lane"
    assert sorted(gate.told) == gate.told
    assert [r.getMessage() for r in caplog.records] == [
        "callbacks do not keep up: events are dropped; 1 so far", "callbacks keep up again",
    ]  # fmt: skip


def test_what_waits_is_bounded_in_bytes_too(gate):
    """O14: until everything is done that an item means. One that is too large by itself is told when nothing else waits."""
    dispatcher, told = Dispatcher(maximum_bytes=100), []

    class Later(Job):
        """Its work is told in a second one."""

        async def run(self, ask):
            return [Job(gate, *self.args, call="later")]

    dispatcher.put(Later(None, "big"), 1000)
    assert gate.entered.wait(10)
    dispatcher.put(Job(told.append, "refused"), 1)
    assert dispatcher.dropped == 1, "the room is taken until the second work is done"
    gate.open.set()
    assert dispatcher.flush(10)
    gate.open.clear()
    for n in range(20):
        dispatcher.put(Job(gate, n), 30)
    assert dispatcher.dropped == 18
    gate.open.set()
    assert dispatcher.flush(10)
    assert (gate.told, told) == (["big", 0, 1, 2], [])
    dispatcher.put(Job(told.append, "room again"), 100)
    assert dispatcher.close(10)
    assert told == ["room again"]


def test_async_callbacks_run_side_by_side(dispatcher):
    """They wait for each other here, so all of them have to be under way."""
    under_way = []

    async def meet(n):
        under_way.append(n)
        while len(under_way) < 3:
            await asyncio.sleep(0.001)

    for n in range(3):
        dispatcher.put(Job(meet, n, callback=n))
    assert dispatcher.flush(10)


@pytest.mark.parametrize("is_async", [False, True])
def test_the_callers_context(dispatcher, is_async):
    """Tracing libraries keep the request in a context variable."""
    seen = []

    async def look_async():
        seen.append(REQUEST.get())
        REQUEST.set("spoilt")

    def look():
        seen.append(REQUEST.get())
        REQUEST.set("spoilt")

    for name in ("a", "b"):
        REQUEST.set(name)
        job = Job(look_async if is_async else look, call=name)
        dispatcher.put(job)
        dispatcher.put(job)
    assert dispatcher.flush(10)
    assert sorted(seen) == ["a", "a", "b", "b"]
    assert REQUEST.get() == "b"


def test_a_function_that_returns_an_awaitable(dispatcher):
    told = []

    async def tell():
        told.append(1)

    def begin():
        return tell()

    dispatcher.put(Job(begin))
    assert dispatcher.flush(10)
    assert told == [1]


def test_a_callback_that_waits_for_itself(dispatcher):
    """flush() in an async callback is answered at once, not with a deadlock."""
    said = []

    async def flush():
        said.append(dispatcher.flush(10))

    dispatcher.put(Job(flush))
    assert dispatcher.flush(5)
    assert said == [False]


def test_flush_flushes_what_has_a_queue_of_its_own(dispatcher, caplog):
    """After everything was delivered; one that fails does not keep the next from it."""
    done = []

    def broken(_seconds):
        raise OSError("no network")

    dispatcher.at_flush(broken)
    dispatcher.at_flush(lambda seconds: done.append(("flushed", seconds <= 10)))
    dispatcher.put(Job(done.append, "delivered"))
    assert not dispatcher.flush(10)
    assert done == ["delivered", ("flushed", True)]
    assert "no network" in caplog.text
    dispatcher._at_flush.clear()


def test_closed_and_used_again(dispatcher):
    told = []
    for n in range(3):
        dispatcher.put(Job(told.append, n))
        assert dispatcher.close(10)
        assert not [thread for thread in threading.enumerate() if thread.name == "litellm-callbacks"]
    assert told == [0, 1, 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork():
    """A child has threads of its own, and does not deliver again what its parent was about to."""
    done = run_python("""
import os, threading, warnings
from litellm.hooks.dispatch import Dispatcher
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons have something against fork() with threads

go = threading.Event()

class Job:
    callback, call = 0, ""
    def __init__(self, name): self.name = name
    def works(self): return [self]
    async def run(self, ask):
        def tell():
            go.wait(10)
            os.write(1, f"{self.name} in {'child' if os.getpid() != parent else 'parent'}\\n".encode())
        await ask(tell, (), __import__("contextvars").copy_context())
        return ()

parent = os.getpid()
dispatcher = Dispatcher()
dispatcher.put(Job("first"))
child = os.fork()
go.set()
if child == 0:
    dispatcher.put(Job("second"))
    assert dispatcher.close(10)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert dispatcher.close(10)
""")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.split("\n")) == ["", "first in parent", "second in child"]


AT_EXIT = """
import sys, time
from litellm.hooks.dispatch import Dispatcher
from contextvars import copy_context

class Job:
    callback, call = 0, ""
    def __init__(self, function): self.function = function
    def works(self): return [self]
    async def run(self, ask):
        await ask(self.function, (), copy_context())
        return ()

dispatcher = Dispatcher()
"""


@pytest.mark.parametrize("is_async", ["", "async "])
def test_exit_delivers_what_was_put(is_async):
    """O15: also what was put by the last line of a script; nothing is said about it."""
    done = run_python(
        AT_EXIT
        + f"""
{is_async}def tell(): print("told", flush=True)
for _ in range(3): dispatcher.put(Job(tell))
"""
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "told\n" * 3, "")


@pytest.mark.parametrize("hang", ["def hang(): time.sleep(60)", "async def hang(): time.sleep(60)"])
def test_exit_does_not_wait_for_ever(hang):
    """O15: a callback that hangs delays the end by a time that is set, here to a tenth of what it is."""
    done = run_python(
        AT_EXIT
        + f"""
Dispatcher.close.__defaults__ = (0.5,)
{hang}
dispatcher.put(Job(hang))
dispatcher.flush(0.2)
print("end", flush=True)
""",
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (0, "end\n")
