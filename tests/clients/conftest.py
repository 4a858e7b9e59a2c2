"""What the tests of the clients share: one gateway in front of one upstream, and nothing of the world outside.

They run in an environment of their own: scripts/test-clients. The gateway comes from ours.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.clients.client import KEY, MODEL, THEIRS, UPSTREAM_KEY, Client
from tests.clients.with_langchain import AsyncLangChain, LangChain
from tests.clients.with_llama_index import AsyncLlamaIndex, LlamaIndex
from tests.clients.with_openai import AsyncOpenAI, OpenAI
from tests.fakes.behaviour import Behaviour
from tests.fakes.upstream import Upstream
from tests.processes import Gateway

CLIENTS = [OpenAI, AsyncOpenAI, LangChain, AsyncLangChain, LlamaIndex, AsyncLlamaIndex]

LOCAL = ("127.0.0.1", "localhost")
FOREIGN = (
    "OPENAI_",
    "LANGCHAIN_",
    "LANGSMITH_",
    "LITELLM_",
    "SSL_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)
VOCABULARY = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
OUR_COPY = Path(__file__).resolve().parents[2] / "src" / "litellm" / "tokens" / "cl100k_base.tiktoken.gz"

_strayed: list[str] = []  # hosts that somebody wanted to talk to


def pytest_configure() -> None:
    for name in tuple(os.environ):
        if name.upper().startswith(FOREIGN):
            del os.environ[name]
    os.environ.update(LANGSMITH_TRACING="false", ANONYMIZED_TELEMETRY="False", DO_NOT_TRACK="1")
    sys.addaudithook(_stay_home)


def _stay_home(event: str, arguments: tuple[Any, ...]) -> None:
    match event, arguments:
        case ("socket.connect", (_, (str(host), *_))) | ("socket.getaddrinfo", (str(host), *_)) if host not in LOCAL:
            _strayed.append(host)
            raise OSError(f"these tests do not talk to {host}")


@pytest.fixture(scope="session", autouse=True)
def _nobody_strays() -> Iterator[None]:
    yield
    assert _strayed == []  # a library may have swallowed the error


@pytest.fixture(scope="session", autouse=True)
def _vocabulary(tmp_path_factory: pytest.TempPathFactory) -> None:
    """LangChain counts with tiktoken, which finds here what it would download."""
    cache = tmp_path_factory.mktemp("tiktoken")
    (cache / hashlib.sha1(VOCABULARY.encode()).hexdigest()).write_bytes(gzip.decompress(OUR_COPY.read_bytes()))
    os.environ["TIKTOKEN_CACHE_DIR"] = str(cache)


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="session")
def gateway(upstream: Upstream) -> Iterator[Gateway]:
    config = f"""
model_list:
- model_name: {MODEL}
  litellm_params: {{model: openai/{THEIRS}, api_base: "{upstream.base}", api_key: {UPSTREAM_KEY}}}
router_settings: {{num_retries: 0}}
general_settings: {{master_key: {KEY}}}
"""
    with Gateway(config, args=["--host", "127.0.0.1"]) as server:
        yield server
    assert "Traceback" not in server.stderr


@pytest.fixture
def base(gateway: Gateway) -> str:
    """What every client is told as the base URL."""
    return f"{gateway.url}/v1"


@pytest.fixture
def up(upstream: Upstream) -> Iterator[Upstream]:
    upstream.requests.clear()
    yield upstream
    upstream.default = Behaviour()


@pytest_asyncio.fixture(loop_scope="session")
async def connections() -> AsyncIterator[tuple[httpx.Client, httpx.AsyncClient]]:
    """For libraries that leave closing their own to the garbage collector, which Python warns of."""
    async with httpx.AsyncClient() as awaiting:
        with httpx.Client() as blocking:
            yield blocking, awaiting


@pytest.fixture(params=CLIENTS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> type[Client]:
    return request.param


@pytest_asyncio.fixture(loop_scope="session")
async def client(kind: type[Client], base: str) -> AsyncIterator[Client]:
    made = kind(base, KEY, MODEL)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def direct(kind: type[Client], upstream: Upstream) -> AsyncIterator[Client]:
    """The same client without a gateway."""
    made = kind(upstream.base, UPSTREAM_KEY, THEIRS)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(kind: type[Client], base: str) -> AsyncIterator[Client]:
    """A client with a wrong key."""
    made = kind(base, "sk-somebody-elses-key", MODEL)
    yield made
    await made.close()
