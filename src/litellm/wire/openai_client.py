"""OpenAI's formats, as clients speak them to us: since it is also what bodies and answers are inside, little is to be done.

What an upstream wrote in the same format is passed on as it is, but for the name of the model.
"""

from __future__ import annotations

from collections.abc import Sequence

from litellm import _json
from litellm.wire.framing import sse
from litellm.wire.protocol import Body, Chunk

_DONE = sse.event(sse.DONE)
_NEVER_FOUND = b"\0"  # what stands in no JSON


def accept(body: Body) -> Body:
    """The body, which is OpenAI's already."""
    return body


def present(answer: Body, model: str) -> bytes:
    """The answer, from `model`; "" leaves it as it is named."""
    return _json.encode({**answer, "model": model} if model else answer)


def relabel(data: bytes, old: str | None, new: str) -> bytes:
    """An answer as it came from `old`, as one from `new`: spliced in where the name stands.

    A quote inside a JSON string is escaped, so `"model":"x"` can only be a member of an object. If it does not stand
    there exactly once (nested objects, odd white space), the JSON is read and written anew.

    >>> relabel(b'{"id":"1","model":"gpt","choices":[]}', "gpt", "mine")
    b'{"id":"1","model":"mine","choices":[]}'
    """
    if old == new:
        return data
    if old is not None and data.count(b'"model"') == 1:
        name = _json.encode(old)
        for member in (b'"model":' + name, b'"model": ' + name):
            if member in data:
                return data.replace(member, b'"model":' + _json.encode(new))
    answer = _json.decode(data)
    answer["model"] = new
    return _json.encode(answer)


def present_error(status: int, error: Body) -> bytes:  # noqa: ARG001 - OpenAI's has the status inside
    """The error object."""
    return _json.encode(error)


def encoder(model: str, *, relays: bool) -> Encoder:
    """For one stream from `model`. relays: its payloads are in this format."""
    return Encoder(model, relays=relays)


class Encoder:
    """Writes the events of one stream: as the upstream wrote them, where it did so in this format, under the name that was
    asked for."""

    __slots__ = ("_member", "_model", "_new", "_old", "_relays")

    def __init__(self, model: str, *, relays: bool) -> None:
        self._model = model
        self._relays = relays
        self._new = b'"model":' + _json.encode(model)
        self._old: str | None = None  # the upstream's name in the last chunk
        self._member = _NEVER_FOUND  # and how it stood there

    def feed(self, chunks: Sequence[Chunk]) -> bytes:
        """Their events."""
        events = []
        for chunk in chunks:
            payload, value = chunk.payload if self._relays else None, chunk.value
            if payload is None:
                value["model"] = self._model
                payload = _json.encode(value)
            elif value.get("model") != self._model:
                payload = self._relabelled(payload, value.get("model"))
            events.append(b"data: %b\n\n" % payload if b"\n" not in payload else sse.event(payload))
        return b"".join(events)

    def _relabelled(self, payload: bytes, old: str | None) -> bytes:
        """`relabel`, for one chunk after the other: their upstream's name is written as it was in the one before."""
        if old == self._old and self._member in payload and payload.count(b'"model"') == 1:
            return payload.replace(self._member, self._new)
        name = _NEVER_FOUND if old is None else _json.encode(old)
        self._old, self._member = old, next(
            (member for member in (b'"model":' + name, b'"model": ' + name) if member in payload), _NEVER_FOUND
        )  # fmt: skip
        return relabel(payload, old, self._model)

    def text(self, text: str) -> bytes:
        """One event with a text of a hook's own, which may be anything."""
        return sse.event(text.encode())

    def end(self) -> bytes:
        """[DONE]."""
        return _DONE

    def fail(self, status: int, error: Body) -> bytes:
        """The error as an event, and [DONE]: some clients wait for it."""
        return sse.event(present_error(status, error)) + _DONE
