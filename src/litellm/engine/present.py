"""From an OpenAI-shaped answer to the object that callers read, for each operation."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from litellm.engine.call import Answer, Opened
from litellm.engine.faults import wrong_shape
from litellm.types.base import OpenAIObject
from litellm.wire.protocol import Body, Operation, WrongShape

# Imported on first use: pydantic builds a class in milliseconds, and most processes use one of them.
_ANSWERS: dict[Operation, tuple[str, str]] = {
    "chat": ("chat", "ModelResponse"),
    "text": ("completion", "TextCompletionResponse"),
    "embeddings": ("embedding", "EmbeddingResponse"),
    "moderations": ("moderation", "ModerationCreateResponse"),
}
_CHUNKS: dict[Operation, tuple[str, str]] = {
    "chat": ("chat", "ModelResponseStream"),
    "text": ("completion", "TextCompletionResponse"),
}


@cache
def answer_class(operation: Operation) -> type[OpenAIObject]:
    """What an answer becomes."""
    return _found(*_ANSWERS[operation])


@cache
def chunk_class(operation: Operation) -> type[OpenAIObject]:
    """What a chunk of a stream becomes."""
    return _found(*_CHUNKS[operation])


def _found(module: str, name: str) -> type[OpenAIObject]:
    cls: type[OpenAIObject] = getattr(import_module(f"litellm.types.{module}"), name)
    return cls


def built(cls: type[OpenAIObject], value: Body, result: Answer | Opened) -> Any:
    """The object for `value`. Raises APIResponseValidationError for what cannot be one."""
    try:
        return cls.read(value)
    except (ValidationError, TypeError) as error:
        raise wrong_shape(WrongShape(str(error)), result.target, result.headers) from error
