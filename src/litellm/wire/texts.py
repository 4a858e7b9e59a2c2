"""The texts in OpenAI-shaped bodies, answers and chunks: people's, models', tools'.

One list for guardrails, redaction and counting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from litellm.wire.protocol import Body

# Fields that hold words, as a string, a list of strings, or deeper inside.
_TEXT_FIELDS = frozenset({
    "messages", "input", "prompt", "suffix", "prediction", "instructions", "query", "documents", "content", "text",
    "refusal", "reasoning", "reasoning_content", "thinking", "arguments", "transcript",
})  # fmt: skip
# Fields that show them in another form, or in one that only the upstream knows.
_DERIVED_FIELDS = frozenset({
    "thinking_blocks", "audio", "images", "annotations", "provider_specific_fields", "logprobs", "embedding",
})  # fmt: skip
_REDACTED = _TEXT_FIELDS | _DERIVED_FIELDS


class Text:
    """A text that stands somewhere in a body, which it can be changed in.

    >>> body = {"messages": [{"role": "user", "content": "call 555-1234"}]}
    >>> for text in texts(body):
    ...     text.replace(text.value.replace("555-1234", "…"))
    >>> body
    {'messages': [{'role': 'user', 'content': 'call …'}]}
    """

    __slots__ = ("_holder", "_key")

    def __init__(self, holder: Any, key: Any) -> None:
        self._holder = holder
        self._key = key

    @property
    def value(self) -> str:
        """What it says."""
        text: str = self._holder[self._key]
        return text

    def replace(self, value: str) -> None:
        """Put another one in its place."""
        self._holder[self._key] = value


def texts(body: Body) -> Iterator[Text]:
    """Every text, in order of appearance.

    >>> [text.value for text in texts({"prompt": ["a", "b"], "model": "m", "suffix": "c"})]
    ['a', 'b', 'c']
    """
    waiting: list[tuple[Any, Any, bool]] = [(body, name, name in _TEXT_FIELDS) for name in reversed(body)]
    while waiting:
        holder, key, written = waiting.pop()
        value = holder[key]
        if isinstance(value, str):
            if written:
                yield Text(holder, key)
        elif isinstance(value, dict):
            waiting += [(value, name, name in _TEXT_FIELDS) for name in reversed(value)]
        elif isinstance(value, list):
            waiting += [(value, at, written) for at in reversed(range(len(value)))]


def without_texts(body: Mapping[str, Any], instead: str) -> dict[str, Any]:
    """A copy of a request's body without its texts: `instead` takes their places.

    >>> without_texts({"messages": [{"role": "user", "content": "secret"}], "temperature": 0}, "…")
    {'messages': [{'role': 'user', 'content': '…'}], 'temperature': 0}
    """
    silent: dict[str, Any] = {name: value for name, value in body.items() if name not in _REDACTED}
    if "messages" in body:
        silent = {"messages": [{"role": "user", "content": instead}], **silent}
    return {**silent, **{name: instead for name in body if name in _REDACTED and name != "messages"}}


def without_answers(value: Any, instead: str, name: str = "") -> Any:
    """A copy of an answer or a chunk without its texts, of the same shape otherwise.

    >>> without_answers({"id": "1", "choices": [{"message": {"role": "assistant", "content": "secret"}}]}, "…")
    {'id': '1', 'choices': [{'message': {'role': 'assistant', 'content': '…'}}]}
    """
    if name in _REDACTED and value is not None:
        return [] if isinstance(value, list | tuple) else {} if isinstance(value, Mapping) else instead
    if isinstance(value, Mapping):
        return {key: without_answers(inner, instead, str(key)) for key, inner in value.items()}
    return [without_answers(inner, instead) for inner in value] if isinstance(value, list | tuple) else value
