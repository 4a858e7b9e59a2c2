"""The one reader of `litellm.*` settings: keyword arguments and settings in, a Call out."""

from __future__ import annotations

import logging
import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec

from litellm import _log
from litellm.engine.call import NO_FALLBACKS, Call, Choice, Fallbacks, MakeCall, Observe
from litellm.engine.client import Client
from litellm.engine.retry_policy import Retry
from litellm.exceptions import BadRequestError, LiteLLMError
from litellm.net.guarded import Guarded
from litellm.net.messages import Timeouts
from litellm.net.tls import DIRECT, Network
from litellm.providers.policy import KEEP_ALL, Policy, truthy
from litellm.providers.resolve import resolve_or_say_why, split_model
from litellm.providers.target import Defaults, Mock, Place, Target
from litellm.router.fallbacks import FALLBACKS, asked_for, of_request
from litellm.sdk.response_format import as_json_schema
from litellm.types.params import ACCESS, is_ours
from litellm.wire.protocol import Operation

if TYPE_CHECKING:
    from litellm.hooks.observers import Callbacks

RETRIES = 2
_NAMING_FALLBACKS = frozenset({*FALLBACKS, "context_window_fallback_dict"})
_FIRST_ONLY = _NAMING_FALLBACKS | {"deployment_id"}  # not for what is called instead
_DEFAULT_TIMEOUTS = Timeouts()
SUBJECTS: Mapping[Operation, str] = {
    "chat": "messages", "text": "prompt", "embeddings": "input", "moderations": "input"
}  # fmt: skip
TOLD = ("no-log", "tags", "litellm_trace_id", "litellm_session_id", "litellm_metadata", "model_info")


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


@cache
def default_client() -> Client:
    """The Client behind the module functions, made on the first call."""
    level = os.environ.get("LITELLM_LOG", "").upper()
    if level in ("DEBUG", "INFO", "WARNING", "ERROR"):
        _log.turn_on(getattr(logging, level))
    return Client()


def make_call(
    model: str,
    subject: Any,
    stream: bool | None,
    params: Mapping[str, Any],
    operation: Operation = "chat",
    *,
    is_async: bool = False,
) -> Call:
    """The call that completion(model, messages, stream=…, **params) means. Nothing that was passed is modified.

    subject: what the operation is about: messages, a prompt, an input. Raises BadRequestError and its kind for what
    cannot be sent, AuthenticationError for a key that is missing.
    """
    settings = read_settings()
    body: dict[str, Any] = {SUBJECTS[operation]: [] if subject is None and operation == "chat" else subject}
    control: dict[str, Any] = {}
    for name, value in params.items():
        if value is None:
            continue
        if is_ours(name):
            control[name] = value
        else:
            body[name] = value
    check_subject(operation, body, model)
    if isinstance(body.get("response_format"), type):
        body["response_format"] = as_json_schema(body["response_format"])
    extra_body = control.get("extra_body")
    if extra_body:
        body |= {name: value for name, value in extra_body.items() if name != "model"}
    options = body.get("stream_options")
    wants_usage = bool(stream) and isinstance(options, dict) and bool(options.get("include_usage"))
    target = _target(settings.model_alias_map.get(model, model), operation, control, settings)
    choice = Choice(target)
    retries = retries_of(control.get("num_retries", control.get("max_retries", settings.num_retries)), model)
    return Call(
        model=model,
        body=body,
        choose=lambda _tried: choice,
        operation=operation,
        stream=bool(stream),
        ask_usage=wants_usage or (bool(stream) and settings.observe is not None),  # callbacks are told what it cost
        show_usage=wants_usage,
        timeouts=timeouts_of(control, model, streamed=bool(stream), default=settings.request_timeout),
        retry=Retry(retries),
        fallbacks=_fallbacks(model, subject, stream, params, operation, control, settings),
        mock=mock_of(control),
        policy=policy_of(control, settings),
        metadata=control.get("metadata") or {},
        id=control.get("litellm_call_id") or (str(uuid.uuid4()) if settings.observe else ""),
        observe=settings.observe,
        is_async=is_async,
        about={name: control[name] for name in TOLD if name in control} if settings.observe else {},
    )


def retries_of(value: Any, model: str) -> int:
    """A number of retries that a call asks for. Raises BadRequestError."""
    try:
        return max(0, int(value))
    except (TypeError, ValueError):
        raise BadRequestError(
            f"num_retries must be a whole number, not {value!r}", model, param="num_retries"
        ) from None


def check_subject(operation: Operation, body: Mapping[str, Any], model: str) -> None:
    """Raise BadRequestError if what the operation is about is missing, or cannot be it."""
    name = SUBJECTS[operation]
    if operation == "chat" and not isinstance(body[name], list | tuple):
        raise BadRequestError(f"messages must be a list of dicts, not {type(body[name]).__name__}", model=model)
    if body[name] is None:
        raise BadRequestError(f"{name} is missing", model=model, param=name)


def _target(model: str, operation: Operation, control: Mapping[str, Any], settings: Settings) -> Target:
    deployment = control.get("deployment_id")  # LiteLLM's word for a model of Azure's
    place = Place(
        model=deployment or model,
        custom_llm_provider="azure" if deployment else control.get("custom_llm_provider"),
        api_base=control.get("base_url") or control.get("api_base"),
        api_key=control.get("api_key"),
        api_version=control.get("api_version"),
        organization=control.get("organization"),
        extra_headers={**settings.headers, **control.get("headers", {}), **control.get("extra_headers", {})},
        network=_network(control, settings),
        operation=operation,
        supports_system_message=truthy(control.get("supports_system_message", True)),
        params=_params(control),
    )
    if control.keys() & {"mock_response", "mock_tool_calls", "mock_timeout"}:
        place = msgspec.structs.replace(place, api_key=place.api_key or "mock")
    return resolve_or_say_why(place, settings.defaults)  # raised when it is this one's turn: there may be fallbacks


def _params(control: Mapping[str, Any]) -> dict[str, Any]:
    """All that was said, for handlers and for providers that have words of their own."""
    params = {name: value for name, value in control.items() if name not in ("mock_response", "fallbacks", "metadata")}
    token = control.get("azure_ad_token_provider")
    if callable(token) and not control.get("api_key"):
        params.setdefault("azure_ad_token", token())  # tokens expire: it is asked for each call
    return params


def _network(control: Mapping[str, Any], settings: Settings) -> Network:
    verify = control.get("ssl_verify", settings.ssl_verify)
    certificate = control.get("ssl_certificate", settings.ssl_certificate)
    said = verify is not None or certificate is not None or settings.force_ipv4
    if not said and "SSL_VERIFY" not in os.environ and "SSL_CERTIFICATE" not in os.environ:
        return DIRECT
    return Network.of(verify, certificate, settings.force_ipv4)


def policy_of(control: Mapping[str, Any], settings: Settings) -> Policy:
    """What to drop of the parameters, and what to send anyway."""
    drop = control.get("drop_params", settings.drop_params)
    additional, allowed = control.get("additional_drop_params"), control.get("allowed_openai_params")
    if not drop and not additional and not allowed:
        return KEEP_ALL
    return Policy(truthy(drop), _names(additional), _names(allowed))


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def timeouts_of(control: Mapping[str, Any], model: str, *, streamed: bool, default: Any = None) -> Timeouts:
    """The clocks that a call asks for; default: its `timeout` where it says nothing."""
    timeout = control.get("timeout", default)
    stream_timeout = control.get("stream_timeout") if streamed else None
    if timeout is None and stream_timeout is None:
        return _DEFAULT_TIMEOUTS
    try:
        return Timeouts.of(timeout, stream_timeout)
    except ValueError as error:
        raise BadRequestError(str(error), model=model, param="timeout") from None


def mock_of(control: Mapping[str, Any]) -> Mock | None:
    """The answer that a call brings itself, if it does."""
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
    subject: Any,
    stream: bool | None,
    params: Mapping[str, Any],
    operation: Operation,
    control: Mapping[str, Any],
    settings: Settings,
) -> Fallbacks:
    if not settings.fallbacks and _NAMING_FALLBACKS.isdisjoint(control):
        return NO_FALLBACKS
    own = own_fallbacks({"fallbacks": settings.fallbacks, **control}, model)
    plans = {name: () if entries is None else asked_for(entries, model) for name, entries in own.items()}
    bigger = (control.get("context_window_fallback_dict") or {}).get(model)
    if bigger is not None:
        plans["context_window_fallbacks"] = (bigger,)
    if not any(plans.values()):
        return NO_FALLBACKS
    once = {name: value for name, value in params.items() if name not in _FIRST_ONLY}

    def instead(fallback: str | Mapping[str, Any]) -> MakeCall:
        override = {"model": fallback} if isinstance(fallback, str) else dict(fallback)
        other = override.pop("model", model)
        kept = once if _same_provider(model, other, control, settings) else _without_access(once)
        return partial(_make_fallback, other, subject, stream, {**kept, **override}, operation)

    general, longer, milder = (tuple(map(instead, plans[name])) for name in FALLBACKS)
    return Fallbacks(general=general, context_window=longer, content_policy=milder)


def own_fallbacks(control: Mapping[str, Any], model: str) -> dict[str, Sequence[Any] | None]:
    """The three kinds of fallbacks that a call brings; None for those that it does not. Raises BadRequestError."""
    own = {}
    for name in FALLBACKS:
        try:
            own[name] = of_request(name, control.get(name))
        except ValueError as error:
            raise BadRequestError(str(error), model, param=name) from None
    return own


def _make_fallback(
    model: str, subject: Any, stream: bool | None, params: Mapping[str, Any], operation: Operation
) -> Call:
    call = make_call(model, subject, stream, params, operation)
    call.fallbacks = NO_FALLBACKS  # also not those of the module settings: nothing falls back twice
    return call


def _without_access(params: Mapping[str, Any]) -> dict[str, Any]:
    """A key, an address, a header belong to the provider they were passed for; another one never sees them."""
    return {name: value for name, value in params.items() if name not in ACCESS}


def _same_provider(model: str, other: str, control: Mapping[str, Any], settings: Settings) -> bool:
    base, handlers = control.get("base_url") or control.get("api_base"), settings.defaults.handlers
    try:
        mine = split_model(model, control.get("custom_llm_provider"), base, handlers)[0]
        return split_model(other, None, base, handlers)[0].name == mine.name
    except LiteLLMError:
        return False
