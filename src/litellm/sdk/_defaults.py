"""The one reader of `litellm.*` settings: keyword arguments and settings in, a Call out."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import msgspec

from litellm import _log
from litellm.engine.call import NO_FALLBACKS, Call, Fallbacks, MakeCall
from litellm.engine.client import Client
from litellm.engine.retries import Retry
from litellm.exceptions import AuthenticationError, BadRequestError, LiteLLMError
from litellm.net.guarded import Guarded
from litellm.net.messages import Timeouts
from litellm.net.tls import DIRECT, Network
from litellm.providers.policy import KEEP_ALL, Policy, truthy
from litellm.providers.resolve import Defaults, Mock, Place, Target, resolve, split_model
from litellm.sdk.response_format import as_json_schema
from litellm.types.params import OWNED

RETRIES = 2
_CREDENTIALS = ("api_key", "api_base", "base_url", "api_version", "organization", "custom_llm_provider")
_DEFAULT_TIMEOUTS = Timeouts()


class Settings(Guarded, msgspec.Struct, frozen=True):
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
    )


@cache
def default_client() -> Client:
    """The Client behind the module functions, made on the first call."""
    level = os.environ.get("LITELLM_LOG", "").upper()
    if level in ("DEBUG", "INFO", "WARNING", "ERROR"):
        _log.turn_on(getattr(logging, level))
    return Client()


def make_call(model: str, messages: list[Any] | None, stream: bool | None, params: Mapping[str, Any]) -> Call:
    """The call that completion(model, messages, stream=…, **params) means. Nothing that was passed is modified.

    Raises BadRequestError and its kind for what cannot be sent, AuthenticationError for a key that is missing.
    """
    settings = read_settings()
    body: dict[str, Any] = {"messages": [] if messages is None else messages}
    control: dict[str, Any] = {}
    for name, value in params.items():
        if value is None:
            continue
        if name in OWNED:
            control[name] = value
        else:
            body[name] = value
    if not isinstance(body["messages"], list | tuple):
        raise BadRequestError(f"messages must be a list of dicts, not {type(messages).__name__}", model=model)
    if isinstance(body.get("response_format"), type):
        body["response_format"] = as_json_schema(body["response_format"])
    extra_body = control.get("extra_body")
    if extra_body:
        body |= {name: value for name, value in extra_body.items() if name != "model"}
    options = body.get("stream_options")
    wants_usage = bool(stream) and isinstance(options, dict) and bool(options.get("include_usage"))
    target = _target(settings.model_alias_map.get(model, model), control, settings)
    retries = _retries(control.get("num_retries", control.get("max_retries", settings.num_retries)), model)
    return Call(
        model=model,
        body=body,
        choose=lambda _tried: target,
        stream=bool(stream),
        ask_usage=wants_usage,
        show_usage=wants_usage,
        timeouts=_timeouts(control, settings, model, streamed=bool(stream)),
        retry=Retry(retries),
        fallbacks=_fallbacks(model, messages, stream, params, control, settings),
        mock=_mock(control),
        policy=_policy(control, settings),
        metadata=control.get("metadata") or {},
        id=control.get("litellm_call_id") or "",
    )


def _retries(value: Any, model: str) -> int:
    try:
        return max(0, int(value))
    except (TypeError, ValueError):
        raise BadRequestError(
            f"num_retries must be a whole number, not {value!r}", model, param="num_retries"
        ) from None


def _target(model: str, control: Mapping[str, Any], settings: Settings) -> Target:
    place = Place(
        model=model,
        custom_llm_provider=control.get("custom_llm_provider"),
        api_base=control.get("base_url") or control.get("api_base"),
        api_key=control.get("api_key"),
        organization=control.get("organization"),
        extra_headers={**settings.headers, **control.get("headers", {}), **control.get("extra_headers", {})},
        network=_network(control, settings),
        supports_system_message=truthy(control.get("supports_system_message", True)),
        params={
            name: value for name, value in control.items() if name not in ("mock_response", "fallbacks", "metadata")
        },
    )
    if control.keys() & {"mock_response", "mock_tool_calls", "mock_timeout"}:
        place = msgspec.structs.replace(place, api_key=place.api_key or "mock")
    try:
        return resolve(place, settings.defaults)
    except AuthenticationError as error:  # raised when it is this one's turn: there may be fallbacks
        provider = split_model(model, place.custom_llm_provider, place.api_base, settings.defaults.handlers)[0]
        return Target(provider=provider, model=model, unusable=error)


def _network(control: Mapping[str, Any], settings: Settings) -> Network:
    verify = control.get("ssl_verify", settings.ssl_verify)
    certificate = control.get("ssl_certificate", settings.ssl_certificate)
    said = verify is not None or certificate is not None or settings.force_ipv4
    if not said and "SSL_VERIFY" not in os.environ and "SSL_CERTIFICATE" not in os.environ:
        return DIRECT
    return Network.of(verify, certificate, settings.force_ipv4)


def _policy(control: Mapping[str, Any], settings: Settings) -> Policy:
    drop = control.get("drop_params", settings.drop_params)
    additional, allowed = control.get("additional_drop_params"), control.get("allowed_openai_params")
    if not drop and not additional and not allowed:
        return KEEP_ALL
    return Policy(truthy(drop), _names(additional), _names(allowed))


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _timeouts(control: Mapping[str, Any], settings: Settings, model: str, *, streamed: bool) -> Timeouts:
    timeout = control.get("timeout", settings.request_timeout)
    stream_timeout = control.get("stream_timeout") if streamed else None
    if timeout is None and stream_timeout is None:
        return _DEFAULT_TIMEOUTS
    try:
        return Timeouts.of(timeout, stream_timeout)
    except ValueError as error:
        raise BadRequestError(str(error), model=model, param="timeout") from None


def _mock(control: Mapping[str, Any]) -> Mock | None:
    if not control.keys() & {"mock_response", "mock_tool_calls", "mock_timeout", "mock_delay"}:
        return None
    if "mock_response" not in control and "mock_tool_calls" not in control and not control.get("mock_timeout"):
        return None  # mock_delay alone belongs to the provider mock/
    return Mock(
        response=control.get("mock_response"),
        tool_calls=control.get("mock_tool_calls"),
        timeout=truthy(control.get("mock_timeout")),
        delay=float(control.get("mock_delay") or 0.0),
    )


def _fallbacks(
    model: str,
    messages: list[Any] | None,
    stream: bool | None,
    params: Mapping[str, Any],
    control: Mapping[str, Any],
    settings: Settings,
) -> Fallbacks:
    general = control.get("fallbacks", settings.fallbacks) or ()
    bigger = (control.get("context_window_fallback_dict") or {}).get(model)
    if not general and bigger is None:
        return NO_FALLBACKS
    once = {name: value for name, value in params.items() if name not in ("fallbacks", "context_window_fallback_dict")}

    def instead(fallback: str | Mapping[str, Any]) -> MakeCall:
        override = {"model": fallback} if isinstance(fallback, str) else dict(fallback)
        other = override.pop("model", model)
        kept = once if _same_provider(model, other, control, settings) else _without_credentials(once)
        return partial(_make_fallback, other, messages, stream, {**kept, **override})

    plans = tuple(instead(fallback) for fallback in general)
    return Fallbacks(general=plans, context_window=() if bigger is None else (instead(bigger),))


def _make_fallback(model: str, messages: list[Any] | None, stream: bool | None, params: Mapping[str, Any]) -> Call:
    call = make_call(model, messages, stream, params)
    call.fallbacks = NO_FALLBACKS  # also not those of the module settings: nothing falls back twice
    return call


def _without_credentials(params: Mapping[str, Any]) -> dict[str, Any]:
    """A key and an address belong to the provider they were passed for; another one never sees them."""
    return {name: value for name, value in params.items() if name not in _CREDENTIALS}


def _same_provider(model: str, other: str, control: Mapping[str, Any], settings: Settings) -> bool:
    base, handlers = control.get("base_url") or control.get("api_base"), settings.defaults.handlers
    try:
        mine = split_model(model, control.get("custom_llm_provider"), base, handlers)[0]
        return split_model(other, None, base, handlers)[0].name == mine.name
    except LiteLLMError:
        return False
