"""A stream that has been opened. Whatever comes of it becomes chunks here, asked for by a loop of either kind, by a flow,
or pushed by the transport; and here it ends, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from litellm.engine.faults import incomplete_stream, stream_error, transport_error, wrong_shape
from litellm.exceptions import LiteLLMError
from litellm.net.faults import TransportFault
from litellm.net.messages import Sink
from litellm.net.steps import Flow, Step
from litellm.net.transport import AsyncTransport, SyncTransport
from litellm.providers.target import NOWHERE, Target
from litellm.wire.openai_stream import has_content
from litellm.wire.protocol import Body, Broken, Chunk, Decoder, Item, StreamFault, WrongShape

# What a source gives: an upstream's bytes or a handler's dict, b"" at the end, or what broke it.
Piece = bytes | Body | Exception


class Outcome(msgspec.Struct, frozen=True):
    """How a try at a target ended: "unused" if nothing was sent, "cancelled" if the caller went away first.

    seconds: from sending to the first meaningful byte of the answer, where there was one.
    """

    status: Literal["success", "failure", "cancelled", "unused"]
    error: LiteLLMError | None = None
    usage: Body | None = None
    seconds: float | None = None


CANCELLED = Outcome("cancelled")
UNUSED = Outcome("unused")

Settle = Callable[[Outcome], None]


class Source(msgspec.Struct, frozen=True):
    """Where a stream comes from: `step` asks for its next piece. `close` lets go of it; `finish` says that it is over.

    stream_to: push mode, in which it gives its pieces by itself, as they come; None for what has to be asked for each.
    """

    step: Step
    close: Callable[[], None]
    finish: Callable[[], None]
    stream_to: Callable[[Sink], None] | None = None


class Opened(msgspec.Struct, kw_only=True):
    """A stream whose first meaningful chunk is here: from now on a failure can only be reported, not retried.

    It ends once, by `finish` or by `abort`, and then calls those that `on_end` has registered. first: the chunks so
    far. origin: as an Answer has it. dialect: in which the payloads of its chunks are. usage: what was used, where it is
    known from elsewhere than the stream. tap: sees the chunks that follow the first ones.
    """

    requested_model: str
    source: Source
    decoder: Decoder
    first: list[Chunk]
    origin: Target | None = None
    dialect: str = ""
    headers: Mapping[str, str] = {}
    model: str | None = None
    usage: Body | None = None
    finished: bool = False
    retries: int = 0
    max_retries: int = 0
    fallbacks: int = 0
    tap: Callable[[list[Chunk]], None] | None = None
    ended: Outcome | None = None
    settles: list[Settle] = []

    @property
    def failure(self) -> LiteLLMError | None:
        """What broke it, after the chunks that there are; None for what goes on, is complete, or was closed."""
        return None if self.ended is None else self.ended.error

    def next(self, io: SyncTransport) -> list[Chunk]:
        """Wait for the next piece, and give what `advance` makes of it."""
        try:
            piece: Piece = io.perform(self.source.step)
        except (TransportFault, LiteLLMError) as error:
            piece = error
        return self.advance(piece)

    async def anext(self, io: AsyncTransport) -> list[Chunk]:
        """The same on an event loop."""
        try:
            piece: Piece = await io.perform(self.source.step)
        except (TransportFault, LiteLLMError) as error:
            piece = error.with_traceback(None)  # which leads here: it would keep itself
        return self.advance(piece)

    def advance(self, piece: Piece) -> list[Chunk]:
        """The chunks in the next piece, in order. If it was the last, or broke the stream, that has ended: see `finished`
        and `failure`. Raises nothing of the stream's.

        A stream is complete when every choice has finished or the upstream said [DONE]; nothing is made up for one that
        is not, and a connection that breaks after that has broken nothing.
        """
        rules = self.decoder.rules
        if isinstance(piece, Exception):
            items: list[Item] = self._interrupted(piece)
            over = True
        elif piece:
            items = self.decoder.feed(piece)
            over = rules.done
        else:
            items, over = self._exhausted(), True
        failure = None
        if items and type(items[-1]) is Broken:
            failure = self._as_error(items.pop().error)  # type: ignore[union-attr]  # just looked
        chunks: list[Chunk] = items  # type: ignore[assignment]  # nothing but the last is ever broken
        if over and failure is None:
            chunks += rules.end()
        if self.tap is not None:
            self.tap(chunks)
        if failure is not None:
            self.abort(failure)
        elif over:
            self.finish()
        return chunks

    def _interrupted(self, error: Exception) -> list[Item]:
        """What an exchange that broke comes to, which has broken nothing if the stream was complete."""
        if isinstance(error, TransportFault):
            return [] if self.decoder.rules.complete else [Broken(transport_error(error, self.origin or NOWHERE))]
        return [Broken(error)]

    def _exhausted(self) -> list[Item]:
        """What the end of the pieces comes to."""
        items = self.decoder.end()
        if not self.decoder.rules.complete and not (items and type(items[-1]) is Broken):
            items.append(Broken(incomplete_stream(self.origin or NOWHERE, self.headers)))
        return items

    def _as_error(self, error: Exception) -> LiteLLMError:
        match error:
            case WrongShape():
                return wrong_shape(error, self.origin or NOWHERE, self.headers)
            case StreamFault():
                return stream_error(error, self.origin or NOWHERE, self.headers)
            case LiteLLMError():
                return error
        raise error

    def on_end(self, settle: Settle) -> None:
        """Call `settle` when the stream ends; at once if it has."""
        if self.ended is not None:
            settle(self.ended)
        else:
            self.settles.append(settle)

    def used(self) -> Body | None:
        """What was used, as far as it is known."""
        return self.usage or self.decoder.rules.usage

    def finish(self) -> None:
        """The stream is complete."""
        self.finished = True
        try:
            self.source.finish()
        finally:
            self._end(Outcome("success", usage=self.used()))

    def abort(self, error: LiteLLMError | None = None) -> None:
        """Let go of the upstream, for an error, or because the reader left. Does nothing to a stream that has ended."""
        if self.ended is None:
            self.finished = True
            try:
                self.source.close()
            finally:
                self._end(CANCELLED if error is None else Outcome("failure", error, usage=self.used()))

    def close(self) -> None:
        """The reader left."""
        self.abort()

    def _end(self, outcome: Outcome) -> None:
        if self.ended is None:
            self.ended = outcome
            settles, self.settles, self.tap = self.settles, [], None  # which refer to this
            for settle in settles:
                settle(outcome)


def next_chunks(opened: Opened) -> Flow[list[Chunk]]:
    """`Opened.next`, as a part of a flow."""
    try:
        piece: Piece = yield opened.source.step
    except (TransportFault, LiteLLMError) as error:
        piece = error
    return opened.advance(piece)


def read_first_chunk(opened: Opened) -> Flow[Opened]:
    """The stream, read up to its first meaningful chunk. Raises what breaks it before."""
    try:
        while not opened.finished:
            chunks = yield from next_chunks(opened)
            opened.first += chunks
            if any(has_content(chunk.value) for chunk in chunks):
                break
            if opened.failure is not None:
                raise opened.failure
    except BaseException:
        opened.source.close()
        raise
    opened.model = next((chunk.value["model"] for chunk in opened.first if chunk.value.get("model")), None)
    return opened
