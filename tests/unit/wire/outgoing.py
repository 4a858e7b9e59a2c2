"""Calls as dialects see them, at a time and with ids that are always the same."""

from __future__ import annotations

from typing import Any

from litellm.wire.decoding import EventDecoder
from litellm.wire.protocol import Body, Item, Outgoing, StreamDialect

NOW = 1_700_000_000.5
ID = "00000000-0000-4000-8000-000000000000"


def outgoing(model: str = "m", body: Body | None = None, **more: Any) -> Outgoing:
    return Outgoing(model, {} if body is None else body, lambda: NOW, lambda: ID, **more)


def decoder_of(dialect: StreamDialect, **more: Any) -> EventDecoder:
    return EventDecoder(dialect.framing(), dialect.rules(outgoing(stream=True, **more)))


def last_items(decoder: EventDecoder) -> list[Item]:
    """What comes after the last bytes."""
    return [*decoder.end(), *decoder.rules.end()]
