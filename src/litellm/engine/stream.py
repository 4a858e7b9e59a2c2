"""A stream after its first chunk: one loop that turns pieces into chunks, and the object that SDK callers iterate."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec

from litellm.engine.call import Opened
from litellm.engine.faults import broken, incomplete, stream_error, wrong_shape
from litellm.exceptions import LiteLLMError
from litellm.net.faults import TransportFault
from litellm.net.steps import Sleep
from litellm.net.transport import AsyncTransport, SyncTransport
from litellm.types.chat import ModelResponseStream
from litellm.wire.protocol import Chunk, StreamFault, WrongShape


def advance(opened: Opened, piece: Any) -> list[Chunk]:
    """The chunks in the next piece (empty: the end; a TransportFault: it broke). Raises LiteLLMError, having closed it.

    A stream is complete when every choice has finished or the upstream said [DONE]; nothing is made up for one that
    is not, and a connection that breaks after that has broken nothing.
    """
    try:
        chunks, over = _read(opened, piece)
    except (WrongShape, StreamFault, LiteLLMError) as error:
        failure = _as_error(error, opened)
        opened.abort(failure)
        if failure is error:
            raise
        raise failure from None
    if opened.tap is not None:
        opened.tap(chunks)
    if over:
        opened.finish()
    return chunks


def _read(opened: Opened, piece: Any) -> tuple[list[Chunk], bool]:
    """The chunks in the next piece, and whether these were the last."""
    decoder = opened.decoder
    if isinstance(piece, TransportFault):
        if not decoder.complete:
            raise broken(piece, opened.target)
        return decoder.end(), True
    if not piece:
        chunks = decoder.end()
        if not decoder.complete:
            raise incomplete(opened.target, opened.headers)
        return chunks, True
    chunks = decoder.feed(piece)
    if decoder.fault is not None and chunks:
        # These still count; the next step, which asks for nothing, raises the fault.
        opened.source.close()
        opened.source = msgspec.structs.replace(opened.source, step=Sleep(0))
        return chunks, False
    if not decoder.done and decoder.fault is None:
        return chunks, False
    return chunks + decoder.end(), True


def _as_error(error: Exception, opened: Opened) -> LiteLLMError:
    match error:
        case WrongShape():
            return wrong_shape(error, opened.target, opened.headers)
        case StreamFault():
            return stream_error(error, opened.target, opened.headers)
        case LiteLLMError():
            return error
    raise error


class CustomStreamWrapper:
    """What completion(stream=True) returns: iterate it with `for`, or with `async for` when it came from acompletion.

    Yields ModelResponseStream. Leaving the loop early closes the upstream connection, and so do close() and aclose().
    A failure in mid-stream raises the mapped error; an IncompleteStream carries the text so far in `partial`.

    >>> from litellm import completion
    >>> [c.choices[0].delta.content for c in completion("mock/echo", [{"role": "user", "content": "Hi"}], stream=True)]
    ['Hi', None]
    """

    def __init__(
        self, opened: Opened, transport: SyncTransport | AsyncTransport, present: Callable[[Any], ModelResponseStream]
    ) -> None:
        self._opened = opened
        self._transport: Any = transport
        self._present = present
        self._ready: deque[Chunk] = deque(opened.first)
        self._text: list[str] = []
        self.chunks: list[ModelResponseStream] = []
        self.received_finish_reason: str | None = None
        self.model = opened.target.model
        self.custom_llm_provider = opened.target.provider.name
        self._hidden_params: dict[str, Any] = {}

    @property
    def response_uptil_now(self) -> str:
        """The text of the first choice so far."""
        return "".join(self._text)

    def __next__(self) -> ModelResponseStream:
        while not self._ready:
            if self._opened.finished:
                raise StopIteration
            try:
                piece = self._transport.perform(self._opened.source.step)
            except TransportFault as fault:
                piece = fault
            except BaseException as error:
                self._break(error)
                raise
            self._take(piece)
        return self._emit(self._ready.popleft())

    async def __anext__(self) -> ModelResponseStream:
        while not self._ready:
            if self._opened.finished:
                raise StopAsyncIteration
            try:
                piece = await self._transport.perform(self._opened.source.step)
            except TransportFault as fault:
                piece = fault
            except BaseException as error:  # also when our task is cancelled
                self._break(error)
                raise
            self._take(piece)
        return self._emit(self._ready.popleft())

    # Generators, because leaving a `for` loop drops the loop's iterator and thereby runs its `finally`: the upstream
    # learns of a `break` at once, even while the caller still holds this object.
    def __iter__(self) -> Iterator[ModelResponseStream]:
        try:
            while True:
                try:
                    chunk = self.__next__()
                except StopIteration:
                    return
                yield chunk
        finally:
            self.close()

    async def __aiter__(self) -> AsyncIterator[ModelResponseStream]:
        try:
            while True:
                try:
                    chunk = await self.__anext__()
                except StopAsyncIteration:
                    return
                yield chunk
        finally:
            self.close()

    def _take(self, piece: Any) -> None:
        try:
            self._ready.extend(advance(self._opened, piece))
        except LiteLLMError as error:
            self._break(error)
            raise

    def _break(self, error: BaseException) -> None:
        """It ends here. A failure carries the text that did arrive."""
        if isinstance(error, LiteLLMError):
            error.partial = self.response_uptil_now  # type: ignore[attr-defined]
            self._opened.abort(error)
        self.close()

    def _emit(self, chunk: Chunk) -> ModelResponseStream:
        for choice in chunk.value.get("choices") or ():
            if choice.get("finish_reason"):
                self.received_finish_reason = choice["finish_reason"]
            if not choice.get("index"):
                delta = choice.get("delta")
                text = delta.get("content") if delta else choice.get("text")
                if isinstance(text, str) and text:
                    self._text.append(text)
        self.chunks.append(self._present(chunk.value))
        return self.chunks[-1]

    def close(self) -> None:
        """Stop, and close the upstream connection. Idempotent."""
        self._opened.abort()
        self._ready.clear()

    async def aclose(self) -> None:
        """Stop, and close the upstream connection. Idempotent."""
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_ready"):
            self.close()
