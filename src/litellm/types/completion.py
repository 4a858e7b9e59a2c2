"""Text completions: the answer, which is also what each chunk of a stream is.

Source of the format: https://platform.openai.com/docs/api-reference/completions.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from pydantic import Field

from litellm.types.base import Integer, Number, OpenAIObject, Text
from litellm.types.chat import ModelResponseBase, Usage


class TextLogprobs(OpenAIObject):
    """What was likely, in lists of one entry for each token."""

    text_offset: list[Integer] | None = None
    token_logprobs: list[Number | None] | None = None
    tokens: list[Text] | None = None
    top_logprobs: list[dict[str, Number] | None] | None = None


class TextChoices(OpenAIObject):
    """One continuation of one prompt."""

    finish_reason: Text | None = None
    index: Integer = 0
    text: Text | None = None
    logprobs: TextLogprobs | None = None


class TextCompletionResponse(ModelResponseBase):
    """Continuations of one or more prompts, in their order. `usage` is there when the upstream sent it.

    >>> TextCompletionResponse(choices=[{"text": "Hi!"}])["choices"][0].text
    'Hi!'
    """

    id: Text = Field(default_factory=lambda: f"cmpl-{uuid.uuid4()}")
    created: Number = Field(default_factory=lambda: int(time.time()))
    object: Text = "text_completion"
    choices: list[TextChoices] = Field(default_factory=lambda: [TextChoices()])
    if TYPE_CHECKING:
        usage: Usage  # not a declared field, as in ModelResponse
