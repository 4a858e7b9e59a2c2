"""Embeddings: the answer and its rows.

Source of the format: https://platform.openai.com/docs/api-reference/embeddings.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from litellm.types.answer import Answered
from litellm.types.base import Integer, OpenAIObject, Text
from litellm.types.chat import Usage


class Embedding(OpenAIObject):
    """One vector: a list of floats, or base64 if that was asked for."""

    embedding: Any = Field(default_factory=list)  # not looked at: it may be thousands of floats
    index: Integer = 0
    object: Text = "embedding"


class EmbeddingResponse(Answered):
    """The vectors of the texts that were sent, in their order.

    >>> EmbeddingResponse(data=[{"embedding": [0.5, 0.25]}]).data[0]["embedding"]
    [0.5, 0.25]
    """

    model: Text | None = None
    data: list[Embedding] = Field(default_factory=list)
    object: Text = "list"
    usage: Usage = Field(default_factory=Usage)
