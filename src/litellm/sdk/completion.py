"""litellm.text_completion and litellm.atext_completion."""

from __future__ import annotations

import time
from typing import Any, Literal, overload

from litellm.engine.drivers import arun, run
from litellm.engine.stream import CustomStreamWrapper
from litellm.operations import TEXT
from litellm.sdk._call import default_client, make_call
from litellm.sdk._present import present
from litellm.sdk._signature import set_signature
from litellm.types.completion import TextCompletionResponse
from litellm.types.params import TextParams


@overload
def text_completion(
    prompt: Any = None, model: str | None = None, *, stream: Literal[False] | None = None, **params: Any
) -> TextCompletionResponse: ...
@overload
def text_completion(
    prompt: Any = None, model: str | None = None, *, stream: Literal[True], **params: Any
) -> CustomStreamWrapper: ...
@overload
def text_completion(
    prompt: Any = None, model: str | None = None, *, stream: bool | None, **params: Any
) -> TextCompletionResponse | CustomStreamWrapper: ...
def text_completion(
    prompt: Any = None, model: str | None = None, *, stream: bool | None = None, **params: Any
) -> TextCompletionResponse | CustomStreamWrapper:
    """Ask a model to continue a text.

    prompt: the text, tokens as numbers, or a list of these. model: as for completion; a provider that only has an
    endpoint for chat is sent each prompt as a user's message. stream: True for a CustomStreamWrapper, which yields
    TextCompletionResponse chunks. Further parameters are OpenAI's (max_tokens, n, echo, logprobs as a number, …), those
    that steer any call, and what the upstream knows besides.

    Raises what completion raises; BadRequestError also for what cannot be said to a provider that only has chat.

    >>> text_completion("Hello", "mock/echo").choices[0].text
    'Hello'
    """
    started = time.monotonic()
    plan, client = make_call(model or "", prompt, stream, params, TEXT), default_client()
    answer: TextCompletionResponse | CustomStreamWrapper
    answer = present(plan.call, run(client.flow(*plan), client.sync_io), client.sync_io, started)
    return answer


@overload
async def atext_completion(
    prompt: Any = None, model: str | None = None, *, stream: Literal[False] | None = None, **params: Any
) -> TextCompletionResponse: ...
@overload
async def atext_completion(
    prompt: Any = None, model: str | None = None, *, stream: Literal[True], **params: Any
) -> CustomStreamWrapper: ...
@overload
async def atext_completion(
    prompt: Any = None, model: str | None = None, *, stream: bool | None, **params: Any
) -> TextCompletionResponse | CustomStreamWrapper: ...
async def atext_completion(
    prompt: Any = None, model: str | None = None, *, stream: bool | None = None, **params: Any
) -> TextCompletionResponse | CustomStreamWrapper:
    """The same as text_completion, for asyncio. With stream=True, await it first, then iterate with `async for`."""
    started = time.monotonic()
    plan, client = make_call(model or "", prompt, stream, params, TEXT, is_async=True), default_client()
    answer: TextCompletionResponse | CustomStreamWrapper
    answer = present(plan.call, await arun(client.flow(*plan), client.async_io), client.async_io, started)
    return answer


for _function in (text_completion, atext_completion):
    set_signature(_function, TextParams)
