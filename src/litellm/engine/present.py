"""From an OpenAI-shaped answer to the object that callers read, for each operation."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from litellm.engine.call import Answer
from litellm.engine.faults import wrong_shape
from litellm.engine.opened import Opened
from litellm.operations import Operation, load
from litellm.providers.target import NOWHERE
from litellm.types.base import OpenAIObject
from litellm.wire.protocol import Body, WrongShape


@cache
def answer_class(operation: Operation) -> type[OpenAIObject]:
    """What an answer becomes."""
    cls: type[OpenAIObject] = load(operation.answer)
    return cls


@cache
def chunk_class(operation: Operation) -> type[OpenAIObject]:
    """What a chunk of a stream becomes."""
    cls: type[OpenAIObject] = load(operation.chunk)
    return cls


def build_object(cls: type[OpenAIObject], value: Body, result: Answer | Opened) -> Any:
    """The object for `value`. Raises APIResponseValidationError for what cannot be one."""
    try:
        return cls.read(value)
    except (ValidationError, TypeError) as error:
        raise wrong_shape(WrongShape(str(error)), result.origin or NOWHERE, result.headers) from error


def to_plain(value: Any) -> Any:
    """A pydantic object as a dict, whatever its owner has put into it; all else as it is."""
    return value.model_dump(exclude_none=True, warnings=False) if isinstance(value, BaseModel) else value


def set_answer(answer: Answer, value: Any) -> None:
    """Have `value`, a dict or an object of the user's like an answer, be the answer."""
    answer.raw = None
    answer.data = to_plain(value)
    answer.native = None if value is answer.data else value
