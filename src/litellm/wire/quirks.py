"""Edits of an OpenAI-shaped body for endpoints that take a slightly different one. They never allow-list.

Every function returns a new body where it changes something; the caller's objects stay as they are.
"""

from __future__ import annotations

from typing import Any

import msgspec

from litellm.wire.protocol import Body

Message = dict[str, Any]


class Quirks(msgspec.Struct, frozen=True):
    """How an endpoint differs from OpenAI's.

    rename: parameter → the name it has there. force: parameters that are always sent so. clamp: parameter → largest
    value. flatten_text_parts: content must be a string. developer_as_system: there is no role "developer".
    fold_system: there is no role "system"; its text goes before the next user message.
    drop_message_fields: fields of messages that are refused there.
    """

    rename: dict[str, str] = {}
    force: dict[str, Any] = {}
    clamp: dict[str, float] = {}
    flatten_text_parts: bool = False
    developer_as_system: bool = False
    fold_system: bool = False
    drop_message_fields: tuple[str, ...] = ()


NONE = Quirks()


def apply(quirks: Quirks, body: Body) -> Body:
    """`body` as the endpoint wants it.

    >>> apply(Quirks(rename={"max_completion_tokens": "max_tokens"}), {"max_completion_tokens": 5})
    {'max_tokens': 5}
    """
    if quirks.rename:
        body = {quirks.rename.get(name, name): value for name, value in body.items()}
    if quirks.force:
        body = body | quirks.force
    for name, largest in quirks.clamp.items():
        value = body.get(name)
        if isinstance(value, int | float) and value > largest:
            body = body | {name: largest}
    if quirks.developer_as_system:
        body = _each_message(body, _developer_as_system)
    if quirks.fold_system:
        body = body | {"messages": fold_system(body.get("messages") or [])}
    if quirks.flatten_text_parts:
        body = _each_message(body, _flatten)
    if quirks.drop_message_fields:
        fields = quirks.drop_message_fields
        body = _each_message(body, lambda message: {k: v for k, v in message.items() if k not in fields})
    return body


def fold_system(messages: list[Any]) -> list[Any]:
    """Put the text of system messages before the next user message, or where there is none make them user messages.

    >>> fold_system([{"role": "system", "content": "S"}, {"role": "user", "content": "U"}])
    [{'role': 'user', 'content': 'S U'}]
    """
    folded: list[Any] = []
    waiting: Message | None = None
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role in ("system", "developer"):
            as_user = {**message, "role": "user", "content": _content_with_cache_mark(message)}
            as_user.pop("cache_control", None)
            waiting = as_user if waiting is None else _joined(waiting, as_user)
        elif waiting is not None:
            folded += [_joined(waiting, message)] if role == "user" else [waiting, message]
            waiting = None
        else:
            folded.append(message)
    if waiting is not None:
        folded.append(waiting)
    return folded


def _content_with_cache_mark(message: Message) -> Any:
    """The content; a cache_control that stood on the message moves to the last part of it."""
    content, mark = message.get("content"), message.get("cache_control")
    if mark is None:
        return content
    parts = _parts(content)
    return [*parts[:-1], {**parts[-1], "cache_control": mark}] if parts else content


def _joined(first: Message, second: Message) -> Message:
    before, after = first.get("content"), second.get("content")
    if not before or not after:
        content = before or after
    elif isinstance(before, str) and isinstance(after, str):
        content = f"{before} {after}"
    else:
        content = _parts(before) + _parts(after)
    return {**second, "content": content}


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or [])


def _each_message(body: Body, change: Any) -> Body:
    messages = body.get("messages")
    if not isinstance(messages, list):
        return body
    changed = [change(message) if isinstance(message, dict) else message for message in messages]
    return body | {"messages": changed}


def _developer_as_system(message: Message) -> Message:
    return {**message, "role": "system"} if message.get("role") == "developer" else message


def _flatten(message: Message) -> Message:
    content = message.get("content")
    if not isinstance(content, list) or not all(isinstance(p, dict) and p.get("type") == "text" for p in content):
        return message
    return {**message, "content": "".join(part.get("text") or "" for part in content)}
