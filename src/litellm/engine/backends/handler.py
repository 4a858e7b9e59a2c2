"""Calling a user's CustomLLM: the same attempt as for an upstream, asking a handler instead of a network."""

from __future__ import annotations

import inspect
import time
from typing import Any

import msgspec
from pydantic import BaseModel

from litellm.engine.assemble import stream_chunk_builder
from litellm.engine.call import Answer, Call
from litellm.engine.faults import wrong_shape
from litellm.engine.handler_calls import arguments_for, as_litellm_error, ask_either, awaiting, handler_of, wrong_kind
from litellm.engine.handler_chunks import END, puller
from litellm.engine.opened import Opened, Source, next_chunks, read_first_chunk
from litellm.engine.outgoing import new_id, outgoing
from litellm.engine.present import set_answer, to_plain
from litellm.exceptions import BadRequestError
from litellm.net.messages import Timeouts
from litellm.net.steps import Ask, Flow
from litellm.operations import of_name
from litellm.providers.custom import HandlerRules, implemented
from litellm.providers.target import Target
from litellm.types.chat import ModelResponse
from litellm.wire import openai_chat, openai_embeddings
from litellm.wire.bridge import Converted, as_chat_body, as_text, as_text_chunk
from litellm.wire.chunks import as_chunks
from litellm.wire.decoding import ValueDecoder
from litellm.wire.openai_format import SHAPE_ERRORS
from litellm.wire.protocol import Body, Unsuitable, WrongShape


def attempt(call: Call, target: Target, timeouts: Timeouts) -> Flow[Answer | Opened]:
    """Ask the handler once. What it raises becomes the error of its status_code."""
    operation = call.operation
    call.budget.take(target.model)
    if operation.handler:
        ask = _chat if len(operation.handler) > 1 else _embeddings
        return (yield from ask(call, target, timeouts))
    if operation.via:
        return (yield from _text(call, target, timeouts))
    raise BadRequestError(f"a CustomLLM has no method for {operation.label}", target.model, target.provider.name)


def _chat(call: Call, target: Target, timeouts: Timeouts) -> Flow[Answer | Opened]:
    whole, stream = (_has(target, name) for name in call.operation.handler)
    if call.stream and stream:
        return (yield from _stream(call, target, timeouts))
    if not call.stream and stream and not whole:
        data: Any = yield from _collected(call, target, timeouts)
    else:
        data = yield from _ask_whole(call, target, timeouts)
    return _as_stream(call, target, to_plain(data)) if call.stream else _as_answer(call, target, data)


def _as_answer(call: Call, target: Target, value: Any) -> Answer:
    """A whole answer of the handler's, whose object its caller gets back."""
    answer = Answer(origin=target, requested_model=call.model)
    set_answer(answer, value)
    answer.model, answer.usage = answer.data.get("model"), answer.data.get("usage")
    return answer


def _as_stream(call: Call, target: Target, answer: Body) -> Opened:
    """A whole answer as a stream that is complete."""
    out = outgoing(target.model, call.body, stream=True, show_usage=call.show_usage)
    opened = Opened(
        origin=target, requested_model=call.model, source=Source(Ask(lambda: END, None), _nothing, _nothing),
        decoder=ValueDecoder(openai_chat.rules(out)), first=as_chunks(answer, show_usage=call.show_usage),
        usage=answer.get("usage"),
    )  # fmt: skip
    opened.finish()
    return opened


def _text(call: Call, target: Target, timeouts: Timeouts) -> Flow[Answer | Opened]:
    """Completions, asked of a handler that chats."""
    try:
        body = as_chat_body(call.body)
    except Unsuitable as unsuitable:
        raise BadRequestError(str(unsuitable), target.model, target.provider.name) from None
    result = yield from _chat(
        msgspec.structs.replace(call, operation=of_name(call.operation.via), body=body), target, timeouts
    )
    if isinstance(result, Answer):
        set_answer(result, as_text(result.data))
    else:
        rules = Converted(result.decoder.rules, as_text_chunk)
        result.decoder.rules = rules
        result.first = rules.convert(result.first)
    return result


def _embeddings(call: Call, target: Target, timeouts: Timeouts) -> Flow[Answer | Opened]:
    (name,) = call.operation.handler
    arguments = arguments_for(call, target, timeouts)
    try:
        data = yield ask_either(handler_of(target), name, arguments, timeouts.total)
    except Exception as error:
        raise as_litellm_error(error, target) from error
    wanted = "an EmbeddingResponse, or a dict of that shape"
    answer = to_plain(data)
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        raise wrong_kind(target, name, data, wanted)
    try:
        for row in answer["data"]:
            if hasattr(row["embedding"], "tolist"):  # an array of numpy's or torch's
                row["embedding"] = row["embedding"].tolist()
        answer = openai_embeddings.fitted(answer, call.body.get("encoding_format"))
    except SHAPE_ERRORS as error:
        raise wrong_shape(WrongShape(f"the handler gave no {wanted}: {error!r}"), target, {}) from error
    answer["model"] = answer.get("model") or target.model
    return Answer(
        origin=target, requested_model=call.model, data=answer, model=answer["model"], usage=answer.get("usage")
    )


def _has(target: Target, name: str) -> bool:
    """Whether the handler has this method or its asynchronous sibling."""
    return implemented(handler_of(target), name, f"a{name}")


def _collected(call: Call, target: Target, timeouts: Timeouts) -> Flow[Any]:
    """A whole answer from a handler that can only stream."""
    opened = yield from _stream(call, target, timeouts)
    chunks = opened.first
    try:
        while not opened.finished:
            chunks += yield from next_chunks(opened)
    finally:
        opened.abort()
    if opened.failure is not None:
        raise opened.failure
    return stream_chunk_builder([chunk.value for chunk in chunks])


def _nothing() -> None:
    pass


def _ask_whole(call: Call, target: Target, timeouts: Timeouts) -> Flow[Any]:
    name = call.operation.handler[0]
    arguments = arguments_for(call, target, timeouts)
    ask = ask_either(handler_of(target), name, arguments, timeouts.total)
    try:
        data = yield ask
    except Exception as error:
        raise as_litellm_error(error, target) from error
    if isinstance(data, BaseModel):
        if isinstance(data, ModelResponse):
            return data
        data = data.model_dump()
    if isinstance(data, dict) and isinstance(data.get("choices"), list):
        named = {"id": f"chatcmpl-{new_id()}", "object": "chat.completion", "created": int(time.time())}
        return {**named, "model": target.model, **data}
    if inspect.iscoroutine(data):
        data.close()
    raise wrong_kind(target, name, data, "a ModelResponse, or a dict of that shape")


def _stream(call: Call, target: Target, timeouts: Timeouts) -> Flow[Opened]:
    name = call.operation.handler[1]
    arguments = arguments_for(call, target, timeouts)
    try:
        iterator = yield ask_either(handler_of(target), name, arguments, timeouts.total)
        if inspect.isawaitable(iterator):  # `async def astreaming` that returns, rather than is, an async generator
            iterator = yield Ask(None, awaiting(iterator), (), timeouts.total)
    except Exception as error:
        raise as_litellm_error(error, target) from error
    handler = handler_of(target)
    awaited = implemented(handler, f"a{name}") and (call.is_async or not implemented(handler, name))
    pulled = puller(iterator, target, awaited=awaited)
    out = outgoing(target.model, call.body, stream=True, show_usage=call.show_usage or not call.stream)
    opened = Opened(
        origin=target, requested_model=call.model, first=[],
        source=Source(Ask(pulled.pull, pulled.apull, (), timeouts.between), pulled.close, pulled.close),
        decoder=ValueDecoder(HandlerRules(out)),
    )  # fmt: skip
    return (yield from read_first_chunk(opened))
