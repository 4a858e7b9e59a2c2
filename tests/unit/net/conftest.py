"""One caller for all transports, so that each test of this folder is written once and holds for each of them."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvloop
from tests.fakes.forward_proxy import ForwardProxy
from tests.fakes.tls import ServerTLS
from tests.fakes.upstream import Upstream
from tests.unit.net.direct import LOOPS

import litellm
from litellm.engine import retry_policy
from litellm.net.async_io import AsyncTransport
from litellm.net.messages import Request
from litellm.net.steps import Read, Send
from litellm.net.sync_io import SyncTransport
from litellm.net.tls import ssl_context
from litellm.sdk import _call

HI = [{"role": "user", "content": "hi"}]
NETWORK_VARIABLES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_VERIFY", "SSL_CERTIFICATE"}


class SyncCaller:
    """litellm.completion, and the transport below it."""

    def __init__(self) -> None:
        self.io = SyncTransport()

    def ask(self, **params: Any) -> Any:
        return litellm.completion(**_params(params))

    def chunks(self, **params: Any) -> list[Any]:
        return list(litellm.completion(stream=True, **_params(params)))

    def next(self, stream: Any) -> Any:
        return next(stream)

    def close(self, stream: Any) -> None:
        stream.close()

    def send(self, request: Request) -> Any:
        return self.io.perform(Send(request))

    def read(self, reply: Any) -> bytes:
        return self.io.perform(Read(reply))

    def notice(self) -> None:
        """Give the client a moment to learn what has happened to its connections."""
        time.sleep(0.01)

    def end(self) -> None:
        self.io.close()


class AsyncCaller:
    """litellm.acompletion, and the transport below it, on one event loop that runs while something is asked of it."""

    moment = 0.01  # seconds in which the client learns what has happened to its connections

    def __init__(self, new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> None:
        self.runner = asyncio.Runner(loop_factory=new_loop)
        self.io = AsyncTransport()

    def ask(self, **params: Any) -> Any:
        return self.runner.run(litellm.acompletion(**_params(params)))

    def chunks(self, **params: Any) -> list[Any]:
        async def collect() -> list[Any]:
            return [chunk async for chunk in await litellm.acompletion(stream=True, **_params(params))]

        return self.runner.run(collect())

    def next(self, stream: Any) -> Any:
        async def one() -> Any:
            return await anext(stream)

        return self.runner.run(one())

    def close(self, stream: Any) -> None:
        self.runner.run(stream.aclose())
        self.notice()

    def send(self, request: Request) -> Any:
        return self.runner.run(self.io.perform(Send(request)))

    def read(self, reply: Any) -> bytes:
        return self.runner.run(self.io.perform(Read(reply)))

    def notice(self) -> None:
        self.runner.run(asyncio.sleep(self.moment))

    def end(self) -> None:
        self.runner.close()


class ProxiedCaller(AsyncCaller):
    """The same by way of a proxy, which is another transport (net/async_proxied.py), and the only use of it."""

    moment = 0.03  # the proxy has to learn of it first

    def __init__(self, proxy: ForwardProxy) -> None:
        super().__init__()
        self.proxy = proxy

    def end(self) -> None:
        super().end()
        self.proxy.stop()


def _params(params: dict[str, Any]) -> dict[str, Any]:
    return {"model": "openai/m", "messages": HI, "api_key": "sk-of-the-test", **params}


@pytest.fixture(autouse=True)
def fresh_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No proxy, authority or connection that somebody else set up; retries do not wait."""
    for name in os.environ:
        if name.upper() in NETWORK_VARIABLES:
            monkeypatch.delenv(name)
    monkeypatch.setattr(retry_policy, "FIRST_DELAY", 0.0)
    _forget()
    yield
    _forget()


def _forget() -> None:
    if _call.default_client.cache_info().currsize:
        _call.default_client().sync_io.close()  # the async one closes with its loop
    _call.default_client.cache_clear()
    ssl_context.cache_clear()


@pytest.fixture(params=["sync", "async", "uvloop", "proxied"])
def caller(
    request: pytest.FixtureRequest, fresh_network: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SyncCaller | AsyncCaller]:
    made = _caller(request.param, monkeypatch)
    yield made
    made.end()


def _caller(kind: str, monkeypatch: pytest.MonkeyPatch) -> SyncCaller | AsyncCaller:
    if kind == "sync":
        return SyncCaller()
    if kind == "proxied":
        proxy = ForwardProxy()
        proxy.start()
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        return ProxiedCaller(proxy)
    return AsyncCaller(uvloop.new_event_loop if kind == "uvloop" else asyncio.new_event_loop)


@pytest.fixture
def up() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ServerTLS:
    """A private CA, and a server that it vouches for."""
    return ServerTLS(tmp_path_factory.mktemp("private"), hosts=("127.0.0.1", "upstream.example"))


@pytest.fixture(scope="session")
def mutual_tls(tmp_path_factory: pytest.TempPathFactory) -> ServerTLS:
    """The same, and the server wants to see the client's certificate."""
    return ServerTLS(tmp_path_factory.mktemp("mutual"), require_client=True)


@pytest.fixture(scope="session")
def lone_tls(tmp_path_factory: pytest.TempPathFactory) -> ServerTLS:
    """A certificate that vouches for itself."""
    return ServerTLS(tmp_path_factory.mktemp("lone"), self_signed=True)


@pytest.fixture(scope="session")
def strange_tls(tmp_path_factory: pytest.TempPathFactory) -> ServerTLS:
    """A certificate that vouches for itself, and for another host than the one that shows it."""
    return ServerTLS(tmp_path_factory.mktemp("strange"), hosts=("elsewhere.example",), self_signed=True)


@pytest.fixture
def open_files() -> Iterator[None]:
    """As many files and sockets are open after the test as before."""
    uvloop.run(asyncio.sleep(0))  # which keeps a few for ever
    before = len(os.listdir("/proc/self/fd"))
    yield
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest, open_files: None) -> Iterator[Callable[..., Any]]:
    """Runs a coroutine on one loop, of either kind."""
    with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
        yield runner.run


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many files as this process may open, which by default are fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
