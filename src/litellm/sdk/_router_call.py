"""From a Router method's keyword arguments to a Call that has its way: what make_call is for the module functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from litellm.engine.call import Answer, Call, Choice, Opened
from litellm.exceptions import (
    ContentPolicyViolationError,
    ContextWindowExceededError,
    InternalServerError,
    LiteLLMError,
    RateLimitError,
)
from litellm.operations import CHAT, Operation
from litellm.providers.target import Target
from litellm.router.choosing import Steer
from litellm.router.pool import Group
from litellm.router.regions import region_of_call
from litellm.router.routing import Routing
from litellm.router.tags import tags_of
from litellm.sdk._patched import stand_in
from litellm.sdk._present import present
from litellm.sdk._settings import RETRIES, read_settings
from litellm.sdk._words import call_of, own_fallbacks, retries_of, sorted_words
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


def routed_call(
    routing: Routing,
    words: Mapping[str, Any],
    model: str,
    subject: Any,
    stream: bool | None,
    params: Mapping[str, Any],
    operation: Operation = CHAT,
    *,
    is_async: bool = False,
) -> Call:
    """The call that Router.completion(model, messages, …) means, with its deployments, retries and fallbacks.

    words: the Router's own settings, where they were said; the module's count for those that were not. Raises
    BadRequestError for a model that nobody serves, and for what cannot be sent.
    """
    settings = read_settings()
    body, control = sorted_words(params, besides=_STEERING)
    access = {name: control[name] for name in ACCESS & control.keys()}
    clocks = {name: words[name] for name in ("timeout", "stream_timeout") if name in words}
    call = call_of(model, subject, stream, body, clocks | control, operation, settings, is_async=is_async)
    call.own_timeouts = "timeout" in control or (call.stream and "stream_timeout" in control)
    call.stand_in = stand_in(operation, is_async=is_async)
    steer = steer_of(routing, model, control, access)
    group = _group(routing, model, steer, call)
    routing.route(call, group, steer)
    if call.own_retries is False and "num_retries" not in words and settings.num_retries != RETRIES:
        call.retry = msgspec.structs.replace(call.retry, limit=settings.num_retries)
    for name in TESTING.keys() & params.keys():
        if params[name]:
            call.choose = _failing(TESTING[name], model, call)
    return call


def _group(routing: Routing, model: str, steer: Steer, call: Call) -> Group:
    """Whom the call is for; nobody yet, where hooks may know what is meant by a name that is not served."""
    if call.hooks is not None and call.hooks.routes:
        return routing.seek(model, steer) or Group.nobody(model)
    return routing.find(model, steer)


def steer_of(routing: Routing, model: str, control: Mapping[str, Any], access: Mapping[str, Any] = NO_ACCESS) -> Steer:
    """What a call says about its way between deployments. access: the key and the like that it brings."""
    retries, own = control.get("num_retries", control.get("max_retries")), own_fallbacks(control, model)
    return Steer(
        tags=tags_of(control.get("metadata") or {}, control.get("tags")),
        region=region_of_call(control.get("allowed_model_region"), model),
        retries=None if retries is None else retries_of(retries, model),
        fallbacks=own["fallbacks"],
        context_window_fallbacks=own["context_window_fallbacks"],
        content_policy_fallbacks=own["content_policy_fallbacks"],
        disable_fallbacks=bool(control.get("disable_fallbacks")),
        adapt=routing.adapter(access) if access and routing.adapter is not None else None,
    )


def _failing(kind: type[LiteLLMError], model: str, call: Call) -> Any:
    def choose(_tried: Sequence[Target]) -> Choice:
        known = len(call.fallbacks.general or call.fallbacks.context_window or call.fallbacks.content_policy)
        raise kind(
            message=f"This is a mock exception for model={model}, to trigger a fallback; it has {known} fallbacks",
            model=model,
            llm_provider="",
        )

    return choose


def presented(call: Call, result: Answer | Opened, io: Any, started: float) -> Any:
    """The object for an answer or a stream, which says which group gave it. started: time.monotonic()."""
    answer = present(call, result, io, started)
    answer._hidden_params["additional_headers"]["x-litellm-model-group"] = result.target.group  # noqa: SLF001 - our own
    return answer
