"""What OpenAI's streams have in common. Source: https://platform.openai.com/docs/api-reference/chat-streaming."""

from __future__ import annotations

from typing import Any

from litellm.wire.framing import sse
from litellm.wire.openai_format import in_band, reports_error
from litellm.wire.protocol import Body, Chunk, Outgoing, WrongShape

framing = sse.Parser


def has_content(chunk: Body) -> bool:
    """Whether a chunk says anything yet: content, reasoning, a tool call, an end. A role alone says nothing."""
    choices = chunk.get("choices")
    if not choices:
        return bool(chunk.get("usage"))
    for choice in choices:
        if choice.get("finish_reason") or choice.get("text"):
            return True
        delta = choice.get("delta")
        if delta and any(value for name, value in delta.items() if name != "role"):
            return True
    return False


class Rules:
    """What events are to dialects of OpenAI's kind: chunks, the usage, errors in any shape. They are passed on field for
    field; what is corrected is only what would mislead: an id that changes in mid-stream, and a usage chunk that
    was not asked for. What else a format has to keep, it adds in `_note`."""

    OBJECT = ""
    PREFIX = ""  # of ids that the upstream left out

    __slots__ = ("_begun", "_created", "_ended", "_id", "_model", "_out", "_usage_chunk", "done", "usage")

    def __init__(self, out: Outgoing) -> None:
        self.done = False
        self.usage: Body | None = None
        self._out = out
        self._id: str | None = None
        self._created: Any = None
        self._model: str | None = None
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._usage_chunk: Chunk | None = None

    @property
    def complete(self) -> bool:
        """Whether every choice has finished, or the upstream has said that this is all."""
        return self.done or (bool(self._begun) and self._begun == self._ended)

    def take(self, value: Body, payload: bytes | None) -> list[Chunk]:
        """One chunk, checked: as a list, because a usage chunk is held back until the end."""
        if value.get("error"):
            raise in_band(value)
        get = value.get
        same = get("id") == self._id and get("created") == self._created and get("model") == self._model
        changed = not same and self._keep_identity(value)
        if value.get("usage"):
            self.usage = value["usage"]
        choices = value.get("choices")
        if choices:
            changed = self._note(choices) or changed
        elif choices is None:
            if reports_error(value):
                raise in_band(value)
            value["choices"] = []
            changed = True
        chunk = Chunk(value, None if changed else payload)
        if not choices and value.get("usage"):
            self._usage_chunk = chunk
            return []
        return [chunk]

    def close(self) -> list[Chunk]:
        """The upstream has said that this is all."""
        self.done = True
        return []

    def end(self) -> list[Chunk]:
        """The usage, if the caller wants it."""
        if not self._out.show_usage or self.usage is None:
            return []
        return [
            self._usage_chunk
            or Chunk(
                {"id": self._id, "object": self.OBJECT, "created": self._created, "model": self._model, "choices": [],
                 "usage": self.usage}
            )
        ]  # fmt: skip

    def _keep_identity(self, value: Body) -> bool:
        """Keep one id, created and model for the whole stream. Says whether `value` had to be changed."""
        changed = False
        for name, slot in (("id", "_id"), ("created", "_created"), ("model", "_model")):
            kept, sent = getattr(self, slot), value.get(name)
            if not kept and not sent and name != "model" and value.get("choices"):
                sent = f"{self.PREFIX}{self._out.new_id()}" if name == "id" else int(self._out.now())
                value[name] = sent
                changed = True
            if not kept:
                setattr(self, slot, sent)
            elif sent != kept and (sent or name != "model" or name not in value):
                value[name] = kept
                changed = True
        return changed

    def _note(self, choices: list[Any]) -> bool:
        """Follow which choices have begun and ended. Says whether something had to be changed."""
        for choice in choices:
            if not isinstance(choice, dict):
                raise WrongShape("a choice of the stream is not an object")
            index = choice.get("index", 0)
            self._begun.add(index)
            if choice.get("finish_reason"):
                self._ended.add(index)
        return False
