"""C6: the methods of loggers that stand on the way to a deployment, in the gateway: by what reaches the upstream and the
client. What each may do is tests/contract/test_router_hooks.py's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.upstream import Upstream
from tests.suite.doors import Failure, ProxyRaw
from tests.suite.inprocess import ServedProxy, deployment

RULES = """
import asyncio
import builtins

from fastapi import HTTPException

from litellm.integrations.custom_logger import CustomLogger


seen = []


class Rules(CustomLogger):
    async def async_pre_routing_hook(self, model, request_kwargs, messages=None, **_):
        return {"model": "m", "messages": messages} if model == "any" else None

    async def async_filter_deployments(self, model, healthy_deployments, messages, request_kwargs=None, **_):
        seen.append(request_kwargs["metadata"])
        tier = request_kwargs["metadata"].get("tier")
        if tier == "bug":
            raise ValueError("what a bug")
        if tier in ("SystemExit", "GeneratorExit", "CancelledError", "KeyboardInterrupt"):
            raise {"CancelledError": asyncio.CancelledError}.get(tier) or getattr(builtins, tier)("insides")
        return [each for each in healthy_deployments if tier in (None, each["model_info"]["tier"])]

    async def async_pre_call_check(self, deployment, parent_otel_span=None):
        if deployment["model_info"].get("full"):
            raise HTTPException(status_code=429, detail="full")
        if deployment["model_info"].get("shut"):
            raise HTTPException(status_code=403, detail={"error": "shut for today"}, headers={"Retry-After": "7"})

    async def async_pre_call_deployment_hook(self, kwargs, call_type=None):
        return {**kwargs, "user": call_type}

    async def async_post_call_success_deployment_hook(self, request_data, response, call_type=None):
        response.choices[0].message.content += " Edited."


rules = Rules()
"""


def entry(up: Upstream, group: str, model: str, **info: Any) -> dict[str, Any]:
    made = deployment(group, f"openai/{model}", api_base=up.base, api_key="sk-k")
    return made | {"model_info": {"id": model, "tier": model, **info}}


def deployment_elsewhere(up: Upstream, group: str, model: str) -> dict[str, Any]:
    made = entry(up, group, model)
    return made | {"litellm_params": made["litellm_params"] | {"api_base": up.base + "/elsewhere"}}


@pytest.fixture
def gateway(up: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedProxy]:
    monkeypatch.delitem(sys.modules, "call_rules", raising=False)
    (tmp_path / "call_rules.py").write_text(RULES, encoding="utf-8")
    config = {
        "model_list": [
            entry(up, "m", "a"), entry(up, "m", "b"), entry(up, "any", "never"),
            entry(up, "apart", "near"), deployment_elsewhere(up, "apart", "far"), entry(up, "half", "full", full=True), entry(up, "half", "free"), entry(up, "shut", "s", shut=True),
        ],
        "litellm_settings": {"callbacks": ["call_rules.rules"], "num_retries": 1},
    }  # fmt: skip
    with ServedProxy(config, folder=tmp_path) as proxy:
        yield proxy


def test_the_way_of_a_request(up: Upstream, gateway: ServedProxy) -> None:
    """Sent elsewhere, filtered, changed, answered, and edited; by the name of where it went."""
    for _ in range(4):
        answer = ProxyRaw(gateway).chat(model="any", metadata={"tier": "b"})
        assert answer["choices"][0]["message"]["content"].endswith(" Edited.")
        assert answer["model"] == "m"
    assert [seen.fields["model"] for seen in up.requests] == ["b"] * 4
    assert up.requests[0].fields["user"] == "acompletion"


def test_who_calls(gateway: ServedProxy) -> None:
    """F5: is told, and not what a client says of itself."""
    ProxyRaw(gateway).chat(metadata={"user_api_key_user_id": "root", "colour": "blue"})
    (metadata,) = sys.modules["call_rules"].seen
    assert metadata["colour"] == "blue"
    assert metadata["user_api_key_user_id"] != "root"
    assert "user_api_key_hash" in metadata


def test_a_stream_goes_the_same_way(up: Upstream, gateway: ServedProxy) -> None:
    """And is passed on as it comes."""
    chunks = ProxyRaw(gateway).stream(model="any", metadata={"tier": "a"})
    assert chunks
    assert "Edited" not in str(chunks)
    assert [(seen.fields["model"], seen.fields["user"]) for seen in up.requests] == [("a", "acompletion")]


def test_a_deployment_that_is_refused(up: Upstream, gateway: ServedProxy) -> None:
    """Another one is asked."""
    for _ in range(6):
        ProxyRaw(gateway).chat(model="half")
    assert {seen.fields["model"] for seen in up.requests} == {"free"}


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"model": "shut"}, 403, "shut for today"),
        ({"metadata": {"tier": "none"}}, 400, "no deployment of m may be used for this request"),
        ({"metadata": {"tier": "bug"}}, 500, "Internal server error"),
    ],
)
def test_a_request_that_is_refused(
    up: Upstream, gateway: ServedProxy, asked: dict[str, Any], status: int, words: str
) -> None:
    """O1, F5: by its status; what has none is our own failure, and says nothing."""
    with pytest.raises(Failure) as raised:
        ProxyRaw(gateway).chat(**{"model": "m", **asked})
    assert raised.value.status == status
    assert words in raised.value.message
    assert "what a bug" not in raised.value.message
    assert not up.requests


@pytest.mark.parametrize("error", ["SystemExit", "GeneratorExit", "CancelledError", "KeyboardInterrupt"])
def test_a_hook_on_the_way_to_a_deployment_ends_its_request_at_the_most(gateway: ServedProxy, error: str) -> None:
    """And not the loop that all such hooks share, where the next one would wait for ever."""
    for _ in range(2):
        with pytest.raises(Failure) as caught:
            ProxyRaw(gateway).chat(model="m", metadata={"tier": error})
        assert caught.value.status == 500
        assert "insides" not in str(caught.value)
    assert ProxyRaw(gateway).chat(model="m")["choices"]


@pytest.mark.parametrize("tier", ["near", "far"])
def test_a_clients_own_key_goes_where_filters_let_the_request(up: Upstream, gateway: ServedProxy, tier: str) -> None:
    """The one address that it is meant for is that of a deployment which they leave."""
    for _ in range(3):
        ProxyRaw(gateway).chat(model="apart", api_key="mine", metadata={"tier": tier})
    assert [(seen.fields["model"], seen.headers["authorization"]) for seen in up.requests] == [
        (tier, "Bearer mine")
    ] * 3
