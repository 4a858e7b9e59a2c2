"""Calling a user's CustomLLM: the same attempt as for an upstream, asking a handler instead of a network."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import inspect
import time
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from pydantic import BaseModel

from litellm.engine import mock
from litellm.engine.assemble import stream_chunk_builder
from litellm.engine.call import Answer, Call, Opened, Source
from litellm.engine.faults import broken, said, wrong_shape
from litellm.engine.stream import advance
from litellm.exceptions import InternalServerError, LiteLLMError, of_status
from litellm.net.messages import Timeouts, TransportFault
from litellm.net.steps import Ask, Flow
from litellm.net.workers import SideLoop
from litellm.providers import policy as params_policy
from litellm.providers.custom import CustomLLM, GenericDecoder, implemented
from litellm.providers.resolve import Target
from litellm.types.chat import ModelResponse
from litellm.wire import openai_chat
from litellm.wire.protocol import Chunk, WrongShape

END = b""  # what Source says at the end of a stream


def attempt(call: Call, target: Target, clocks: Timeouts) -> Flow[Answer | Opened]:
    """Ask the handler once. What it raises becomes the error of its status_code."""
    if call.stream and implemented(target.handler, "streaming", "astreaming"):
        return (yield from _stream(call, target, clocks))
    if not call.stream and _only_streams(target.handler):
        data: Any = yield from _collected(call, target, clocks)
    else:
        data = yield from _ask_whole(call, target, clocks)
    if not call.stream:
        model, usage = (data.model, data.get("usage")) if isinstance(data, ModelResponse) else _named(data)
        return Answer(target=target, asked=call.model, headers={}, data=data, model=model, usage=usage)
    body = data.model_dump(exclude_none=True) if isinstance(data, BaseModel) else data
    return Opened(
        target=target, asked=call.model, headers={}, source=Source(Ask(lambda: END, None), _nothing, _nothing),
        decoder=openai_chat.decoder(include_usage=call.show_usage),
        first=mock.as_chunks(body, show_usage=call.show_usage), finished=True,
    )  # fmt: skip


def _only_streams(handler: Any) -> bool:
    return not implemented(handler, "completion", "acompletion") and implemented(handler, "streaming", "astreaming")


def _collected(call: Call, target: Target, clocks: Timeouts) -> Flow[ModelResponse | None]:
    """A whole answer from a handler that can only stream."""
    opened = yield from _stream(call, target, clocks)
    chunks = opened.first
    try:
        while not opened.finished:
            chunks += yield from _next(opened)
    finally:
        if not opened.finished:
            opened.source.close()
    return stream_chunk_builder([chunk.value for chunk in chunks])


def _nothing() -> None:
    pass


def _named(data: dict[str, Any]) -> tuple[Any, Any]:
    return data.get("model"), data.get("usage")


def _ask_whole(call: Call, target: Target, clocks: Timeouts) -> Flow[Any]:
    arguments = _arguments(call, target, clocks)
    ask = _either(target.handler, "completion", "acompletion", arguments, clocks.total)
    try:
        data = yield ask
    except Exception as error:
        raise _translated(error, target) from error
    if isinstance(data, BaseModel):
        if isinstance(data, ModelResponse):
            return data
        data = data.model_dump()
    if isinstance(data, dict) and isinstance(data.get("choices"), list):
        named = {"id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion", "created": int(time.time())}
        return {**named, "model": target.model, **data}
    if inspect.iscoroutine(data):
        data.close()
    raise _wrong_kind(target, "completion/acompletion", data, "a ModelResponse, or a dict of that shape")


def _stream(call: Call, target: Target, clocks: Timeouts) -> Flow[Opened]:
    arguments = _arguments(call, target, clocks)
    try:
        iterator = yield _either(target.handler, "streaming", "astreaming", arguments, clocks.total)
        if inspect.isawaitable(iterator):  # `async def astreaming` that returns, rather than is, an async generator
            iterator = yield Ask(None, _awaiting(iterator), (), clocks.total)
    except Exception as error:
        raise _translated(error, target) from error
    puller = _puller(iterator, target)
    opened = Opened(
        target=target, asked=call.model, headers={}, first=[],
        source=Source(Ask(puller.pull, puller.apull, (), clocks.between), puller.close, puller.close),
        decoder=GenericDecoder(include_usage=call.show_usage or not call.stream, model=target.model),
    )  # fmt: skip
    try:
        while not opened.finished:
            chunks = yield from _next(opened)
            opened.first += chunks
            if any(openai_chat.speaks(chunk.value) for chunk in chunks):
                break
    except BaseException:
        opened.source.close()
        raise
    return opened


def _next(opened: Opened) -> Flow[list[Chunk]]:
    try:
        piece = yield opened.source.step
    except Exception as error:
        raise _translated(error, opened.target) from error
    return advance(opened, piece)


def _awaiting(awaitable: Any) -> Callable[[], Any]:
    async def wait() -> Any:
        return await awaitable

    return wait


class _Puller:
    """Takes one chunk after another out of a handler's iterator, sync or async, for a driver of either kind."""

    def __init__(self, iterator: Any, target: Target) -> None:
        self.target = target
        self.asynchronous = hasattr(iterator, "__anext__") or hasattr(iterator, "__aiter__")
        self.iterator = aiter(iterator) if self.asynchronous else iter(iterator)
        self._side_loop: SideLoop | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._task: asyncio.Future[None] | None = None
        self.pull = self._pull_async_from_sync if self.asynchronous else self._pull
        self.apull = self._apull if self.asynchronous else None

    def _pull(self) -> Any:
        try:
            return self._checked(next(self.iterator, END))
        except Exception as error:
            raise _translated(error, self.target) from error
        finally:
            if self._closing:  # while it ran in this thread
                self._close_iterator()

    async def _apull(self) -> Any:
        self._loop = asyncio.get_running_loop()
        try:
            return self._checked(await anext(self.iterator, END))
        except Exception as error:
            raise _translated(error, self.target) from error

    def _pull_async_from_sync(self) -> Any:
        if self._side_loop is None:
            self._side_loop = SideLoop()
        return self._side_loop.run_from_thread(self._apull())

    def _checked(self, chunk: Any) -> Any:
        if chunk is END or isinstance(chunk, dict):
            return chunk
        if isinstance(chunk, BaseModel):
            return chunk.model_dump(exclude_unset=True)
        raise _wrong_kind(self.target, "streaming/astreaming", chunk, "GenericStreamingChunk or OpenAI chunks")

    def close(self) -> None:
        """Let the handler's generator run its `finally`, in the thread or on the loop that it runs in."""
        self._closing = True
        if not self.asynchronous:
            self._close_iterator()
        elif self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._start_closing)
        if self._side_loop is not None:
            self._side_loop.close()

    def _close_iterator(self) -> None:
        closing = getattr(self.iterator, "close", None)
        if closing is not None:
            with contextlib.suppress(ValueError):  # it is running in another thread, which will close it
                closing()

    def _start_closing(self) -> None:
        self._task = asyncio.ensure_future(self._aclose())

    async def _aclose(self) -> None:
        closing = getattr(self.iterator, "aclose", None)
        if closing is not None:
            with contextlib.suppress(Exception):  # running (and cancelled), or broken: it has ended either way
                await closing()


def _puller(iterator: Any, target: Target) -> _Puller:
    if isinstance(iterator, dict | str | bytes | BaseModel) or not (
        hasattr(iterator, "__iter__") or hasattr(iterator, "__aiter__") or hasattr(iterator, "__anext__")
    ):
        if inspect.iscoroutine(iterator):
            iterator.close()
        raise _wrong_kind(target, "streaming/astreaming", iterator, "an iterator of chunks (write it with `yield`)")
    return _Puller(iterator, target)


def _either(handler: Any, sync_name: str, async_name: str, arguments: dict[str, Any], seconds: float) -> Ask:
    """Ask whichever of the two methods the handler has; the transport takes the one that fits it, if both are there."""
    sync_fn = partial(_call, getattr(handler, sync_name), arguments) if implemented(handler, sync_name) else None
    async_fn = None
    if implemented(handler, async_name):
        method = getattr(handler, async_name)
        if async_name == "astreaming" and not inspect.iscoroutinefunction(method):
            async_fn = _immediately(partial(_call, method, arguments))  # an async generator function: calling is enough
        else:
            async_fn = partial(_acall, method, arguments)
    if sync_fn is None and async_fn is None:
        sync_fn = partial(_call, getattr(handler, sync_name, CustomLLM().completion), arguments)
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


def _arguments(call: Call, target: Target, clocks: Timeouts) -> dict[str, Any]:
    """LiteLLM's keyword arguments for a handler. `litellm_params` has every key of the deployment's YAML."""
    # Copies: a handler may scribble on what it is given.
    body = copy.deepcopy({**target.defaults, **call.body})
    body = params_policy.apply(target.policy.joined(call.policy), (), body, target.provider.name, target.model)
    for edit in target.edits:
        body = edit(body)
    messages = body.pop("messages", [])
    if call.stream:
        body["stream"] = True
    params: Mapping[str, Any] = {
        **copy.deepcopy(dict(target.params)), "metadata": copy.deepcopy(dict(call.metadata)),
        "api_base": target.api_base, "api_key": target.api_key,
        "custom_llm_provider": target.provider.name, "litellm_call_id": call.id,
    }  # fmt: skip
    return {
        "model": target.model, "messages": messages, "api_base": target.api_base, "custom_prompt_dict": {},
        "model_response": ModelResponse(model=target.model), "print_verbose": _silently, "encoding": None,
        "api_key": target.api_key, "logging_obj": SilentLogging(target.model, call.id), "optional_params": body,
        "acompletion": None, "litellm_params": params, "logger_fn": None, "headers": dict(target.headers),
        "timeout": clocks.total, "client": None,
    }  # fmt: skip


def _silently(*_: Any, **__: Any) -> None:
    pass


def _translated(error: Exception, target: Target) -> LiteLLMError:
    if isinstance(error, LiteLLMError):
        return error
    if isinstance(error, TransportFault):
        return broken(error, target)
    provider = target.provider.name
    status = getattr(error, "status_code", None)
    text = said(target, str(getattr(error, "message", None) or repr(error)))
    if isinstance(status, int) and 400 <= status < 600:
        return of_status(status, text, provider, target.model)
    if isinstance(error, TimeoutError):
        return of_status(408, text, provider, target.model)
    return InternalServerError(text, provider, target.model)


def _wrong_kind(target: Target, method: str, got: Any, wanted: str) -> LiteLLMError:
    name = type(target.handler).__name__
    text = f"{name}.{method} gave {type(got).__name__}, but must give {wanted}"
    return wrong_shape(WrongShape(text), target, {})
