"""A whole answer as the chunks of a stream: for answers that come whole where a stream was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from litellm.wire.bridge import as_chat, as_text_chunk
from litellm.wire.protocol import Body, Chunk

Cut = Callable[[str], list[str]]


def undivided(text: str) -> list[str]:
    """A text in one piece; none for an empty one."""
    return [text] if text else []


def words(text: str) -> list[str]:
    """A text by its words, each but the first with the space before it.

    >>> words("one two")
    ['one', ' two']
    """
    return [word if at == 0 else " " + word for at, word in enumerate(text.split(" "))]


def as_chunks(answer: Body, *, show_usage: bool, cut: Cut = undivided) -> list[Chunk]:
    """A whole answer, of chat or of completions, as chunks. cut: divides a text into the pieces of which each has a chunk.

    >>> answer = {"id": "1", "model": "m", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    >>> [chunk.value["choices"][0]["delta"] for chunk in as_chunks(answer, show_usage=False)]
    [{'role': 'assistant', 'content': 'Hi'}, {}]
    """
    chunked = text_chunks if any("text" in choice for choice in answer["choices"]) else chat_chunks
    return [Chunk(value) for value in chunked(answer, cut, show_usage=show_usage)]


def chat_chunks(answer: Body, cut: Cut, *, show_usage: bool) -> Iterator[Body]:
    """A whole answer as the chunks of a stream: text in pieces, the role once, everything else in one chunk."""
    head = {
        **{name: value for name, value in answer.items() if name not in ("choices", "usage")},
        "object": "chat.completion.chunk",
    }
    for choice in answer["choices"]:
        message, index = dict(choice.get("message") or {}), choice.get("index", 0)
        role, text = message.pop("role", "assistant"), message.pop("content", None)
        calls = message.pop("tool_calls", None)
        rest = {name: value for name, value in message.items() if value is not None}
        first: Body = {"role": role}
        if rest:
            yield {**head, "choices": [_choice({**first, **rest}, index=index)]}
            first = {}
        for piece in cut(text) if isinstance(text, str) else [text] if text else []:
            yield {**head, "choices": [_choice({**first, "content": piece}, index=index)]}
            first = {}
        if calls:
            indexed = [{"index": at, **dict(call)} for at, call in enumerate(calls)]
            yield {**head, "choices": [_choice({**first, "tool_calls": indexed}, index=index)]}
            first = {}
        extras = {name: value for name, value in choice.items() if name not in ("message", "index", "finish_reason")}
        yield {**head, "choices": [{**_choice(first, choice.get("finish_reason") or "stop", index), **extras}]}
    if show_usage and answer.get("usage"):
        yield {**head, "choices": [], "usage": answer["usage"]}


def text_chunks(answer: Body, cut: Cut, *, show_usage: bool) -> Iterator[Body]:
    """The same for completions."""
    for chunk in chat_chunks(as_chat(answer), cut, show_usage=show_usage):
        value = as_text_chunk(chunk)
        if value is not None:
            yield value


def _choice(delta: Body, finish_reason: str | None = None, index: int = 0) -> Body:
    return {"index": index, "delta": delta, "finish_reason": finish_reason}


# By the dialect that an answer is in.
CHUNKS: Mapping[str, Callable[..., Iterator[Body]]] = {"openai_chat": chat_chunks, "openai_text": text_chunks}
