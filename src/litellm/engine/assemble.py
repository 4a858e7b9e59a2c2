"""The chunks of a stream, put together again: litellm.stream_chunk_builder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from litellm.engine.present import answer_class
from litellm.exceptions import APIError
from litellm.operations import CHAT, TEXT
from litellm.wire.protocol import Body

if TYPE_CHECKING:
    from litellm.types.chat import ModelResponse
    from litellm.types.completion import TextCompletionResponse

# Strings of a delta that say the same thing each time; all other strings are fragments and are joined.
_REPLACED = frozenset({"role", "id", "type", "name"})


def stream_chunk_builder(
    chunks: Iterable[Any],
    messages: list[Any] | None = None,  # noqa: ARG001
    **_: Any,
) -> ModelResponse | TextCompletionResponse | None:
    """The whole answer that `chunks` (ModelResponseStream objects or dicts, in order) are the stream of: a ModelResponse,
    or a TextCompletionResponse for chunks of completions.

    Text, reasoning and tool-call arguments are joined, the last usage counts, and unknown fields are kept. None for
    no chunks. Raises APIError when one of them is no chunk.

    >>> from litellm import completion
    >>> chunks = completion("mock/echo", [{"role": "user", "content": "Hi"}], stream=True)
    >>> stream_chunk_builder(chunks).choices[0].message.content
    'Hi'
    """
    objects = list(chunks)
    if not objects:
        return None
    answer: Body = {}
    choices: dict[int, Body] = {}
    for chunk in objects:
        value = _plain(chunk)
        if not isinstance(value.get("choices"), list):
            raise APIError(500, f"stream_chunk_builder: a chunk has no choices: {value!r}")
        answer |= {name: item for name, item in value.items() if name not in ("choices", "usage") and item is not None}
        if value.get("usage"):
            answer["usage"] = value["usage"]
        for choice in value["choices"]:
            _add_choice(choices, choice)
    answer["choices"] = [_closed(choices[index]) for index in sorted(choices)]
    operation = TEXT if any("text" in choice for choice in answer["choices"]) else CHAT
    answer["object"] = "text_completion" if operation is TEXT else "chat.completion"
    made: Any = answer_class(operation).read(answer)
    made._hidden_params = dict(getattr(objects[0], "_hidden_params", None) or {})  # noqa: SLF001 - our own object
    merged: ModelResponse | TextCompletionResponse = made
    return merged


def _plain(chunk: Any) -> Body:
    if isinstance(chunk, BaseModel):
        return chunk.model_dump(exclude_none=True)
    if isinstance(chunk, dict):
        return chunk
    raise APIError(500, f"stream_chunk_builder: {type(chunk).__name__} is not a chunk")


def _add_choice(choices: dict[int, Body], choice: Body) -> None:
    index = choice.get("index") or 0
    merged = choices.setdefault(index, {"index": index, "finish_reason": None})
    if "text" not in choice:
        merged.setdefault("message", {"role": "assistant"})
    for name, value in choice.items():
        if name == "delta":
            _add(merged["message"], value or {})
        elif name == "text":
            merged["text"] = merged.get("text", "") + (value or "")
        elif name == "logprobs" and isinstance(value, dict) and isinstance(merged.get("logprobs"), dict):
            _add(merged["logprobs"], value)
        elif value is not None:
            merged[name] = value


def _add(merged: Body, part: Body) -> None:
    """Grow `merged` by a fragment: strings and lists are appended, objects merged, calls matched by their index."""
    for name, value in part.items():
        if value is None:
            merged.setdefault(name, None)
        elif name == "tool_calls":
            merged["tool_calls"] = _add_calls(merged.get("tool_calls") or [], value)
        elif isinstance(value, str) and isinstance(merged.get(name), str) and name not in _REPLACED:
            merged[name] += value
        elif isinstance(value, list) and isinstance(merged.get(name), list):
            merged[name] = merged[name] + value
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = dict(merged[name])
            _add(merged[name], value)
        else:
            merged[name] = value


def _add_calls(calls: list[Body], parts: list[Body]) -> list[Body]:
    by_index = {call.get("index", at): call for at, call in enumerate(calls)}
    for part in parts:
        index = part.get("index", len(by_index))
        call = by_index.setdefault(index, {"index": index, "type": "function", "function": {"arguments": ""}})
        _add(call, {name: value for name, value in part.items() if name != "index"})
    return [by_index[index] for index in sorted(by_index)]


def _closed(choice: Body) -> Body:
    for call in choice.get("message", {}).get("tool_calls") or ():
        call.pop("index", None)
    return choice
