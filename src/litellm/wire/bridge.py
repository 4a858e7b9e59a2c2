"""Completions asked of a chat endpoint, and chat asked of a completions endpoint: a dialect around a dialect.

What has no place in the other format is an error rather than dropped; unknown fields are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from litellm.wire.protocol import (
    Body,
    Chunk,
    ChunkRules,
    Outgoing,
    Payload,
    StreamDialect,
    Summary,
    Unsuitable,
)

# Parameters of completions that chat has no word for, with the value that asks for nothing.
_TEXT_ONLY = {"suffix": None, "echo": False, "best_of": 1}
_MESSAGE_FIELDS = ("content", "role")

Convert = Callable[[Body], "Body | None"]


class Bridge:
    """A dialect around a dialect: bodies are turned into the other format's, and answers back. Nothing can be relayed
    unread.

    inner: what the upstream speaks. A subclass says how to turn what.
    """

    MAX_PROMPTS: int | None = None

    def __init__(self, inner: StreamDialect) -> None:
        self._inner = inner
        self.NAME, self.PATH = inner.NAME, inner.PATH
        self.error, self.framing = inner.error, inner.framing

    def _to_inner(self, body: Body) -> Body:
        """A body, as the inner dialect has it. Raises Unsuitable."""
        raise NotImplementedError

    def _from_inner(self, answer: Body) -> Body:
        """An answer of the inner dialect's, as the outer one has it."""
        raise NotImplementedError

    def _convert(self) -> Convert:
        """What does the same to the chunks of one stream."""
        raise NotImplementedError

    def request(self, out: Outgoing) -> Payload:
        """See Dialect."""
        return self._inner.request(msgspec.structs.replace(out, body=self._to_inner(out.body)))

    def decode(self, data: bytes, out: Outgoing) -> Body:
        """See Dialect."""
        return self._from_inner(self._inner.decode(data, out))

    def peek(self, data: bytes, out: Outgoing) -> Summary | None:  # noqa: ARG002 - nothing can be relayed unread
        """See Dialect."""
        return None

    def rules(self, out: Outgoing) -> ChunkRules:
        """See StreamDialect."""
        return Converted(self._inner.rules(out), self._convert())


class TextOverChat(Bridge):
    """Completions from an upstream that only has chat: the prompt becomes a user's message."""

    MAX_PROMPTS: int | None = 1

    def _to_inner(self, body: Body) -> Body:
        return as_chat_body(body)

    def _from_inner(self, answer: Body) -> Body:
        return as_text(answer)

    def _convert(self) -> Convert:
        return as_text_chunk


class ChatOverText(Bridge):
    """Chat from an upstream that only has completions: the messages become a prompt."""

    def _to_inner(self, body: Body) -> Body:
        return as_text_body(body)

    def _from_inner(self, answer: Body) -> Body:
        return as_chat(answer)

    def _convert(self) -> Convert:
        return _ChatChunks()


# (the format that is asked in, the one that the upstream has) → what asks.
BRIDGES: Mapping[tuple[str, str], Callable[[StreamDialect], StreamDialect]] = {
    ("openai_text", "openai_chat"): TextOverChat,
    ("openai_chat", "openai_text"): ChatOverText,
}


class Converted:
    """Rules whose chunks are turned into the other format's."""

    __slots__ = ("_convert", "_inner")

    def __init__(self, inner: ChunkRules, convert: Convert) -> None:
        self._inner = inner
        self._convert = convert

    @property
    def usage(self) -> Body | None:
        """See ChunkRules."""
        return self._inner.usage

    @property
    def done(self) -> bool:
        """See ChunkRules."""
        return self._inner.done

    @property
    def complete(self) -> bool:
        """See ChunkRules."""
        return self._inner.complete

    def take(self, value: Body, payload: bytes | None) -> list[Chunk]:
        """See ChunkRules."""
        return self.convert(self._inner.take(value, payload))

    def close(self) -> list[Chunk]:
        """See ChunkRules."""
        return self.convert(self._inner.close())

    def end(self) -> list[Chunk]:
        """See ChunkRules."""
        return self.convert(self._inner.end())

    def convert(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """The inner one's chunks in the other format, without those that say nothing there."""
        values = (self._convert(chunk.value) for chunk in chunks)
        return [Chunk(value) for value in values if value is not None]


# --- completions as chat -----------------------------------------------------------------------------------------------


def as_chat_body(body: Body) -> Body:
    """A completions body as a chat body. Raises Unsuitable for what chat cannot say.

    >>> as_chat_body({"prompt": "Hi", "max_tokens": 5})
    {'max_tokens': 5, 'messages': [{'role': 'user', 'content': 'Hi'}]}
    """
    for name, nothing in _TEXT_ONLY.items():
        if body.get(name, nothing) not in (nothing, None):
            raise Unsuitable(f"{name} needs an endpoint for completions, and this provider only has chat: leave it out")
    chat = {name: value for name, value in body.items() if name not in (*_TEXT_ONLY, "prompt", "logprobs")}
    if isinstance(body.get("logprobs"), int):
        chat |= {"logprobs": True, "top_logprobs": body["logprobs"]}
    return chat | {"messages": [{"role": "user", "content": _prompt(body.get("prompt"))}]}


def _prompt(prompt: Any) -> str:
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if isinstance(prompt, str):
        return prompt
    if not prompt:
        raise Unsuitable("the prompt is empty")
    if isinstance(prompt, list) and all(isinstance(each, str) for each in prompt):
        raise Unsuitable("several prompts cannot be streamed from a provider that only has chat: send one at a time")
    raise Unsuitable("this provider only has chat, which takes a prompt as text, not as tokens")


def prompts_of(prompt: Any) -> list[Any]:
    """The prompts that are in `prompt` (or the texts in an embedding's `input`), each a text or a list of tokens.

    >>> prompts_of("one"), prompts_of([1, 2]), prompts_of(["one", [3, 4]])
    (['one'], [[1, 2]], ['one', [3, 4]])
    """
    if not isinstance(prompt, list) or (prompt and all(isinstance(each, int) for each in prompt)):
        return [prompt]
    return prompt


def merged(answers: Sequence[Body]) -> Body:
    """Answers to several prompts as one: the choices in the order of the prompts, the usage added up.

    >>> both = merged([{"id": "1", "choices": [{"text": "a"}]}, {"id": "2", "choices": [{"text": "b"}]}])
    >>> both
    {'id': '1', 'choices': [{'text': 'a', 'index': 0}, {'text': 'b', 'index': 1}]}
    """
    choices = [choice for answer in answers for choice in answer["choices"]]
    whole = {**answers[0], "choices": [{**choice, "index": at} for at, choice in enumerate(choices)]}
    usages = [answer["usage"] for answer in answers if answer.get("usage")]
    if usages:
        whole["usage"] = _sum(usages)
    return whole


def _sum(usages: Sequence[Body]) -> Body:
    """Numbers are added, also those of details; of all else the last counts."""
    total: Body = {}
    for usage in usages:
        for name, value in usage.items():
            known = total.get(name)
            if isinstance(value, dict):
                total[name] = _sum([known, value]) if isinstance(known, dict) else dict(value)
            elif isinstance(value, int | float) and isinstance(known, int | float):
                total[name] = known + value
            else:
                total[name] = known if value is None else value
    return total


def as_text(answer: Body) -> Body:
    """A chat answer as a completions answer."""
    choices = []
    for choice in answer["choices"]:
        message = choice.get("message") or {}
        choices.append(_text_choice(choice, message, "message"))
    return {**answer, "object": "text_completion", "choices": choices}


def as_text_chunk(chunk: Body) -> Body | None:
    """The chunk, or None for one that only says who speaks."""
    choices = []
    for choice in chunk["choices"]:
        delta = choice.get("delta") or {}
        if choice.get("finish_reason") or any(value for name, value in delta.items() if name != "role"):
            choices.append(_text_choice(choice, delta, "delta"))
    if chunk["choices"] and not choices:
        return None
    return {**chunk, "object": "text_completion", "choices": choices}


def _text_choice(choice: Body, message: Body, holder: str) -> Body:
    more = {name: value for name, value in message.items() if name not in _MESSAGE_FIELDS and value is not None}
    kept = {name: value for name, value in choice.items() if name not in (holder, "logprobs")}
    kept.setdefault("finish_reason", None)
    return {**more, "text": message.get("content") or "", **kept, "logprobs": _text_logprobs(choice.get("logprobs"))}


def _text_logprobs(logprobs: Any) -> Body | None:
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not tokens:
        return None
    offsets, at = [], 0
    for token in tokens:
        offsets.append(at)
        at += len(token["token"])
    return {
        "tokens": [token["token"] for token in tokens],
        "token_logprobs": [token["logprob"] for token in tokens],
        "top_logprobs": [{top["token"]: top["logprob"] for top in token.get("top_logprobs") or ()} for token in tokens],
        "text_offset": offsets,
    }


# --- chat as completions -----------------------------------------------------------------------------------------------


def as_text_body(body: Body) -> Body:
    """A chat body as a completions body: one message's text, or several as a transcript. Raises Unsuitable.

    >>> as_text_body({"messages": [{"role": "user", "content": "Hi"}]})
    {'prompt': 'Hi'}
    """
    if body.get("tools") or body.get("functions"):
        raise Unsuitable("tools need an endpoint for chat, and this provider only has completions")
    text = {name: value for name, value in body.items() if name not in ("messages", "logprobs", "top_logprobs")}
    if body.get("logprobs"):
        text["logprobs"] = body.get("top_logprobs") or 0
    if "max_completion_tokens" in text:
        text["max_tokens"] = text.pop("max_completion_tokens")
    return {**text, "prompt": _transcript(body.get("messages") or [])}


def _transcript(messages: list[Any]) -> str:
    texts = [_message_text(message) for message in messages]
    return "\n\n".join(texts)


def _message_text(message: Any) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):
        if not all(isinstance(part, dict) and part.get("type") == "text" for part in content):
            raise Unsuitable("an endpoint for completions takes text only: no images, audio or files")
        return "".join(part.get("text") or "" for part in content)
    return content or ""


def as_chat(answer: Body) -> Body:
    """A completions answer as a chat answer."""
    choices = []
    for choice in answer["choices"]:
        kept = {name: value for name, value in choice.items() if name not in ("text", "logprobs")}
        kept |= _chat_logprobs(choice.get("logprobs"))
        choices.append({**kept, "message": {"role": "assistant", "content": choice.get("text") or ""}})
    return {**answer, "object": "chat.completion", "choices": choices}


def _chat_logprobs(logprobs: Any) -> Body:
    """Lists with one entry for each token as one list of tokens, in a field that is only there when they were sent."""
    if not isinstance(logprobs, dict):
        return {}
    numbers, likely = logprobs.get("token_logprobs") or (), logprobs.get("top_logprobs") or ()
    content = []
    for at, token in enumerate(logprobs.get("tokens") or ()):
        top = likely[at] if at < len(likely) else None
        number = numbers[at] if at < len(numbers) else None
        content.append({**_token(token, number), "top_logprobs": [_token(*each) for each in (top or {}).items()]})
    return {"logprobs": {"content": content, "refusal": None}}


def _token(token: str, logprob: float | None) -> Body:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


class _ChatChunks:
    """Chunks of completions as chunks of chat, the role on the first of each choice."""

    def __init__(self) -> None:
        self._begun: set[int] = set()

    def __call__(self, chunk: Body) -> Body:
        choices = []
        for choice in chunk["choices"]:
            index = choice.get("index", 0)
            delta = {"content": choice["text"]} if choice.get("text") else {}
            if index not in self._begun:
                self._begun.add(index)
                delta = {"role": "assistant", **delta}
            kept = {name: value for name, value in choice.items() if name not in ("text", "logprobs")}
            reason = {"finish_reason": choice.get("finish_reason")}
            choices.append({**kept, "index": index, "delta": delta, **reason, **_chat_logprobs(choice.get("logprobs"))})
        return {**chunk, "object": "chat.completion.chunk", "choices": choices}
