"""Moderations: the answer, and what it says about each text.

Source of the format: https://platform.openai.com/docs/api-reference/moderations.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, model_validator

from litellm.types.answer import Answered
from litellm.types.base import OpenAIObject, Text
from litellm.types.categories import CATEGORIES

_ATTRIBUTES = {name.replace("/", "_").replace("-", "_"): name for name in CATEGORIES}


class Categories(OpenAIObject):
    """A value for each category; None for one that the upstream said nothing about.

    >>> found = Categories.read({"hate/threatening": True})
    >>> found["hate/threatening"], found.hate_threatening, found.violence
    (True, True, None)
    """

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        return {**dict.fromkeys(CATEGORIES), **data} if isinstance(data, Mapping) else data

    def __getattr__(self, name: str) -> Any:
        return super().__getattr__(_ATTRIBUTES.get(name, name))  # type: ignore[misc]  # pydantic hides it

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names as the upstream writes them, with their values."""
        yield from self


class Moderation(OpenAIObject):
    """What was found in one text."""

    flagged: bool | None = None
    categories: Categories = Field(default_factory=lambda: Categories.read({}))
    category_scores: Categories = Field(default_factory=lambda: Categories.read({}))
    category_applied_input_types: Categories | None = None


class ModerationCreateResponse(Answered):
    """What was found in each of the texts, in their order."""

    id: Text = Field(default_factory=lambda: f"modr-{uuid.uuid4()}")
    model: Text | None = None
    results: list[Moderation] = Field(default_factory=list)
