"""G3: what LiteLLM's module settings promise and this release does not keep, is said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import litellm
from litellm.proxy.config import known
from litellm.sdk import _settings

HI = [{"role": "user", "content": "hi"}]


def set_to(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    monkeypatch.setattr(litellm, name, value, raising=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_budget", 0.01), ("pre_call_rules", [print]), ("post_call_rules", [print]), ("use_litellm_proxy", True)],
)
def test_a_limit_that_nobody_would_keep(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    """Money is not spent, and a rule not skipped, behind somebody's back."""
    set_to(monkeypatch, name, value)
    with pytest.raises(litellm.BadRequestError, match=f"litellm.{name} is not supported by this release") as told:
        litellm.completion("mock/echo", HI)
    with pytest.raises(litellm.BadRequestError) as told_async:
        asyncio.run(litellm.acompletion("mock/echo", HI))
    assert str(told.value) == str(told_async.value)
    with pytest.raises(litellm.BadRequestError, match=name):
        litellm.Router([{"model_name": "m", "litellm_params": {"model": "mock/echo"}}])


@pytest.mark.parametrize("name", ["max_budget", "pre_call_rules", "cache"])
def test_one_that_is_empty(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """It promises nothing."""
    for value in (None, 0, []):
        set_to(monkeypatch, name, value)
        assert litellm.completion("mock/echo", HI).choices[0].message.content == "hi"
    assert caplog.messages == []


def test_what_does_no_harm(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The call is made, and the log says once what it is made without."""
    _settings._warn_of.cache_clear()
    for name in ("cache", "modify_params"):
        set_to(monkeypatch, name, True)
    for _ in range(3):
        assert litellm.completion("mock/echo", HI).choices[0].message.content == "hi"
    assert sorted(caplog.messages) == [
        "litellm.cache is not supported by this release", "litellm.modify_params is not supported by this release",
    ]  # fmt: skip


def test_the_gateway_judges_alike() -> None:
    """What stops the SDK stops the gateway, and what is warned of in one is not refused in the other."""
    assert known.REFUSED["litellm_settings"] >= _settings.REFUSED
    assert not known.REFUSED["litellm_settings"] & _settings.IGNORED
    assert not (_settings.REFUSED | _settings.IGNORED) & litellm.__annotations__.keys(), "these are settings of ours"
