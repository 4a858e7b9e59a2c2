"""A call and its answer, as values. What the caller wrote (body), what the admin set (target) and what steers the call
(route) are three different things, never one dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from litellm.engine.budget import Budget
from litellm.exceptions import LiteLLMError
from litellm.net.messages import Sink, Timeouts
from litellm.net.steps import Step
from litellm.operations import CHAT, Operation
from litellm.providers.policy import KEEP_ALL, Policy
from litellm.providers.target import Mock, Target
from litellm.wire.protocol import Body, Chunk, StreamDecoder


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
StandIn = Callable[["Call", Target, Timeouts], Target]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be asked of a model: what was asked, and no more. Where it goes is said by a Route.

    model: as the caller named it. body: OpenAI's parameters for the operation, without model and stream. stand_in: gives
    each target a handler to ask instead. relay: the caller can use the upstream's own bytes. ask_usage: ask the upstream
    for a usage chunk; show_usage: pass it on. timeouts, retries: the caller's own; None: the target's, or else the route's.
    metadata: for handlers and callbacks; it is never sent. is_async: whether the caller awaits it, which decides what of
    handlers and callbacks is called. budget: how many requests of upstreams may be made for it, and for what it is part of.
    """

    model: str
    body: Body
    operation: Operation = CHAT
    stand_in: StandIn | None = None
    stream: bool = False
    relay: bool = False
    ask_usage: bool = False
    show_usage: bool = False
    timeouts: Timeouts | None = None
    retries: int | None = None
    mock: Mock | None = None
    policy: Policy = KEEP_ALL
    metadata: Mapping[str, Any] = {}
    id: str = ""
    is_async: bool = False
    budget: Budget = msgspec.field(default_factory=Budget)


class Answer(msgspec.Struct, kw_only=True):
    """A whole answer: `raw`, when it can be relayed as it came; else `data`, OpenAI-shaped.

    `data` is a dict, or the ModelResponse that a custom handler returned. asked: the name under which it was asked for;
    model: the upstream's own. retries, fallbacks: how many it took; max_retries: how many it might have taken.
    """

    target: Target
    asked: str
    headers: Mapping[str, str]
    data: Any = None
    raw: bytes | None = None
    model: str | None = None
    usage: Body | None = None
    retries: int = 0
    max_retries: int = 0
    fallbacks: int = 0


class Source(msgspec.Struct, frozen=True):
    """Where a stream comes from: `step` asks for its next piece. `close` lets go of it; `finish` says that it is over.

    pour: has it give its pieces by itself, as they come; None for what has to be asked for each.
    """

    step: Step
    close: Callable[[], None]
    finish: Callable[[], None]
    pour: Callable[[Sink], None] | None = None


class Opened(msgspec.Struct, kw_only=True):
    """A stream whose first meaningful chunk is here: from now on a failure can only be reported, not retried.

    It ends once, by `finish` or by `abort`, and then settles with whoever keeps account of it. tap: sees what follows
    the first chunks.
    """

    target: Target
    asked: str
    headers: Mapping[str, str]
    source: Source
    decoder: StreamDecoder
    first: list[Chunk]
    model: str | None = None
    finished: bool = False
    retries: int = 0
    max_retries: int = 0
    fallbacks: int = 0
    tap: Callable[[list[Chunk]], None] | None = None
    ended: Outcome | None = None
    settles: list[Settle] = []

    def on_end(self, settle: Settle) -> None:
        """Call `settle` when the stream ends; at once if it has."""
        if self.ended is not None:
            settle(self.ended)
        else:
            self.settles.append(settle)

    def finish(self) -> None:
        """The stream is complete."""
        self.finished = True
        try:
            self.source.finish()
        finally:
            self._end(Outcome("success", usage=self.decoder.usage))

    def abort(self, error: LiteLLMError | None = None) -> None:
        """Let go of the upstream, for an error, or because nobody reads on. Does nothing to a stream that has ended."""
        if self.ended is None:
            self.finished = True
            try:
                self.source.close()
            finally:
                self._end(CANCELLED if error is None else Outcome("failure", error, usage=self.decoder.usage))

    def close(self) -> None:
        """Nobody reads on."""
        self.abort()

    def _end(self, outcome: Outcome) -> None:
        if self.ended is None:
            self.ended = outcome
            settles, self.settles, self.tap = self.settles, [], None  # which refer to this
            for settle in settles:
                settle(outcome)
