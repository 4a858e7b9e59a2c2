"""How a handler's methods are called: which one, with what, and what their exceptions mean."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from litellm.engine.call import Call
from litellm.engine.faults import error_text, transport_error, wrong_shape
from litellm.engine.present import answer_class
from litellm.exceptions import InternalServerError, LiteLLMError, of_status
from litellm.net.faults import TransportFault
from litellm.net.messages import Timeouts
from litellm.net.steps import Ask
from litellm.providers import policy as params_policy
from litellm.providers.custom import CustomLLM, implemented
from litellm.providers.target import Target
from litellm.wire.protocol import WrongShape


def handler_of(target: Target) -> Any:
    """The user's own code behind a target that has some."""
    return target.backend.handler  # type: ignore[union-attr]  # by which whoever asks was picked


def ask_either(handler: Any, name: str, arguments: dict[str, Any], seconds: float) -> Ask:
    """Ask the method `name` or its asynchronous sibling, whichever the handler has; the transport takes the one that fits
    it, if both are there."""
    async_name = f"a{name}"
    sync_fn = partial(_call, getattr(handler, name), arguments) if implemented(handler, name) else None
    async_fn = None
    if implemented(handler, async_name):
        method = getattr(handler, async_name)
        if async_name == "astreaming" and not inspect.iscoroutinefunction(method):
            async_fn = _immediately(partial(_call, method, arguments))  # an async generator function: calling is enough
        else:
            async_fn = partial(_acall, method, arguments)
    if sync_fn is None and async_fn is None:
        sync_fn = partial(_call, getattr(CustomLLM(), name), arguments)
    return Ask(sync_fn, async_fn, (), seconds)


def _immediately(function: Callable[[], Any]) -> Callable[[], Any]:
    async def call() -> Any:
        return function()

    return call


def _call(method: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    return method(**_accepted(method, arguments))


async def _acall(method: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    result = method(**_accepted(method, arguments))
    return await result if inspect.isawaitable(result) else result


def _accepted(method: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """All arguments, or those that the method names when it has no **kwargs."""
    names = _parameters(getattr(method, "__func__", method))
    return arguments if names is None else {name: value for name, value in arguments.items() if name in names}


@lru_cache(maxsize=256)
def _parameters(function: Callable[..., Any]) -> frozenset[str] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)


def awaiting(awaitable: Any) -> Callable[[], Any]:
    async def wait() -> Any:
        return await awaitable

    return wait


class SilentLogging:
    """What handlers get as `logging_obj`: LiteLLM's has these methods, and handlers written for it call them."""

    def __init__(self, model: str, call_id: str) -> None:
        self.model = model
        self.litellm_call_id = call_id
        self.model_call_details: dict[str, Any] = {}

    def pre_call(self, *_: Any, **__: Any) -> None:
        """Nothing to do: logging happens around the handler."""

    def post_call(self, *_: Any, **__: Any) -> None:
        """Nothing to do: logging happens around the handler."""


def arguments_for(call: Call, target: Target, timeouts: Timeouts) -> dict[str, Any]:
    """LiteLLM's keyword arguments for a handler. `litellm_params` has every key of the deployment's YAML."""
    # Copies: a handler may scribble on what it is given.
    body = copy.deepcopy(params_policy.with_defaults(target.defaults, call.body))
    body = params_policy.apply(target.policy.joined(call.policy), (), body, target.provider.name, target.model)
    for edit in target.edits:
        body = edit(body)
    subject = call.operation.subject.name
    response = answer_class(call.operation).read({"model": target.model})
    if call.stream:
        body["stream"] = True
    params: Mapping[str, Any] = {
        **copied(target.params), "metadata": copy.deepcopy(dict(call.metadata)),
        "api_base": target.api_base, "api_key": target.api_key,
        "custom_llm_provider": target.provider.name, "litellm_call_id": call.id,
    }  # fmt: skip
    return {
        "model": target.model, subject: body.pop(subject, []), "api_base": target.api_base, "custom_prompt_dict": {},
        "model_response": response, "print_verbose": _silently, "encoding": None,
        "api_key": target.api_key, "logging_obj": SilentLogging(target.model, call.id), "optional_params": body,
        "acompletion": None, "litellm_params": params, "logger_fn": None, "headers": dict(target.headers),
        "timeout": timeouts.total, "client": None,
    }  # fmt: skip


def copied(params: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of what a deployment's entry says, in which only what cannot be copied, such as an SSLContext, is shared."""
    copies: dict[str, Any] = {}
    for name, value in params.items():
        try:
            copies[name] = copy.deepcopy(value)
        except TypeError:
            copies[name] = value
    return copies


def _silently(*_: Any, **__: Any) -> None:
    pass


def as_litellm_error(error: Exception, target: Target) -> LiteLLMError:
    if isinstance(error, LiteLLMError):
        return error
    if isinstance(error, TransportFault):
        return transport_error(error, target)
    provider = target.provider.name
    status = getattr(error, "status_code", None)
    text = error_text(target, str(getattr(error, "message", None) or repr(error)))
    if isinstance(status, int) and 400 <= status < 600:
        return of_status(status, text, provider, target.model)
    if isinstance(error, TimeoutError):
        return of_status(408, text, provider, target.model)
    return InternalServerError(text, provider, target.model)


def wrong_kind(target: Target, name: str, got: Any, wanted: str) -> LiteLLMError:
    text = f"{type(handler_of(target)).__name__}.{name}/a{name} gave {type(got).__name__}, but must give {wanted}"
    return wrong_shape(WrongShape(text), target, {})
