"""R4 at the public doors: a deployment that fails is left alone, one that is alone never, and all at rest is a 429 that
says when to come back. The rules themselves are in tests/unit/router/test_cooldown.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.suite.doors import HI, request
from tests.suite.inprocess import ServedProxy, deployment

from litellm.exceptions import LiteLLMError, RouterRateLimitError
from litellm.router import Router

MANY = 12


def entries(base: str, count: int = 2, **params: Any) -> list[dict[str, Any]]:
    return [deployment("m", f"openai/m{at}", api_base=base, api_key="k", **params) for at in range(count)]


def asked(up: Any) -> list[str]:
    return [seen.fields["model"] for seen in up.requests]


@pytest.mark.parametrize("stream", [False, True])
def test_a_deployment_that_fails_is_left_alone(up, stream):
    """R4: after one 429; its traffic goes to the other one, and no client notices."""
    up.models["m0"] = act.error(429, retry_after=30)
    router = Router(model_list=entries(up.base))
    for _ in range(MANY):
        answer = router.completion("m", HI, stream=stream)
        assert not stream or list(answer)
    assert asked(up).count("m0") <= 1
    assert asked(up).count("m1") == MANY


def test_streams_that_break_count(up):
    """R4: a stream that ends half-way is a failure of its deployment, though its client has seen the beginning."""
    up.models["m0"] = act.cut(after=3, text="one two three four")
    router = Router(model_list=entries(up.base), allowed_fails=0, num_retries=0)
    broken = 0
    for _ in range(MANY):
        try:
            list(router.completion("m", HI, stream=True))
        except LiteLLMError:
            broken += 1
    assert asked(up).count("m0") == broken == 1


def test_a_client_that_leaves_is_no_failure(up):
    """R4 (#35329): nor is its own impatience."""
    router = Router(model_list=entries(up.base), allowed_fails=0, num_retries=0)
    for _ in range(MANY):
        stream = router.completion("m", HI, stream=True)
        next(stream)
        stream.close()
    up.default = act.hang()
    for _ in range(4):
        with pytest.raises(LiteLLMError):
            router.completion("m", HI, timeout=0.05)
    assert dict(router.routing.state.cooling_down) == {}


def test_one_alone(up):
    """R4: is asked whatever happened before."""
    up.default = act.error(429, retry_after=0)
    router = Router(model_list=entries(up.base, 1), num_retries=0)
    for _ in range(MANY):
        with pytest.raises(LiteLLMError) as raised:
            router.completion("m", HI)
        assert not isinstance(raised.value, RouterRateLimitError)
    assert len(up.requests) == MANY


def test_all_of_them(up):
    """R4, C4: 429 with Retry-After at the proxy, without a request to anybody."""
    up.default = act.error(429, retry_after=20)
    config = {"model_list": entries(up.base), "router_settings": {"num_retries": 0}}
    body = json.dumps({"model": "m", "messages": HI})
    with ServedProxy(config) as proxy:
        replies = [request(proxy, "POST", "/v1/chat/completions", body) for _ in range(4)]
    assert [reply.status for reply in replies] == [429] * 4
    assert len(up.requests) == 2
    last = replies[-1]
    assert 15 <= int(last.headers["retry-after"]) <= 20
    told = json.loads(last.body)["error"]
    assert told["message"].startswith("No deployments available for selected model, Try again in ")
    assert told["code"] == "429"


def test_retries_are_all_sent(up):
    """R3, R4: a call that has met both at rest sends all of its n + 1 requests."""
    up.default = act.error(429, retry_after=0.01)
    router = Router(model_list=entries(up.base), num_retries=3)
    with pytest.raises(LiteLLMError):
        router.completion("m", HI)
    assert len(up.requests) == 4


@pytest.mark.parametrize("settings", [{"disable_cooldowns": True}, {"cooldown_time": 0}])
def test_switched_off(up, settings):
    up.models["m0"] = act.error(429)
    router = Router(model_list=entries(up.base), num_retries=0, **settings)
    for _ in range(40):
        try:
            router.completion("m", HI)
        except LiteLLMError:
            pass
    assert asked(up).count("m0") > 5
