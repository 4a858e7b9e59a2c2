"""OpenAI's (legacy) completions: a prompt in, its continuation out.

Source: https://platform.openai.com/docs/api-reference/completions.
"""

from __future__ import annotations

from litellm.wire import openai_format
from litellm.wire.openai_format import Glance, encode, error, glance_choices, read_choices
from litellm.wire.protocol import Body, Outgoing

__all__ = ["NAME", "PATH", "Decoder", "decode", "decoder", "encode", "error", "glance"]

NAME = "openai_text"
PATH = "/completions"


def decode(data: bytes, out: Outgoing | None = None) -> Body:  # noqa: ARG001 - the answer alone says it all
    """An answer, with id and created where the upstream left them out. Raises WrongShape, StreamFault."""
    return read_choices(data, Decoder.PREFIX)


def glance(data: bytes, out: Outgoing | None = None) -> Glance | None:  # noqa: ARG001
    """The few fields, or None if the answer is not one that can be relayed unread."""
    return glance_choices(data)


def decoder(*, include_usage: bool) -> Decoder:
    """A decoder for one stream. include_usage: whether the caller is to see the usage chunk."""
    return Decoder(include_usage=include_usage)


class Decoder(openai_format.Decoder):
    """Nothing but what OpenAI's streams have in common."""

    OBJECT = "text_completion"
    PREFIX = "cmpl-"

    __slots__ = ()
