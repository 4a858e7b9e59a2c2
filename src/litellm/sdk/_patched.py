"""Patched functions in the place of litellm.completion and the like, as instrumentation and tests put them there. A
Router calls them for each try, as LiteLLM's does; what they raise is retried. They see every try but those of
mock_response, and no text completions or moderations.

They get the words of the deployment's entry and of the call, as arguments of completion(…); should they call our own
function, it works out the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import msgspec

from litellm.engine.call import Call, Retarget
from litellm.engine.handler_calls import copied
from litellm.net.messages import Timeouts
from litellm.operations import Operation, load
from litellm.providers.backend import Handler, Scripted
from litellm.providers.target import Target
from litellm.types.params import is_ours

# For one try, which the Router tells its callbacks of.
_ONCE: Mapping[str, Any] = {"num_retries": 0, "fallbacks": [], "no-log": True}


def stand_in(operation: Operation, *, is_async: bool) -> Retarget | None:
    """What makes a target of what stands in the place of our function; None if that is our function."""
    if not operation.handler:
        return None
    ours = load(_spelled(operation.sdk, is_async=is_async))
    function = vars(sys.modules["litellm"]).get(ours.__name__, ours)
    return None if function is ours else partial(_asking, function)


def _spelled(name: str, *, is_async: bool) -> str:
    """A function's name, or that of its asynchronous sibling; with its module, if that stands before it."""
    module, colon, function = name.rpartition(":")
    return f"{module}{colon}{'a' if is_async else ''}{function}"


def _asking(function: Callable[..., Any], call: Call, target: Target, timeouts: Timeouts) -> Target:
    """`target` with a handler that calls `function`, unless it is mocked. Should our own be called in the end, that edits
    the body."""
    if isinstance(target.backend, Scripted) and target.backend.mock is not None:
        return target
    words = _words(call, target, timeouts)

    def ask(**arguments: Any) -> Any:
        return function(**_arguments(words, call, **arguments))

    async def aask(**arguments: Any) -> Any:
        return await function(**_arguments(words, call, **arguments))

    names = [_spelled(name, is_async=call.is_async) for name in call.operation.handler]
    handler = SimpleNamespace(**dict.fromkeys(names, aask if call.is_async else ask))
    return msgspec.structs.replace(target, backend=Handler(handler), edits=(), others={})


def _words(call: Call, target: Target, timeouts: Timeouts) -> dict[str, Any]:
    """What steers the try. Of the entry's extra_body, the target's defaults know."""
    words = {name: value for name, value in copied(target.params).items() if name == "model" or is_ours(name)}
    words.pop("extra_body", None)
    policy = target.policy.joined(call.policy)
    if policy.drop_params:
        words["drop_params"] = True
    if policy.additional_drop_params:
        words["additional_drop_params"] = list(policy.additional_drop_params)
    if policy.allowed_openai_params:
        words["allowed_openai_params"] = list(policy.allowed_openai_params)
    if call.stream and timeouts.first_byte != timeouts.total:
        words["stream_timeout"] = timeouts.first_byte
    if call.id:
        words["litellm_call_id"] = call.id
    return words


def _arguments(
    words: Mapping[str, Any],
    call: Call,
    *,
    optional_params: Mapping[str, Any],
    litellm_params: Mapping[str, Any],
    timeout: float,
    **arguments: Any,
) -> dict[str, Any]:
    """A handler's arguments as those of completion(…)."""
    subject: dict[str, Any] = {name: arguments[name] for name in (call.operation.subject.name,) if name in arguments}
    fields = {name: value for name, value in optional_params.items() if value is not None and not is_ours(name)}
    others = {name: value for name, value in optional_params.items() if name not in fields}  # of an extra_body
    if call.stream and call.ask_usage:
        options = fields.get("stream_options")
        fields["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    if others:
        fields["extra_body"] = others
    return {**subject, **fields, **words, "metadata": litellm_params["metadata"], "timeout": timeout, **_ONCE}
