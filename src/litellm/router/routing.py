"""Routing: deployments, settings and shared state, and how a call finds its way between them. The one router, for the
public Router, the gateway and a client's user_config."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from random import Random
from threading import RLock
from typing import Any

import msgspec

from litellm.engine.call import Call
from litellm.engine.fallbacks import Skip
from litellm.engine.retry_policy import Retry
from litellm.engine.route import Choice, FallbackKind, MakePlan, Plan
from litellm.engine.watchers import Watchers
from litellm.exceptions import (
    BadRequestError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    LiteLLMError,
)
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow
from litellm.providers.target import Target
from litellm.router.choosing import NO_OPTIONS, Chooser, RoutingContext, RoutingOptions, no_such_model
from litellm.router.deployments import Deployment
from litellm.router.fallbacks import FallbackTable, find_fallbacks, name_of, request_fallbacks, tables_in
from litellm.router.pool import Group, Pool
from litellm.router.regions import region_of_call
from litellm.router.settings import RoutingSettings
from litellm.router.state import State
from litellm.types.params import OWNED

# How words of a call or a fallback (api_key, api_base, …) change a deployment's target.
Adapter = Callable[[Mapping[str, Any]], Callable[[Deployment], Target]]


class Routing:
    """Sends calls to deployments. Two of them share nothing, unless they are given the same `state`: one that takes the
    place of another begins with what that knew, and then tells the state which deployments it serves.

    clock: seconds, never going back. rng: where chance comes from.
    """

    def __init__(
        self,
        deployments: Iterable[Deployment] = (),
        settings: RoutingSettings | None = None,
        *,
        state: State | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> None:
        self.chooser = Chooser(settings or RoutingSettings(), state, clock, rng)
        self.pool = Pool.of(deployments, self.settings.aliases)
        self.changing = RLock()  # to look and then change the pool; calls take none
        self.adapter: Adapter | None = None

    @property
    def settings(self) -> RoutingSettings:
        """What it goes by; see `configure`."""
        return self.chooser.settings

    @property
    def state(self) -> State:
        """What is known of its deployments."""
        return self.chooser.state

    # --- the pool; what is under way keeps the one that it began with -------------------------------------------------

    def find(self, name: str, options: RoutingOptions = NO_OPTIONS) -> Group:
        """The group that serves `name`. Raises BadRequestError in LiteLLM's words."""
        group = self.seek(name, options)
        if group is None:
            raise no_such_model(name)
        return group

    def seek(self, name: str, options: RoutingOptions = NO_OPTIONS) -> Group | None:
        """The group that serves `name`; one without members, if none does and a call has fallbacks all the same."""
        group = self.pool.find(name)
        if group is None and not options.disable_fallbacks and general_fallbacks(self.settings, options, name):
            return Group.empty(name)
        return group

    def dangling_fallbacks(self) -> list[str]:
        """The names in the settings' fallbacks that are not served."""
        settings = self.settings
        tables = (settings.fallbacks, settings.context_window_fallbacks, settings.content_policy_fallbacks)
        targets = [target for table in tables for entries in table.values() for target in entries]
        names = {name: None for each in (*targets, *settings.default_fallbacks) if (name := name_of(each)) is not None}
        return [name for name in names if self.pool.find(name) is None]

    def configure(self, settings: RoutingSettings) -> None:
        """Go by these settings from now on."""
        with self.changing:
            if settings.aliases != self.settings.aliases:
                self.pool = Pool.of(self.pool.by_id.values(), settings.aliases)
            self.chooser.settings = settings

    def replace(self, deployments: Iterable[Deployment]) -> None:
        """Serve these and no others. What is known of those that stay is kept."""
        with self.changing:
            self._serve(Pool.of(deployments, self.settings.aliases))

    def add(self, *deployments: Deployment) -> None:
        """Serve these from now on. One with the id of another takes its place."""
        with self.changing:
            self._serve(self.pool.changed(add=deployments))

    def remove(self, *ids: str) -> None:
        """Serve these no longer, and forget what is known of them. Unknown ids are ignored."""
        with self.changing:
            self._serve(self.pool.changed(remove=ids))

    def _serve(self, pool: Pool) -> None:
        self.pool = pool
        self.state.serve(pool.by_id)

    # --- a call's way -------------------------------------------------------------------------------------------------

    def route(
        self, call: Call, group: Group, options: RoutingOptions = NO_OPTIONS, watchers: Watchers | None = None
    ) -> GroupRoute:
        """The way of `call` between the deployments of `group`."""
        return GroupRoute(self, RoutingContext(call, group, options, watchers), {group.name}, 0)


class GroupRoute:
    """The route of one call between the deployments of a group, and from there to other groups.

    visited: the groups that the call has been to, whichever fallbacks led it there; none is asked twice. depth: how many
    fallbacks led here.
    """

    __slots__ = ("_context", "_depth", "_routing", "_visited", "falls_back", "group", "timeouts")

    def __init__(self, routing: Routing, context: RoutingContext, visited: set[str], depth: int) -> None:
        settings, options = routing.chooser.settings, context.options
        self._routing = routing
        self._context = context
        self._visited = visited
        self._depth = depth
        self.group = context.group.name
        self.timeouts = options.timeouts or (settings.stream_timeouts if context.call.stream else settings.timeouts)
        self.falls_back = (
            depth < settings.max_fallbacks
            and not options.disable_fallbacks
            and any(
                (
                    settings.fallbacks, settings.default_fallbacks, settings.context_window_fallbacks,
                    settings.content_policy_fallbacks, options.fallbacks, options.context_window_fallbacks,
                    options.content_policy_fallbacks,
                )
            )
        )  # fmt: skip

    @property
    def retry(self) -> Retry:
        """By the call, or else the settings. What a fallback is better for is not tried again."""
        settings, options, requested = self._routing.chooser.settings, self._context.options, self._context.call.retries
        if requested is not None:
            return Retry(requested, floor=settings.retry.floor)
        retry = settings.retry_for(self.group) if settings.by_group else settings.retry
        if options.retries is not None:
            retry = msgspec.structs.replace(retry, limit=options.retries)
        if retry.by_kind and self.falls_back:
            spared = ((error, 0) for kind, error in _FALLBACK_ERRORS if self.fallbacks(kind))
            retry = msgspec.structs.replace(retry, by_kind=(*spared, *retry.by_kind))
        return retry

    def consult(self) -> Flow[None] | None:
        """Ask what has to be asked before the first choice."""
        chooser = self._routing.chooser
        return chooser.consult(self._context) if chooser.must_consult(self._context) else None

    def choose(self, tried: Sequence[Target]) -> Choice:
        """A deployment for the next try."""
        return self._routing.chooser.choose(self._context, tried)

    def rerouted(self, call: Call) -> GroupRoute:
        """The way of what a hook has made of the call: another model's, or other messages."""
        context = self._context
        group = context.group
        if call.model != context.call.model:
            if context.options.adapt is not None:
                text = f"this call brings its own access, which is not for {call.model[:200]}"
                raise BadRequestError(text, call.model)
            group = self._routing.find(call.model, context.options)
        return self._routing.route(call, group, context.options, context.watchers)

    def fallbacks(self, kind: FallbackKind) -> Sequence[MakePlan]:
        """What to ask instead when the call has failed, in order."""
        if not self.falls_back:
            return ()
        settings, options = self._routing.chooser.settings, self._context.options
        names = (self._context.call.model, self.group)
        if kind == "fallbacks":
            entries = general_fallbacks(settings, options, *names)
        else:
            entries = _one_of(getattr(options, kind), getattr(settings, kind), names)
        return [partial(self._fallback_plan, entry) for entry in entries]

    def _fallback_plan(self, entry: Any) -> Plan:
        """The plan that an entry of a list of fallbacks is. Raises Skip for one that leads where the call has been."""
        routing, call, options = self._routing, self._context.call, self._context.options
        changes = {} if isinstance(entry, str) else dict(entry)
        named = entry if isinstance(entry, str) else changes.pop("model", None)
        name = named or call.model
        group = routing.pool.find(name)
        if group is None:
            raise no_such_model(name)
        if options.may_use is not None and not options.may_use(routing.pool.permitted_as(name)):
            raise Skip
        # Without a name it is the same group, asked in other words.
        if group.name in self._visited and named is not None:
            raise Skip
        self._visited.add(group.name)
        ours = {key: changes.pop(key) for key in OWNED & changes.keys()}
        other = msgspec.structs.replace(call, model=name, body={**call.body, **changes})
        if "timeout" in ours:
            other = msgspec.structs.replace(other, timeouts=Timeouts.of(ours["timeout"], ours.get("stream_timeout")))
        region = region_of_call(ours.pop("allowed_model_region", None), name)
        # The caller's own list has been used up, and its key was meant for where it asked to go.
        adapt = routing.adapter(ours) if ours and routing.adapter is not None else None
        inherited = msgspec.structs.replace(
            options,
            fallbacks=_tables_of(options.fallbacks),
            context_window_fallbacks=_tables_of(options.context_window_fallbacks),
            content_policy_fallbacks=_tables_of(options.content_policy_fallbacks),
            disable_fallbacks=named is None,  # the same group has the same fallbacks, which are being tried
            adapt=adapt,
            same_address=False,
            region=options.region or region,
        )
        context = RoutingContext(other, group, inherited, self._context.watchers)
        return Plan(other, GroupRoute(routing, context, self._visited, self._depth + 1))


# The kinds of fallbacks that are for certain errors.
_FALLBACK_ERRORS: Sequence[tuple[FallbackKind, type[LiteLLMError]]] = (
    ("context_window_fallbacks", ContextWindowExceededError),
    ("content_policy_fallbacks", ContentPolicyViolationError),
)


def general_fallbacks(settings: RoutingSettings, options: RoutingOptions, *names: str) -> Sequence[Any]:
    """What a call to the group with these names falls back on, whatever it failed with."""
    found = _one_of(options.fallbacks, settings.fallbacks, names)
    return found or (settings.default_fallbacks if options.fallbacks is None else ())


def _one_of(requested: Sequence[Any] | None, configured: FallbackTable, names: Sequence[str]) -> Sequence[Any]:
    return find_fallbacks(configured, *names) if requested is None else request_fallbacks(requested, *names)


def _tables_of(requested: Sequence[Any] | None) -> Sequence[Any] | None:
    return requested and tables_in(requested)
