"""OpenAI's moderations. Source: https://platform.openai.com/docs/api-reference/moderations."""

from __future__ import annotations

import msgspec

from litellm import _json
from litellm.wire.openai_client import accept, encoder, present, present_error, relabel
from litellm.wire.openai_format import Peek, error, excerpt, in_band, read_object, reports_error
from litellm.wire.protocol import Body, Outgoing, Payload, WrongShape
from litellm.wire.texts import texts

__all__ = [
    "NAME", "PATH", "accept", "decode", "encoder", "error", "peek", "present", "present_error", "relabel", "request",
    "texts",
]  # fmt: skip

NAME = "openai_moderations"
PATH = "/moderations"
MAX_PROMPTS = None


def request(out: Outgoing) -> Payload:
    """The body; without a model the upstream takes its own default."""
    body = {**out.body, "model": out.model} if out.model else out.body
    return Payload(_json.encode(body))


def decode(data: bytes, out: Outgoing) -> Body:
    """An answer. Raises WrongShape, StreamFault."""
    answer = read_object(data)
    if not isinstance(answer.get("results"), list):
        if reports_error(answer):
            raise in_band(answer)
        raise WrongShape(f"the answer has no results: {excerpt(data)}")
    if answer.get("id") is None:
        answer["id"] = f"modr-{out.new_id()}"
    return answer


class _ModerationsPeek(Peek, kw_only=True):
    results: msgspec.Raw


_peek = msgspec.json.Decoder(_ModerationsPeek).decode


def peek(data: bytes, out: Outgoing) -> Peek | None:  # noqa: ARG001 - the answer alone says it all
    """The few fields, or None if the answer is not one that can be relayed unread."""
    try:
        seen = _peek(data)
        if not data.isascii():
            data.decode()
    except _json.UNREADABLE:
        return None
    return seen if seen.id and bytes(seen.results).startswith(b"[") else None
