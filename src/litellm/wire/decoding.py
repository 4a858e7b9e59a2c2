"""Streams to items, by a framing and a dialect's rules. Malformed events are handled here, once for all dialects."""

from __future__ import annotations

from collections.abc import Sequence

from litellm.wire.framing import sse
from litellm.wire.openai_format import SHAPE_ERRORS, excerpt, read_object
from litellm.wire.protocol import Body, Broken, ChunkRules, Framing, Item, StreamFault, WrongShape


class EventDecoder:
    """For what an upstream sends: bytes with framed payloads, each of them a JSON object."""

    __slots__ = ("_framing", "rules")

    def __init__(self, framing: Framing, rules: ChunkRules) -> None:
        self._framing = framing
        self.rules = rules

    def feed(self, piece: bytes) -> list[Item]:
        """The items that these bytes complete. What comes after a broken event, or after the last, is not read."""
        try:
            payloads = self._framing.feed(piece)
        except ValueError as error:
            return [Broken(_odd(error, piece))]
        return self._read(payloads)

    def end(self) -> list[Item]:
        """The items in what is left: some servers do not close their last event."""
        return [] if self.rules.done else self._read(self._framing.end())

    def _read(self, payloads: Sequence[bytes]) -> list[Item]:
        items: list[Item] = []
        for payload in payloads:
            text = payload.strip()
            if text == sse.DONE:
                items += self.rules.close()
                break
            if not text:  # a heartbeat
                continue
            try:
                items += self.rules.take(read_object(payload), payload)
            except (WrongShape, StreamFault) as fault:
                items.append(Broken(fault))
                break
            except SHAPE_ERRORS as error:
                items.append(Broken(_odd(error, payload)))
                break
        return items


class ValueDecoder:
    """For what a handler gives: chunks that are dicts already."""

    __slots__ = ("rules",)

    def __init__(self, rules: ChunkRules) -> None:
        self.rules = rules

    def feed(self, piece: Body) -> list[Item]:
        """The items in one of them."""
        try:
            return [*self.rules.take(piece, None)]
        except (WrongShape, StreamFault) as fault:
            return [Broken(fault)]
        except SHAPE_ERRORS as error:
            return [Broken(WrongShape(f"a chunk of the handler is not shaped as one: {error!r}"))]

    def end(self) -> list[Item]:
        """A handler that returns has said all."""
        return [] if self.rules.done else [*self.rules.close()]


def _odd(error: Exception, data: bytes) -> WrongShape:
    return WrongShape(f"a chunk of the stream is not shaped as one ({error}): {excerpt(data)}")
