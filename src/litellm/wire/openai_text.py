"""OpenAI's (legacy) completions: a prompt in, its continuation out.

Source: https://platform.openai.com/docs/api-reference/completions.
"""

from __future__ import annotations

import time
import uuid

import msgspec

from litellm import _json
from litellm.wire import openai_format
from litellm.wire.openai_format import Glance, encode, error, excerpt, in_band, read_object
from litellm.wire.protocol import Body, Outgoing, WrongShape

__all__ = ["PATH", "Decoder", "decode", "decoder", "encode", "error", "glance"]

PATH = "/completions"


def decode(data: bytes, out: Outgoing | None = None) -> Body:  # noqa: ARG001 - the answer alone says it all
    """An answer, with id and created where the upstream left them out. Raises WrongShape, StreamFault."""
    answer = read_object(data)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        if answer.get("error"):
            raise in_band(answer)
        raise WrongShape(f"the answer has no choices: {excerpt(data)}")
    if answer.get("id") is None:
        answer["id"] = f"{Decoder.PREFIX}{uuid.uuid4()}"
    if answer.get("created") is None:
        answer["created"] = int(time.time())
    return answer


class _TextGlance(Glance, kw_only=True):
    choices: msgspec.Raw


_glance = msgspec.json.Decoder(_TextGlance).decode


def glance(data: bytes, out: Outgoing | None = None) -> Glance | None:  # noqa: ARG001
    """The few fields, or None if the answer is not one that can be relayed unread."""
    try:
        seen = _glance(data)
    except _json.UNREADABLE:
        return None
    usable = seen.id and seen.created is not None and bytes(seen.choices).startswith(b"[")
    return seen if usable else None


def decoder(*, include_usage: bool) -> Decoder:
    """A decoder for one stream. include_usage: whether the caller is to see the usage chunk."""
    return Decoder(include_usage=include_usage)


class Decoder(openai_format.Decoder):
    """Nothing but what OpenAI's streams have in common."""

    OBJECT = "text_completion"
    PREFIX = "cmpl-"

    __slots__ = ()
