"""A call and its answer, as values. What the caller wrote (body), what the admin set (target) and what steers the call
are three different fields, never one dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from litellm.engine.retries import Retry
from litellm.net.messages import Timeouts
from litellm.net.steps import Step
from litellm.providers.policy import KEEP_ALL, Policy
from litellm.providers.resolve import Mock, Target
from litellm.wire.protocol import Body, ChatDecoder, Chunk

Choose = Callable[[Sequence[Target]], Target]
MakeCall = Callable[[], "Call"]


class Fallbacks(msgspec.Struct, frozen=True):
    """Calls to make instead, in order, when this one has failed for good. Made when needed."""

    general: tuple[MakeCall, ...] = ()
    context_window: tuple[MakeCall, ...] = ()
    content_policy: tuple[MakeCall, ...] = ()


NO_FALLBACKS = Fallbacks()


class Call(msgspec.Struct, kw_only=True):
    """One chat completion to be made.

    model: as the caller named it. body: OpenAI's parameters with messages, without model and stream. choose: picks a
    target, given those already tried. relay: the caller can use the upstream's own bytes. ask_usage: ask the upstream
    for a usage chunk; show_usage: pass it on. own_timeouts, own_retries: the caller
    set them, so a target's do not count. metadata: for handlers and callbacks; it is never sent.
    """

    model: str
    body: Body
    choose: Choose
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


class Answer(msgspec.Struct, kw_only=True):
    """A whole answer: `raw`, when it can be relayed as it came; else `data`, OpenAI-shaped.

    `data` is a dict, or the ModelResponse that a custom handler returned. asked: the name under which it was asked for;
    model: the upstream's own. retries, fallbacks: how many it took.
    """

    target: Target
    asked: str
    headers: Mapping[str, str]
    data: Any = None
    raw: bytes | None = None
    model: str | None = None
    usage: Body | None = None
    retries: int = 0
    fallbacks: int = 0


class Source(msgspec.Struct, frozen=True):
    """Where a stream comes from: `step` asks for its next piece. `close` lets go of it; `finish` says that it is over."""

    step: Step
    close: Callable[[], None]
    finish: Callable[[], None]


class Opened(msgspec.Struct, kw_only=True):
    """A stream whose first meaningful chunk is here: from now on a failure can only be reported, not retried."""

    target: Target
    asked: str
    headers: Mapping[str, str]
    source: Source
    decoder: ChatDecoder
    first: list[Chunk]
    model: str | None = None
    finished: bool = False
    retries: int = 0
    fallbacks: int = 0
