"""From the arguments of completion(…) and its like to a Call and its Route: what _router_call is for Router."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from traceback import clear_frames
from typing import Any

import msgspec

from litellm import _log
from litellm._bounded import Bounded
from litellm._credentials import names_credential
from litellm._numbers import truthy
from litellm.engine.client import Client
from litellm.engine.retry_policy import Retry
from litellm.engine.route import FallbackKind, FixedRoute, MakePlan, Plan
from litellm.exceptions import LiteLLMError
from litellm.net.messages import Timeouts
from litellm.net.network import DIRECT, Network
from litellm.net.sealed import Sealed
from litellm.operations import CHAT, Operation
from litellm.providers.backend import Unusable
from litellm.providers.names import split_model
from litellm.providers.resolve import resolve_or_unusable
from litellm.providers.target import Defaults, EndpointSpec, Target
from litellm.router.fallbacks import FALLBACKS, request_fallbacks
from litellm.sdk._settings import Settings, read_settings
from litellm.sdk._words import call_fallbacks, call_of, retries_of, split_params, watchers_of
from litellm.types.params import ACCESS, OWNED

_NO_TIMEOUT = Timeouts()
_NO_PLANS: dict[FallbackKind, Sequence[MakePlan]] = {}
_NAMING_FALLBACKS = frozenset({*FALLBACKS, "context_window_fallback_dict"})
_FIRST_ONLY = _NAMING_FALLBACKS | {"deployment_id"}  # not for what is called instead
# Words beside which a target is remembered: those that it is made of, and those that are no secrets, which it has not to
# know of. A credential of another kind (aws_secret_access_key) belongs to its call alone.
_REMEMBERED_WITH = ACCESS | {name for name in OWNED if not names_credential(name)}
MAX_RESOLVED = 64
_RESOLVED: Bounded[tuple[str, Operation, str | None], _Resolved] = Bounded(MAX_RESOLVED)


@cache
def default_client() -> Client:
    """The Client behind the module functions, made on the first call."""
    level = os.environ.get("LITELLM_LOG", "").upper()
    if level in ("DEBUG", "INFO", "WARNING", "ERROR"):
        _log.turn_on(getattr(logging, level))
    return Client()


def make_call(
    model: str, subject: Any, stream: bool | None, params: dict[str, Any], operation: Operation = CHAT, **how: bool
) -> Plan:
    """The call that completion(model, messages, stream=…, **params) means, and its way.

    subject: what the operation is about: messages, a prompt, an input. params: emptied, since they are a local variable of
    the caller, and have keys in them that tools show with tracebacks. how: see _made. Raises BadRequestError and its
    kind for what cannot be sent, AuthenticationError for a key that is missing.
    """
    try:
        return _made(model, subject, stream, dict(params), operation, **how)
    except Exception as error:
        clear_frames(error.__traceback__)
        raise
    finally:
        params.clear()


def _made(
    model: str,
    subject: Any,
    stream: bool | None,
    params: Mapping[str, Any],
    operation: Operation,
    *,
    is_async: bool = False,
    falls_back: bool = True,
) -> Plan:
    settings = read_settings()
    body, control = split_params(params)
    call = call_of(model, subject, stream, body, control, operation, settings, is_async=is_async)
    target = _target(settings.model_alias_map.get(model, model), operation, control, settings)
    retries = retries_of(control.get("num_retries", control.get("max_retries", settings.num_retries)), model)
    timeouts = _NO_TIMEOUT if settings.request_timeout is None else Timeouts.of(settings.request_timeout)
    plans = _fallbacks(model, subject, stream, params, operation, control, settings) if falls_back else _NO_PLANS
    route = FixedRoute(target=target, retry=Retry(retries), timeouts=timeouts, plans=plans, falls_back=bool(plans))
    return Plan(call, route, None if settings.observe is None else watchers_of(control, settings.observe))


def _target(model: str, operation: Operation, control: Mapping[str, Any], settings: Settings) -> Target:
    """Where the call goes. Raises BadRequestError; for a key that is missing, the target does, when it is called."""
    words = _params(control)
    spec = _spec(model, operation, control, settings)
    if not words.keys() <= _REMEMBERED_WITH:
        return resolve_or_unusable(msgspec.structs.replace(spec, params=words), settings.defaults)
    return msgspec.structs.replace(_resolved(spec, settings.defaults), params=words, others={})


def _spec(model: str, operation: Operation, control: Mapping[str, Any], settings: Settings) -> EndpointSpec:
    deployment = control.get("deployment_id")  # LiteLLM's word for a model of Azure's
    spec = EndpointSpec(
        model=deployment or model,
        custom_llm_provider="azure" if deployment else control.get("custom_llm_provider"),
        api_base=control.get("base_url") or control.get("api_base"),
        api_key=control.get("api_key"),
        api_version=control.get("api_version"),
        organization=control.get("organization"),
        extra_headers={**settings.headers, **control.get("headers", {}), **control.get("extra_headers", {})},
        network=_network(control, settings),
        operation=operation,
        supports_system_message="supports_system_message" not in control or truthy(control["supports_system_message"]),
        params={name: control[name] for name in ACCESS & control.keys()},
    )
    if control.keys() & {"mock_response", "mock_tool_calls", "mock_timeout"}:
        spec = msgspec.structs.replace(spec, api_key=spec.api_key or "mock")
    return spec


class _Resolved(Sealed, msgspec.Struct, frozen=True):
    """A target, and all that it was made of. variables: the environment's that were read; values: theirs."""

    spec: EndpointSpec
    defaults: Defaults
    variables: tuple[str, ...]
    values: list[str | None]
    target: Target

    def is_current(self, spec: EndpointSpec, defaults: Defaults) -> bool:
        """Whether the same would be made of these now."""
        same = self.spec == spec and self.defaults == defaults
        return same and [*map(os.environ.get, self.variables)] == self.values


class _Environment(Mapping[str, str]):
    """The environment. read: what was asked for, and what it was."""

    def __init__(self) -> None:
        self.read: dict[str, str | None] = {}

    def __getitem__(self, name: str) -> str:
        value = self.read[name] = os.environ.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


def _resolved(spec: EndpointSpec, defaults: Defaults) -> Target:
    """The target for `spec`, made anew when anything has changed that it is made of.

    A model at an address is remembered with the one key that was used there last.
    """
    name = (spec.model, spec.operation, spec.api_base)
    known = _RESOLVED.get(name)
    if known is not None and known.is_current(spec, defaults):
        return known.target
    environ = _Environment()
    target = resolve_or_unusable(msgspec.structs.replace(spec, environ=environ), defaults)
    if not isinstance(target.backend, Unusable):
        _RESOLVED[name] = _Resolved(spec, defaults, tuple(environ.read), [*environ.read.values()], target)
    return target


def _params(control: Mapping[str, Any]) -> dict[str, Any]:
    """All that was said, for handlers and for providers that have words of their own."""
    return {name: value for name, value in control.items() if name not in ("mock_response", "fallbacks", "metadata")}


def _network(control: Mapping[str, Any], settings: Settings) -> Network:
    verify = control.get("ssl_verify", settings.ssl_verify)
    certificate = control.get("ssl_certificate", settings.ssl_certificate)
    customised = verify is not None or certificate is not None or settings.force_ipv4
    if not customised and "SSL_VERIFY" not in os.environ and "SSL_CERTIFICATE" not in os.environ:
        return DIRECT
    return Network.of(verify, certificate, settings.force_ipv4)


def _fallbacks(
    model: str,
    subject: Any,
    stream: bool | None,
    params: Mapping[str, Any],
    operation: Operation,
    control: Mapping[str, Any],
    settings: Settings,
) -> dict[FallbackKind, Sequence[MakePlan]]:
    if not settings.fallbacks and _NAMING_FALLBACKS.isdisjoint(control):
        return _NO_PLANS
    requested = call_fallbacks({"fallbacks": settings.fallbacks, **control}, model)
    plans = {name: () if entries is None else request_fallbacks(entries, model) for name, entries in requested.items()}
    bigger = (control.get("context_window_fallback_dict") or {}).get(model)
    if bigger is not None:
        plans["context_window_fallbacks"] = (bigger,)
    if not any(plans.values()):
        return _NO_PLANS
    once = {name: value for name, value in params.items() if name not in _FIRST_ONLY}

    def instead(fallback: str | Mapping[str, Any]) -> MakePlan:
        override = {"model": fallback} if isinstance(fallback, str) else dict(fallback)
        other = override.pop("model", model)
        kept = once if _same_provider(model, other, control, settings) else _without_access(once)
        # Nothing falls back twice, also not by the module settings.
        return lambda: make_call(other, subject, stream, {**kept, **override}, operation, falls_back=False)

    return {kind: tuple(map(instead, plans[kind])) for kind in FALLBACKS}


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
