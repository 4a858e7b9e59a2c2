"""Observability: what happens to a call, as immutable records that are handed to callbacks. The outermost layer.

Nothing here waits for callbacks, and they share no object with the caller: bodies of answers are kept as bytes, and decoded
in the callbacks' thread. Where a record cannot be made, the call goes on unobserved.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, ParamSpec

import msgspec

from litellm import _json
from litellm._log import log
from litellm.engine.assemble import stream_chunk_builder
from litellm.engine.call import Answer, Call
from litellm.engine.copies import Copies
from litellm.engine.cost import price
from litellm.engine.fallbacks import OnError
from litellm.engine.opened import Opened, Outcome
from litellm.engine.present import answer_class, chunk_class
from litellm.engine.retries import Attempt
from litellm.engine.route import Route
from litellm.engine.watchers import Observe, Watchers
from litellm.exceptions import LiteLLMError, RouterRateLimitError
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow
from litellm.net.url import redacted_url
from litellm.operations import of_name
from litellm.providers.target import Target
from litellm.types.hooks import CallRecord
from litellm.wire.protocol import Body, Chunk

P = ParamSpec("P")
WatchedFlow = Callable[[Call, Route, Watchers, Attempt, OnError | None], Flow[Answer | Opened]]


def observed(
    call: Call, route: Route, watchers: Watchers, flow: WatchedFlow, attempt: Attempt
) -> Flow[Answer | Opened]:
    """The flow, observed: "input" before it, then "success" or "failure", once, when the answer has ended.

    A failure carries the last target that was tried, by whichever fallback. In between, at most once each: what came
    of fallbacks, when there is an answer, be it the beginning of one, or none; and that a group had nothing left.
    """
    last: Target | None = None
    failures: list[LiteLLMError] = []  # of the call and its fallbacks, where it has some
    observe = watchers.observe

    def noted(call: Call, target: Target, timeouts: Timeouts) -> Flow[Answer | Opened]:
        nonlocal last
        last = target
        return attempt(call, target, timeouts)

    try:
        record = _new_record(call, route.group, watchers.about)
    except Exception as error:  # noqa: BLE001 - an object of the caller's that cannot be copied
        _warn(error)
        return (yield from flow(call, route, watchers, attempt, None))
    observe.emit("input", record)
    try:
        result = yield from flow(call, route, watchers, noted, failures.append)
    except Exception as error:
        _emit_failure(record, last, error, failures, observe)
        raise
    except BaseException:
        _emit_failure(record, last, None, failures, observe)
        raise
    else:
        _emit_result(record, result, failures, observe)
        return result
    finally:
        failures.clear()  # their tracebacks lead to it: they would keep themselves until the collector comes


def _never_raises(emit: Callable[P, None]) -> Callable[P, None]:
    """`emit`, but a failure of it is a line in the log."""

    @wraps(emit)
    def contained(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            emit(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - a call does not fail because somebody watches it
            _warn(error)

    return contained


def _warn(error: Exception) -> None:
    """Without the error's text, which may quote the call."""
    log.warning("callbacks cannot be told everything of a call: %s", type(error).__name__)


def _new_record(call: Call, group: str, about: Mapping[str, Any]) -> CallRecord:
    copies, about = Copies(), dict(about)
    caller = about.pop("user_api_key_dict", None)
    return CallRecord(
        id=call.id, operation=call.operation.name, is_async=call.is_async, model=call.model,
        body=copies.of(call.body), stream=call.stream, metadata=copies.of(call.metadata), params=copies.of(about),
        caller=caller, model_group=group, started=time.time(), size=copies.size,
    )  # fmt: skip


@_never_raises
def _emit_result(
    record: CallRecord, result: Answer | Opened, failures: Sequence[LiteLLMError], observe: Observe
) -> None:
    _emit_exhausted(record, failures, observe)
    record = _answered(record, result)
    if failures:
        observe.emit("success_fallback", _ended(record, record.status, error=failures[0]))
    if isinstance(result, Opened):
        StreamRecorder(record, result, observe)
        return
    data = _as_bytes(result)
    response = None if data is None else partial(_read, record.operation, data)
    dollars = price(result.origin, result.usage)
    observe.emit("success", _ended(_with(record, data), "success", response, result.usage, dollars))


@_never_raises
def _emit_failure(
    record: CallRecord,
    last: Target | None,
    error: Exception | None,
    failures: Sequence[LiteLLMError],
    observe: Observe,
) -> None:
    """error: None where the caller went away."""
    _emit_exhausted(record, (*failures, error), observe)
    if error is None:
        record = _ended(_tried(record, last), "cancelled")
    else:
        record = _ended(_failed(record, error, last), "failure", error=error)
        if len(failures) > 1:
            observe.emit("failure_fallback", msgspec.structs.replace(record, error=failures[0]))
    observe.emit("failure", record)


def _emit_exhausted(record: CallRecord, failures: Sequence[Exception | None], observe: Observe) -> None:
    """Emit "exhausted" with the first failure that says that no deployment of a group could be asked, if one does."""
    error = next((each for each in failures if isinstance(each, RouterRateLimitError)), None)
    if error is not None:
        observe.emit("exhausted", _ended(record, record.status, error=error))


def _with(record: CallRecord, *data: bytes | None) -> CallRecord:
    """`record`, with `data` counted as kept for it."""
    return msgspec.structs.replace(record, size=record.size + sum(map(sys.getsizeof, data)))


def _answered(record: CallRecord, result: Answer | Opened) -> CallRecord:
    return msgspec.structs.replace(
        _tried(record, result.origin), headers=dict(result.headers), first_chunk=time.time(),
        retries=result.retries, fallbacks=result.fallbacks,
    )  # fmt: skip


def _failed(record: CallRecord, error: Exception, last: Target | None) -> CallRecord:
    """With where it failed; where nothing was tried, with what the error says of it."""
    record = _tried(record, last)
    if not isinstance(error, LiteLLMError):
        return record
    return msgspec.structs.replace(
        record, provider=record.provider or error.llm_provider or "", target_model=record.target_model or error.model or "",
        retries=error.num_retries or 0,
    )  # fmt: skip


def _tried(record: CallRecord, target: Target | None) -> CallRecord:
    """With where it went, if it went anywhere."""
    if target is None:
        return record
    return msgspec.structs.replace(
        record, provider=target.provider.name, target_model=target.model, model_id=target.id,
        model_group=target.group or record.model_group, api_base=target.api_base and redacted_url(target.api_base),
        deployment=_configured(target), model_info=target.params.get("model_info") or {},
    )  # fmt: skip


def _configured(target: Target) -> str:
    """The model as it stands in the configuration, but for what took the place of a star."""
    model = target.params.get("model") or "*"
    return f"{target.provider.name}/{target.model}" if "*" in model else model


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


def _as_bytes(answer: Answer) -> bytes | None:
    """The answer as bytes: nobody can change them, and reading them again is another thread's work. None for one that a
    handler has put something into that is no JSON."""
    if answer.raw is not None:
        return answer.raw
    try:
        return _json.encode(answer.data)
    except Exception as error:  # noqa: BLE001 - of an object of the handler's; usage and cost are told all the same
        _warn(error)
        return None


def _read(operation: str, data: bytes) -> Any:
    return answer_class(of_name(operation)).read(_decoded(data))


def _read_chunk(operation: str, data: bytes) -> Any:
    return chunk_class(of_name(operation)).read(_decoded(data))


def _decoded(data: bytes) -> Any:
    """JSON, as deep as whoever is told of it can bear."""
    return Copies().of(_json.decode(data))


class StreamRecorder:
    """Follows a stream to its end, keeping its chunks as bytes."""

    def __init__(self, record: CallRecord, opened: Opened, observe: Observe) -> None:
        self._record = record
        self._opened = opened
        self._observe = observe
        self._chunks: list[bytes] = []
        self._is_ours = opened.dialect == of_name(record.operation).dialect  # so that payloads can be read as they are
        self.see(opened.first)
        if opened.ended is None:
            opened.tap = self.see
        opened.on_end(self.end)

    @_never_raises
    def see(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            data = (chunk.payload if self._is_ours else None) or _json.encode(chunk.value)
            self._chunks.append(data)
            if self._observe.per_chunk:
                record = msgspec.structs.replace(self._record, size=sys.getsizeof(data))  # all else is there once
                self._observe.emit("stream", record, partial(_read_chunk, record.operation, data))

    @_never_raises
    def end(self, outcome: Outcome) -> None:
        usage = outcome.usage or self._opened.used()
        dollars = price(self._opened.origin, usage)
        response = partial(_assembled, self._chunks, usage) if self._chunks else None
        record = _ended(_with(self._record, *self._chunks), outcome.status, response, usage, dollars, outcome.error)
        self._observe.emit("success" if outcome.status == "success" else "failure", record)


def _assembled(chunks: list[bytes], usage: Body | None) -> Any:
    """The answer that the chunks are the stream of, with its usage, which the caller may not have asked to see."""
    last = [{"choices": [], "usage": usage}] if usage else []
    return stream_chunk_builder([*map(_decoded, chunks), *last])
