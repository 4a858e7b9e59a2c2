"""From a Router method's keyword arguments to a Call and its Route: what make_call is for the module functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from litellm.engine.call import Answer, Call
from litellm.engine.opened import UNUSED, Opened
from litellm.engine.retry_policy import Retry
from litellm.engine.route import Choice, FallbackKind, MakePlan, Plan, Route
from litellm.engine.watchers import Watchers
from litellm.exceptions import (
    ContentPolicyViolationError,
    ContextWindowExceededError,
    InternalServerError,
    LiteLLMError,
    RateLimitError,
)
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow
from litellm.operations import CHAT, Operation
from litellm.providers.target import Target
from litellm.router.choosing import RoutingContext, RoutingOptions
from litellm.router.fallbacks import FALLBACKS
from litellm.router.pool import Group
from litellm.router.regions import region_of_call
from litellm.router.routing import Routing
from litellm.router.tags import tags_of
from litellm.sdk._patched import stand_in
from litellm.sdk._present import present
from litellm.sdk._settings import RETRIES, Settings, read_settings
from litellm.sdk._words import call_fallbacks, call_of, retries_of, split_params, timeouts_of, watchers_of
from litellm.types.params import ACCESS

# LiteLLM's switches to see one's fallbacks work: the error that the first group fails with.
TESTING: Mapping[str, type[LiteLLMError]] = {
    "mock_testing_fallbacks": InternalServerError,
    "mock_testing_context_fallbacks": ContextWindowExceededError,
    "mock_testing_content_policy_fallbacks": ContentPolicyViolationError,
    "mock_testing_rate_limit_error": RateLimitError,
}
NO_ACCESS: Mapping[str, Any] = {}
_STEERING = frozenset(TESTING) | {"priority", "specific_deployment", "request_timeout"}


def routed_plan(
    routing: Routing,
    words: Mapping[str, Any],
    model: str,
    subject: Any,
    stream: bool | None,
    params: Mapping[str, Any],
    operation: Operation = CHAT,
    *,
    is_async: bool = False,
) -> Plan:
    """The call that Router.completion(model, messages, …) means, and its way between deployments.

    words: the Router's own settings, where they were said; the module's count for those that were not. Raises
    BadRequestError for a model that is not served, and for what cannot be sent.
    """
    settings = read_settings()
    body, control = split_params(params, besides=_STEERING)
    access = {name: control[name] for name in ACCESS & control.keys()}
    call = call_of(model, subject, stream, body, control, operation, settings, is_async=is_async)
    retarget = call.retarget or stand_in(operation, is_async=is_async)
    call = msgspec.structs.replace(call, retries=_retries(control, model), retarget=retarget)
    options = options_of(routing, model, control, access)
    defaults = _defaults(words, settings, model, streamed=call.stream)
    if defaults:
        options = msgspec.structs.replace(options, **defaults)
    watchers = None if settings.observe is None else watchers_of(control, settings.observe)
    route: Route = routing.route(call, _group(routing, model, options, watchers), options, watchers)
    for name in TESTING.keys() & params.keys():
        if params[name]:
            route = _Failing(route, TESTING[name], model)
    return Plan(call, route, watchers)


def _retries(control: Mapping[str, Any], model: str) -> int | None:
    retries = control.get("num_retries", control.get("max_retries"))
    return None if retries is None else retries_of(retries, model)


def _defaults(words: Mapping[str, Any], settings: Settings, model: str, *, streamed: bool) -> dict[str, Any]:
    """Retries and timeouts from the module's settings, where the Router was given none. words: what it was given."""
    defaults: dict[str, Any] = {}
    if "num_retries" not in words and settings.num_retries != RETRIES:
        defaults["retries"] = settings.num_retries
    if "timeout" not in words and settings.request_timeout is not None:
        stated = {"timeout": settings.request_timeout, "stream_timeout": words.get("stream_timeout")}
        defaults["timeouts"] = timeouts_of(stated, model, streamed=streamed)
    return defaults


def _group(routing: Routing, model: str, options: RoutingOptions, watchers: Watchers | None) -> Group:
    """The group that the call is for. Hooks may know what is meant by a name that is not served: then it is empty."""
    hooks = None if watchers is None else watchers.observe.hooks
    if hooks is not None and hooks.routes:
        return routing.seek(model, options) or Group.empty(model)
    return routing.find(model, options)


def options_of(
    routing: Routing, model: str, control: Mapping[str, Any], access: Mapping[str, Any] = NO_ACCESS
) -> RoutingOptions:
    """What a call says about its way between deployments. access: the key and the like that it brings."""
    fallbacks = call_fallbacks(control, model)
    return RoutingOptions(
        tags=tags_of(control.get("metadata") or {}, control.get("tags")),
        region=region_of_call(control.get("allowed_model_region"), model),
        fallbacks=fallbacks["fallbacks"],
        context_window_fallbacks=fallbacks["context_window_fallbacks"],
        content_policy_fallbacks=fallbacks["content_policy_fallbacks"],
        disable_fallbacks=bool(control.get("disable_fallbacks")),
        adapt=routing.adapter(access) if access and routing.adapter is not None else None,
    )


class _Failing:
    """A route whose first group fails, to see its fallbacks work."""

    def __init__(self, route: Route, kind: type[LiteLLMError], model: str) -> None:
        self._route = route
        self._kind = kind
        self._model = model
        self.group = route.group
        self.timeouts: Timeouts = route.timeouts
        self.retry: Retry = route.retry
        self.falls_back = route.falls_back
        self.rerouted = route.rerouted
        self.consult: Callable[[], Flow[None] | None] = route.consult
        self.fallbacks: Callable[[FallbackKind], Sequence[MakePlan]] = route.fallbacks

    def choose(self, tried: Sequence[Target]) -> Choice:  # noqa: ARG002 - there is none
        known = next(filter(None, map(self.fallbacks, FALLBACKS)), ())
        raise self._kind(
            message=f"This is a mock exception for model={self._model}, to trigger a fallback; "
            f"it has {len(known)} fallbacks",
            model=self._model,
            llm_provider="",
        )


def context_of(
    routing: Routing, model: str, messages: list[Any] | None, subject: Any, words: Mapping[str, Any]
) -> RoutingContext:
    """What a deployment is chosen by for a request that is not made. words: what else it says, such as tags."""
    body, control = split_params(words)
    body |= {"messages": messages} if subject is None else {"input": subject}
    observe = read_settings().observe
    call = Call(model=model, body=body, metadata=control.get("metadata") or {})
    watchers = None if observe is None else Watchers(observe)
    return RoutingContext(call, routing.find(model), options_of(routing, model, control), watchers)


def available(routing: Routing, context: RoutingContext) -> dict[str, Any]:
    """The entry of the deployment that it would go to now. Nothing is reserved."""
    choice = routing.chooser.choose(context, ())
    choice.settle(UNUSED)
    return next(each.entry() for each in context.group.members if each.id == choice.target.id)


def presented(call: Call, result: Answer | Opened, io: Any, started: float) -> Any:
    """The object for an answer or a stream, which says which group gave it. started: time.monotonic()."""
    answer = present(call, result, io, started)
    if result.origin is not None:
        answer._hidden_params["additional_headers"]["x-litellm-model-group"] = result.origin.group  # noqa: SLF001 - our own
    return answer
