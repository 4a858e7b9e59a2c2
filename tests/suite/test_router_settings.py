"""Through the proxy's configuration: what router_settings and litellm_params say about routing is obeyed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.suite.doors import HI, Reply, request
from tests.suite.inprocess import ServedProxy, deployment

from litellm.router.strategies import strategy_named

CHAT = "/v1/chat/completions"


def ask(proxy: ServedProxy, model: str = "m", **fields: Any) -> Reply:
    return request(proxy, "POST", CHAT, json.dumps({"model": model, "messages": HI, **fields}))


def answered(reply: Reply) -> str:
    return reply.headers["x-litellm-model-name"]


def served(up: Any, *params: dict[str, Any], settings: dict[str, Any] | None = None, **more: Any) -> ServedProxy:
    """A proxy with a group "m" of a deployment for each of `params`: m0, m1, …"""
    entries = [
        deployment("m", f"openai/m{at}", api_base=up.base, api_key="k", **each) for at, each in enumerate(params)
    ]
    return ServedProxy({"model_list": entries, "router_settings": {"num_retries": 0} | (settings or {}), **more})


def test_rpm(up):
    """Decision 11: with a Retry-After that fits the minute."""
    with served(up, {"rpm": 2}, {"rpm": 1}) as proxy:
        replies = [ask(proxy) for _ in range(5)]
    assert Counter(reply.status for reply in replies) == {200: 3, 429: 2}
    assert all(1 <= int(reply.headers["retry-after"]) <= 60 for reply in replies if reply.status == 429)
    assert Counter(seen.fields["model"] for seen in up.requests) == {"m0": 2, "m1": 1}


def test_rpm_in_its_older_place(up):
    """Beside litellm_params, as older configurations have it."""
    entry = deployment("m", "openai/m", api_base=up.base, api_key="k") | {"rpm": 2, "tpm": 100_000}
    with ServedProxy({"model_list": [entry], "router_settings": {"num_retries": 0}}) as proxy:
        assert [ask(proxy).status for _ in range(3)] == [200, 200, 429]


def test_parallel_requests(up):
    """O9: a place is held while its request is under way, and free when the client has gone."""
    up.default = act.hang()
    with served(up, {}, settings={"default_max_parallel_requests": 1}) as proxy:
        assert ask(proxy, timeout=0.2).status == 408
        up.default = act.Behaviour()
        assert ask(proxy).status == 200
        tally = proxy.state.routing.state.tally(proxy.state.pool.find("m").members[0].id, 0.0)
        assert tally.in_flight == 0


@pytest.mark.parametrize("place", ["metadata", "tags"])
def test_tags(up, place):
    """In the request's own field or in its metadata; they are not sent on."""
    words = {"tags": ["b"]} if place == "tags" else {"metadata": {"tags": ["b"]}}
    with served(up, {"tags": ["a"]}, {"tags": ["b"]}, settings={"enable_tag_filtering": True}) as proxy:
        assert {answered(ask(proxy, **words)) for _ in range(8)} == {"m1"}
        reply = ask(proxy, tags=["c"])
    assert reply.status == 401
    assert "tags configuration" in json.loads(reply.body)["error"]["message"]
    assert not {"tags", "metadata"} & up.requests[0].fields.keys()


def test_parameters_of_all_deployments(up):
    """default_litellm_params, which a deployment's own overrule."""
    settings = {"default_litellm_params": {"temperature": 0.5, "top_p": 0.5}}
    with served(up, {"top_p": 0.1}, settings=settings) as proxy:
        ask(proxy)
    assert (up.requests[0].fields["temperature"], up.requests[0].fields["top_p"]) == (0.5, 0.1)


def test_content_policy_fallbacks(up):
    """After a refusal, and after a whole answer that a filter cut off."""
    refused = act.error(400, "The request was refused", code="content_filter")
    cut_off = act.answer("half", finish_reason="content_filter")
    settings = {"content_policy_fallbacks": [{"m": ["mild"]}]}
    mild = deployment("mild", "openai/mild", api_base=up.base, api_key="k")
    entries = [deployment("m", "openai/m0", api_base=up.base, api_key="k"), mild]
    with ServedProxy({"model_list": entries, "router_settings": settings}) as proxy:
        for behaviour in (refused, cut_off):
            up.models["m0"] = behaviour
            reply = ask(proxy)
            assert (reply.status, reply.headers["x-litellm-model-group"]) == (200, "mild")
            assert json.loads(reply.body)["model"] == "mild"


def test_prompts_that_are_too_long(up):
    """enable_pre_call_checks: found out before anything is sent, and context_window_fallbacks are for it."""
    small = deployment("m", "openai/m0", api_base=up.base, api_key="k") | {"model_info": {"max_input_tokens": 20}}
    large = deployment("large", "openai/large", api_base=up.base, api_key="k")
    settings = {"enable_pre_call_checks": True, "context_window_fallbacks": [{"m": ["large"]}]}
    with ServedProxy({"model_list": [small, large], "router_settings": settings}) as proxy:
        long = [{"role": "user", "content": "word " * 50}]
        assert ask(proxy, messages=long).headers["x-litellm-model-group"] == "large"
        assert ask(proxy).headers["x-litellm-model-group"] == "m"
    assert [seen.fields["model"] for seen in up.requests] == ["large", "m0"]


@pytest.mark.parametrize(
    "strategy",
    ["least-busy", "usage-based-routing", "usage-based-routing-v2", "latency-based-routing", "cost-based-routing"],
)
def test_strategies(up, strategy):
    """By their names in the file."""
    with served(up, {}, {}, settings={"routing_strategy": strategy}) as proxy:
        assert {ask(proxy).status for _ in range(6)} == {200}
        assert proxy.state.routing.settings.strategy != strategy_named("simple-shuffle")
    assert len(up.requests) == 6


def test_both_sections(up):
    """router_settings count, then litellm_settings."""
    more = {"litellm_settings": {"num_retries": 4, "allowed_fails": 7, "cooldown_time": 9, "request_timeout": 33}}
    with served(up, {}, settings={"cooldown_time": 11}, **more) as proxy:
        settings = proxy.state.routing.settings
    assert (settings.retry.limit, settings.cooldown.allowed_fails, settings.cooldown.seconds) == (0, 7, 11)
    assert settings.timeouts.total == 33
