"""Address: ddtrace and openai-agents name these in annotations. They are plain dicts, as OpenAI's JSON is everywhere."""

from __future__ import annotations

from typing import Any, TypedDict

AllMessageValues = dict[str, Any]  # a message of a conversation, of any role


class ChatCompletionAnnotation(TypedDict, total=False):
    type: str  # "url_citation"
    url_citation: dict[str, Any]
