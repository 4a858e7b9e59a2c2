"""What outlives a reload, when the gateway is built anew from its file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.router.world import GOOD, HI, Clock

from litellm.engine.call import Call
from litellm.engine.route import Choice
from litellm.exceptions import RouterRateLimitError
from litellm.net.network import Network
from litellm.proxy.config import Config, ConfigError, load_config
from litellm.proxy.state import Carryover, Proxy, build
from litellm.proxy.user_configs import UserConfigs


@pytest.fixture
def read(tmp_path):
    def config(*ids: str, callbacks: Any = (), **params: Any) -> Config:
        listed = [
            {"model_name": "m", "litellm_params": {"model": "mock/echo", **params}, "model_info": {"id": each}}
            for each in ids
        ]
        file = tmp_path / "config.yaml"
        file.write_text(
            json.dumps({"model_list": listed, "litellm_settings": {"callbacks": callbacks}}), encoding="utf-8"
        )
        return load_config(file)

    return config


def choose(proxy: Proxy) -> Choice:
    proxy.routing.chooser.clock = Clock()
    call = Call(model="m", body={"messages": HI})
    return proxy.routing.route(call, proxy.routing.find("m")).choose(())


def test_connections_and_what_is_known_of_deployments(read):
    before = build(read("a", rpm=1))
    choose(before)
    after = build(read("a", rpm=1), carryover=Carryover.of(before))
    assert after.client is before.client
    with pytest.raises(RouterRateLimitError):
        choose(after)
    choose(build(read("a", rpm=2), carryover=Carryover.of(after)))


def test_two_gateways_share_nothing(read):
    choose(build(read("a", rpm=1)))
    choose(build(read("a", rpm=1)))


def test_what_cannot_be_built_has_changed_nothing(read, monkeypatch):
    """Also not for deployments that it does not have: the one in use serves on."""
    before = build(read("a", rpm=1))
    choose(before).settle(GOOD)
    monkeypatch.delenv("LANGFUSE_PUBLIC_KEY", raising=False)
    with pytest.raises(ConfigError):
        build(read("b", callbacks=["langfuse"]), carryover=Carryover.of(before))
    with pytest.raises(RouterRateLimitError):
        choose(before)


def test_clients_configurations_are_read_anew_for_another_network_and_keep_their_state():
    config = {"model_list": [{"model_name": "m", "litellm_params": {"model": "groq/x", "api_key": "sk-mine"}}]}
    before = UserConfigs(Network())
    same, other = UserConfigs(Network(), before.store), UserConfigs(Network(ipv4_only=True), before.store)
    first = before.routing("a", config)
    assert same.routing("a", config) is first
    second = other.routing("a", config)
    assert second is not first
    assert second.state is first.state
    (target,) = (each.target for each in second.pool.by_id.values())
    assert target is not None
    assert target.network.ipv4_only
    assert other.routing("a", config) is second
    assert other.routing("b", config).state is not second.state
