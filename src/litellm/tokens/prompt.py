"""The tokens of messages and tools: their texts, and what OpenAI puts around them.

https://developers.openai.com/cookbook/examples/how_to_count_tokens_with_tiktoken is the source. Other providers frame a
conversation in their own ways; the figures are near enough for limits, not for an invoice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from litellm import _json

ANSWER_BEGINS = 3
_PER_MESSAGE = 3
_PER_NAME = 1

Count = Callable[[str], int]
Picture = Callable[[str, str | None], int]  # (URL, detail) → tokens


class Framing(NamedTuple):
    """Tokens around the texts of tools. An enum's values have 3 each, of which its property saves 3."""

    function: int
    properties: int = 3
    property: int = 3
    enum: int = -3
    value: int = 3
    end: int = 12


# By vocabulary: a change of the one was a change of the other.
FRAMINGS = {"cl100k_base": Framing(function=10), "o200k_base": Framing(function=7)}


def count_prompt(messages: Any, tools: Any, tool_choice: Any, count: Count, picture: Picture, framing: Framing) -> int:
    """All of a conversation and its tools. Raises ValueError for what is none. Audio and files count nothing."""
    try:
        counted = sum(_message(_plain(message), count, picture) for message in _items(messages))
        return counted + (_tools(tools, tool_choice, count, framing) if tools else 0)
    except RecursionError as error:
        raise ValueError("cannot count what is nested so deeply") from error


def _plain(value: Any) -> Mapping[str, Any]:
    """A message, part or tool as a dict. Raises ValueError for what is none."""
    dump = getattr(value, "model_dump", None)
    plain = dump() if callable(dump) else value
    if not isinstance(plain, Mapping):
        raise ValueError(f"cannot count {type(value).__name__} as part of a prompt; pass a dict")  # noqa: TRY004
    return plain


def _items(value: Any) -> Sequence[Any]:
    """A list that may be None. Raises ValueError for what is no list."""
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ValueError(f"cannot count {type(value).__name__} where a list is expected")  # noqa: TRY004
    return value


def _message(message: Mapping[str, Any], count: Count, picture: Picture) -> int:
    counted = _PER_MESSAGE + count(str(message.get("role") or "")) + _content(message.get("content"), count, picture)
    if name := message.get("name"):
        counted += _PER_NAME + count(str(name))
    calls = [_plain(call).get("function") for call in _items(message.get("tool_calls"))]
    for call in (*calls, message.get("function_call")):
        if call:
            counted += _PER_MESSAGE + sum(map(count, _strings(call, "name", "arguments")))
    return counted


def _content(content: Any, count: Count, picture: Picture) -> int:
    if isinstance(content, str):
        return count(content)
    parts = _items(content)
    return sum(count(part) if isinstance(part, str) else _part(_plain(part), count, picture) for part in parts)


def _part(part: Mapping[str, Any], count: Count, picture: Picture) -> int:
    match part.get("type"):
        case "image_url" | "input_image":
            image = part.get("image_url")
            image = {"url": image, **part} if isinstance(image, str) else _plain(image)
            return picture(str(image.get("url") or ""), image.get("detail"))
        case "tool_use":
            return count(str(part.get("name") or "")) + count(_json.encode(part.get("input")).decode())
        case "tool_result":
            return _content(part.get("content"), count, picture)
    return sum(map(count, _strings(part, "text", "thinking", "refusal")))


def _strings(value: Any, *names: str) -> Iterator[str]:
    plain = _plain(value)
    return (plain[name] for name in names if isinstance(plain.get(name), str))


def _tools(tools: Any, tool_choice: Any, count: Count, framing: Framing) -> int:
    functions = [_plain(tool.get("function") or tool) for tool in map(_plain, _items(tools))]
    return framing.end + _choice(tool_choice, count) + sum(_function(each, count, framing) for each in functions)


def _function(function: Mapping[str, Any], count: Count, framing: Framing) -> int:
    schema = function.get("parameters") or function.get("input_schema")
    schema_of = count(f"{function.get('name') or ''}:{_sentence(function)}")
    return framing.function + schema_of + _properties(schema, count, framing)


def _properties(schema: Any, count: Count, framing: Framing) -> int:
    """What a JSON schema's properties are, and those of the objects and arrays among them."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or not properties:
        return 0
    counted = framing.properties
    for name, about in properties.items():
        schema_of = about if isinstance(about, Mapping) else {}
        counted += framing.property + count(f"{name}:{schema_of.get('type') or ''}:{_sentence(schema_of)}")
        values = schema_of.get("enum")
        if isinstance(values, Sequence) and not isinstance(values, str):
            counted += framing.enum + sum(framing.value + count(str(value)) for value in values)
        counted += _properties(schema_of, count, framing) + _properties(schema_of.get("items"), count, framing)
    return counted


def _sentence(about: Mapping[str, Any]) -> str:
    return str(about.get("description") or "").removesuffix(".")


def _choice(tool_choice: Any, count: Count) -> int:
    """A choice that names a function is in the prompt, and so is "none"."""
    if tool_choice == "none":
        return 1
    if isinstance(tool_choice, Mapping):
        return 4 + sum(map(count, _strings(tool_choice.get("function") or tool_choice, "name")))
    return 0
