"""litellm.completion and litellm.acompletion."""

from __future__ import annotations

import time
from typing import Any, Literal, overload

from litellm.engine.drivers import arun, run
from litellm.engine.stream import CustomStreamWrapper
from litellm.sdk._call import default_client, make_call
from litellm.sdk._present import present
from litellm.sdk._signature import set_signature
from litellm.types.chat import ModelResponse
from litellm.types.params import ChatParams


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
    plan, client = make_call(model, messages, stream, params), default_client()
    answer: ModelResponse | CustomStreamWrapper
    answer = present(plan.call, run(client.flow(*plan), client.sync_io), client.sync_io, started)
    return answer


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
    plan, client = make_call(model, messages, stream, params, is_async=True), default_client()
    answer: ModelResponse | CustomStreamWrapper
    answer = present(plan.call, await arun(client.flow(*plan), client.async_io), client.async_io, started)
    return answer


for _function in (completion, acompletion):
    set_signature(_function, ChatParams)
