"""The simple chunk that a CustomLLM may yield instead of OpenAI's."""

from __future__ import annotations

from typing import Any, TypedDict


class _Required(TypedDict):
    text: str
    is_finished: bool
    finish_reason: str | None


class GenericStreamingChunk(_Required, total=False):
    """Text, a tool call, or the end, of one step of a stream. Only the first three keys are needed.

    tool_use: OpenAI's delta tool call ({"id", "type", "function": {"name", "arguments"}, "index"}).
    usage: {"prompt_tokens", "completion_tokens", "total_tokens"} or None.
    provider_specific_fields: put on the delta as they are.
    """

    tool_use: dict[str, Any] | None
    usage: dict[str, Any] | None
    index: int
    provider_specific_fields: dict[str, Any] | None
