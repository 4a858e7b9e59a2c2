"""From a request's bytes to a Call. Here a client's words are sorted: what OpenAI and upstreams understand stays in the
body; a short list may steer the call; what belongs to the administrator is refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from litellm import _json
from litellm.engine.backends.scripted import mocked
from litellm.engine.budget import Budget
from litellm.engine.call import Call
from litellm.engine.route import Plan
from litellm.engine.watchers import Watchers
from litellm.exceptions import AuthenticationError, LiteLLMError
from litellm.net.messages import Timeouts
from litellm.operations import Operation
from litellm.providers.backend import Mock
from litellm.providers.resolve import resolve
from litellm.providers.table import BY_NAME
from litellm.providers.target import EndpointSpec, Target
from litellm.proxy.auth.authenticator import Caller
from litellm.proxy.calls.multi_model import MultiModelRequest, at_once, names_in
from litellm.proxy.calls.overrides import NO_OVERRIDES, Overrides, read_overrides, timeouts_of
from litellm.proxy.errors import RequestError, missing, wrong_type
from litellm.proxy.hooks.hook_data import request_info
from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy
from litellm.router.choosing import NO_OPTIONS, RoutingOptions
from litellm.router.deployments import Deployment
from litellm.router.fallbacks import FALLBACKS, name_of, targets_in
from litellm.router.pool import Group
from litellm.router.regions import Region
from litellm.router.routing import Routing
from litellm.router.tags import tags_of
from litellm.wire.dialects import client_dialect
from litellm.wire.protocol import Unsuitable

SHORT = 16 << 10  # bytes of a body of which any number of copies that there may be is no burden
LONGEST = 4096  # characters of a model's name: names are remembered, and repeated in headers


def plan(
    proxy: Proxy, caller: Caller, operation: Operation, http: Exchange, body: dict[str, Any], answer: str | None = None
) -> Plan | MultiModelRequest:
    """The call that a request asks for, and its way; several, if it names several models. `body` is taken apart.

    answer: what a hook says in place of a model, in the shape of a model's answer.

    Raises RequestError 400 that says what is wrong with it, 403 for a model that the caller may not use.
    """
    try:
        body = client_dialect(operation.dialect).accept(body)
    except Unsuitable as unsuitable:
        raise RequestError(400, str(unsuitable)) from None
    overrides = read_overrides(body, http.headers)
    model = _model(proxy, operation, body.pop("model", None), http.params.get("model"))
    _check_subject(operation, body)
    stream = body.pop("stream", None) if operation.streams else None
    if stream is not None and not isinstance(stream, bool):
        raise wrong_type("stream", "true or false", stream)
    request = _Request(
        proxy, caller, operation, http, body, bool(stream), overrides, _routing(proxy, caller, overrides), answer,
        Budget() if len(http.body) < SHORT else Budget(at_once=at_once(http.body)),
    )  # fmt: skip
    if operation.many_models and "," in model and not request.routing.pool.lists(model):
        return _each(request, model)
    return _one(request, model, http.call_id)


class _Request(msgspec.Struct, frozen=True):
    """A request as it was read, before its group is known."""

    proxy: Proxy
    caller: Caller
    operation: Operation
    http: Exchange
    body: dict[str, Any]
    stream: bool
    overrides: Overrides
    routing: Routing
    answer: str | None
    budget: Budget

    @property
    def has_user_config(self) -> bool:
        """Whether deployments are chosen by the client's configuration, and not by the server's."""
        return self.routing is not self.proxy.routing


def _routing(proxy: Proxy, caller: Caller, overrides: Overrides) -> Routing:
    """Who chooses between deployments: the server's own, or the one that the client has configured for itself."""
    config = overrides.credentials.user_config
    if config is None:
        return proxy.routing
    proxy.credentials_policy.permit_user_config()
    if caller.region is not None:
        raise RequestError(
            403, f"This key may only use the region {caller.region!r}, which nobody can vouch for in a user_config",
            param="user_config", kind="key_model_access_denied",
        )  # fmt: skip
    return proxy.user_configs.routing(caller.key_hash, config)


def _one(request: _Request, model: str, call_id: str) -> Plan:
    """The call to the group `model`, and its way."""
    call = _call(request, model, call_id)
    if request.has_user_config:
        options = _options(request)
        return _routed(request, call, _group_of_user_config(request.routing, model, options), options)
    requested = request.proxy.completion_model or model  # `litellm --model` answers to every name
    if not request.caller.may_ask(requested, request.routing.pool):
        raise RequestError(
            403, f"This key may not use the model {requested[:200]!r}", param="model", kind="key_model_access_denied"
        )
    group = request.routing.pool.find(requested)
    if request.overrides is not NO_OVERRIDES and request.overrides.credentials:
        return _with_credentials(request, call, group, requested)
    if group is None and request.operation.default_provider:
        group = default_group(request.operation, requested)
    options = _options(request)
    group = group or request.routing.seek(requested, options)
    if group is None:
        raise unknown_model(requested, request.operation)
    return _routed(request, call, group, options)


def _routed(request: _Request, call: Call, group: Group, options: RoutingOptions) -> Plan:
    watchers = _watchers(request)
    return Plan(call, request.routing.route(call, group, options, watchers), watchers)


def _watchers(request: _Request) -> Watchers | None:
    observe = request.proxy.observe
    if observe is None:
        return None
    return Watchers(observe, request_info(request.http, request.caller, request.body, request.overrides.for_callbacks))


def _group_of_user_config(routing: Routing, model: str, options: RoutingOptions) -> Group:
    """The group of the client's own configuration."""
    group = routing.seek(model, options)
    if group is None:
        names = ", ".join(routing.pool.names())[:500]
        raise RequestError(400, f"model={model[:200]} is not in the user_config, which has {names}", param="model")
    return group


def _with_credentials(request: _Request, call: Call, group: Group | None, requested: str) -> Plan:
    """A call with the client's own credentials: to the group, on the client's account, or to where the client says."""
    credentials_policy, overrides, options = request.proxy.credentials_policy, request.overrides, _options(request)

    def with_credentials(deployment: Deployment) -> Target:
        return credentials_policy.target(overrides.credentials, requested, deployment.target, request.operation)

    if options.region is not None and overrides.credentials.api_base is not None:
        raise RequestError(
            400, f"nobody knows whether this api_base is in the region {options.region!r}, which the call is held to by "
            "its allowed_model_region or its key's", param="api_base",
        )  # fmt: skip
    if group is None:
        group = Group.of(
            requested, credentials_policy.target(overrides.credentials, requested, None, request.operation)
        )
    else:
        options = msgspec.structs.replace(options, adapt=with_credentials, same_address=True)
    # The server's own fallbacks would be on the server's account: only those that the client names are taken.
    named = {kind: getattr(overrides, kind) or () for kind in FALLBACKS}
    return _routed(request, call, group, msgspec.structs.replace(options, **named))


def _each(request: _Request, model: str) -> MultiModelRequest:
    """A plan for each of the names. One that cannot be asked leaves the others be."""
    plans: dict[int, Plan] = {}
    refused: dict[int, Exception] = {}
    for index, name in enumerate(names_in(model, stream=request.stream)):
        try:
            each = msgspec.structs.replace(request, body=dict(request.body))
            plans[index] = _one(each, name, f"{request.http.call_id}-{index}")
        except (RequestError, LiteLLMError) as error:
            refused[index] = error.with_traceback(None)  # which leads here, where it would keep itself
    return MultiModelRequest(plans, refused, request.budget.at_once, request.overrides.fastest)


def _model(proxy: Proxy, operation: Operation, sent: Any, named: str | None) -> str:
    """The name asked for: the path's, the body's, or the one that answers everything. "" leaves it to the upstream."""
    model = named or sent
    if model is None:
        model = proxy.completion_model
    if model is None and operation.model_optional:
        model = ""
    if model is None:
        raise missing(operation, "model", 'name one, as in {"model": "my-model", …}')
    if not isinstance(model, str):
        raise wrong_type("model", "a string", model)
    if len(model) > LONGEST:
        raise RequestError(400, f"model must not be longer than {LONGEST} characters", param="model")
    return model


def _check_subject(operation: Operation, body: dict[str, Any]) -> None:
    """Raise RequestError 400 for a body that lacks what its operation is about, or has it in another shape."""
    subject = operation.subject
    name = subject.name
    if name not in body:
        raise missing(operation, name, subject.advice)
    if not isinstance(body[name], subject.types):
        raise wrong_type(name, subject.words, body[name])
    for item in body[name] if subject.item else ():
        if type(item) is not dict:
            raise RequestError(400, subject.item, param=name)


def default_group(operation: Operation, model: str) -> Group | None:
    """The operation's default provider for a model that is not configured, where the server has a key for it."""
    spec = EndpointSpec(model=model, custom_llm_provider=operation.default_provider, operation=operation)
    try:
        return Group.of(model, resolve(spec))
    except AuthenticationError:
        if model:
            return None
        key = BY_NAME[operation.default_provider].key[0]
        advice = f"name one of the server's configuration; to do without, set {key} in the server's environment"
        raise missing(operation, "model", advice) from None


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object in a body, or RequestError 400 with line and column."""
    try:
        body = _json.decode(data)
    except _json.UNREADABLE as error:
        if not data.strip():
            raise RequestError(400, "The request has no body; send a JSON object", param="request_body") from None
        where = _json.position(data, error)
        reason = str(error).partition(" (byte")[0]
        raise RequestError(
            400, f"Invalid JSON payload: {reason}{f' at {where}' if where else ''}", param="request_body"
        ) from None
    if not isinstance(body, dict):
        raise wrong_type("request body", "a JSON object", body)
    return body


def unknown_model(model: str, operation: Operation) -> RequestError:
    """Nobody serves `model`, in LiteLLM's words."""
    return RequestError(
        400,
        f"{operation.path}: Invalid model name passed in model={model[:200]}. Call `/v1/models` to view available "
        "models for your key.",
        param="model",
    )


def _call(request: _Request, model: str, call_id: str) -> Call:
    overrides, proxy = request.overrides, request.proxy
    show_usage = False
    if request.stream:
        options = request.body.get("stream_options")
        show_usage = isinstance(options, dict) and options.get("include_usage") is True
    edited = request.answer is not None or (proxy.hooks is not None and proxy.hooks.sees_answers)
    return Call(
        model=model,
        body=request.body,
        operation=request.operation,
        stream=request.stream,
        relay="" if edited else request.operation.dialect,
        retarget=None if request.answer is None else partial(mocked, Mock(request.answer)),
        ask_usage=request.stream,
        show_usage=show_usage,
        timeouts=None if overrides is NO_OVERRIDES else _timeouts(request),
        retries=overrides.retries,
        policy=overrides.policy,
        metadata=overrides.metadata,
        id=call_id,
        is_async=True,
        budget=request.budget,
    )


def _timeouts(request: _Request) -> Timeouts | None:
    overrides = request.overrides
    stream_timeout = overrides.stream_timeout if request.stream else None
    if overrides.timeout is None and stream_timeout is None:
        return None
    return timeouts_of(overrides.timeout, stream_timeout)


def _options(request: _Request) -> RoutingOptions:
    """What the client says about its way between deployments."""
    overrides, caller = request.overrides, request.caller
    if overrides is NO_OVERRIDES and not caller.models and caller.region is None:
        return NO_OPTIONS
    may_use = caller.may_use if caller.models and not request.has_user_config else None
    region = _region(request)
    named = {kind: getattr(overrides, kind) for kind in FALLBACKS}
    for entries in named.values():
        for target in targets_in(entries or ()):
            name = name_of(target)
            if name is not None and request.routing.pool.find(name) is None:
                raise unknown_model(name, request.operation)
    return RoutingOptions(
        tags=tags_of(overrides.metadata, overrides.for_callbacks.get("tags")),
        region=region,
        disable_fallbacks=overrides.disable_fallbacks,
        may_use=may_use,
        **named,
    )


def _region(request: _Request) -> Region | None:
    """Where the call must stay: where the caller is held to, or else where the request says."""
    wanted, required = request.overrides.region, request.caller.region
    if required is not None and wanted not in (None, required):
        raise RequestError(
            403,
            f"This key may only use the region {required!r}",
            param="allowed_model_region",
            kind="key_model_access_denied",
        )
    return required or wanted
