"""OpenAI's (legacy) completions: a prompt in, its continuation out.

Source: https://platform.openai.com/docs/api-reference/completions.
"""

from __future__ import annotations

from litellm.wire import openai_stream
from litellm.wire.openai_client import accept, encoder, present, present_error, relabel
from litellm.wire.openai_format import Peek, error, peek_choices, read_choices, request
from litellm.wire.openai_stream import framing
from litellm.wire.protocol import Body, Outgoing
from litellm.wire.texts import texts

__all__ = [
    "NAME", "PATH", "Rules", "accept", "decode", "encoder", "error", "framing", "peek", "present", "present_error",
    "relabel", "request", "rules", "texts",
]  # fmt: skip

NAME = "openai_text"
PATH = "/completions"
MAX_PROMPTS = None


def decode(data: bytes, out: Outgoing) -> Body:
    """An answer, with id and created where the upstream left them out. Raises WrongShape, StreamFault."""
    return read_choices(data, out, Rules.PREFIX)


def peek(data: bytes, out: Outgoing) -> Peek | None:
    """The few fields, or None if the answer is not one that can be relayed unread."""
    return peek_choices(data, out)


def rules(out: Outgoing) -> Rules:
    """What the events of one stream mean."""
    return Rules(out)


class Rules(openai_stream.Rules):
    """Nothing but what OpenAI's streams have in common."""

    OBJECT = "text_completion"
    PREFIX = "cmpl-"

    __slots__ = ()
