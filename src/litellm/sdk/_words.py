"""The keyword arguments of a call: the body, the control words, and what these mean."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

from litellm._numbers import truthy
from litellm.engine.backends.scripted import mocked
from litellm.engine.call import Call
from litellm.engine.watchers import Observe, Watchers
from litellm.exceptions import BadRequestError
from litellm.net.messages import Timeouts
from litellm.operations import Operation, Subject
from litellm.providers.backend import Mock
from litellm.providers.policy import KEEP_ALL, Policy
from litellm.router.fallbacks import FALLBACKS, parse_request_fallbacks
from litellm.sdk._settings import Settings
from litellm.sdk.response_format import as_json_schema
from litellm.types.params import is_ours

_is_ours = lru_cache(maxsize=1024)(is_ours)  # of the few words that a program writes
_FOR_CALLBACKS = (
    "no-log", "tags", "litellm_trace_id", "litellm_session_id", "litellm_metadata", "model_info", "turn_off_message_logging"
)  # fmt: skip


def call_of(
    model: str,
    subject: Any,
    stream: bool | None,
    body: Mapping[str, Any],
    control: Mapping[str, Any],
    operation: Operation,
    settings: Settings,
    *,
    is_async: bool = False,
) -> Call:
    """The call that these words mean, which does not know yet where to go.

    subject: what the operation is about: messages, a prompt, an input. body, control: see `split_params`. Raises
    BadRequestError for what cannot be sent.
    """
    if subject is None and operation.subject.item:
        subject = []
    body = {operation.subject.name: subject, **body}
    _check_subject(operation.subject, body, model)
    streamed, watched, options = bool(stream), settings.observe is not None, body.get("stream_options")
    wants_usage = streamed and isinstance(options, dict) and bool(options.get("include_usage"))
    mock = _mock(control)
    return Call(
        model=model,
        body=body,
        operation=operation,
        stream=streamed,
        ask_usage=wants_usage or (streamed and watched),  # callbacks get the cost
        show_usage=wants_usage,
        timeouts=timeouts_of(control, model, streamed=streamed),
        retarget=None if mock is None else partial(mocked, mock),
        policy=_policy(control, settings),
        metadata=control.get("metadata") or {},
        id=control.get("litellm_call_id") or (str(uuid.uuid4()) if watched else ""),
        is_async=is_async,
    )


def watchers_of(control: Mapping[str, Any], observe: Observe) -> Watchers:
    """The observers of a call, and what they get besides it."""
    return Watchers(observe, {name: control[name] for name in _FOR_CALLBACKS if name in control})


def split_params(params: Mapping[str, Any], besides: Collection[str] = ()) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is sent, and what steers. Neither is the caller's own dict. besides: names to leave out."""
    body: dict[str, Any] = {}
    control: dict[str, Any] = {}
    for name, value in params.items():
        if value is not None and name not in besides:
            (control if _is_ours(name) else body)[name] = value
    if isinstance(body.get("response_format"), type):
        body["response_format"] = as_json_schema(body["response_format"])
    extra_body = control.get("extra_body")
    if extra_body:
        body |= {name: value for name, value in extra_body.items() if name != "model"}
    return body, control


def retries_of(value: Any, model: str) -> int:
    """A number of retries that a call asks for. Raises BadRequestError."""
    try:
        return max(0, int(value))
    except (TypeError, ValueError):
        raise BadRequestError(
            f"num_retries must be a whole number, not {value!r}", model, param="num_retries"
        ) from None


def _check_subject(subject: Subject, body: Mapping[str, Any], model: str) -> None:
    """Raise BadRequestError if what the operation is about is missing, or cannot be it."""
    name = subject.name
    if subject.item and not isinstance(body[name], list | tuple):
        raise BadRequestError(f"{name} must be a list of dicts, not {type(body[name]).__name__}", model=model)
    if body[name] is None:
        raise BadRequestError(f"{name} is missing", model=model, param=name)


def _policy(control: Mapping[str, Any], settings: Settings) -> Policy:
    """What to drop of the parameters, and what to send anyway."""
    drop = control.get("drop_params", settings.drop_params)
    additional, allowed = control.get("additional_drop_params"), control.get("allowed_openai_params")
    if not drop and not additional and not allowed:
        return KEEP_ALL
    return Policy(truthy(drop), _names(additional), _names(allowed))


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def timeouts_of(words: Mapping[str, Any], model: str, *, streamed: bool) -> Timeouts | None:
    """The timeouts that these words ask for; None where they ask for none."""
    timeout = words.get("timeout")
    stream_timeout = words.get("stream_timeout") if streamed else None
    if timeout is None and stream_timeout is None:
        return None
    try:
        return Timeouts.of(timeout, stream_timeout)
    except ValueError as error:
        raise BadRequestError(str(error), model=model, param="timeout") from None


def _mock(control: Mapping[str, Any]) -> Mock | None:
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


def call_fallbacks(control: Mapping[str, Any], model: str) -> dict[str, Sequence[Any] | None]:
    """The three kinds of fallbacks that a call brings; None for those that it does not. Raises BadRequestError."""
    fallbacks: dict[str, Sequence[Any] | None] = {}
    for name in FALLBACKS:
        try:
            fallbacks[name] = parse_request_fallbacks(name, control.get(name))
        except ValueError as error:
            raise BadRequestError(str(error), model, param=name) from None
    return fallbacks
