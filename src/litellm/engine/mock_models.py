"""The provider `mock/`, to develop against: models whose names say how they behave.

What they answer is written as bytes in OpenAI's format, as engine/mock.py does. docs/mock.md lists the names.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from litellm import _json
from litellm.engine.mock import DONE, EVENTS, JSON, choice_count
from litellm.net.messages import Part, Script
from litellm.providers.target import Target
from litellm.types.categories import CATEGORIES
from litellm.wire.bridge import as_text, merged, prompts_of
from litellm.wire.chunks import CHUNKS, words
from litellm.wire.framing import sse
from litellm.wire.openai_embeddings import as_base64
from litellm.wire.protocol import Body, Outgoing

CREATED = 1_700_000_000  # mock models are deterministic down to the time
DIMENSIONS = 1536
MAX_DIMENSIONS = 16_384

_PROSE = (
    "a mock answers without a model so that you can build test and measure what stands around it the words are picked "
    "by a seed made from the messages and the same messages always get the same words"
)
_WORDS = _PROSE.split()


def played(target: Target, out: Outgoing) -> Script:
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
    dialect = target.backend.dialect.NAME  # type: ignore[union-attr]  # a script's
    answer = _ANSWERS[dialect](name, out.body)
    if not out.stream:
        parts: tuple[Part, ...] = (Part(_json.encode(answer)),)
        if name in _BREAKS:
            parts = (Part(parts[0].data[:60]), _BREAKS[name])
        return Script(200, parts, JSON, before + pause)
    options = out.body.get("stream_options")
    show_usage = isinstance(options, dict) and bool(options.get("include_usage"))
    chunked = CHUNKS[dialect]
    chunks = [
        Part(sse.event(_json.encode(chunk)), pause if at else 0.0)
        for at, chunk in enumerate(chunked(answer, words, show_usage=show_usage))
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


def _chat(name: str, body: Body) -> Body:
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
        "choices": [{"index": i, "message": message, "finish_reason": finish_reason} for i in range(choice_count(body))],
        "usage": {"prompt_tokens": used, "completion_tokens": written, "total_tokens": used + written},
    }  # fmt: skip


def _sentence(words: random.Random) -> str:
    at = words.randrange(len(_WORDS))
    picked = [_WORDS[(at + i) % len(_WORDS)] for i in range(words.randint(9, 15))]
    return " ".join(picked).capitalize() + "."


def _last_text(messages: list[Any]) -> str:
    content = messages[-1].get("content") if messages and isinstance(messages[-1], dict) else ""
    if isinstance(content, list):
        content = " ".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content or ""


def _text(name: str, body: Body) -> Body:
    return merged([_continuation(name, body, prompt) for prompt in prompts_of(body["prompt"])])


def _continuation(name: str, body: Body, prompt: Any) -> Body:
    text = prompt if isinstance(prompt, str) else " ".join(str(token) for token in prompt)
    answer = as_text(_chat(name, {"n": body.get("n"), "messages": [{"role": "user", "content": text}]}))
    for choice in answer["choices"]:
        choice["text"] = text + choice["text"] if body.get("echo") else choice["text"]
    return answer | {"id": answer["id"].replace("chatcmpl", "cmpl")}


def _vectors(name: str, body: Body) -> Body:
    texts = prompts_of(body["input"])
    length = body.get("dimensions") or DIMENSIONS
    if not isinstance(length, int) or not 1 <= length <= MAX_DIMENSIONS:
        raise ValueError(f"dimensions must be a number from 1 to {MAX_DIMENSIONS}")
    rows = [_vector(name, text, length) for text in texts]
    if body.get("encoding_format") == "base64":
        rows = [as_base64(row) for row in rows]
    used = sum(len(text.split()) if isinstance(text, str) else len(text) for text in texts)
    return {
        "object": "list", "model": name,
        "data": [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(rows)],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }  # fmt: skip


def _vector(name: str, text: Any, length: int) -> list[float]:
    """A vector of length 1, as embeddings are; the same text always gets the same one."""
    picked = random.Random(_json.encode([name, text]))  # noqa: S311 - not a secret
    numbers = [picked.uniform(-1.0, 1.0) for _ in range(length)]
    size = sum(number * number for number in numbers) ** 0.5
    return [number / size for number in numbers]


def _judged(name: str, body: Body) -> Body:
    """A text that names a category is found to be of it."""
    sent = body["input"]
    texts = [_text_of(part) for part in sent] if isinstance(sent, list) else [sent]
    results = []
    for text in texts:
        words_of_text = text.lower().split()
        found = {category: category in words_of_text for category in CATEGORIES}
        scores = {category: 0.9 if hit else 0.0 for category, hit in found.items()}
        results.append({"flagged": any(found.values()), "categories": found, "category_scores": scores})
    return {"id": f"modr-mock-{zlib.crc32(_json.encode([name, sent])):08x}", "model": name, "results": results}


def _text_of(part: Any) -> str:
    return part if isinstance(part, str) else part.get("text") or ""


_ANSWERS: Mapping[str, Callable[[str, Body], Body]] = {
    "openai_chat": _chat,
    "openai_text": _text,
    "openai_embeddings": _vectors,
    "openai_moderations": _judged,
}
