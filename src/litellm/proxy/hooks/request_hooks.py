"""Hooks of the administrator's on the way of a request: they may change it, refuse it, and change what comes back.

They are methods of the loggers in `litellm_settings.callbacks` and are awaited on the server's own loop: a hook that
blocks, blocks the server. Where no logger overrides any, there are no RequestHooks, and nothing here runs.

A hook refuses by raising. What it raised goes as it is to the hooks after a failure, and becomes an answer behind them.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing
from types import NoneType
from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel

from litellm._containment import containing
from litellm._credentials import mask
from litellm._log import log
from litellm.engine.call import Answer
from litellm.engine.drivers import arun
from litellm.engine.present import answer_class, build_object, set_answer
from litellm.exceptions import LiteLLMError
from litellm.hooks.chain import Chain, HookSpec, name_of
from litellm.hooks.scratch import ScratchCache
from litellm.net.steps import Step
from litellm.operations import Operation
from litellm.proxy.errors import RequestError
from litellm.proxy.hooks.refusals import as_answer, hook_headers
from litellm.server.refusal import Headers
from litellm.types.hooks import UserAPIKeyAuth
from litellm.wire.protocol import Body

T = TypeVar("T")

PRE_CALL = HookSpec("async_pre_call_hook", "data", (dict, str, NoneType), final=(str,), lenient=True)
MODERATION = HookSpec("async_moderation_hook")
SUCCESS = HookSpec("async_post_call_success_hook", "response", (BaseModel, dict, NoneType), "an answer or None")
FAILURE = HookSpec("async_post_call_failure_hook")
PIECE = HookSpec("async_post_call_streaming_hook")
ITERATOR = HookSpec("async_post_call_streaming_iterator_hook")
HEADERS = HookSpec("async_post_call_response_headers_hook")
LISTING = HookSpec("async_filter_listed_models", "models", (list, tuple), "a list of names")
HOOKS = (PRE_CALL, MODERATION, SUCCESS, FAILURE, PIECE, ITERATOR, HEADERS, LISTING)


class _Inline:
    """Hooks of a request are awaited where they are asked, and not on the loop that other code of the user's shares."""

    async def perform(self, step: Step) -> Any:
        return await step.async_fn()  # type: ignore[union-attr,misc]  # a chain has no other steps


_INLINE = _Inline()


class RequestHooks:
    """The hooks of some callbacks, by what they are for, in the order in which the configuration lists them.

    sees_answers, sees_streams: whether any wants these as objects, and not only as bytes.

    >>> from litellm.hooks.logger import CustomLogger
    >>> class Polite(CustomLogger):
    ...     async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
    ...         return data | {"user": "somebody"}
    >>> RequestHooks.of([Polite()]).sees_answers, RequestHooks.of([CustomLogger(), "langfuse"])
    (False, None)
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.cache = ScratchCache()
        self.sees_answers = bool(chain[SUCCESS] or chain[HEADERS])
        self.sees_streams = bool(chain[ITERATOR] or chain[PIECE])

    @classmethod
    def of(cls, callbacks: Iterable[Any]) -> RequestHooks | None:
        """The hooks of these callbacks, or None if they have none."""
        chain = Chain.of(callbacks, HOOKS)
        return None if chain is None else cls(chain)

    async def run(self, spec: HookSpec, words: dict[str, Any]) -> Any:
        """What the hooks leave of the argument that `spec` takes. Raises what they raise."""
        return await arun(self.chain.run(spec, words), _INLINE)

    async def listed(self, names: list[str], caller: UserAPIKeyAuth) -> list[str]:
        """The names of models that `caller` may see. Raises answers."""
        try:
            return await self.run(LISTING, {"models": names, "user_api_key_dict": caller})  # type: ignore[no-any-return]
        except Exception as error:
            raise as_answer(error) from error


class HookedRequest(msgspec.Struct, kw_only=True):
    """One request on its way through the hooks. data: its body and what hooks want to know besides; they may change it."""

    hooks: RequestHooks
    caller: UserAPIKeyAuth
    operation: Operation
    data: Body

    @property
    def call_type(self) -> str:
        """LiteLLM's name for the operation."""
        return self.operation.hook_call_type

    async def before(self) -> str | None:
        """Let the hooks change `data`. A text is what the client gets instead of a model's answer. Raises to refuse."""
        words: dict[str, Any] = {
            "user_api_key_dict": self.caller,
            "cache": self.hooks.cache,
            "data": self.data,
            "call_type": self.call_type,
        }
        try:
            result = await self.hooks.run(PRE_CALL, words)
        finally:
            self.data = words["data"]  # also for the hooks after a refusal
        if not isinstance(result, str):
            return None
        if not self.operation.generates:
            raise RequestError(400, result)
        return result

    async def beside(self, call: Awaitable[T]) -> T:
        """The call's result, once the moderating hooks have let the request pass. They run while the call does; when one
        of them refuses, the call is cancelled."""
        hooks = self.hooks.chain[MODERATION]
        if not hooks:
            return await call
        task = asyncio.ensure_future(call)
        moderated: list[asyncio.Future[Any]] = []
        try:
            for hook in hooks:
                asking = hook(data=self.data, user_api_key_dict=self.caller, call_type=self.call_type)
                moderated.append(asyncio.ensure_future(containing(asking)))
            await asyncio.gather(*moderated)
            return await task
        except BaseException:
            await _cancelled(task, *moderated)
            if not task.cancelled() and task.exception() is None:
                _let_go(task.result())
            raise

    async def edit(self, answer: Answer) -> Any:
        """Let the hooks change a whole answer; gives it as the object that they saw, or None if none wants to see it."""
        if not self.hooks.sees_answers:
            return None
        response = answer.native
        if response is None:
            response = build_object(
                answer_class(self.operation), {**answer.data, "model": answer.requested_model}, answer
            )
        response = await self.after(response)
        set_answer(answer, response)
        return response

    async def after(self, response: Any) -> Any:
        """The answer that the client gets: an object, or a dict like one."""
        return await self.hooks.run(
            SUCCESS, {"data": self.data, "user_api_key_dict": self.caller, "response": response}
        )

    async def failed(self, error: Exception) -> Exception:
        """The error that the client gets. A hook raises or returns another one; what has no status is its own failure."""
        text = mask("".join(traceback.format_exception(error))) if self.hooks.chain[FAILURE] else ""
        for hook in self.hooks.chain[FAILURE]:
            try:
                other = await hook(
                    request_data=self.data,
                    original_exception=error,
                    user_api_key_dict=self.caller,
                    traceback_str=text,
                )
            except Exception as raised:  # noqa: BLE001 - raising is another way of saying what to answer
                other = raised
            if isinstance(other, Exception):
                if isinstance(as_answer(other), RequestError | LiteLLMError):
                    error = other
                else:
                    log.error("%s failed: %s", name_of(hook), mask(repr(other)), exc_info=other)
        return as_answer(error)

    async def headers(self, response: Any, request_headers: Mapping[str, str]) -> Headers:
        """Headers to add to the answer."""
        added: dict[str, Any] = {}
        for hook in self.hooks.chain[HEADERS]:
            more = await hook(
                data=self.data, user_api_key_dict=self.caller, response=response, request_headers=request_headers
            )
            added |= more or {}
        return hook_headers(added)

    async def chunks(self, chunks: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        """The chunks that the client gets. However this ends, every hook's generator is closed. Raises answers."""
        async with AsyncExitStack() as closing:
            try:
                for hook in self.hooks.chain[ITERATOR]:
                    chunks = hook(user_api_key_dict=self.caller, response=chunks, request_data=self.data)
                    if isinstance(chunks, AsyncGenerator):
                        await closing.enter_async_context(aclosing(chunks))
                async for chunk in chunks:
                    await self._pass(chunk)
                    yield chunk
            except Exception as error:
                raise as_answer(error) from error

    async def _pass(self, chunk: Any) -> None:
        """Show a chunk's text to the hooks that look at each. Another text than its own is LiteLLM's way to refuse it."""
        hooks = self.hooks.chain[PIECE]
        text = _text_of(chunk) if hooks else ""
        for hook in hooks:
            replacement = await hook(user_api_key_dict=self.caller, response=text)
            if isinstance(replacement, str) and replacement != text:
                raise RequestError(400, replacement.removeprefix("data: ").strip())


def _text_of(chunk: Any) -> str:
    """What a chunk says, of a conversation or of a completion; a hook may have made it of any shape."""
    choices = getattr(chunk, "choices", None) or ()
    deltas = [getattr(choice, "delta", None) for choice in choices]
    texts = [getattr(choice, "text", None) for choice in choices]
    return "".join(text or "" for text in (*(getattr(delta, "content", None) for delta in deltas), *texts))


def _let_go(result: Any) -> None:
    """A stream that was opened for a request that is refused."""
    abort = getattr(result, "abort", None)
    if abort is not None:
        abort()


async def _cancelled(*tasks: asyncio.Future[Any]) -> None:
    """Cancel what still runs, and wait until it has let go of what it holds."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
