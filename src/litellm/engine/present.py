"""From an OpenAI-shaped answer to the object that callers read, for each operation."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from litellm.engine.call import Answer, Opened
from litellm.engine.faults import wrong_shape
from litellm.operations import Operation, load
from litellm.types.base import OpenAIObject
from litellm.wire.protocol import Body, WrongShape


def answer_class(operation: Operation) -> type[OpenAIObject]:
    """What an answer becomes."""
    cls: type[OpenAIObject] = load(operation.answer)
    return cls


def chunk_class(operation: Operation) -> type[OpenAIObject]:
    """What a chunk of a stream becomes."""
    cls: type[OpenAIObject] = load(operation.chunk)
    return cls


def built(cls: type[OpenAIObject], value: Body, result: Answer | Opened) -> Any:
    """The object for `value`. Raises APIResponseValidationError for what cannot be one."""
    try:
        return cls.read(value)
    except (ValidationError, TypeError) as error:
        raise wrong_shape(WrongShape(str(error)), result.target, result.headers) from error
