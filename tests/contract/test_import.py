"""`import litellm` does nothing but define names (P7), and nothing is ever printed unless it is asked for (G6)."""

import json
import textwrap

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.processes import run_python

# Runs IMPORT and reports what Python's audit hooks saw meanwhile, besides what importing itself consists of.
WATCH = """
import json, logging, os, signal, sys, threading, warnings
from pathlib import Path

heavy = ("pydantic", "httpx2", "aiohttp", "openai", "msgspec", "yaml", "click", "uvicorn", "asyncio", "ssl")
before = {"modules": set(sys.modules), "environ": dict(os.environ), "path": list(sys.path),
          "filters": list(warnings.filters), "sigint": signal.getsignal(signal.SIGINT),
          "root": (list(logging.root.handlers), list(logging.root.filters), logging.root.level),
          "excepthook": sys.excepthook}
opened, done = [], []
outside = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.system", "os.putenv",
           "os.unsetenv", "_thread.start", "ctypes.", "urllib.", "os.mkdir", "os.remove", "os.rename", "tempfile.",
           "shutil.", "sqlite3.", "signal.", "winreg.")

def note(event, args):
    if event == "open":
        opened.append((str(args[0]), args[1]))
    elif event.startswith(outside):
        done.append(event)

sys.addaudithook(note)
IMPORT
opened, done = list(opened), list(done)  # from here on the hook notes what we do

allowed = [Path(entry).resolve() for entry in before["path"] if entry]  # where modules come from; "" is the folder here
after = {"environ": dict(os.environ), "path": list(sys.path), "filters": list(warnings.filters),
         "sigint": signal.getsignal(signal.SIGINT),
         "root": (list(logging.root.handlers), list(logging.root.filters), logging.root.level),
         "excepthook": sys.excepthook}
json.dump({
    "elsewhere": [path for path, _ in opened if not any(Path(path).resolve().is_relative_to(a) for a in allowed)],
    "written": [path for path, mode in opened if set(mode or "r") & set("wax+") and not path.endswith(".pyc")],
    "opened": len(opened),
    "done": done,
    "threads": threading.active_count(),
    "changed": [name for name in after if after[name] != before[name]],
    "heavy": sorted(set(heavy) & (set(sys.modules) - before["modules"])),
}, sys.stdout)
"""

NOTHING = {"elsewhere": [], "written": [], "done": [], "threads": 1, "changed": []}


def watched(statement: str, cwd) -> dict:
    # Files that a library fond of configuration would read, and variables that one fond of side effects would obey.
    (cwd / ".env").write_text("OPENAI_API_KEY=sk-from-a-file\n")
    env = {
        "HOME": str(cwd),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LITELLM_LOG": "DEBUG",
        "LITELLM_MODE": "DEV",
        "OPENAI_API_KEY": "sk-x",
    }
    done = run_python(WATCH.replace("IMPORT", statement), cwd=cwd, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report.pop("opened") > 0  # the hook works
    return report


def test_import_does_nothing(tmp_path):
    """P7: no socket, thread, process or foreign file, no change to logging, signals, warnings or the environment."""
    assert watched("import litellm", tmp_path) == {**NOTHING, "heavy": []}


@pytest.mark.parametrize(
    "statement",
    [
        "from litellm import completion, acompletion",
        "from litellm import ModelResponse, CustomLLM, CustomStreamWrapper, RateLimitError",
        "import litellm.exceptions, litellm.utils, litellm.main, litellm.types.utils, litellm.llms.custom_llm",
        "import litellm; [getattr(litellm, name) for name in dir(litellm)]",
    ],
)
def test_importing_names_does_not_reach_out_either(tmp_path, statement):
    """P7: what is lazy is no less innocent when it comes. Only the libraries that it needs come with it."""
    report = watched(statement, tmp_path)
    assert "openai" not in report["heavy"]
    assert report | {"heavy": []} == {**NOTHING, "heavy": []}


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("import socket; socket.socket().close()", "done"),
        ("open('.env').close()", "elsewhere"),
        ("import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "threads"),
        ("import logging; logging.basicConfig()", "changed"),
        ("import os; os.environ['X'] = '1'", "changed"),
    ],
)
def test_the_watch_would_notice(tmp_path, statement, where):
    assert watched(f"import litellm; {statement}", tmp_path)[where] != NOTHING[where]


def test_the_version_is_the_distributions():
    """Decision 13; opik asks the metadata, ddtrace asks litellm._version.version."""
    done = run_python(
        "import importlib.metadata, litellm, litellm._version\n"
        "print(litellm.__version__ == litellm._version.version == importlib.metadata.version('litellm'))"
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


# --- G6: noise ----------------------------------------------------------------------------------------------------------

CALLS = """
import asyncio, logging, sys
import litellm

class Broken(litellm.CustomLLM):
    def completion(self, **kwargs):
        raise ValueError("the handler broke")
    def streaming(self, **kwargs):
        yield {"text": "a", "is_finished": False, "finish_reason": None}
        raise ValueError("the handler broke in the middle")

litellm.custom_provider_map = [{"provider": "broken", "custom_handler": Broken()}]
hi = [{"role": "user", "content": "hi"}]
there = {"api_base": BASE, "api_key": "sk-secret-0123456789", "num_retries": 0}
calls = [
    {"model": "no-such-model"},
    {"model": "openai/gpt-4o"},  # no key
    {"model": "openai/x", "api_base": "http://127.0.0.1:9", "num_retries": 0},  # refused
    {"model": "openai/x", "api_base": "ftp://nonsense", "num_retries": 0},
    {"model": "openai/x", "timeout": "soon"},
    {"model": "openai/x", "messages": "not a list"},
    {"model": "broken/x", "num_retries": 0},
    {"model": "mock/error-500", "num_retries": 1},
    {"model": "mock/error-429", "num_retries": 0, "fallbacks": ["mock/error-503", "mock/bad-json"]},
    {"model": "mock/cut", "num_retries": 0},
    {"model": "mock/hang", "num_retries": 0, "timeout": 0.05},
    {"model": "openai/x", "mock_response": Exception("boom"), "num_retries": 0},
    *({"model": f"openai/{name}", **there, "timeout": 0.2} for name in NAMES),
]

def read(call):
    for _ in litellm.completion(**call, stream=True): pass

async def aread(call):
    async for _ in await litellm.acompletion(**call, stream=True): pass

async def ask(call):
    await litellm.acompletion(**call)

failed = 0
for call in calls:
    call = {"messages": hi, **call}
    for way in (lambda: litellm.completion(**call), lambda: read(call), lambda: asyncio.run(ask(call)),
                lambda: asyncio.run(aread(call))):
        try:
            way()
        except Exception as error:
            assert type(error).__module__ == "litellm.exceptions", repr(error)
            str(error), repr(error), error.response
            failed += 1
        else:
            raise AssertionError(f"did not fail: {call}")
assert failed == 4 * len(calls)
assert logging.root.handlers == [] and logging.root.level == logging.WARNING
ours = logging.getLogger("LiteLLM")
assert [type(handler) for handler in ours.handlers] == [logging.NullHandler], ours.handlers
"""


def test_failing_calls_print_nothing():
    """G6: 0 bytes on stdout and stderr, whatever fails, in any of the four ways to call; and logging is left alone."""
    with Upstream() as up:
        up.models = {
            "refuses": act.error(401),
            "busy": act.error(429),
            "broken": act.error(500),
            "html": act.html(502),
            "welcome": act.html(200),
            "nonsense": act.bad_json(),
            "silent": act.hang(),
            "gone": act.reset(),
            "cut": act.cut(after=0),
            "redirects": act.redirect("http://127.0.0.1:9/"),
        }
        code = CALLS.replace("BASE", repr(up.base)).replace("NAMES", repr(list(up.models)))
        done = run_python(code, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(up.requests) >= 4 * len(up.models)


def test_import_and_a_good_call_print_nothing():
    done = run_python(
        textwrap.dedent("""
            import litellm
            response = litellm.completion("mock/echo", [{"role": "user", "content": "hi"}])
            assert response.choices[0].message.content == "hi"
            for chunk in litellm.completion("mock/echo", [{"role": "user", "content": "hi"}], stream=True): pass
        """)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
