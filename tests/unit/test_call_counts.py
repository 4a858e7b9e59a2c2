"""How many of our own functions a call runs through: what it costs, counted and not timed, so that no machine is too busy
for it. BOUNDS is the gate: what makes the path of every request longer has to be argued for there.

A call is counted when one of our functions is entered, a generator or a coroutine whenever it is entered again. Everything
runs for real, over sockets; but the upstream says one thing at a time, and it is read before the next is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from types import FrameType
from typing import Any, Self

import pytest
from tests.suite.inprocess import ServedProxy, deployment

import litellm

WARM = 3  # what is made on first use has been made by then
COUNTED = 20

# Own calls per completion or per chunk: as counted with CPython 3.11, and one in twenty more. Lower them when you can.
# The sync transport's are all here: it is our own, and no longer a library whose calls nobody counted.
BOUNDS = {
    "SDK mock": 82,
    "SDK sync": 95,
    "SDK async": 98,
    "SDK chunk": 22,
    "SDK async chunk": 29,
    "gateway request": 142,
    "gateway request, 1 000 deployments": 142,
    "gateway chunk": 21,
}

SOURCE = str(Path(litellm.__file__).parent) + "/"
HI = [{"role": "user", "content": "hi"}]


class OwnCalls:
    """Counts the calls of our functions on the thread that starts it."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()

    def start(self) -> None:
        sys.setprofile(self._note)

    def stop(self) -> None:
        sys.setprofile(None)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(SOURCE):
            self.found[f"{code.co_filename.removeprefix(SOURCE)} {code.co_qualname}"] += 1

    def check(self, name: str) -> None:
        """Raises AssertionError, with the functions, when there were more than the bound says, or none."""
        each = self.found.total() / COUNTED
        table = "\n".join(f"{count / COUNTED:7.2f}  {function}" for function, count in self.found.most_common())
        assert 0 < each <= BOUNDS[name], f"{name}: {each:g} own calls; at most {BOUNDS[name]} are allowed\n{table}"


def repeated(name: str, call: Callable[[], object]) -> None:
    for _ in range(WARM):
        call()
    with OwnCalls() as calls:
        for _ in range(COUNTED):
            call()
    calls.check(name)


# --- an upstream that says one thing at a time ---------------------------------------------------------------------------


def body(**fields: Any) -> bytes:
    return json.dumps({"id": "c-1", "created": 1, "model": "m", **fields}).encode()


def event(text: str) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    data = b"data: %b\n\n" % body(object="chat.completion.chunk", choices=[choice])
    return b"%x\r\n%b\r\n" % (len(data), data)


def answer(text: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    data = body(object="chat.completion", choices=[choice], usage=usage)
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(data), data)


BEGINNING = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + event("It ")
MORE = event("goes on ")


class Upstream:
    """Answers a request in one write; one for a stream with its beginning. How that goes on is up to `tell`."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1"
        self._connections: list[socket.socket] = []
        self._streaming: socket.socket | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def tell(self, data: bytes) -> None:
        """More of the stream that began last."""
        assert self._streaming is not None
        self._streaming.sendall(data)

    def close(self) -> None:
        for sock in (self._listening, *self._connections):
            with contextlib.suppress(OSError):  # the other end has gone already
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for it, which closing does not
            sock.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:  # closed: the test is over
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
            while request := _request(lines):
                streamed = request.get("stream")
                self._streaming = connection
                connection.sendall(BEGINNING if streamed else answer("Hello"))


def _request(lines: Any) -> dict[str, Any] | None:
    """The body of the next request; None when the connection has ended."""
    length = 0
    while (line := lines.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(lines.read(length)) if line else None


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Straight to the upstream, whatever the machine has set."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


# --- the SDK ---------------------------------------------------------------------------------------------------------------


def test_sdk_mock() -> None:
    """A mocked completion()."""
    repeated("SDK mock", lambda: litellm.completion("openai/m", HI, mock_response="Hello", api_key="sk-of-nobody"))


def test_sdk_sync(upstream: Upstream) -> None:
    """completion()."""
    repeated("SDK sync", lambda: litellm.completion("openai/m", HI, api_base=upstream.base, api_key="sk-of-nobody"))


def test_sdk_async(upstream: Upstream) -> None:
    """acompletion()."""
    with asyncio.Runner() as runner:

        async def call() -> None:
            await litellm.acompletion("openai/m", HI, api_base=upstream.base, api_key="sk-of-nobody")

        repeated("SDK async", lambda: runner.run(call()))


def test_sdk_chunk(upstream: Upstream) -> None:
    """A chunk of completion(stream=True)."""
    stream = litellm.completion("openai/m", HI, stream=True, api_base=upstream.base, api_key="sk-of-nobody")
    next(stream)

    def chunk() -> None:
        upstream.tell(MORE)
        assert next(stream).choices[0].delta.content == "goes on "

    repeated("SDK chunk", chunk)
    stream.close()


def test_chunks_cost_the_same_however_many(upstream: Upstream) -> None:
    """P4: four times as many chunks are four times as many calls."""
    stream = litellm.completion("openai/m", HI, stream=True, api_base=upstream.base, api_key="sk-of-nobody")
    next(stream)
    counted = []
    for chunks in (250, 1000):
        with OwnCalls() as calls:
            for _ in range(chunks):
                upstream.tell(MORE)
                next(stream)
        counted.append(calls.found.total())
    stream.close()
    assert 3.8 < counted[1] / counted[0] < 4.2


def test_sdk_async_chunk(upstream: Upstream) -> None:
    """A chunk of acompletion(stream=True)."""
    with asyncio.Runner() as runner:
        place = {"api_base": upstream.base, "api_key": "sk-of-nobody"}
        stream = runner.run(litellm.acompletion("openai/m", HI, stream=True, **place))
        runner.run(anext(stream))

        async def chunk() -> None:
            upstream.tell(MORE)
            assert (await anext(stream)).choices[0].delta.content == "goes on "

        repeated("SDK async chunk", lambda: runner.run(chunk()))
        runner.run(stream.aclose())


# --- the gateway -----------------------------------------------------------------------------------------------------------


REQUEST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer sk-of-nobody-but-us\r\n"
    b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
)


class Served:
    """A gateway with a master key in front of `upstream`, and one client's connection to it."""

    def __init__(self, upstream: Upstream, deployments: int = 1) -> None:
        place = {"api_base": upstream.base, "api_key": "sk-of-nobody"}
        models = [deployment(f"m{number}", "openai/m", **place) for number in range(deployments)]
        self.proxy = ServedProxy({"model_list": models}, master_key="sk-of-nobody-but-us")

    def __enter__(self) -> Self:
        self.proxy.__enter__()
        self._client = socket.create_connection(("127.0.0.1", self.proxy.port), timeout=10)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self.proxy.__exit__()

    def post(self, **more: Any) -> HTTPResponse:
        asked = json.dumps({"model": "m0", "messages": HI, **more}).encode()
        self._client.sendall(
            REQUEST % (len(asked), asked)
        )  # at once: http.client would send head and body by themselves
        response = HTTPResponse(self._client)
        response.begin()
        assert response.status == 200, response.read()
        return response

    def repeated(self, name: str, call: Callable[[], object]) -> None:
        """The same as `repeated`, but what is counted happens on the gateway's thread."""
        for _ in range(WARM):
            call()
        calls = OwnCalls()

        async def start() -> None:
            calls.start()

        async def stop() -> None:
            calls.stop()

        self.proxy.call(start)
        for _ in range(COUNTED):
            call()
        self.proxy.call(stop)
        calls.check(name)


@pytest.mark.parametrize(
    ("name", "deployments"), [("gateway request", 1), ("gateway request, 1 000 deployments", 1_000)]
)
def test_gateway_request(upstream: Upstream, name: str, deployments: int) -> None:
    """A whole request: key, route, upstream, answer."""
    with Served(upstream, deployments) as served:
        served.repeated(name, lambda: served.post().read())


def test_gateway_chunk(upstream: Upstream) -> None:
    """A chunk that is passed on."""
    with Served(upstream) as served, served.post(stream=True) as response:
        assert b"It " in response.readline()
        assert response.readline() == b"\n"

        def chunk() -> None:
            upstream.tell(MORE)
            assert b"goes on " in response.readline()
            assert response.readline() == b"\n"

        served.repeated("gateway chunk", chunk)
