"""The one reader of `litellm.*` settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from litellm import _log
from litellm.engine.call import Observe
from litellm.net.sealed import Sealed
from litellm.providers.policy import truthy
from litellm.providers.target import Defaults

if TYPE_CHECKING:
    from litellm.hooks.observers import Callbacks

RETRIES = 2


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
    """Read them, from the module and from LITELLM_DROP_PARAMS."""
    now = vars(sys.modules["litellm"])
    if now["set_verbose"]:
        _log.turn_on()
    handlers = {entry["provider"]: entry["custom_handler"] for entry in now["custom_provider_map"]}
    drop = now["drop_params"] or os.environ.get("LITELLM_DROP_PARAMS", "")
    retries = now["num_retries"]
    return Settings(
        defaults=Defaults(now["api_key"], now["openai_key"], now["api_base"], now["organization"], handlers),
        drop_params=truthy(drop),
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


def _observers(now: Mapping[str, Any]) -> Observe | None:
    """Who is to be told; None if nobody is, which then costs nothing."""
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
