"""Answers without a model: `mock_response=…` on any call, and the provider `mock/` to develop against.

Both are written as bytes in OpenAI's format and read by the same code as an upstream's, so what works here works there.
The names of mock models are listed in docs/mock.md.
"""

from __future__ import annotations

import random
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

from litellm import _json, exceptions
from litellm.engine.call import Call
from litellm.engine.faults import said
from litellm.exceptions import BadRequestError, InternalServerError, LiteLLMError
from litellm.net import sse
from litellm.net.messages import Part, Script
from litellm.providers.resolve import Mock, Target
from litellm.wire.protocol import Body, Chunk, Outgoing

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}
PIECE = 3  # characters in one chunk of a streamed mock_response, as in LiteLLM
MOCK_USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
MOST_CHOICES = 128
CREATED = 1_700_000_000  # mock models are deterministic down to the time
DONE = sse.event(sse.DONE)

_PROSE = (
    "a mock answers without a model so that you can build test and measure what stands around it the words are picked "
    "by a seed made from the messages and the same messages always get the same words"
)
_WORDS = _PROSE.split()


# --- mock_response -----------------------------------------------------------------------------------------------------


def scripted(call: Call, target: Target) -> Script:
    """What `mock_response` and its relatives ask for. Raises the error that they name."""
    mock = call.mock or target.mock or Mock()
    if mock.timeout:
        return Script(200, (), delay=float("inf"))
    response = mock.response
    if isinstance(response, Exception):
        raise _raised(response, target)
    if isinstance(response, str):
        _raise_named(response, target)
        if call.stream and response.startswith("Exception: mock_streaming_error"):
            return Script(200, _breaking(target), EVENTS, mock.delay)
    if isinstance(response, BaseModel):
        response = response.model_dump(exclude_none=True)
    if isinstance(response, dict) and response.get("object") == "chat.completion.chunk":
        answer = response
        return Script(200, (Part(sse.event(_json.encode(answer)) + DONE),), EVENTS, mock.delay)
    answer = response if isinstance(response, dict) else _answer(call, target, response, mock.tool_calls)
    if not call.stream:
        return Script(200, (Part(_json.encode(answer)),), JSON, mock.delay)
    chunks = (Part(sse.event(_json.encode(c))) for c in chunked(answer, _slices, show_usage=call.show_usage))
    return Script(200, _then(chunks, Part(DONE)), EVENTS, mock.delay)


def _answer(call: Call, target: Target, text: Any, tool_calls: list[Any] | None) -> Body:
    message: Body = {"role": "assistant", "content": "This is a mock request" if text is None else text}
    if tool_calls is not None:
        message["tool_calls"] = tool_calls
    count = _count(call.body)
    return {
        "id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion", "created": int(time.time()),
        "model": target.model,
        "choices": [{"index": i, "message": message, "finish_reason": "stop"} for i in range(count)],
        "usage": MOCK_USAGE,
    }  # fmt: skip


def _raised(error: Exception, target: Target) -> LiteLLMError:
    if isinstance(error, LiteLLMError):
        return error
    status, text = getattr(error, "status_code", None), said(target, f"litellm.MockException: {error}")
    if isinstance(status, int):
        return exceptions.of_status(status, text, target.provider.name, target.model)
    return InternalServerError(text, target.provider.name, target.model)


def _raise_named(text: str, target: Target) -> None:
    """The magic strings: "litellm.RateLimitError" raises that class."""
    provider, model = target.provider.name, target.model
    name = text.removeprefix("litellm.")
    kind = getattr(exceptions, name, None) if name != text and name.isidentifier() else None
    if isinstance(kind, type) and issubclass(kind, LiteLLMError):
        raise kind(message=f"Mock {name}", llm_provider=provider, model=model)
    if text.startswith("Exception: content_filter_policy"):
        raise BadRequestError("Mock content filter", model, provider, code="content_filter")


def _breaking(target: Target) -> Iterator[Part]:
    head = _head(target.model)
    yield Part(sse.event(_json.encode({**head, "choices": [_delta({"role": "assistant", "content": "mock"})]})))
    yield Part(sse.event(_json.encode({"error": {"message": "mock_streaming_error", "code": 529}})))


# --- answers as streams ------------------------------------------------------------------------------------------------


def _head(model: Any, created: int | None = None) -> Body:
    created = int(time.time()) if created is None else created
    return {"id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion.chunk", "created": created, "model": model}


def _delta(delta: Body, finish_reason: str | None = None, index: int = 0) -> Body:
    return {"index": index, "delta": delta, "finish_reason": finish_reason}


def _slices(text: str) -> list[str]:
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def _tokens(text: str) -> list[str]:
    words = text.split(" ")
    return [word if at == 0 else " " + word for at, word in enumerate(words)]


def chunked(answer: Body, cut: Callable[[str], list[str]], *, show_usage: bool) -> Iterator[Body]:
    """A whole answer as the chunks of a stream: text in pieces, the role once, everything else in one chunk."""
    head = {
        **{name: value for name, value in answer.items() if name not in ("choices", "usage")},
        "object": "chat.completion.chunk",
    }
    for choice in answer["choices"]:
        message, index = dict(choice.get("message") or {}), choice.get("index", 0)
        role, text = message.pop("role", "assistant"), message.pop("content", None)
        calls = message.pop("tool_calls", None)
        rest = {name: value for name, value in message.items() if value is not None}
        first: Body = {"role": role}
        if rest:
            yield {**head, "choices": [_delta({**first, **rest}, index=index)]}
            first = {}
        for piece in cut(text) if isinstance(text, str) else [text] if text else []:
            yield {**head, "choices": [_delta({**first, "content": piece}, index=index)]}
            first = {}
        if calls:
            indexed = [{"index": at, **_as_dict(call)} for at, call in enumerate(calls)]
            yield {**head, "choices": [_delta({**first, "tool_calls": indexed}, index=index)]}
            first = {}
        extras = {name: value for name, value in choice.items() if name not in ("message", "index", "finish_reason")}
        yield {**head, "choices": [{**_delta(first, choice.get("finish_reason") or "stop", index), **extras}]}
    if show_usage and answer.get("usage"):
        yield {**head, "choices": [], "usage": answer["usage"]}


def _as_dict(call: Any) -> Body:
    return call.model_dump(exclude_none=True) if isinstance(call, BaseModel) else dict(call)


def as_chunks(answer: Body, *, show_usage: bool) -> list[Chunk]:
    """A whole answer as chunks, its text undivided."""
    return [Chunk(value) for value in chunked(answer, lambda text: [text] if text else [], show_usage=show_usage)]


# --- the provider mock/ ------------------------------------------------------------------------------------------------


def model(target: Target, out: Outgoing) -> Script:
    """What the mock model of that name does with this request."""
    name = target.model
    if name.startswith("error-") and name[6:].isdigit():
        return _error(int(name[6:]))
    if name in _ERRORS:
        return _error(400, *_ERRORS[name])
    if name == "bad-json":
        return Script(200, (Part(b'{"id": "chatcmpl-mock", "choices": [{"mess'),), JSON)
    if name == "empty":
        return Script(200, (), EVENTS if out.stream else JSON)
    if name == "refuse":
        return Script(200, (Part(fault="connect"),), JSON, 0.0)
    try:
        return _played(target, out)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return _error(400, None, f"the mock cannot read this request: {error!r}")


def _played(target: Target, out: Outgoing) -> Script:
    name = target.model
    pause = float(target.params.get("mock_delay") or 0.0) or (0.2 if name == "slow-stream" else 0.0)
    before = {"slow": 3.0, "hang": float("inf")}.get(name, 0.0)
    answer = _mock_answer(name, out.body)
    if not out.stream:
        parts: tuple[Part, ...] = (Part(_json.encode(answer)),)
        if name in _BREAKS:
            parts = (Part(parts[0].data[:60]), _BREAKS[name])
        return Script(200, parts, JSON, before + pause)
    options = out.body.get("stream_options")
    show_usage = isinstance(options, dict) and bool(options.get("include_usage"))
    chunks = [
        Part(sse.event(_json.encode(chunk)), pause if at else 0.0)
        for at, chunk in enumerate(chunked(answer, _tokens, show_usage=show_usage))
    ]
    if name in _BREAKS:
        return Script(200, (*chunks[:4], _BREAKS[name]), EVENTS, before)
    return Script(200, (*chunks, Part(DONE)), EVENTS, before + pause)


_STALLED = 86_400.0  # seconds; the caller's clocks run out long before
_BREAKS = {"cut": Part(fault="closed"), "stall": Part(delay=_STALLED), "no-finish": Part(b"")}
_ERRORS = {
    "context-window": ("context_length_exceeded", "This model's maximum context length is 8 tokens."),
    "content-filter": ("content_filter", "The request was refused by the content filter."),
}


def _error(status: int, code: str | None = None, message: str | None = None) -> Script:
    body = {"error": {"message": message or f"mock error {status}", "type": "mock_error", "param": None, "code": code}}
    headers = {**JSON, "retry-after": "1"} if status == 429 else JSON
    return Script(status, (Part(_json.encode(body)),), headers)


def _mock_answer(name: str, body: Body) -> Body:
    seed = zlib.crc32(_json.encode([name, body.get("messages")]))
    prompt = _last_text(body.get("messages") or [])
    text = prompt if name == "echo" else _sentence(random.Random(seed))  # noqa: S311 - the same words each time
    message: Body = {"role": "assistant", "content": text}
    finish_reason = "stop"
    if name == "reasoning":
        message["reasoning_content"] = "The prompt was read, and words were picked."
    tools = body.get("tools")
    if name == "tool-call" and tools:
        function = {"name": tools[0]["function"]["name"], "arguments": "{}"}
        message |= {
            "content": None,
            "tool_calls": [{"id": f"call_{seed:08x}", "type": "function", "function": function}],
        }
        finish_reason = "tool_calls"
    used, written = len(prompt.split()), len(text.split())
    return {
        "id": f"chatcmpl-mock-{seed:08x}", "object": "chat.completion", "created": CREATED, "model": name,
        "choices": [{"index": i, "message": message, "finish_reason": finish_reason} for i in range(_count(body))],
        "usage": {"prompt_tokens": used, "completion_tokens": written, "total_tokens": used + written},
    }  # fmt: skip


def _count(body: Body) -> int:
    count = body.get("n") or 1
    if not isinstance(count, int) or not 1 <= count <= MOST_CHOICES:
        raise ValueError(f"n must be a number from 1 to {MOST_CHOICES}")
    return count


def _sentence(words: random.Random) -> str:
    at = words.randrange(len(_WORDS))
    picked = [_WORDS[(at + i) % len(_WORDS)] for i in range(words.randint(9, 15))]
    return " ".join(picked).capitalize() + "."


def _last_text(messages: list[Any]) -> str:
    content = messages[-1].get("content") if messages and isinstance(messages[-1], dict) else ""
    if isinstance(content, list):
        content = " ".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content or ""


def _then(parts: Iterator[Part], last: Part) -> Iterator[Part]:
    yield from parts
    yield last
