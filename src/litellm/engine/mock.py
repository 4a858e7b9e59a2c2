"""Answers without a model: `mock_response=…` on any call.

They are written as bytes in OpenAI's format and read by the same code as an upstream's, so what works here works there.
The provider `mock/` is in engine/mock_models.py.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from litellm import _json, exceptions
from litellm.engine.call import Call
from litellm.engine.faults import error_text
from litellm.engine.present import to_plain
from litellm.exceptions import BadRequestError, InternalServerError, LiteLLMError
from litellm.net.messages import Part, Script
from litellm.providers.backend import Mock
from litellm.providers.target import Target
from litellm.wire.bridge import as_text, prompts_of
from litellm.wire.chunks import CHUNKS
from litellm.wire.framing import sse
from litellm.wire.protocol import Body

JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}
PIECE = 3  # characters in one chunk of a streamed mock_response, as in LiteLLM
MOCK_USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
MAX_CHOICES = 128
DONE = sse.event(sse.DONE)


# --- mock_response -----------------------------------------------------------------------------------------------------


def scripted(call: Call, target: Target, mock: Mock) -> Script:
    """What `mock_response` and its relatives ask for. Raises the error that they name."""
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
    dialect = target.backend.dialect.NAME  # type: ignore[union-attr]  # a script's
    answer = _ANSWERS[dialect](call, target, response, mock.tool_calls)
    if not call.stream:
        return Script(200, (Part(_json.encode(answer)),), JSON, mock.delay)
    chunked = CHUNKS[dialect]
    chunks = (Part(sse.event(_json.encode(c))) for c in chunked(answer, _slices, show_usage=call.show_usage))
    return Script(200, _then(chunks, Part(DONE)), EVENTS, mock.delay)


def _chat(call: Call, target: Target, response: Any, tool_calls: list[Any] | None) -> Body:
    if isinstance(response, dict):
        return response
    message: Body = {"role": "assistant", "content": "This is a mock request" if response is None else response}
    if tool_calls is not None:
        message["tool_calls"] = [to_plain(call) for call in tool_calls]
    count = choice_count(call.body) * len(prompts_of(call.body.get("prompt")))
    return {
        "id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion", "created": int(time.time()),
        "model": target.model,
        "choices": [{"index": i, "message": message, "finish_reason": "stop"} for i in range(count)],
        "usage": MOCK_USAGE,
    }  # fmt: skip


def _text(call: Call, target: Target, response: Any, tool_calls: list[Any] | None) -> Body:
    answer = _chat(call, target, response, tool_calls)
    if any("text" in choice for choice in answer.get("choices") or ()):
        return answer
    return as_text({**answer, "id": f"cmpl-{uuid.uuid4()}"})


def _vectors(call: Call, target: Target, response: Any, _: Any) -> Body:
    """The vector that was given, for every text."""
    if isinstance(response, dict):
        return response
    vector = [0.0] * 8 if response is None else response
    if not isinstance(vector, list):
        raise BadRequestError("mock_response for embeddings must be a list of numbers", target.model,
                              target.provider.name, param="mock_response")  # fmt: skip
    rows = [
        {"object": "embedding", "index": i, "embedding": vector} for i in range(len(prompts_of(call.body["input"])))
    ]
    return {"object": "list", "data": rows, "model": target.model, "usage": {"prompt_tokens": 10, "total_tokens": 10}}


def _judged(call: Call, target: Target, response: Any, _: Any) -> Body:
    """True or False, for every text."""
    if isinstance(response, dict):
        return response
    found: Body = {"flagged": bool(response), "categories": {}, "category_scores": {}}
    count = len(call.body["input"]) if isinstance(call.body["input"], list) else 1
    return {"id": f"modr-{uuid.uuid4()}", "model": target.model, "results": [found] * count}


_Write = Callable[[Call, Target, Any, list[Any] | None], Body]
_ANSWERS: Mapping[str, _Write] = {
    "openai_chat": _chat,
    "openai_text": _text,
    "openai_embeddings": _vectors,
    "openai_moderations": _judged,
}


def choice_count(body: Body) -> int:
    count = body.get("n") or 1
    if not isinstance(count, int) or not 1 <= count <= MAX_CHOICES:
        raise ValueError(f"n must be a number from 1 to {MAX_CHOICES}")
    return count


def _raised(error: Exception, target: Target) -> LiteLLMError:
    if isinstance(error, LiteLLMError):
        return error
    status, text = getattr(error, "status_code", None), error_text(target, f"litellm.MockException: {error}")
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
    choice = {"index": 0, "delta": {"role": "assistant", "content": "mock"}, "finish_reason": None}
    head = {"id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion.chunk", "created": int(time.time())}
    yield Part(sse.event(_json.encode({**head, "model": target.model, "choices": [choice]})))
    yield Part(sse.event(_json.encode({"error": {"message": "mock_streaming_error", "code": 529}})))


def _slices(text: str) -> list[str]:
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


def _then(parts: Iterator[Part], last: Part) -> Iterator[Part]:
    yield from parts
    yield last
