"""How an upstream can be told to act: `Behaviour`, and functions that make the common ones.

Every function also takes the fields of Behaviour, so that things combine: error(503, delay=0.1, after_answer="close").
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .replies import SSE, Answer, Plain, Raw, Reply, Stream, openai_error, plain_json
from .seen import Seen

Check = Callable[[Seen], Plain | None]


@dataclass(frozen=True)
class Behaviour:
    say: Answer | Reply = field(default_factory=Answer)
    headers: Mapping[str, str] = field(default_factory=dict)  # more response headers; win over the usual ones
    checks: tuple[Check, ...] = ()  # the first that finds fault with the request answers instead

    # Time
    delay: float = 0.0  # seconds before the head (1xx heads come at once)
    gap: float = 0.0  # seconds between two body chunks (a plain body goes out in two halves)

    # Going wrong. A body chunk is one event of a stream; plain bodies go out in two halves and break after the first.
    fault: Literal["stall", "close", "reset", "end"] | None = None
    after: int | None = None  # body chunks sent before the fault; 0: only the head; None: not even the head

    # On the wire
    sse: SSE = field(default_factory=SSE)
    split: int = 0  # write this many bytes at a time, each a TCP segment of its own; 0: whole chunks
    framing: Literal["length", "chunked", "until_close"] | None = None  # None: chunked for streams and trailers
    gzip: bool = False
    early: tuple[tuple[int, Mapping[str, str]], ...] = ()  # 1xx heads before the real one
    trailers: Mapping[str, str] = field(default_factory=dict)
    after_answer: Literal["keep", "close", "close_silently", "close_on_next_request"] = "keep"

    @classmethod
    def of(cls, **fields: Any) -> "Behaviour":
        """From the fields of Behaviour and of Answer alike; no name is in both."""
        of_answer = {name: fields.pop(name) for name in tuple(fields) if name in Answer.__dataclass_fields__}
        return cls(say=Answer(**of_answer), **fields) if of_answer else cls(**fields)


# Well-formed answers


def answer(text: str | None = "Hello from upstream.", **fields: Any) -> Behaviour:
    return Behaviour.of(text=text, **fields)


def events(payloads: Iterable[Mapping[str, Any] | str | bytes], **fields: Any) -> Behaviour:
    """Exactly these server-sent events, then "[DONE]" unless sse=SSE(done=False)."""
    return Behaviour(Stream(payloads), **fields)


def error(
    status: int,
    message: str | None = None,
    *,
    type: str | None = None,  # noqa: A002 (the name of the field on the wire)
    code: str | None = None,
    param: str | None = None,
    retry_after: float | str | None = None,
    **fields: Any,
) -> Behaviour:
    """A status with OpenAI's error body."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Behaviour(openai_error(status, message, type=type, code=code, param=param, headers=headers), **fields)


def verbatim(
    status: int = 200, body: bytes | str = b"", headers: Mapping[str, str] | None = None, **fields: Any
) -> Behaviour:
    body = body.encode() if isinstance(body, str) else body
    return Behaviour(Plain(status, body, headers or {}), **fields)


def redirect(url: str, status: int = 307, **fields: Any) -> Behaviour:
    return verbatim(status, headers={"location": url}, **fields)


# Answers that make no sense


def html(status: int = 200, **fields: Any) -> Behaviour:
    page = "<!DOCTYPE html><html><body><h1>Welcome to nginx!</h1></body></html>"
    return verbatim(status, page, {"content-type": "text/html; charset=utf-8"}, **fields)


def bad_json(**fields: Any) -> Behaviour:
    return verbatim(200, '{"id": "chatcmpl-fake", "choices": [{', {"content-type": "application/json"}, **fields)


def empty(status: int = 200, **fields: Any) -> Behaviour:
    return verbatim(status, b"", {"content-type": "application/json"}, **fields)


def raw(*pieces: bytes, **fields: Any) -> Behaviour:
    """These bytes instead of an HTTP answer, head included; then the connection is closed."""
    return Behaviour(Raw(pieces), **{"after_answer": "close_silently", **fields})


def malformed_head(**fields: Any) -> Behaviour:
    return raw(b"HTTP/1.1 two hundred OK\r\nthis is no header\r\n\r\n", **fields)


def big_header(size: int = 100_000, **fields: Any) -> Behaviour:
    return answer(headers={"x-big": "x" * size}, **fields)


# Connections that go wrong. With after=None nothing at all is answered.


def hang(**fields: Any) -> Behaviour:
    """A black hole: takes the request and never answers."""
    return Behaviour.of(fault="stall", **fields)


def hang_up(**fields: Any) -> Behaviour:
    """Closes the connection instead of answering."""
    return Behaviour.of(fault="close", **fields)


def reset(after: int | None = None, **fields: Any) -> Behaviour:
    """Resets the connection (RST)."""
    return Behaviour.of(fault="reset", after=after, **fields)


def stall(after: int = 2, **fields: Any) -> Behaviour:
    """Goes silent in the middle of the answer, with the connection open."""
    return Behaviour.of(fault="stall", after=after, **fields)


def cut(after: int = 2, *, proper_end: bool = False, **fields: Any) -> Behaviour:
    """Ends in the middle of the answer: with a FIN, or, with proper_end, as if HTTP-wise all was said."""
    return Behaviour.of(fault="end" if proper_end else "close", after=after, **fields)


# Upstreams that are particular about requests: answer(checks=(refuse_stream_options,))


def refuse_stream_options(seen: Seen) -> Plain | None:
    if "stream_options" in seen.fields:
        message = "Unrecognized request argument supplied: stream_options"
        return openai_error(400, message, param="stream_options")
    return None


def refuse_system_messages(seen: Seen) -> Plain | None:
    if any(message.get("role") in ("system", "developer") for message in seen.fields.get("messages", ())):
        return openai_error(400, "System role not supported", param="messages")
    return None


def refuse_unknown_fields(seen: Seen) -> Plain | None:
    """With the 422 that servers made with FastAPI give."""
    unknown = [name for name in seen.fields if name not in _CHAT_FIELDS.split()]
    if not unknown:
        return None
    about = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted"}
    return plain_json({"detail": [{**about, "loc": ["body", name], "input": seen.json[name]} for name in unknown]}, 422)


def require_key(key: str) -> Check:
    def check(seen: Seen) -> Plain | None:
        if seen.headers.get("authorization") != f"Bearer {key}":
            return openai_error(401, "Incorrect API key provided.")
        return None

    return check


_CHAT_FIELDS = (
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages "
    "metadata modalities model n parallel_tool_calls prediction presence_penalty prompt_cache_key reasoning_effort "
    "response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice "
    "tools top_logprobs top_p user verbosity web_search_options"
)
