"""The stream that SDK callers iterate."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from litellm.engine.opened import Opened
from litellm.net.transport import AsyncTransport, SyncTransport
from litellm.providers.target import NOWHERE
from litellm.types.chat import ModelResponseStream
from litellm.wire.protocol import Chunk


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
        self._failure_raised = False
        self.chunks: list[ModelResponseStream] = []
        self.received_finish_reason: str | None = None
        target = opened.origin or NOWHERE
        self.model = target.model
        self.custom_llm_provider = target.provider.name
        self._hidden_params: dict[str, Any] = {}

    @property
    def response_uptil_now(self) -> str:
        """The text of the first choice so far."""
        return "".join(self._text)

    def __next__(self) -> ModelResponseStream:
        while not self._ready:
            if self._opened.finished:
                self._raise_failure()
                raise StopIteration
            try:
                self._ready.extend(self._opened.next(self._transport))
            except BaseException:
                self.close()
                raise
        return self._emit(self._ready.popleft())

    async def __anext__(self) -> ModelResponseStream:
        while not self._ready:
            if self._opened.finished:
                self._raise_failure()
                raise StopAsyncIteration
            try:
                self._ready.extend(await self._opened.anext(self._transport))
            except BaseException:  # also when our task is cancelled
                self.close()
                raise
        return self._emit(self._ready.popleft())

    def _raise_failure(self) -> None:
        """What broke the stream is raised once, with the text that did arrive."""
        failure = None if self._failure_raised else self._opened.failure
        self._failure_raised = True
        if failure is not None:
            failure.partial = self.response_uptil_now  # type: ignore[attr-defined]
            raise failure

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

    def _emit(self, chunk: Chunk) -> ModelResponseStream:
        value = chunk.value
        for choice in value.get("choices") or ():
            if choice.get("finish_reason"):
                self.received_finish_reason = choice["finish_reason"]
            if not choice.get("index"):
                delta = choice.get("delta")
                text = delta.get("content") if delta else choice.get("text")
                if isinstance(text, str) and text:
                    self._text.append(text)
        self.chunks.append(self._present(value))
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
