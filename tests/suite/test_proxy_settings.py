"""C9: settings of the SDK that the gateway's configuration has too, and what it makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.upstream import Upstream
from tests.suite.doors import ProxyRaw
from tests.suite.inprocess import ServedProxy, deployment
from tests.unit.router.world import targets_of

from litellm.proxy.config import ConfigError, load_config

SETTINGS = {"headers": {"X-Team": "blue", "X-Kind": "all"}, "organization": "org-of-all", "force_ipv4": True}


def test_for_all_deployments(up: Upstream) -> None:
    """litellm_settings are what a deployment has where it says nothing itself."""
    place = {"api_base": up.base, "api_key": "sk-k"}
    models = [
        deployment("m", "openai/m", **place),
        deployment("own", "openai/m", organization="org-own", extra_headers={"X-Kind": "own"}, **place),
    ]
    with ServedProxy({"model_list": models, "litellm_settings": SETTINGS}) as proxy:
        networks = {
            target.network.ipv4_only for name in ("m", "own") for target in targets_of(proxy.state.routing.find(name))
        }
        for name in ("m", "own"):
            ProxyRaw(proxy).chat(model=name)
    told = [[seen.headers[name] for name in ("x-team", "x-kind", "openai-organization")] for seen in up.requests]
    assert told == [["blue", "all", "org-of-all"], ["blue", "own", "org-own"]]
    assert networks == {True}


@pytest.mark.parametrize(
    ("checks", "refused"),
    [("[enforce_model_rate_limits]", None), ("[]", None), ("[prompt_caching]", 0),
     ("[enforce_model_rate_limits, router_budget_limiting]", 1)],
)  # fmt: skip
def test_checks_before_a_call(tmp_path: Path, checks: str, refused: int | None) -> None:
    """F4: that rpm and tpm are limits is always so; what would keep callers away from deployments is not left out."""
    file = tmp_path / "config.yaml"
    file.write_text(f"router_settings:\n  optional_pre_call_checks: {checks}\n", encoding="utf-8")
    if refused is None:
        assert load_config(file, environ={}).warnings == ()
        return
    with pytest.raises(ConfigError) as raised:
        load_config(file, environ={})
    (problem,) = raised.value.problems
    assert (problem.line, problem.path) == (2, f"router_settings.optional_pre_call_checks.{refused}")
    assert problem.what.startswith("not supported in this release, and unsafe to ignore")
