"""P5: whatever grows with traffic has a declared maximum, and stays below it when ten times as much comes.

Three tables, and what looks for entries that are missing in them: functions that remember (lru_cache), objects that do, and
containers that no traffic fills. A new one has to be entered here.
"""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

import litellm
from litellm.hooks import dispatch, scratch
from litellm.net.messages import Timeouts
from litellm.net.network import DIRECT, Network
from litellm.proxy import user_configs
from litellm.router.ranking import AT_ONCE, Ranking
from litellm.router.state import LocalState
from litellm.router.tally import MAX_LATENCIES

SRC = Path(litellm.__file__).parent
TIMES = 10


def context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


# --- functions -----------------------------------------------------------------------------------------------------------

# By name: what to call one with for the n-th time.
FUNCTIONS: dict[str, Callable[[int], tuple[Any, ...]]] = {
    "_credentials._is_credential": lambda n: (f"key-{n}",),
    "catalog.facts._as_shipped": lambda n: (f"nobody-{n}",),
    "engine.handler_calls._parameters": lambda n: (lambda: n,),
    "net.request_head.origin_of": lambda n: (f"http://host-{n}/v1",),
    "net.async_proxied._aiohttp_timeout": lambda n: (Timeouts(total=n + 1.0),),
    "net.async_proxied._url": lambda n: (f"http://host-{n}/v1",),
    "net.response._lower": lambda n: (f"X-Header-{n}",),
    "net.response._status": lambda n: (f"HTTP/1.1 200 Fine {n}",),
    "net.sync_proxied._url": lambda n: (f"http://host-{n}/v1",),
    "net.tls.ssl_context": lambda n: (Network(verify=context()),),
    "providers.names._by_bare_name": lambda n: (f"model-{n}",),
    "proxy.auth.authenticator._is_this_machine": lambda n: (b"host-%d" % n, "localhost"),
    "proxy.calls.reply._target_headers": lambda n: ("http://host/v1", f"id-{n}", "group"),
    "server.exchange._is_name": lambda n: (b"x-%d" % n,),
    "server.head._known_host": lambda n: (b"host-%d" % n,),
    "server.head.read_line": lambda n: (b"GET /%d HTTP/1.1\r\n" % n,),
    "types.params.is_ours": lambda n: (f"word-{n}",),
}
# These can only ever be asked for a few things, all of them ours.
CLOSED = {
    "engine.present.answer_class": "the operations",
    "engine.present.chunk_class": "the operations",
    "hooks.dispatch.default_dispatcher": "one",
    "_threads._look_ups_of": "one",
    "_threads._pool_of": "one",
    "operations.load": "the columns of the operations",
    "providers.names._by_host": "one",
    "server.memory._glibc": "one",
    "proxy.routes.home._page": "one",
    "proxy.state._callbacks": "one",
    "sdk._settings._callbacks": "one",
    "sdk._settings._warn_of": "LiteLLM's settings",
    "wire.dialects.client_dialect": "the dialects",
    "wire.dialects.upstream_dialect": "the dialects",
    "wire.dialects.find_dialect": "the operations and the rows",
    "sdk._call.default_client": "one",
    "tokens.encoders._encoding": "the vocabularies",
}


def remembering() -> dict[str, Any]:
    """All functions of ours that are an lru_cache."""
    found = {}
    for module in pkgutil.walk_packages(litellm.__path__, "litellm."):
        if module.name == "litellm.__main__":
            continue
        for value in vars(importlib.import_module(module.name)).values():
            for each in (value, *(vars(value).values() if isinstance(value, type) else ())):
                function = getattr(each, "__func__", each)
                if isinstance(function, functools._lru_cache_wrapper) and function.__module__.startswith("litellm."):
                    found[f"{function.__module__.removeprefix('litellm.')}.{function.__qualname__}"] = function
    return found


def test_every_function_that_remembers_is_listed():
    """P5: with what to fill it, or why it cannot be filled."""
    assert remembering().keys() == FUNCTIONS.keys() | CLOSED.keys()
    assert not FUNCTIONS.keys() & CLOSED.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_remembers_no_more_than_its_maximum(name):
    """P5."""
    function = remembering()[name]
    maximum = function.cache_parameters()["maxsize"]
    assert maximum is not None
    for number in range(TIMES * maximum):
        function(*FUNCTIONS[name](number))
    assert function.cache_info().currsize == maximum
    function.cache_clear()


# --- objects -------------------------------------------------------------------------------------------------------------


def held(thing: Any, depth: int = 3) -> int:
    """How much the largest container in an object, or in the objects of ours that it holds, has in it."""
    slots = [name for cls in type(thing).__mro__ for name in getattr(cls, "__slots__", ())]
    values = [*getattr(thing, "__dict__", {}).values(), *(getattr(thing, name, None) for name in slots)]
    sizes = [len(value) for value in values if hasattr(value, "__len__") and not isinstance(value, str | bytes)]
    if depth:
        sizes += [held(value, depth - 1) for value in values if type(value).__module__.startswith("litellm.")]
    return max(sizes, default=0)


def fill_scratch() -> scratch.ScratchCache:
    cache = scratch.ScratchCache()
    for number in range(TIMES * scratch.MAXIMUM):
        cache.set_cache(f"key-{number}", number, ttl=3600)
    return cache


class Full:
    """Something that was so full a moment ago."""

    def __init__(self, size: int) -> None:
        self.was = range(size)


def fill_dispatcher() -> Full:
    class Blocks:
        def works(self) -> tuple[()]:
            busy.set()
            free.wait(10)
            return ()

    busy, free = threading.Event(), threading.Event()
    dispatcher = dispatch.Dispatcher()
    dispatcher.put(Blocks())
    busy.wait(10)
    for _ in range(TIMES * dispatch.MAXIMUM):
        dispatcher.put(Blocks())
    size = held(dispatcher)
    free.set()
    assert dispatcher.close()
    assert dispatcher.dropped == (TIMES - 1) * dispatch.MAXIMUM
    return Full(size)


def fill_user_configs() -> user_configs.UserConfigs:
    configs = user_configs.UserConfigs(DIRECT)
    for number in range(TIMES * user_configs.MAX_KEPT):
        configs.routing(f"caller-{number}", user_config(0))
    return configs


def fill_configs_of_one() -> Full:
    configs = user_configs.UserConfigs(DIRECT)
    for number in range(TIMES * user_configs.MAX_EACH):
        configs.routing("caller", user_config(number))
    return Full(max(len(each) for each in configs.store._callers.values()))


def user_config(number: int) -> dict[str, Any]:
    return {"model_list": [{"model_name": "m", "litellm_params": {"model": "openai/m", "api_key": f"sk-{number}"}}]}


def fill_ranking() -> Ranking:
    """A place whose number always stands until a little earlier than before."""
    times = iter(range(TIMES * AT_ONCE, 0, -1))
    ranking = Ranking(1, lambda _place, _now: (0.0, float(next(times))))
    for _ in range(TIMES * AT_ONCE):
        ranking.changed(0)
        ranking.draw(0.0, Random(1))
    return ranking


def fill_latencies() -> Full:
    state = LocalState()
    for _ in range(TIMES * MAX_LATENCIES):
        state.succeeded("one", 1.0, 0.5)
    return Full(len(state.tally("one", 1.0).latencies))


# By the containers: the declared maximum of entries, and how to make something ten times as much has been put into.
OBJECTS: dict[str, tuple[int, Callable[[], Any]]] = {
    "hooks/dispatch.py _Worker._inbox": (dispatch.MAXIMUM, fill_dispatcher),
    "hooks/scratch.py ScratchCache._entries": (scratch.MAXIMUM, fill_scratch),
    "proxy/user_configs.py Store._callers": (user_configs.MAX_KEPT, fill_user_configs),
    "proxy/user_configs.py (each caller)": (user_configs.MAX_EACH, fill_configs_of_one),
    "router/ranking.py Ranking._due": (2 + AT_ONCE, fill_ranking),
    "router/tally.py Tally.latencies": (MAX_LATENCIES, fill_latencies),
}


@pytest.mark.parametrize(("maximum", "fill"), OBJECTS.values(), ids=OBJECTS)
def test_an_object_remembers_no_more_than_its_maximum(maximum, fill):
    """P5: exactly as much, or some less, where all is forgotten at once."""
    assert 0 < held(fill()) <= maximum


# --- the rest ------------------------------------------------------------------------------------------------------------

# Bounded too, by tests that need more than this file has: (their file, a name in it).
ELSEWHERE = {
    "hooks/observers.py Memory._kept": ("hooks/test_hooks_observers.py", "OPEN_CALLS"),
    "net/async_pool.py AsyncPool._idle": ("net/test_pool.py", "max_idle"),
    "net/sync_pool.py SyncPool._idle": ("net/test_sync_pool.py", "max_idle"),
    "net/sync_pool.py SyncPool._idle_order": ("net/test_sync_pool.py", "max_idle"),
    "server/connection.py Connections.open": ("server/test_connection.py", "connections=2"),
    "server/buffers.py Stream._queue": ("server/test_buffers.py", "HIGH_WATER"),
}
# Containers that are as large as one request, one answer, or the configuration; or hold what is under way now.
OF_ONE_CALL = """
engine/copies.py Copies._known
engine/handler_calls.py SilentLogging.model_call_details
engine/observe.py StreamRecorder._chunks
engine/stream.py CustomStreamWrapper._hidden_params
engine/stream.py CustomStreamWrapper._ready
engine/stream.py CustomStreamWrapper._text
engine/stream.py CustomStreamWrapper.chunks
net/async_connection.py AsyncReply._parts
net/sync_connection.py SyncReply._parts
net/response.py Response.headers
router/choosing.py RoutingContext._adapted
sdk/_call.py _Environment.read
server/asgi.py _Conversation._headers
server/parser.py _Callbacks.ends
server/parser.py _Callbacks.fields
server/parser.py _Callbacks.pieces
server/websocket.py WebSocket._messages
wire/bridge.py _ChatChunks._begun
wire/framing/sse.py Parser._data
wire/framing/sse.py Parser._pieces
wire/openai_chat.py Rules._tools
wire/openai_stream.py Rules._begun
wire/openai_stream.py Rules._ended
"""
OF_THE_CONFIGURATION = """
hooks/dispatch.py Dispatcher._at_flush
hooks/dispatch.py _Worker._lanes
hooks/dispatch.py _Worker._tasks
hooks/dispatch.py _Worker._waiting
hooks/observers.py Callbacks._built_in
hooks/observers.py Callbacks._warned
net/async_io.py Session._proxied
proxy/config/include.py FileTree._seen
proxy/config/include.py FileTree.problems
router/pool.py Group._known
router/pool.py Group._levels
router/changes.py Changes._subscribers
router/ranking.py Ranking._until
router/ranking.py Rankings._known
router/state.py LocalState.cooling_down
router/state.py LocalState._tallies
server/routing.py Routes._exact
server/routing.py Routes._patterns
server/workers.py Supervisor._workers
"""
UNDER_WAY = """
hooks/dispatch.py _Worker._empty
net/async_io.py AsyncTransport._sessions
net/async_pool.py AsyncPool._open
net/async_proxied.py AsyncProxiedPool._streams
net/sync_pool.py SyncPool._open
net/fair_queue.py FairQueue._waiting
server/tls.py Handshakes._handshakes
"""
NOT_FILLED = {line for text in (OF_ONE_CALL, OF_THE_CONFIGURATION, UNDER_WAY) for line in text.splitlines() if line}
MAKERS = {"Counter", "OrderedDict", "WeakKeyDictionary", "WeakSet", "WeakValueDictionary", "defaultdict", "deque", "dict",
          "list", "set"}  # fmt: skip


def containers() -> Iterator[str]:
    """The attributes that begin as an empty container, when an object of ours is made."""
    for path in sorted(SRC.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ClassDef):
                continue
            made = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
            for statement in (each for function in made for each in ast.walk(function)):
                match statement:
                    case ast.Assign(targets=[ast.Attribute(attr=name)], value=value):
                        pass
                    case ast.AnnAssign(target=ast.Attribute(attr=name), value=ast.expr() as value):
                        pass
                    case _:
                        continue
                if is_empty(value):
                    yield f"{path.relative_to(SRC).as_posix()} {node.name}.{name}"


def is_empty(value: ast.expr) -> bool:
    match value:
        case ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=ast.Name(id=name), args=[]):
            return name in MAKERS
        case ast.Call(func=ast.Name(id="deque")):
            return True
    return False


def test_every_container_is_listed():
    """P5: with its maximum, or with the reason why traffic does not fill it."""
    listed = {*OBJECTS, *ELSEWHERE, *NOT_FILLED} - {"proxy/user_configs.py (each caller)"}
    found = set(containers())
    assert found - listed == set(), "what bounds these? Enter them above"
    assert listed - found == set(), "these are gone"


@pytest.mark.parametrize(("file", "name"), sorted(set(ELSEWHERE.values())))
def test_the_tests_elsewhere_are_there(file, name):
    """P5."""
    assert name in (Path(__file__).parent / file).read_text(encoding="utf-8")
