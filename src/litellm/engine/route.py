"""The route of a call: its targets, how often it is tried, and its fallbacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from litellm.engine.call import Call
from litellm.engine.opened import Outcome, Settle
from litellm.engine.retry_policy import Retry
from litellm.engine.watchers import Watchers
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow
from litellm.providers.target import Target

FallbackKind = Literal["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"]


def noop(_: Outcome) -> None:
    """Settles a choice without a lease."""


class Choice(msgspec.Struct, frozen=True):
    """A target, taken for one try. `settle` is called exactly once, when the try and its answer have ended: the
    router holds a lease for it until then, and learns from how it went."""

    target: Target
    settle: Settle = noop


class Plan(NamedTuple):
    """A call, its way, and who watches it: the arguments of `Client.flow`."""

    call: Call
    route: Route
    watchers: Watchers | None = None


MakePlan = Callable[[], Plan]


class Route(Protocol):
    """Where a call may go. The router, or the SDK, returns one for each call.

    group: the name of the deployments that it chooses from; empty where none are listed. timeouts: those that count
    where neither the call nor the target says any. retry: how often the call is tried again. falls_back: whether there may
    be fallbacks; which, is looked up when the call has failed.
    """

    @property
    def group(self) -> str: ...

    @property
    def timeouts(self) -> Timeouts: ...

    @property
    def retry(self) -> Retry: ...

    @property
    def falls_back(self) -> bool: ...

    @property
    def rerouted(self) -> Callable[[Call], Route] | None:
        """Gives the way of the call that a hook has made of this one. None: hooks have no say in where it goes."""

    def consult(self) -> Flow[None] | None:
        """What has to be asked before the first choice, which may take a while, as a choice may not."""

    def choose(self, tried: Sequence[Target]) -> Choice:
        """A target for the next try, given those already tried. Raises LiteLLMError when nothing is left."""

    def fallbacks(self, kind: FallbackKind) -> Sequence[MakePlan]:
        """What to ask instead, in order."""


class FixedRoute(msgspec.Struct, frozen=True, kw_only=True):
    """The route to one target, without leases. plans: what to ask instead, if it falls back."""

    target: Target
    retry: Retry = Retry()
    timeouts: Timeouts = Timeouts()
    plans: dict[FallbackKind, Sequence[MakePlan]] = {}
    falls_back: bool = False
    group: str = ""
    rerouted: Callable[[Call], Route] | None = None

    def consult(self) -> Flow[None] | None:
        """Nobody is asked."""
        return None

    def choose(self, tried: Sequence[Target]) -> Choice:  # noqa: ARG002 - there is no other
        """The target."""
        return Choice(self.target)

    def fallbacks(self, kind: FallbackKind) -> Sequence[MakePlan]:
        """What the caller named."""
        return self.plans.get(kind, ())
