"""What an upstream can be told to say. `Answer` is put into the shape of the endpoint that was called; the others
are sent as they stand."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


@dataclass(frozen=True)
class ToolCall:
    name: str
    arguments: Mapping[str, Any] | str = "{}"  # a str is sent as it is, broken JSON included

    @property
    def arguments_text(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True)
class Answer:
    """What the model says; the same Answer can be fetched plain or streamed."""

    text: str | None = "Hello from upstream."
    tool_calls: tuple[ToolCall, ...] = ()  # said instead of the text, if the request offers tools
    message: Mapping[str, Any] = field(default_factory=dict)  # more message fields, e.g. reasoning_content
    finish_reason: str | None = None  # None: "stop" or "tool_calls", whichever is true
    usage: Mapping[str, Any] | None = field(default_factory=lambda: dict(USAGE))  # None: never reported
    model: str | None = None  # None: the model that was asked for
    extra: Mapping[str, Any] = field(default_factory=dict)  # more top-level fields, on every chunk too


@dataclass(frozen=True)
class Plain:
    """One body, given as bytes."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stream:
    """Server-sent events. Payloads: a dict is sent as JSON, a str as it is, bytes are put on the wire unframed.

    The payloads may be endless: itertools.repeat({...}).
    """

    payloads: Iterable[Mapping[str, Any] | str | bytes]
    status: int = 200


@dataclass(frozen=True)
class Raw:
    """The whole answer, head included, exactly as given."""

    pieces: tuple[bytes, ...]


Reply = Plain | Stream | Raw


@dataclass(frozen=True)
class SSE:
    """The dialect in which events are written. All of it is allowed by the standard; servers differ."""

    newline: str = "\n"
    space: bool = True  # "data: x" or "data:x"
    multiline: bool = False  # JSON over several "data:" lines
    fields: tuple[str, ...] = ()  # lines before the data of each event: "event: message", "id: 7", ": a comment"
    heartbeat: str = ""  # a block of its own before each event, e.g. ": ping"
    done: bool = True  # end with "data: [DONE]"

    def event(self, payload: Mapping[str, Any] | str | bytes) -> bytes:
        if isinstance(payload, bytes):
            return payload
        if not isinstance(payload, str):
            payload = json.dumps(payload, ensure_ascii=False, indent=1 if self.multiline else None)
        name = "data: " if self.space else "data:"
        lines = [*([self.heartbeat, ""] if self.heartbeat else []), *self.fields]
        lines += [name + line for line in payload.split("\n")]
        return self.newline.join([*lines, "", ""]).encode()


def plain_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Plain:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Plain(status, body, {"content-type": "application/json", **(headers or {})})


def openai_error(
    status: int,
    message: str | None = None,
    *,
    type: str | None = None,  # noqa: A002 (the name of the field on the wire)
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Plain:
    usual_type, usual_code = _ERRORS.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))
    error = {
        "message": message or f"Fake upstream says {status}.",
        "type": type or usual_type,
        "param": param,
        "code": code or usual_code,
    }
    return plain_json({"error": error}, status, headers)


_ERRORS = {
    401: ("invalid_request_error", "invalid_api_key"),
    429: ("requests", "rate_limit_exceeded"),
}
