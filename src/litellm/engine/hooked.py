"""The layers in which user hooks run inline. Without such hooks they are not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from litellm import _json
from litellm.engine.call import Answer, Call
from litellm.engine.opened import Opened
from litellm.engine.present import answer_class, build_object, set_answer
from litellm.engine.retries import Attempt
from litellm.engine.route import Route
from litellm.engine.watchers import Hooks, Watchers
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow
from litellm.providers.target import Target
from litellm.types.params import is_ours
from litellm.wire.protocol import Body

# What hooks are shown besides the body, and what is not sent.
_ADDED = frozenset({"model", "stream", "user_api_key_dict"})
_EXTRA = frozenset({"metadata", "litellm_call_id", "model_info"})


def rerouting(
    call: Call,
    route: Route,
    watchers: Watchers,
    hooks: Hooks,
    call_next: Callable[[Call, Route], Flow[Answer | Opened]],
) -> Flow[Answer | Opened]:
    """`call_next`, once hooks have said what the call is to ask for."""
    if route.rerouted is not None:
        model, messages = yield from hooks.route(call.model, kwargs_of(call, watchers.about))
        if model != call.model or messages is not None:
            body = call.body if messages is None else {**call.body, "messages": messages}
            call = msgspec.structs.replace(call, model=model, body=body)
            route = route.rerouted(call)
    return (yield from call_next(call, route))


def hooked(
    call: Call, target: Target, timeouts: Timeouts, attempt: Attempt, hooks: Hooks, watchers: Watchers, *, listed: bool
) -> Flow[Answer | Opened]:
    """A try by way of the hooks before and after it. A whole answer is as they leave it; its usage is the upstream's.

    listed: whether the target is a deployment of a model_list, which hooks have to permit.
    """
    if listed:
        yield from hooks.check(_entry(call, target), is_async=call.is_async)
    kwargs = kwargs_of(call, watchers.about, target)
    changed = yield from hooks.before(kwargs, call.operation, is_async=call.is_async)
    if changed is not None:
        kwargs = changed
        call = msgspec.structs.replace(call, body=_body_of(call, changed))
    answer = yield from attempt(call, target, timeouts)
    if isinstance(answer, Answer) and hooks.edits_answers:
        response = answer.native
        if response is None:
            data = answer.data if answer.raw is None else _json.decode(answer.raw)
            response = build_object(answer_class(call.operation), data, answer)
        set_answer(answer, (yield from hooks.after(kwargs, response, call.operation, is_async=call.is_async)))
    return answer


def kwargs_of(call: Call, about: Mapping[str, Any] = {}, target: Target | None = None) -> dict[str, Any]:
    """What is asked, as hooks get it: the body, and what else there is to know. about: see Watchers. target: where it is
    sent, once that is known."""
    kwargs = {"metadata": call.metadata, "litellm_call_id": call.id, **call.body}
    if "user_api_key_dict" in about:  # who calls the gateway
        kwargs["user_api_key_dict"] = about["user_api_key_dict"]
    kwargs |= {"model": call.model if target is None else target.model, "stream": call.stream}
    if target is not None and target.id:
        kwargs["model_info"] = _entry(call, target)["model_info"]
    return kwargs


def _body_of(call: Call, kwargs: Body) -> Body:
    """What of `kwargs` is sent: not what was only there to see, and no word that would steer us."""
    return {
        name: value
        for name, value in kwargs.items()
        if name not in _ADDED and (name in call.body or not (name in _EXTRA or is_ours(name)))
    }


def _entry(call: Call, target: Target) -> dict[str, Any]:
    """A deployment as it stands in a model_list, with its id."""
    params = dict(target.params)
    info = params.pop("model_info", None) or {}
    return {
        "model_name": target.group or call.model,
        "litellm_params": params,
        "model_info": {**info, "id": target.id},
    }
