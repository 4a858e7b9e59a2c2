"""A call and its answer, as values. What the caller wrote (body), what the admin set (target) and what steers the call
(route) are three different things, never one dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from litellm.engine.budget import Budget
from litellm.net.messages import Timeouts
from litellm.operations import CHAT, Operation
from litellm.providers.policy import KEEP_ALL, Policy
from litellm.providers.target import Target
from litellm.wire.protocol import Body

# Makes of a target, for one try, the one that is asked: at the same place, with another backend.
Retarget = Callable[["Call", Target, Timeouts], Target]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be asked of a model: what was asked, and no more. Where it goes is said by a Route.

    model: as the caller named it. body: OpenAI's parameters for the operation, without model and stream. retarget: what
    each target is turned into before it is asked, where a mock or a function of the caller's stands in for it. relay: the
    dialect in which the caller can use the upstream's own bytes. ask_usage: ask the upstream for a usage chunk;
    show_usage: pass it on. timeouts, retries: the caller's own; None: the target's, or else the route's. metadata: for
    handlers and callbacks; it is never sent. is_async: whether the caller awaits it, which decides what of handlers and
    callbacks is called. headers: sent to an upstream with this call and no other. budget: how many requests of upstreams
    may be made for it, and for what it is part of.
    """

    model: str
    body: Body
    operation: Operation = CHAT
    retarget: Retarget | None = None
    stream: bool = False
    relay: str = ""
    ask_usage: bool = False
    show_usage: bool = False
    timeouts: Timeouts | None = None
    retries: int | None = None
    policy: Policy = KEEP_ALL
    metadata: Mapping[str, Any] = {}
    id: str = ""
    is_async: bool = False
    headers: Mapping[str, str] | None = None
    budget: Budget = msgspec.field(default_factory=Budget)


class Answer(msgspec.Struct, kw_only=True):
    """A whole answer: `raw`, when it can be relayed as it came; else `data`, OpenAI-shaped.

    origin: who gave it; None for one that is remembered, or a layer's own (`origin or NOWHERE` is a target all the same).
    native: the object that it was before, where a handler or a hook of the user's gave one. requested_model: as the call
    named it; model: as the upstream did. retries, fallbacks: how many it took; max_retries: how many it might have taken.
    """

    requested_model: str
    origin: Target | None = None
    headers: Mapping[str, str] = {}
    data: Body = {}
    native: Any = None
    raw: bytes | None = None
    model: str | None = None
    usage: Body | None = None
    retries: int = 0
    max_retries: int = 0
    fallbacks: int = 0
