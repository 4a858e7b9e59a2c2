"""The outermost layer of a call that somebody watches: what happens is told, as immutable records.

Nothing here waits for those who are told, and nothing that they get is what the caller holds: bodies of answers are kept
as bytes and read again by whoever wants them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from pydantic import BaseModel

from litellm import _json
from litellm.engine.assemble import stream_chunk_builder
from litellm.engine.call import Answer, Call, Observe, Opened, Outcome
from litellm.engine.cost import price
from litellm.engine.present import answer_class, chunk_class
from litellm.exceptions import LiteLLMError
from litellm.net.steps import Flow
from litellm.net.url import shown
from litellm.types.hooks import CallRecord
from litellm.wire.protocol import Body, Chunk, Operation


def observed(call: Call, flow: Callable[[Call], Flow[Answer | Opened]], observe: Observe) -> Flow[Answer | Opened]:
    """`flow(call)`, told about: "input" before it, then "success" or "failure", once, when the answer has ended."""
    about = dict(call.about)
    caller = about.pop("user_api_key_dict", None)
    record = CallRecord(
        id=call.id, operation=call.operation, is_async=call.is_async, model=call.model,
        body=_copied(call.body), stream=call.stream, metadata=_copied(call.metadata), params=_copied(about),
        caller=caller, started=time.time(),
    )  # fmt: skip
    observe.emit("input", record)
    try:
        result = yield from flow(call)
    except Exception as error:
        observe.emit("failure", _ended(_failed(record, error), "failure", error=error))
        raise
    except BaseException:
        observe.emit("failure", _ended(record, "cancelled"))
        raise
    record = _answered(record, result)
    if isinstance(result, Answer):
        usage = result.usage
        response = partial(_read, call.operation, _kept(result))
        observe.emit("success", _ended(record, "success", response, usage, price(result.target, usage)))
    else:
        _Watch(record, result, observe)
    return result


def _copied(value: Any) -> Any:
    """A copy that the caller cannot reach. Texts are shared: they cannot change."""
    if isinstance(value, Mapping):
        return {name: _copied(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(item) for item in value]
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True)
    return value


def _answered(record: CallRecord, result: Answer | Opened) -> CallRecord:
    target = result.target
    return msgspec.structs.replace(
        record, provider=target.provider.name, target_model=target.model, model_id=target.id, model_group=target.group,
        api_base=target.api_base and shown(target.api_base), headers=dict(result.headers), first_chunk=time.time(),
        retries=result.retries, fallbacks=result.fallbacks,
    )  # fmt: skip


def _failed(record: CallRecord, error: Exception) -> CallRecord:
    """With what the last error says about where it happened."""
    if not isinstance(error, LiteLLMError):
        return record
    return msgspec.structs.replace(
        record, provider=error.llm_provider or "", target_model=error.model or "", retries=error.num_retries or 0
    )


def _ended(
    record: CallRecord,
    status: str,
    response: Callable[[], Any] | None = None,
    usage: Body | None = None,
    dollars: float | None = None,
    error: Exception | None = None,
) -> CallRecord:
    return msgspec.structs.replace(
        record, status=status, response=response, usage=usage, cost=dollars, error=error, ended=time.time()
    )


def _kept(answer: Answer) -> bytes:
    """The answer as bytes: nobody can change them, and reading them again is another thread's work."""
    data = answer.data
    if answer.raw is not None:
        return answer.raw
    return _json.encode(data.model_dump(exclude_none=True) if isinstance(data, BaseModel) else data)


def _read(operation: Operation, data: bytes) -> Any:
    return answer_class(operation).read(_json.decode(data))


class _Watch:
    """Follows a stream to its end, keeping its chunks as bytes."""

    def __init__(self, record: CallRecord, opened: Opened, observe: Observe) -> None:
        self._record = record
        self._opened = opened
        self._observe = observe
        self._chunks: list[bytes] = []
        self.see(opened.first)
        if opened.ended is None:
            opened.tap = self.see
        opened.on_end(self.end)

    def see(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            data = chunk.payload or _json.encode(chunk.value)
            self._chunks.append(data)
            if self._observe.per_chunk:
                self._observe.emit("stream", self._record, chunk_class(self._record.operation).read(_json.decode(data)))

    def end(self, outcome: Outcome) -> None:
        usage = outcome.usage or self._opened.decoder.usage
        dollars = price(self._opened.target, usage)
        response = partial(_whole, self._chunks, usage) if self._chunks else None
        record = _ended(self._record, outcome.status, response, usage, dollars, outcome.error)
        self._observe.emit("success" if outcome.status == "success" else "failure", record)


def _whole(chunks: list[bytes], usage: Body | None) -> Any:
    """The answer that the chunks are the stream of, with its usage, which the caller may not have asked to see."""
    last = [{"choices": [], "usage": usage}] if usage else []
    return stream_chunk_builder([*map(_json.decode, chunks), *last])
