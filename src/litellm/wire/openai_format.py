"""What OpenAI's formats have in common, towards upstreams: how bodies are written, answers peeked at, and errors read.

Source: https://platform.openai.com/docs/api-reference. Chat, completions, embeddings and moderations each add what is
their own. Streams are in openai_stream.py, what clients get in openai_client.py.
"""

from __future__ import annotations

from typing import Any

import msgspec

from litellm import _json
from litellm.wire._shared import by_code, refine
from litellm.wire.protocol import Body, Fault, Outgoing, Payload, StreamFault, WrongShape

# What reading something of another shape as if it had the right one ends in.
SHAPE_ERRORS = (AttributeError, KeyError, TypeError, ValueError)


def request(out: Outgoing) -> Payload:
    """The body with the upstream's model name first, as OpenAI writes it. Nothing that was not set is sent."""
    body = {"model": out.model, **out.body}
    body["model"] = out.model
    if out.stream:
        body["stream"] = True
    return Payload(_json.encode(body))


class Peek(msgspec.Struct, kw_only=True):
    """The fields of an answer that are read when its bytes are relayed as they are. The rest is only checked for
    being JSON. Each format adds the field without which it is no answer."""

    model: str | None = None
    id: str | None = None
    created: float | None = None
    usage: Body | None = None


class _ChoicesPeek(Peek, kw_only=True):
    choices: msgspec.Raw


_peek = msgspec.json.Decoder(_ChoicesPeek).decode


def peek_choices(data: bytes, out: Outgoing, unless: bytes | None = None) -> Peek | None:  # noqa: ARG001 - it is all in the answer
    """The few fields of an answer that has choices, or None if it cannot be relayed unread: decode() says what it is.

    unless: what only answers have in them that are to be looked at.
    """
    if unless is not None and unless in data:
        return None
    try:
        seen = _peek(data)
        if not data.isascii():
            data.decode()  # what is relayed is not checked elsewhere, and clients refuse what is no UTF-8
    except _json.UNREADABLE:
        return None
    usable = seen.id and seen.created is not None and bytes(seen.choices).startswith(b"[")
    return seen if usable else None


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


def reports_error(body: Body) -> bool:
    """Whether an answer or an event that has no choices (nor whatever else it is about) is an error: OpenAI's object, or
    what vLLM, FastAPI and plain proxies write in its place."""
    if body.get("error") or body.get("object") == "error" or body.get("type") == "error" or body.get("detail"):
        return True
    return isinstance(body.get("message"), str) and not {"code", "status", "status_code", "type"}.isdisjoint(body)


def in_band(body: Body) -> StreamFault:
    """The error that a 200 answer or a stream carries inside. Its status is its code where that is a number."""
    found = body.get("error") or body
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


def read_choices(data: bytes, out: Outgoing, prefix: str) -> Body:
    """An answer that has choices, with id (beginning with `prefix`) and created where the upstream left them out.

    Raises WrongShape, and StreamFault for an error that came with a good status.
    """
    answer = read_object(data)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not {*map(type, choices)} <= {dict}:
        if reports_error(answer):
            raise in_band(answer)
        raise WrongShape(f"the answer has no choices: {excerpt(data)}")
    if answer.get("id") is None:
        answer["id"] = f"{prefix}{out.new_id()}"
    if answer.get("created") is None:
        answer["created"] = int(out.now())
    return answer
