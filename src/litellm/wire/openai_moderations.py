"""OpenAI's moderations. Source: https://platform.openai.com/docs/api-reference/moderations."""

from __future__ import annotations

import uuid

import msgspec

from litellm import _json
from litellm.wire.openai_format import Glance, error, excerpt, in_band, read_object
from litellm.wire.protocol import Body, Outgoing, WrongShape

__all__ = ["NAME", "PATH", "decode", "encode", "error", "glance"]

NAME = "openai_moderations"
PATH = "/moderations"


def encode(out: Outgoing) -> bytes:
    """The body; without a model the upstream takes its own default."""
    body = {**out.body, "model": out.model} if out.model else out.body
    return _json.encode(body)


def decode(data: bytes, out: Outgoing | None = None) -> Body:  # noqa: ARG001 - the answer alone says it all
    """An answer. Raises WrongShape, StreamFault."""
    answer = read_object(data)
    if not isinstance(answer.get("results"), list):
        if answer.get("error"):
            raise in_band(answer)
        raise WrongShape(f"the answer has no results: {excerpt(data)}")
    if answer.get("id") is None:
        answer["id"] = f"modr-{uuid.uuid4()}"
    return answer


class _ModerationsGlance(Glance, kw_only=True):
    results: msgspec.Raw


_glance = msgspec.json.Decoder(_ModerationsGlance).decode


def glance(data: bytes, out: Outgoing | None = None) -> Glance | None:  # noqa: ARG001
    """The few fields, or None if the answer is not one that can be relayed unread."""
    try:
        seen = _glance(data)
    except _json.UNREADABLE:
        return None
    return seen if seen.id and bytes(seen.results).startswith(b"[") else None
