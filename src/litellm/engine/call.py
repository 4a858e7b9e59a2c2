"""A call and its answer, as values. What the caller wrote (body), what the admin set (target) and what steers the call
are three different fields, never one dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from litellm.engine.retry_policy import Retry
from litellm.exceptions import LiteLLMError
from litellm.net.messages import Sink, Timeouts
from litellm.net.steps import Flow, Step
from litellm.operations import CHAT, Operation
from litellm.providers.policy import KEEP_ALL, Policy
from litellm.providers.target import Mock, Target
from litellm.types.hooks import CallRecord
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


def nobody_asks(_: Outcome) -> None:
    """Settles a choice that nobody keeps account of."""


class Choice(msgspec.Struct, frozen=True):
    """A target, taken for one try. `settle` is called exactly once, when the try and its answer have ended: whoever chose
    holds a place for it until then, and learns from how it went."""

    target: Target
    settle: Settle = nobody_asks


Choose = Callable[[Sequence[Target]], Choice]
Consult = Callable[[], Flow[None]]
Reroute = Callable[["Call"], Flow[None]]
MakeCall = Callable[[], "Call"]
StandIn = Callable[["Call", Target], Target]


class Hooks(Protocol):
    """Code of the user's that stands on the way of a call to a deployment. It may take its time, and raise.

    kwargs: the body, and what else there is to know of a call. entries, entry: deployments, as a model_list has them.
    """

    routes: bool
    filters: bool
    edits_answers: bool

    def route(self, model: str, kwargs: dict[str, Any]) -> Flow[tuple[str, Any]]:
        """The model and the messages to ask for instead; messages None: those that there are."""

    def filter(self, group: str, entries: list[dict[str, Any]], kwargs: dict[str, Any]) -> Flow[frozenset[str]]:
        """The ids of those that may be used."""

    def check(self, entry: dict[str, Any], *, is_async: bool) -> Flow[None]:
        """Raises to refuse a deployment that was chosen."""

    def before(self, kwargs: dict[str, Any], operation: Operation, *, is_async: bool) -> Flow[dict[str, Any] | None]:
        """Other kwargs for a try; None for the same."""

    def after(self, kwargs: dict[str, Any], response: Any, operation: Operation, *, is_async: bool) -> Flow[Any]:
        """The answer that the caller gets."""


class Observe(Protocol):
    """Who is told what happens to a call. Telling never blocks and never raises. hooks: those of them that do not only
    listen."""

    per_chunk: bool

    @property
    def hooks(self) -> Hooks | None: ...

    def emit(self, event: str, record: CallRecord, chunk: Any = None) -> None:
        """event: "input"; "stream", with `chunk`, a function that reads it; "exhausted" and "success_fallback" or
        "failure_fallback", with what happened before as the record's error; "success" or "failure"."""


class Fallbacks(msgspec.Struct, frozen=True):
    """Calls to make instead, in order, when this one has failed for good. Made when needed."""

    general: tuple[MakeCall, ...] = ()
    context_window: tuple[MakeCall, ...] = ()
    content_policy: tuple[MakeCall, ...] = ()


NO_FALLBACKS = Fallbacks()


class Call(msgspec.Struct, kw_only=True):
    """One thing to be asked of a model.

    model: as the caller named it. body: OpenAI's parameters for the operation, without model and stream. choose: picks a
    target, given those already tried; consult: what is asked before the first of them; reroute: what may change the call
    before anything else. hooks: who stands on its way. stand_in: gives each target a handler to ask instead.
    relay: the caller can use the upstream's own bytes. ask_usage: ask the upstream for a usage chunk; show_usage: pass it
    on. own_timeouts, own_retries: the caller set them, so a target's do not count. group: the deployments that it asks,
    where it asks such. metadata: for handlers and callbacks; it is never sent. observe: who is told; about: what they are
    told besides; is_async: whether the caller awaits it, which decides what of theirs is called.
    """

    model: str
    body: Body
    choose: Choose
    consult: Consult | None = None
    reroute: Reroute | None = None
    hooks: Hooks | None = None
    operation: Operation = CHAT
    group: str = ""
    stand_in: StandIn | None = None
    stream: bool = False
    relay: bool = False
    ask_usage: bool = False
    show_usage: bool = False
    timeouts: Timeouts = Timeouts()
    own_timeouts: bool = False
    retry: Retry = Retry()
    own_retries: bool = False
    fallbacks: Fallbacks = NO_FALLBACKS
    mock: Mock | None = None
    policy: Policy = KEEP_ALL
    metadata: Mapping[str, Any] = {}
    id: str = ""
    observe: Observe | None = None
    about: Mapping[str, Any] = {}
    is_async: bool = False


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

    def _end(self, outcome: Outcome) -> None:
        if self.ended is None:
            self.ended = outcome
            settles, self.settles, self.tap = self.settles, [], None  # which refer to this
            for settle in settles:
                settle(outcome)
