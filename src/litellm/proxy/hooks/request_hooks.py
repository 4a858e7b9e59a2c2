"""The administrator's hooks on the path of a request: they may change it, refuse it, and change what comes back.

They are methods of the loggers in `litellm_settings.callbacks` and are awaited where they stand, on the server's loop: a
hook that blocks, blocks the server. Where no logger overrides any, there is no Gates, and nothing here runs.

A hook refuses by raising. What it raised goes as it is to the hooks after a failure, and becomes an answer behind them.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel

from litellm._containment import containing
from litellm._credentials import mask
from litellm._log import log
from litellm.exceptions import LiteLLMError
from litellm.hooks.logger import overrides
from litellm.hooks.scratch import ScratchCache
from litellm.operations import Operation
from litellm.proxy.errors import RequestError
from litellm.proxy.hooks.refusals import as_answer, header_lines
from litellm.proxy.http import Headers
from litellm.types.hooks import UserAPIKeyAuth
from litellm.wire.protocol import Body

T = TypeVar("T")

PRE_CALL = "async_pre_call_hook"
MODERATION = "async_moderation_hook"
SUCCESS = "async_post_call_success_hook"
FAILURE = "async_post_call_failure_hook"
PIECE = "async_post_call_streaming_hook"
ITERATOR = "async_post_call_streaming_iterator_hook"
HEADERS = "async_post_call_response_headers_hook"
LISTING = "async_filter_listed_models"
HOOKS = (PRE_CALL, MODERATION, SUCCESS, FAILURE, PIECE, ITERATOR, HEADERS, LISTING)


class Gates:
    """The hooks of some callbacks, by what they are for, in the order in which the configuration lists them.

    >>> from litellm.hooks.logger import CustomLogger
    >>> class Polite(CustomLogger):
    ...     async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
    ...         return data | {"user": "somebody"}
    >>> Gates.of([Polite()]).sees_answers, Gates.of([CustomLogger(), "langfuse"])
    (False, None)
    """

    def __init__(self, callbacks: Iterable[Any]) -> None:
        listed = list(callbacks)
        self.hooks: Mapping[str, tuple[Callable[..., Any], ...]] = {
            name: tuple(getattr(logger, name) for logger in listed if overrides(logger, name)) for name in HOOKS
        }
        self.cache = ScratchCache()
        self.sees_answers = bool(self.hooks[SUCCESS] or self.hooks[HEADERS])  # as objects, not only as bytes
        self.sees_streams = bool(self.hooks[ITERATOR] or self.hooks[PIECE])

    @classmethod
    def of(cls, callbacks: Iterable[Any]) -> Gates | None:
        """The gates that these callbacks are, or None if they are none."""
        gates = cls(callbacks)
        return gates if any(gates.hooks.values()) else None

    async def listed(self, names: list[str], caller: UserAPIKeyAuth) -> list[str]:
        """The names of models that `caller` may see. Raises answers."""
        try:
            for hook in self.hooks[LISTING]:
                names = await hook(models=names, user_api_key_dict=caller)
        except Exception as error:
            raise as_answer(error) from error
        return names


class Visit(msgspec.Struct, kw_only=True):
    """One request on its way through. `data` is its body and what hooks want to know besides; they may change it."""

    gates: Gates
    caller: UserAPIKeyAuth
    operation: Operation
    data: Body

    @property
    def call_type(self) -> str:
        """LiteLLM's name for the operation."""
        return self.operation.hook_call_type

    async def before(self) -> str | None:
        """Let the hooks change `data`. A text is what the client gets instead of a model's answer. Raises to refuse."""
        for hook in self.gates.hooks[PRE_CALL]:
            changed = await hook(
                user_api_key_dict=self.caller, cache=self.gates.cache, data=self.data, call_type=self.call_type
            )
            if isinstance(changed, Exception):
                raise changed
            if isinstance(changed, str):
                if self.operation.generates:  # its answers are a text, so that a hook can give one
                    return changed
                raise RequestError(400, changed)
            if isinstance(changed, dict):
                self.data = changed
            elif changed is not None:  # a False, say, that was meant as a refusal
                log.warning("%s gave %s, which means nothing: to refuse, raise", _name(hook), type(changed).__name__)
        return None

    async def beside(self, call: Awaitable[T]) -> T:
        """The call's result, once the moderating hooks have let the request pass. They run while the call does; when one
        of them refuses, the call is cancelled."""
        hooks = self.gates.hooks[MODERATION]
        if not hooks:
            return await call
        asked = asyncio.ensure_future(call)
        moderated: list[asyncio.Future[Any]] = []
        try:
            for hook in hooks:
                asking = hook(data=self.data, user_api_key_dict=self.caller, call_type=self.call_type)
                moderated.append(asyncio.ensure_future(containing(asking)))
            await asyncio.gather(*moderated)
            return await asked
        except BaseException:
            await _cancelled(asked, *moderated)
            if not asked.cancelled() and asked.exception() is None:
                _let_go(asked.result())
            raise

    async def after(self, response: Any) -> Any:
        """The answer that the client gets: an object, or a dict like one."""
        for hook in self.gates.hooks[SUCCESS]:
            changed = await hook(data=self.data, user_api_key_dict=self.caller, response=response)
            if isinstance(changed, Exception):
                raise changed
            if not isinstance(changed, BaseModel | dict | None):
                raise TypeError(f"{_name(hook)} gave {type(changed).__name__}, but must give an answer or None")
            response = response if changed is None else changed
        return response

    async def failed(self, error: Exception) -> Exception:
        """The error that the client gets. A hook raises or returns another one; what has no status is its own failure."""
        text = mask("".join(traceback.format_exception(error))) if self.gates.hooks[FAILURE] else ""
        for hook in self.gates.hooks[FAILURE]:
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
                    log.error("%s failed: %s", _name(hook), mask(repr(other)), exc_info=other)
        return as_answer(error)

    async def headers(self, response: Any, request_headers: Mapping[str, str]) -> Headers:
        """Headers to add to the answer."""
        added: dict[str, Any] = {}
        for hook in self.gates.hooks[HEADERS]:
            more = await hook(
                data=self.data, user_api_key_dict=self.caller, response=response, request_headers=request_headers
            )
            added |= more or {}
        return header_lines(added)

    async def chunks(self, chunks: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        """The chunks that the client gets. However this ends, every hook's generator is closed. Raises answers."""
        async with AsyncExitStack() as closing:
            try:
                for hook in self.gates.hooks[ITERATOR]:
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
        hooks = self.gates.hooks[PIECE]
        text = _text_of(chunk) if hooks else ""
        for hook in hooks:
            said = await hook(user_api_key_dict=self.caller, response=text)
            if isinstance(said, str) and said != text:
                raise RequestError(400, said.removeprefix("data: ").strip())


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


def _name(hook: Any) -> str:
    return getattr(hook, "__qualname__", type(hook).__qualname__)
