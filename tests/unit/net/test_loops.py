"""G1: event loops come and go, threads have their own, notebooks nest them, processes fork: calls work in all of them,
and nothing is said on stderr. Each case is a script of its own in Python's development mode, where every warning is an
error: no ResourceWarning, no "never awaited", no pending task may appear, not even while the interpreter ends."""

import contextlib
import ssl
import threading
from functools import partial

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.processes import run_python

PRELUDE = """
import asyncio, gc, logging, os, sys, threading
# asyncio's development mode also measures how long a callback takes. That depends on the machine; all else it says counts.
logging.getLogger("asyncio").addFilter(lambda record: not record.getMessage().startswith("Executing "))
import litellm
from litellm import acompletion, completion

if os.environ["LOOP"] == "uvloop":
    from uvloop import run
else:
    from asyncio import run

HI = [{"role": "user", "content": "hi"}]
BASE = os.environ["BASE"]
PARAMS = {"model": "openai/m", "messages": HI, "api_base": BASE, "api_key": "k"}
if "CA" in os.environ:
    PARAMS["ssl_verify"] = os.environ["CA"]
TEXT = "Hello from upstream."

def plain():
    assert completion(**PARAMS).choices[0].message.content == TEXT

def streamed():
    chunks = list(completion(stream=True, **PARAMS))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT

async def aplain():
    assert (await acompletion(**PARAMS)).choices[0].message.content == TEXT

async def astreamed():
    chunks = [chunk async for chunk in await acompletion(stream=True, **PARAMS)]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT

async def abroken_off():
    async for chunk in await acompletion(stream=True, **PARAMS):
        break

async def everything():
    await asyncio.gather(aplain(), astreamed(), abroken_off(), aplain(), astreamed())
"""

DONE = """
gc.collect()
print("done")
"""


@pytest.fixture(params=["asyncio", "uvloop"])
def quiet(request):
    """Runs a script to its end, with nothing to complain of."""
    return partial(_quiet, request.param)


def _quiet(loop, up, script, **env):
    env = {"BASE": up.base, "PYTHONDEVMODE": "1", "LOOP": loop, **env}
    result = run_python(PRELUDE + script + DONE, env=env, timeout=60)
    assert result.stderr == ""
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == "done"
    return result.stdout


@pytest.fixture(scope="module")
def up():
    with Upstream() as upstream:
        yield upstream


def test_a_hundred_loops(up, quiet):
    """G1: 100 loops, with a client that all of them share."""
    before = len(up.requests)
    quiet(up, "for n in range(100): run(aplain() if n % 10 else everything()); n % 10 or plain()")
    assert len(up.requests) == before + 90 + 10 * 5 + 10
    up.wait_for(lambda: up.open_connections == 0)


def test_eight_threads_with_loops_of_their_own(up, quiet):
    """G1: and each of them three loops, one after another, with sync calls in between."""
    quiet(
        up,
        """
failures = []
def live():
    try:
        for _ in range(3):
            run(everything())
            plain(), streamed()
    except BaseException as error:
        failures.append(error)
threads = [threading.Thread(target=live) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert failures == [], failures
""",
    )


def test_in_a_notebook(up, quiet):
    """G1: sync calls inside a running loop, as in Jupyter; also to a handler that is only async."""
    quiet(
        up,
        """
class OnlyAsync(litellm.CustomLLM):
    async def acompletion(self, *, model_response, **_):
        await asyncio.sleep(0)
        model_response.choices[0].message.content = "slept"
        return model_response

    async def astreaming(self, **_):
        for finished in (False, True):
            await asyncio.sleep(0)
            yield {"text": "slept", "is_finished": finished, "finish_reason": "stop", "index": 0, "usage": None,
                   "tool_use": None}

litellm.custom_provider_map = [{"provider": "mine", "custom_handler": OnlyAsync()}]

async def cell():
    plain(), streamed()
    assert completion("mine/x", HI).choices[0].message.content == "slept"
    assert "slept" in "".join(c.choices[0].delta.content or "" for c in completion("mine/x", HI, stream=True))
    await everything()
    plain()
run(cell())
run(cell())
""",
    )


FORK = """
def all_kinds():
    plain(), streamed(), run(everything())

def forked(work):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            gc.collect()
            status = 0
        except BaseException as error:
            print(repr(error), file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(status)
    return child

def wait_for(child):
    assert os.waitpid(child, 0)[1] == 0, "the child failed"
"""


def test_forking_after_use(up, quiet):
    """G1: a child makes connections of its own, for completion and acompletion, while its parent goes on with its."""
    quiet(
        up,
        FORK
        + """
all_kinds()
children = [forked(all_kinds) for _ in range(3)]
all_kinds()
[wait_for(child) for child in children]
all_kinds()
""",
    )


def test_forking_does_not_share_a_connection(up, quiet):
    """G1: a child that talks on its parent's socket would read its parent's answer."""
    before = up.connections_made
    quiet(
        up,
        FORK
        + """
plain()
child = forked(lambda: [plain() for _ in range(5)])
[plain() for _ in range(5)]
wait_for(child)
plain()
""",
    )
    assert up.connections_made == before + 2


def test_forking_after_handlers_have_run(up, quiet):
    """G1: the threads in which handlers run do not survive a fork; the child has to get its own."""
    quiet(
        up,
        FORK
        + """
class OnlyAsync(litellm.CustomLLM):
    async def acompletion(self, *, model_response, **_):
        return model_response

class OnlySync(litellm.CustomLLM):
    def completion(self, *, model_response, **_):
        return model_response

litellm.custom_provider_map = [
    {"provider": "onlyasync", "custom_handler": OnlyAsync()}, {"provider": "onlysync", "custom_handler": OnlySync()},
]

def ask_both():
    import faulthandler
    faulthandler.dump_traceback_later(8, exit=True)
    completion("onlyasync/x", HI)
    run(acompletion("onlysync/x", HI))
    faulthandler.cancel_dump_traceback_later()

ask_both()
wait_for(forked(ask_both))
ask_both()
""",
    )


def test_what_is_left_lying_about(up, quiet):
    """G1: streams nobody reads, streams left in the middle, tasks that asyncio.run cancels at its end."""
    up.models["slow"] = act.answer("word " * 50, gap=0.02)
    up.models["hang"] = act.hang()
    quiet(
        up,
        """
kept = []
def slow(**more): return acompletion(**{**PARAMS, "model": "openai/slow", "stream": True, **more})

async def unread(): kept.append(await slow())

async def unread_and_lost(): await slow()

async def left_in_the_middle():
    stream = await slow()
    await anext(stream)
    kept.append(stream)

async def iterator_left_open():
    iterator = aiter(await slow())
    await anext(iterator)
    kept.append(iterator)

async def cancelled_at_the_end():
    kept.append(asyncio.create_task(acompletion(**{**PARAMS, "model": "openai/hang"})))
    kept.append(asyncio.create_task(slow()))
    await asyncio.sleep(0.1)

for work in unread, unread_and_lost, left_in_the_middle, iterator_left_open, cancelled_at_the_end:
    for keep in True, False:
        run(work())
        if not keep:
            kept.clear()
        gc.collect()

for keep in True, False:
    stream = completion(**{**PARAMS, "model": "openai/slow", "stream": True})
    next(stream)
    if keep:
        kept.append(stream)
del stream
gc.collect()
run(everything())
""",
    )
    up.wait_for(lambda: up.open_connections == 0)


def test_errors_leave_nothing_behind(up, quiet):
    """G1, G6: refused, cut, timed out and unreachable calls, sync and async; a caught error says nothing by itself."""
    up.models |= {"no": act.error(400), "cut": act.cut(1), "hang": act.hang(), "nonsense": act.malformed_head()}
    quiet(
        up,
        """
def wrong(name, **more): return {**PARAMS, "model": f"openai/{name}", "num_retries": 0, "timeout": 0.2, **more}

calls = [wrong(name, stream=stream) for name in ("no", "cut", "hang", "nonsense") for stream in (False, True)]
calls.append(wrong("m", api_base="http://127.0.0.1:1/v1"))
kept = []

async def all_wrong():
    for params in calls:
        try:
            [chunk async for chunk in await acompletion(**params)]
        except litellm.exceptions.LiteLLMError as error:
            kept.append(error)

for params in calls:
    try:
        list(completion(**params))
    except litellm.exceptions.LiteLLMError as error:
        kept.append(error)
assert len(kept) == len(calls)
run(all_wrong())
run(all_wrong())
assert len(kept) == 3 * len(calls)
kept.clear()
""",
    )


def test_a_script_that_just_ends(up, quiet):
    """G1, G6: nobody has to close anything."""
    quiet(up, "plain()")
    quiet(up, "streamed(); stream = completion(stream=True, **PARAMS); next(stream)")


# --- with TLS, where closing takes a round trip --------------------------------------------------------------------------


def test_many_loops_with_tls(tls, quiet):
    with Upstream(tls=tls) as up:
        quiet(up, "for _ in range(10): run(everything())", CA=str(tls.ca_file))


def test_a_tls_stream_that_is_left(tls, quiet):
    """G1: the peer never answers our goodbye, and the loop does not live long enough to wait for it."""
    with _Unresponsive(tls) as server:
        quiet(server, "run(abroken_off()); run(abroken_off())", CA=str(tls.ca_file))


class _Unresponsive:
    """Serves the beginning of a stream over TLS, and then does not read from its connections any more."""

    def __init__(self, tls):
        self._context = tls.server_context()
        self._kept = []

    def __enter__(self):
        self._listener = __import__("socket").create_server(("127.0.0.1", 0))
        self.base = f"https://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(2)
        self._thread.join(2)
        self._listener.close()
        for connection in self._kept:
            connection.close()

    def _serve(self):
        event = b'data: {"choices": [{"index": 0, "delta": {"content": "Hel"}}]}\n\n'
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                connection = self._context.wrap_socket(plain, server_side=True)
                self._kept.append(connection)
                with contextlib.suppress(ssl.SSLError):
                    connection.recv(65536)
                    connection.sendall(head + event)
