"""The one reader of `litellm.*` settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from litellm._log import log, turn_on
from litellm._numbers import truthy
from litellm.engine.watchers import Observe
from litellm.exceptions import BadRequestError
from litellm.net.sealed import Sealed
from litellm.providers.target import Defaults

if TYPE_CHECKING:
    from litellm.hooks.observers import Callbacks

RETRIES = 2

# LiteLLM's settings that do nothing here, as in proxy/config/known.py. Without those of the first kind money would be
# spent, checks left out, or requests sent elsewhere; so there is no call with them.
REFUSED = frozenset({"max_budget", "post_call_rules", "pre_call_rules", "use_litellm_proxy"})
IGNORED = frozenset({
    "AZURE_DEFAULT_API_VERSION", "add_function_to_prompt", "anthropic_key", "api_version", "azure_key", "cache",
    "cohere_key", "content_policy_fallbacks", "context_window_fallbacks", "default_fallbacks",
    "disable_stop_sequence_limit", "enable_json_schema_validation", "groq_key", "log_raw_request_response",
    "modify_params", "redact_messages_in_exceptions", "redact_user_api_key_info", "return_response_headers",
    "service_callback", "vertex_location", "vertex_project",
})  # fmt: skip
UNSUPPORTED = REFUSED | IGNORED


class Settings(Sealed, msgspec.Struct, frozen=True):
    """The module settings as they are at one moment."""

    defaults: Defaults
    drop_params: bool
    num_retries: int
    request_timeout: Any
    headers: Mapping[str, str]
    model_alias_map: Mapping[str, str]
    fallbacks: list[Any] | None
    ssl_verify: Any
    ssl_certificate: str | None
    force_ipv4: bool
    observe: Observe | None


def read_settings() -> Settings:
    """Read them, from the module and from LITELLM_DROP_PARAMS. Raises BadRequestError for what is unsafe to ignore."""
    now = vars(sys.modules["litellm"])
    if not now.keys().isdisjoint(UNSUPPORTED):
        _check(now)
    if now["set_verbose"]:
        turn_on()
    entries, drop = now["custom_provider_map"], now["drop_params"] or os.environ.get("LITELLM_DROP_PARAMS")
    handlers = {entry["provider"]: entry["custom_handler"] for entry in entries} if entries else {}
    retries = now["num_retries"]
    return Settings(
        defaults=Defaults(now["api_key"], now["openai_key"], now["api_base"], now["organization"], handlers),
        drop_params=bool(drop) and truthy(drop),
        num_retries=RETRIES if retries is None else retries,
        request_timeout=now["request_timeout"],
        headers=now["headers"] or {},
        model_alias_map=now["model_alias_map"],
        fallbacks=now["fallbacks"],
        ssl_verify=now["ssl_verify"],
        ssl_certificate=now["ssl_certificate"],
        force_ipv4=now["force_ipv4"],
        observe=_observers(now),
    )


def _check(now: Mapping[str, Any]) -> None:
    """Say what is set to no effect."""
    for name in sorted(name for name in UNSUPPORTED if now.get(name)):
        if name in REFUSED:
            raise BadRequestError(f"litellm.{name} is not supported by this release: leave it unset", param=name)
        _warn_of(name)


@cache
def _warn_of(name: str) -> None:
    log.warning("litellm.%s is not supported by this release", name)


def _observers(now: Mapping[str, Any]) -> Observe | None:
    """The callbacks; None if there are none, which then costs nothing."""
    lists = {
        "input_callback": now["input_callback"],
        "success_callback": now["success_callback"],
        "failure_callback": now["failure_callback"],
        "callbacks": now["callbacks"],
    }
    if not any(lists.values()):
        return None
    return _callbacks().snapshot(**lists, turn_off_message_logging=truthy(now["turn_off_message_logging"]))


@cache
def _callbacks() -> Callbacks:
    from litellm.hooks.dispatch import default_dispatcher
    from litellm.hooks.observers import Callbacks

    return Callbacks(default_dispatcher(), lenient=True)
