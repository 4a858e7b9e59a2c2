"""The layers of a call that code of the user's stands on the way of. Without such code they are not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from pydantic import BaseModel

from litellm import _json
from litellm.engine.call import Answer, Call, Hooks, Opened
from litellm.engine.present import answer_class, built
from litellm.engine.retries import Attempt
from litellm.net.steps import Flow
from litellm.providers.target import Target
from litellm.types.params import is_ours
from litellm.wire.protocol import Body

# What hooks are shown besides the body, and what is not sent.
_ALWAYS = frozenset({"model", "stream", "user_api_key_dict"})
_SHOWN = frozenset({"metadata", "litellm_call_id", "model_info"})


def rerouting(call: Call, onward: Callable[[Call], Flow[Answer | Opened]]) -> Flow[Answer | Opened]:
    """`onward`, once it is known what the call is to ask for."""
    reroute, call.reroute = call.reroute, None
    if reroute is not None:
        yield from reroute(call)
    return (yield from onward(call))


def hooked(
    call: Call, target: Target, remaining: float | None, attempt: Attempt, hooks: Hooks
) -> Flow[Answer | Opened]:
    """A try by way of the hooks before and after it. A whole answer is as they leave it; its usage is the upstream's."""
    if call.group:  # else nobody has listed deployments
        yield from hooks.check(_entry(call, target), is_async=call.is_async)
    kwargs = kwargs_of(call, target)
    changed = yield from hooks.before(kwargs, call.operation, is_async=call.is_async)
    if changed is not None:
        kwargs = changed
        call = msgspec.structs.replace(call, body=_body_of(call, changed))
    answer = yield from attempt(call, target, remaining)
    if isinstance(answer, Answer) and hooks.edits_answers:
        data = answer.data if answer.raw is None else _json.decode(answer.raw)
        response = data if isinstance(data, BaseModel) else built(answer_class(call.operation), data, answer)
        answer.data = yield from hooks.after(kwargs, response, call.operation, is_async=call.is_async)
        answer.raw = None
    return answer


def kwargs_of(call: Call, target: Target | None = None) -> dict[str, Any]:
    """What is asked, as hooks get it: the body, and what else there is to know. target: where it is sent, once that is
    known."""
    kwargs = {"metadata": call.metadata, "litellm_call_id": call.id, **call.body}
    if "user_api_key_dict" in call.about:  # who calls the gateway
        kwargs["user_api_key_dict"] = call.about["user_api_key_dict"]
    kwargs |= {"model": call.model if target is None else target.model, "stream": call.stream}
    if target is not None and target.id:
        kwargs["model_info"] = _entry(call, target)["model_info"]
    return kwargs


def _body_of(call: Call, kwargs: Body) -> Body:
    """What of `kwargs` is sent: not what was only there to see, and no word that would steer us."""
    return {
        name: value
        for name, value in kwargs.items()
        if name not in _ALWAYS and (name in call.body or not (name in _SHOWN or is_ours(name)))
    }


def _entry(call: Call, target: Target) -> dict[str, Any]:
    """A deployment as it stands in a model_list, with its id."""
    params = dict(target.params)
    info = params.pop("model_info", None) or {}
    return {
        "model_name": target.group or call.group,
        "litellm_params": params,
        "model_info": {**info, "id": target.id},
    }
