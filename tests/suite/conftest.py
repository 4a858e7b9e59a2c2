"""One house for all tests of this folder; what a test has lined up at the upstream is cleared before the next."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.fakes.behaviour import Behaviour
from tests.fakes.upstream import Upstream
from tests.suite.doors import DOORS, KEY, Door, House, ProxyByOpenAI, ProxyRaw
from tests.suite.handlers import DOORS as HANDLER_DOORS
from tests.suite.handlers import HandlerDoor
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm.engine import retry_policy

_NETWORK = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_VERIFY", "SSL_CERTIFICATE"}


@pytest.fixture(autouse=True)
def clean_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No keys, bases, proxies or settings that somebody else set up; retries follow each other quickly."""
    for name in list(os.environ):
        if name.upper() in _NETWORK or name.startswith("LITELLM_") or name.endswith(("_API_KEY", "_API_BASE")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(retry_policy, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(litellm, "custom_provider_map", [])


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    with Upstream() as up:
        config = {
            "model_list": [deployment(name, f"openai/{name}", api_base=up.base, api_key=KEY) for name in ("m", "*")]
        }
        with ServedProxy(config) as proxy:
            made = House(up, proxy)
            yield made
            by_openai = made.doors["openai"]
            assert isinstance(by_openai, ProxyByOpenAI)
            by_openai.close()


@pytest.fixture
def up(house: House) -> Upstream:
    """The upstream behind every door, as good as new."""
    upstream = house.up
    upstream.requests.clear()
    upstream.models.clear()
    upstream._next.clear()
    upstream.default = Behaviour()
    return upstream


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest, house: House, up: Upstream) -> Door:
    """Each of the four doors in turn."""
    return house.doors[request.param]


@pytest.fixture
def proxy_door(house: House, up: Upstream) -> ProxyRaw:
    """The proxy by bare HTTP alone."""
    found = house.doors["proxy"]
    assert isinstance(found, ProxyRaw)
    return found


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request: pytest.FixtureRequest) -> bool:
    """Asked for the answer whole, and as a stream."""
    return bool(request.param)


@pytest.fixture(params=HANDLER_DOORS)
def handlers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> HandlerDoor:
    """Each of the doors at which a CustomLLM can be asked."""
    return HandlerDoor(request.param, monkeypatch)
