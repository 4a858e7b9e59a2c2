"""A Router's words are declared once; the signature, the config file, the models and clients' configurations follow."""

from __future__ import annotations

import inspect

import pytest

from litellm import Router
from litellm.proxy.config.schema import LitellmSettings, RouterSettings
from litellm.router.settings import RoutingSettings
from litellm.router.user_config import UserConfig
from litellm.types.params import OWNED
from litellm.types.router import RouterConfig, UpdateRouterConfig
from litellm.types.router_words import (
    DeploymentDefaultParams,
    FailoverParams,
    RouterParams,
    RoutingParams,
    words_of,
)

ROUTING = words_of(RoutingParams)


def test_all_who_take_them_take_the_same():
    """Each has besides what is its own alone."""
    defaults = words_of(DeploymentDefaultParams).keys()
    assert set(inspect.signature(Router).parameters) == {"model_list", *words_of(RouterParams)}
    assert set(RouterSettings.model_fields) == {"optional_pre_call_checks", *ROUTING, *defaults}
    assert set(UpdateRouterConfig.model_fields) == ROUTING.keys()
    assert set(RouterConfig.model_fields) == {"model_list", "set_verbose", *ROUTING, *defaults}
    assert words_of(FailoverParams).keys() <= set(LitellmSettings.model_fields)


def test_defaults_are_those_that_are_declared():
    shown = inspect.signature(Router).parameters
    for name, word in ROUTING.items():
        assert shown[name].default == word.default
        if word.default is not None:
            assert RouterSettings.model_fields[name].default == word.default
            assert getattr(UserConfig(model_list=[]), name, word.default) == word.default


def test_what_strangers_may_say_is_said_word_by_word():
    """A new word is none of theirs until somebody decides so."""
    assert set(UserConfig.__struct_fields__) == {
        "model_list", "num_retries", "fallbacks", "context_window_fallbacks", "content_policy_fallbacks",
        "default_fallbacks", "allowed_fails", "cooldown_time", "routing_strategy", "routing_strategy_args", "timeout",
        "stream_timeout", "retry_after", "retry_policy", "max_fallbacks", "allowed_fails_policy", "disable_cooldowns",
        "enable_pre_call_checks", "enable_tag_filtering", "tag_filtering_match_any", "model_group_alias",
    }  # fmt: skip


def test_what_a_call_may_say_too_is_never_sent_upstream():
    assert {name for name, word in ROUTING.items() if word.in_calls} <= OWNED


def test_another_word_is_refused():
    with pytest.raises(TypeError, match="no_such_word"):
        RoutingSettings.of(no_such_word=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="no_such_word"):
        Router(no_such_word=1)  # type: ignore[call-arg]
