"""Routing: deployments, settings and shared state, and how a call finds its way between them. The one router, for the
public Router, the gateway and a client's user_config."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from random import Random
from threading import RLock
from typing import Any

import msgspec

from litellm.engine.call import NO_FALLBACKS, Call, Choice, Fallbacks, Hooks, MakeCall
from litellm.engine.fallbacks import Skip
from litellm.engine.hooked import kwargs_of
from litellm.engine.retry_policy import Retry
from litellm.exceptions import BadRequestError, ContentPolicyViolationError, ContextWindowExceededError
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow
from litellm.providers.target import Target
from litellm.router.choosing import NO_STEER, Asked, Choosing, Steer, nobody
from litellm.router.deployments import Deployment
from litellm.router.fallbacks import FallbackTable, asked_for, find_fallbacks, name_of, tables_in
from litellm.router.pool import Group, Pool
from litellm.router.regions import region_of_call
from litellm.router.settings import RoutingSettings
from litellm.router.state import State
from litellm.types.params import OWNED

# How words of a call or a fallback (api_key, api_base, …) change a deployment's target.
Adapter = Callable[[Mapping[str, Any]], Callable[[Deployment], Target]]


def nowhere(tried: Sequence[Target]) -> Choice:
    """The `choose` of a call that has not been routed yet."""
    raise AssertionError(f"this call has not been routed, and has tried {len(tried)} targets")


class Routing(Choosing):
    """Sends calls to deployments. Two of them share nothing, unless they are given the same `state`: one that takes the
    place of another begins with what that knew, and then tells the state whom it serves.

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
        super().__init__(settings or RoutingSettings(), state, clock, rng)
        self.pool = Pool.of(deployments, self.settings.aliases)
        self.changing = RLock()  # for those who look before they change the pool; calls take none
        self.adapter: Adapter | None = None

    # --- the pool; what is under way keeps the one that it began with -------------------------------------------------

    def find(self, name: str, steer: Steer = NO_STEER) -> Group:
        """The group that serves `name`. Raises BadRequestError in LiteLLM's words."""
        group = self.seek(name, steer)
        if group is None:
            raise nobody(name)
        return group

    def seek(self, name: str, steer: Steer = NO_STEER) -> Group | None:
        """The group that serves `name`; one without members, if nobody does and a call has fallbacks all the same."""
        group = self.pool.find(name)
        if group is None and not steer.disable_fallbacks and self._general(steer, name):
            return Group.nobody(name)
        return group

    def lost(self) -> list[str]:
        """The names that the settings' fallbacks lead to and nobody serves."""
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
            self.settings = settings

    def replace(self, deployments: Iterable[Deployment]) -> None:
        """Serve these and no others. What is known of those that stay is kept."""
        with self.changing:
            self._serve(Pool.of(deployments, self.settings.aliases))

    def add(self, *deployments: Deployment) -> None:
        """Serve these from now on. One with the id of another takes its place."""
        with self.changing:
            self._serve(self.pool.changed(add=deployments))

    def remove(self, *ids: str) -> None:
        """Serve these no longer, and forget what is known of them. Unknown ids are none of its business."""
        with self.changing:
            self._serve(self.pool.changed(remove=ids))

    def _serve(self, pool: Pool) -> None:
        self.pool = pool
        self.state.serve(pool.by_id)

    # --- a call's way -------------------------------------------------------------------------------------------------

    def route(self, call: Call, group: Group, steer: Steer = NO_STEER) -> Call:
        """`call` with its choices, retries and fallbacks set. Its clocks stay as they are."""
        self._routed(call, group, steer, {group.name}, 0)
        if call.hooks is not None and call.hooks.routes:
            call.reroute = partial(self._reroute, group, steer, call.hooks)
        return call

    def _reroute(self, group: Group, steer: Steer, hooks: Hooks, call: Call) -> Flow[None]:
        """Send `call` where the hooks say, with what they say."""
        model, messages = yield from hooks.route(call.model, kwargs_of(call))
        if model == call.model and messages is None:
            return
        if model != call.model:
            if steer.adapt is not None:
                raise BadRequestError(f"this call brings its own access, which is not for {model[:200]}", call.model)
            call.model, group = model, self.find(model, steer)
        if messages is not None:
            call.body = {**call.body, "messages": messages}
        limit, own = call.retry.limit, call.own_retries
        self._routed(call, group, steer, {group.name}, 0)
        call.retry, call.own_retries = msgspec.structs.replace(call.retry, limit=limit), own

    def _routed(self, call: Call, group: Group, steer: Steer, passed: set[str], depth: int) -> Call:
        # What the call holds must not hold the call: its body, which may be large, would have to wait for the collector.
        asked = copy.copy(call)
        call.group = group.name
        place = Asked(asked, group, steer)
        filters = call.hooks is not None and call.hooks.filters
        consults = filters or self.custom is not None or self.settings.pre_call_checks
        call.consult = partial(self.consult, place) if consults else None
        call.choose = partial(self.choose, place)
        call.fallbacks = self._fallbacks(asked, group, steer, passed, depth)
        if steer.retries is None:
            spared: list[type[Exception]] = []
            if call.fallbacks.context_window:
                spared.append(ContextWindowExceededError)
            if call.fallbacks.content_policy:
                spared.append(ContentPolicyViolationError)
            call.retry = self.settings.retry_for(group.name, spared=spared)
        else:
            call.retry, call.own_retries = Retry(steer.retries, floor=self.settings.retry.floor), True
        return call

    def _fallbacks(self, call: Call, group: Group, steer: Steer, passed: set[str], depth: int) -> Fallbacks:
        """passed: the groups that this call has been to, whichever fallbacks led it there; none is asked twice."""
        settings = self.settings
        if steer.disable_fallbacks or depth >= settings.max_fallbacks:
            return NO_FALLBACKS
        names = (call.model, group.name)
        general = self._general(steer, *names)
        longer = _one_of(steer.context_window_fallbacks, settings.context_window_fallbacks, names)
        milder = _one_of(steer.content_policy_fallbacks, settings.content_policy_fallbacks, names)
        if not general and not longer and not milder:
            return NO_FALLBACKS

        def plans(entries: Sequence[Any]) -> tuple[MakeCall, ...]:
            return tuple(partial(self._instead, call, entry, steer, passed, depth + 1) for entry in entries)

        return Fallbacks(general=plans(general), context_window=plans(longer), content_policy=plans(milder))

    def _general(self, steer: Steer, *names: str) -> Sequence[Any]:
        found = _one_of(steer.fallbacks, self.settings.fallbacks, names)
        return found or (self.settings.default_fallbacks if steer.fallbacks is None else ())

    def _instead(self, call: Call, entry: Any, steer: Steer, passed: set[str], depth: int) -> Call:
        changes = {} if isinstance(entry, str) else dict(entry)
        named = entry if isinstance(entry, str) else changes.pop("model", None)
        name = named or call.model
        group = self.pool.find(name)
        if group is None:
            raise nobody(name)
        if steer.may_use is not None and not steer.may_use(self.pool.permitted_as(name)):
            raise Skip
        if group.name in passed and named is not None:  # without a name it is the same group, asked in other words
            raise Skip
        passed.add(group.name)
        ours = {key: changes.pop(key) for key in OWNED & changes.keys()}
        other = msgspec.structs.replace(call, model=name, body={**call.body, **changes})
        if "timeout" in ours:
            other.timeouts, other.own_timeouts = Timeouts.of(ours["timeout"], ours.get("stream_timeout")), True
        region = region_of_call(ours.pop("allowed_model_region", None), name)
        # The caller's own list has been used up, and its key was meant for where it asked to go.
        adapt = self.adapter(ours) if ours and self.adapter is not None else None
        onward = msgspec.structs.replace(
            steer,
            fallbacks=_onward(steer.fallbacks),
            context_window_fallbacks=_onward(steer.context_window_fallbacks),
            content_policy_fallbacks=_onward(steer.content_policy_fallbacks),
            disable_fallbacks=named is None,  # the same group has the same fallbacks, which are being tried
            adapt=adapt,
            region=steer.region or region,
        )
        return self._routed(other, group, onward, passed, depth)


def _one_of(own: Sequence[Any] | None, configured: FallbackTable, names: Sequence[str]) -> Sequence[Any]:
    return find_fallbacks(configured, *names) if own is None else asked_for(own, *names)


def _onward(own: Sequence[Any] | None) -> Sequence[Any] | None:
    return own and tables_in(own)
