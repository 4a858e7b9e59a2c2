"""Router's vocabulary, read once into values. Nothing after this knows how LiteLLM spells its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, Unpack

import msgspec

from litellm._numbers import parse_int, parse_number
from litellm.engine.retry_policy import Limits as RetryLimits
from litellm.engine.retry_policy import Retry, limits_of
from litellm.net.messages import Timeouts
from litellm.router.cooldown import Cooldown
from litellm.router.fallbacks import FallbackTable, table_of
from litellm.router.strategies import SIMPLE, Strategy, strategy_named
from litellm.types.router_words import RoutingParams, words_of

RETRIES = 2
MAX_FALLBACKS = 5  # how deep fallbacks of fallbacks are followed

ROUTING_WORDS = words_of(RoutingParams)
Aliases = Mapping[str, tuple[str, bool]]
T = TypeVar("T")


class RoutingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a Router behaves. aliases: name → (group, hidden). by_group: model_group_retry_policy."""

    strategy: Strategy = strategy_named(SIMPLE)
    retry: Retry = Retry(RETRIES)
    by_group: Mapping[str, RetryLimits] = {}
    timeouts: Timeouts = Timeouts()
    stream_timeouts: Timeouts = Timeouts()
    fallbacks: FallbackTable = {}
    context_window_fallbacks: FallbackTable = {}
    content_policy_fallbacks: FallbackTable = {}
    default_fallbacks: Sequence[Any] = ()
    max_fallbacks: int = MAX_FALLBACKS
    aliases: Aliases = {}
    cooldown: Cooldown = Cooldown()
    pre_call_checks: bool = False
    tag_filtering: bool = False
    tags_match_any: bool = True

    @classmethod
    def of(cls, **words: Unpack[RoutingParams]) -> RoutingSettings:
        """Read LiteLLM's words; times in seconds. Raises ValueError that names what is wrong, TypeError for another word.

        >>> RoutingSettings.of(num_retries=1, fallbacks=[{"a": ["b"]}]).fallbacks
        {'a': ('b',)}
        """
        for name in words.keys() - ROUTING_WORDS.keys():
            raise TypeError(f"got an unexpected keyword argument {name!r}")
        strategy: Any = words.get("routing_strategy", SIMPLE)
        timeout = words.get("timeout")
        return cls(
            strategy=strategy_named(getattr(strategy, "value", strategy), words.get("routing_strategy_args") or {}),
            retry=Retry(
                _or(RETRIES, parse_int("num_retries", words.get("num_retries"))),
                floor=_or(0.0, parse_number("retry_after", words.get("retry_after"))),
                by_kind=limits_of(words.get("retry_policy")),
            ),
            by_group={
                group: limits_of(policy) for group, policy in (words.get("model_group_retry_policy") or {}).items()
            },
            timeouts=Timeouts.of(timeout),
            stream_timeouts=Timeouts.of(timeout, words.get("stream_timeout")),
            fallbacks=table_of("fallbacks", words.get("fallbacks")),
            context_window_fallbacks=table_of("context_window_fallbacks", words.get("context_window_fallbacks")),
            content_policy_fallbacks=table_of("content_policy_fallbacks", words.get("content_policy_fallbacks")),
            default_fallbacks=tuple(words.get("default_fallbacks") or ()),
            max_fallbacks=_or(MAX_FALLBACKS, parse_int("max_fallbacks", words.get("max_fallbacks"))),
            aliases=dict(map(_alias, (words.get("model_group_alias") or {}).items())),
            cooldown=Cooldown.of(
                words.get("cooldown_time"), words.get("allowed_fails"), words.get("allowed_fails_policy"),
                disabled=bool(words.get("disable_cooldowns")),
            ),
            pre_call_checks=bool(words.get("enable_pre_call_checks")),
            tag_filtering=bool(words.get("enable_tag_filtering")),
            tags_match_any=bool(words.get("tag_filtering_match_any", True)),
        )  # fmt: skip

    def retry_for(self, group: str, *, spared: Iterable[type[Exception]] = ()) -> Retry:
        """How often calls to `group` are tried again. spared: errors that a fallback is better for."""
        by_kind = self.by_group.get(group, self.retry.by_kind)
        if by_kind:
            by_kind = (*((kind, 0) for kind in spared), *by_kind)
        if by_kind is self.retry.by_kind:
            return self.retry
        return msgspec.structs.replace(self.retry, by_kind=by_kind)


def _or(default: T, value: T | None) -> T:
    return default if value is None else value


def _alias(item: tuple[str, Any]) -> tuple[str, tuple[str, bool]]:
    name, meant = item
    if isinstance(meant, str):
        return name, (meant, False)
    return name, (meant["model"], bool(meant.get("hidden", False)))
