"""litellm.completion and litellm.acompletion."""

from __future__ import annotations

import inspect
import time
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, cast, overload

from pydantic import ValidationError

from litellm.engine.call import Answer, Call, Opened
from litellm.engine.drivers import arun, run
from litellm.engine.faults import wrong_shape
from litellm.engine.stream import CustomStreamWrapper
from litellm.net.url import shown
from litellm.providers.resolve import Target
from litellm.sdk._defaults import default_client, make_call
from litellm.types.chat import ModelResponse, ModelResponseStream
from litellm.types.params import ChatParams, ControlParams
from litellm.wire.protocol import WrongShape


@overload
def completion(
    model: str, messages: list[Any] | None = None, *, stream: Literal[False] | None = None, **params: Any
) -> ModelResponse: ...
@overload
def completion(
    model: str, messages: list[Any] | None = None, *, stream: Literal[True], **params: Any
) -> CustomStreamWrapper: ...
@overload
def completion(
    model: str, messages: list[Any] | None = None, *, stream: bool | None, **params: Any
) -> ModelResponse | CustomStreamWrapper: ...
def completion(
    model: str, messages: list[Any] | None = None, *, stream: bool | None = None, **params: Any
) -> ModelResponse | CustomStreamWrapper:
    """Ask a model to continue a conversation.

    model: "provider/name", such as "openai/gpt-4o" or "groq/llama-3.1-8b-instant"; any name together with api_base for
    an OpenAI-compatible server. messages: OpenAI's list of dicts. stream: True for a CustomStreamWrapper, which yields
    ModelResponseStream chunks. Further parameters are OpenAI's (temperature, tools, response_format – also as a pydantic
    class –, …); names that neither OpenAI nor LiteLLM know are sent on as they are. What steers the call: api_key,
    api_base or base_url, timeout (seconds, or an httpx.Timeout; 600 in total by default), num_retries (2), fallbacks,
    context_window_fallback_dict, drop_params, additional_drop_params, allowed_openai_params, extra_body, extra_headers,
    custom_llm_provider, organization, supports_system_message, mock_response, ssl_verify.

    Raises the classes in litellm.exceptions, which are openai's too when openai has been imported: BadRequestError for
    what cannot be sent, AuthenticationError, RateLimitError, Timeout, APIConnectionError, … after the retries.

    >>> completion("mock/echo", [{"role": "user", "content": "Hello"}]).choices[0].message.content
    'Hello'
    """
    started = time.monotonic()
    call, client = make_call(model, messages, stream, params), default_client()
    return _present(call, run(client.flow(call), client.sync_io), client.sync_io, started)


@overload
async def acompletion(
    model: str, messages: list[Any] | None = None, *, stream: Literal[False] | None = None, **params: Any
) -> ModelResponse: ...
@overload
async def acompletion(
    model: str, messages: list[Any] | None = None, *, stream: Literal[True], **params: Any
) -> CustomStreamWrapper: ...
@overload
async def acompletion(
    model: str, messages: list[Any] | None = None, *, stream: bool | None, **params: Any
) -> ModelResponse | CustomStreamWrapper: ...
async def acompletion(
    model: str, messages: list[Any] | None = None, *, stream: bool | None = None, **params: Any
) -> ModelResponse | CustomStreamWrapper:
    """The same as completion, for asyncio. With stream=True, await it first, then iterate with `async for`."""
    started = time.monotonic()
    call, client = make_call(model, messages, stream, params), default_client()
    return _present(call, await arun(client.flow(call), client.async_io), client.async_io, started)


def _signature(function: Any) -> inspect.Signature:
    """What help() and inspect show: the parameters by name. Type checkers see **params: Any, because unknown names are
    allowed and no type can say so."""
    shown = inspect.signature(function)
    names = {**ChatParams.__annotations__, **ControlParams.__annotations__}
    keyword_only = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in names.items()
    ]
    *named, rest = shown.parameters.values()
    return shown.replace(parameters=[*named, *keyword_only, rest])


for _function in (completion, acompletion):
    setattr(_function, "__signature__", _signature(_function))  # noqa: B010 - type checkers know no such attribute


def _present(call: Call, result: Answer | Opened, io: Any, started: float) -> ModelResponse | CustomStreamWrapper:
    """The objects that callers read. Built once, here."""
    hidden = _hidden_params(call, result, started)
    if isinstance(result, Answer):
        if isinstance(result.data, ModelResponse):  # a handler's own answer: what it knows stays
            result.data._hidden_params = hidden | result.data._hidden_params  # noqa: SLF001 - our own class
            return result.data
        response = _built(ModelResponse, result.data, result)
        response._hidden_params = hidden  # noqa: SLF001
        return cast("ModelResponse", response)
    wrapper = CustomStreamWrapper(result, io, partial(_chunk, result, hidden))
    wrapper._hidden_params = hidden  # noqa: SLF001
    return wrapper


def _chunk(opened: Opened, hidden: dict[str, Any], value: Mapping[str, Any]) -> ModelResponseStream:
    chunk = cast("ModelResponseStream", _built(ModelResponseStream, value, opened))
    chunk._hidden_params = hidden  # noqa: SLF001
    return chunk


def _built(cls: Any, value: Mapping[str, Any], result: Answer | Opened) -> Any:
    try:
        return cls.read(value)
    except (ValidationError, TypeError) as error:
        raise wrong_shape(WrongShape(str(error)), result.target, result.headers) from error


def _hidden_params(call: Call, result: Answer | Opened, started: float) -> dict[str, Any]:
    target: Target = result.target
    return {
        "custom_llm_provider": target.provider.name,
        "model_id": target.id or None,
        "api_base": target.api_base and shown(target.api_base),
        "litellm_model_name": target.model,
        "litellm_call_id": call.id or str(uuid.uuid4()),
        "response_cost": None,
        "additional_headers": _additional_headers(result),
        "_response_ms": (time.monotonic() - started) * 1000,
    }


def _additional_headers(result: Answer | Opened) -> dict[str, Any]:
    """The upstream's headers with a prefix, its rate limits also without one, and how many tries it took."""
    headers: dict[str, Any] = {}
    for name, value in result.headers.items():
        lower = name.lower()
        headers["llm_provider-" + lower] = value
        if lower.startswith("x-ratelimit-"):
            headers[lower] = value
    headers["x-litellm-attempted-retries"] = result.retries
    headers["x-litellm-attempted-fallbacks"] = result.fallbacks
    return headers
