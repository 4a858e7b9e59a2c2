"""What OpenAI's formats have in common: how bodies are written, answers glanced at, errors read, and streams kept whole.

Source: https://platform.openai.com/docs/api-reference. Chat, completions, embeddings and moderations each add what is
their own.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import msgspec

from litellm import _json
from litellm.net import sse
from litellm.wire._shared import by_code, refine
from litellm.wire.protocol import Body, Chunk, Fault, Outgoing, StreamFault, WrongShape

# What reading something of another shape as if it had the right one ends in.
ODD = (AttributeError, KeyError, TypeError, ValueError)


def encode(out: Outgoing) -> bytes:
    """The body with the upstream's model name first, as OpenAI writes it. Nothing that was not set is sent."""
    body = {"model": out.model, **out.body}
    body["model"] = out.model
    if out.stream:
        body["stream"] = True
    return _json.encode(body)


class Glance(msgspec.Struct, kw_only=True):
    """The fields of an answer that are read when its bytes are relayed as they are. The rest is only checked for
    being JSON. Each format adds the field without which it is no answer."""

    model: str | None = None
    id: str | None = None
    created: float | None = None
    usage: Body | None = None


class _ChoicesGlance(Glance, kw_only=True):
    choices: msgspec.Raw


_glance = msgspec.json.Decoder(_ChoicesGlance).decode


def glance_choices(data: bytes) -> Glance | None:
    """The few fields of an answer that has choices, or None if it cannot be relayed unread: decode() says what it is."""
    try:
        seen = _glance(data)
    except _json.UNREADABLE:
        return None
    usable = seen.id and seen.created is not None and bytes(seen.choices).startswith(b"[")
    return seen if usable else None


class Relabel:
    """Changes `model` to `name` in JSON that is relayed, spliced in where it stands.

    A quote inside a JSON string is escaped, so `"model":"x"` can only be a member of an object. If it does not stand
    there exactly once (nested objects, odd white space), the JSON is read and written anew.

    >>> Relabel("mine")(b'{"id":"1","model":"gpt","choices":[]}', "gpt")
    b'{"id":"1","model":"mine","choices":[]}'
    """

    __slots__ = ("_members", "_new", "_old", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._new = b'"model":' + _json.encode(name)
        self._old: str | None = None
        self._members: tuple[bytes, ...] = ()

    def __call__(self, data: bytes, old: str | None) -> bytes:
        """`data` with the new name; old: the name that it has now."""
        if old == self.name:
            return data
        if old != self._old:
            value = _json.encode(old)
            self._old, self._members = old, (b'"model":' + value, b'"model": ' + value)
        if data.count(b'"model"') == 1:
            for member in self._members:
                if member in data:
                    return data.replace(member, self._new)
        answer = _json.decode(data)
        answer["model"] = self.name
        return _json.encode(answer)


def error(status: int, data: bytes) -> Fault:
    """Read an error answer: OpenAI's error object, or what vLLM, FastAPI, TGI and plain proxies write instead."""
    try:
        body = _json.decode(data)
    except _json.UNREADABLE:
        text = excerpt(data)
        return Fault(text, refine(status, None, text))
    return _fault(status, body)


def _fault(status: int, body: Any) -> Fault:
    found = body.get("error") if isinstance(body, dict) else None
    if isinstance(body, dict) and found is None:
        found = body.get("detail") or body.get("message") or body.get("errors")
        if isinstance(found, str):
            found = {"message": found, "code": body.get("code"), "type": body.get("type"), "param": body.get("param")}
    if isinstance(found, dict):
        message = found.get("message")
        message = message if isinstance(message, str) else excerpt(_json.encode(found))
        code = found.get("code")
        kind = refine(status, code if isinstance(code, str) else None, message)
        return Fault(message, kind, _text(code), _text(found.get("param")), _text(found.get("type")), body)
    message = found if isinstance(found, str) else excerpt(_json.encode(body))
    return Fault(message, refine(status, None, message), body=body)


def in_band(body: Body) -> StreamFault:
    """The error that a 200 answer or a stream carries inside. Its status is its code where that is a number."""
    found = body["error"]
    code = found.get("code") or found.get("status_code") or found.get("status") if isinstance(found, dict) else None
    if isinstance(code, int | str) and str(code).isdigit() and 400 <= int(code) < 600:
        return StreamFault(int(code), _fault(int(code), body))
    fault = _fault(400, body)  # a code that is a word, or a text that gives it away, tells the class and so the status
    kind = by_code(code) or fault.kind
    status = (kind.status_code if kind is not None else None) or 500
    return StreamFault(status, msgspec.structs.replace(fault, kind=kind))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def excerpt(data: bytes, length: int = 300) -> str:
    """The beginning of something unexpected, for a message."""
    text = data[: length * 4].decode("utf-8", "replace").strip()
    if not text:
        return "(an empty body)"
    return text if len(text) <= length else text[:length] + "…"


def read_object(data: bytes) -> Body:
    try:
        value = _json.decode(data)
    except _json.UNREADABLE as error:
        raise WrongShape(f"the answer is not JSON ({error}): {excerpt(data)}") from None
    if not isinstance(value, dict):
        raise WrongShape(f"the answer is not a JSON object: {excerpt(data)}")
    return value


def read_choices(data: bytes, prefix: str) -> Body:
    """An answer that has choices, with id (beginning with `prefix`) and created where the upstream left them out.

    Raises WrongShape, and StreamFault for an error that came with a good status.
    """
    answer = read_object(data)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not {*map(type, choices)} <= {dict}:
        if answer.get("error"):
            raise in_band(answer)
        raise WrongShape(f"the answer has no choices: {excerpt(data)}")
    if answer.get("id") is None:
        answer["id"] = f"{prefix}{uuid.uuid4()}"
    if answer.get("created") is None:
        answer["created"] = int(time.time())
    return answer


def speaks(chunk: Body) -> bool:
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


class Decoder:
    """Reads a stream field for field. It corrects only what would mislead: an id that changes in mid-stream, and a usage
    chunk that nobody asked for. What else a format has to keep, it adds in `_note`."""

    OBJECT = ""
    PREFIX = ""  # of ids that the upstream left out

    __slots__ = ("_begun", "_created", "_ended", "_id", "_model", "_parser", "_usage_chunk", "done", "fault",
                 "include_usage", "usage")  # fmt: skip

    def __init__(self, *, include_usage: bool) -> None:
        self.include_usage = include_usage
        self.done = False
        self.fault: Exception | None = None
        self.usage: Body | None = None
        self._parser = sse.Parser()
        self._id: str | None = None
        self._created: Any = None
        self._model: str | None = None
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._usage_chunk: Chunk | None = None

    @property
    def complete(self) -> bool:
        return self.done or (bool(self._begun) and self._begun == self._ended)

    def feed(self, data: bytes) -> list[Chunk]:
        chunks: list[Chunk] = []
        try:
            self._read(self._parser.feed(data), chunks)
        except (WrongShape, StreamFault) as fault:
            self.fault = fault
        except ODD as error:
            self.fault = WrongShape(f"a chunk of the stream is not shaped as one ({error}): {excerpt(data)}")
        return chunks

    def end(self) -> list[Chunk]:
        chunks: list[Chunk] = []
        if self.fault is not None:
            raise self.fault
        if not self.done:
            self._read(self._parser.end(), chunks)
        if self.include_usage and self.usage is not None:
            last = self._usage_chunk or Chunk(
                {"id": self._id, "object": self.OBJECT, "created": self._created, "model": self._model, "choices": [],
                 "usage": self.usage}
            )  # fmt: skip
            chunks.append(last)
        return chunks

    def _read(self, payloads: list[bytes], chunks: list[Chunk]) -> None:
        for payload in payloads:
            if payload.strip() == sse.DONE:
                self.done = True
                break
            chunks += self.take(read_object(payload), payload)

    def take(self, value: Body, payload: bytes | None) -> list[Chunk]:
        """One chunk, checked: as a list, because a usage chunk is held back until the end."""
        if value.get("error"):
            raise in_band(value)
        changed = self._one_identity(value)
        if value.get("usage"):
            self.usage = value["usage"]
        choices = value.get("choices")
        if choices:
            changed = self._note(choices) or changed
        elif choices is None:
            value["choices"] = []
            changed = True
        chunk = Chunk(value, None if changed else payload)
        if not choices and value.get("usage"):
            self._usage_chunk = chunk
            return []
        return [chunk]

    def _one_identity(self, value: Body) -> bool:
        """Keep one id, created and model for the whole stream. Says whether `value` had to be changed."""
        if value.get("id") == self._id and value.get("created") == self._created and value.get("model") == self._model:
            return False
        changed = False
        for name, slot in (("id", "_id"), ("created", "_created"), ("model", "_model")):
            kept, sent = getattr(self, slot), value.get(name)
            if not kept and not sent and name != "model" and value.get("choices"):
                sent = f"{self.PREFIX}{uuid.uuid4()}" if name == "id" else int(time.time())
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
