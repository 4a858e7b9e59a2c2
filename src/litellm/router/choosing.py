"""Choosing a deployment for one try of a call, and learning from how it went."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

import msgspec

from litellm._log import log
from litellm.engine.call import Call
from litellm.engine.hooked import kwargs_of
from litellm.engine.opened import Outcome
from litellm.engine.route import Choice
from litellm.engine.watchers import Hooks, Watchers
from litellm.exceptions import AuthenticationError, BadRequestError, LiteLLMError, Timeout
from litellm.net.messages import Timeouts
from litellm.net.steps import Ask, Flow
from litellm.providers.target import Target
from litellm.router import checks, tags
from litellm.router.deployments import Deployment
from litellm.router.limits import GroupExhaustedError, guess, tokens_of
from litellm.router.pick.latency import PENALTY
from litellm.router.pool import Group, Level
from litellm.router.ranking import Rankings
from litellm.router.regions import Region
from litellm.router.settings import RoutingSettings
from litellm.router.state import LocalState, State
from litellm.router.tally import NO_LIMITS
from litellm.wire.protocol import Body

DRAWS = 4  # how often a deployment that is not free may be drawn, before all are looked at

_RNG = Random()  # noqa: S311 - spreading load, not secrets


class RoutingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a call says about its own route, in place of the settings.

    fallbacks and the two after it: a request's own, as router/fallbacks.py reads them, in place of those configured; None:
    it has none, and those count; empty: none do.
    region: where the deployments must be that it may use. retries, timeouts: what counts in place of the settings' where
    neither the call nor a deployment says any.
    adapt: makes a target from a deployment, for a call that brings a key or an address of its own; how it fares there is
    then not the deployment's fault. same_address: of those that it may use, only those at one address: its key is meant
    for that, and retries stay there. may_use: says which groups the caller may fall back to.
    """

    tags: Sequence[str] = ()
    region: Region | None = None
    retries: int | None = None
    timeouts: Timeouts | None = None
    fallbacks: Sequence[Any] | None = None
    context_window_fallbacks: Sequence[Any] | None = None
    content_policy_fallbacks: Sequence[Any] | None = None
    disable_fallbacks: bool = False
    adapt: Callable[[Deployment], Target] | None = None
    same_address: bool = False
    may_use: Callable[[str], bool] | None = None


NO_OPTIONS = RoutingOptions()

# User code in the place of a strategy: (name, body) → what asks it for a deployment's id, or None.
Custom = Callable[[str, Body], Ask]


def no_such_model(name: str) -> BadRequestError:
    """The error, in LiteLLM's words, for a name that is not served."""
    return BadRequestError(f"You passed in model={name[:200]}. There are no healthy deployments for this model", name)


class Chooser:
    """Chooses by settings, state, a clock in seconds that never goes back, and chance."""

    def __init__(
        self, settings: RoutingSettings, state: State | None, clock: Callable[[], float], rng: Random | None
    ) -> None:
        self.settings = settings
        self.state: State = state or LocalState()
        self.rankings = Rankings(self.state)
        self.clock = clock
        self.rng = rng or _RNG
        self.custom: Custom | None = None

    def consult(self, context: RoutingContext) -> Flow[None]:
        """Find out what may take a while, as a choice may not: what the user's own filters and strategy say, and how many
        tokens a long prompt has, if that is to be checked."""
        hooks = context.hooks
        if hooks is not None and hooks.filters and context.group.members:
            entries, kwargs = self._healthy(context.group), kwargs_of(context.call, context.about)
            context.allowed = yield from hooks.filter(context.group.name, entries, kwargs)
        if self.custom is not None:
            context.preferred_id = yield self.custom(context.call.model, context.call.body)
        if self.settings.pre_call_checks:
            group, body = context.group, context.call.body
            fits = checks.surely_fits(group, body)
            context.tokens = 0 if fits else (yield Ask(partial(checks.count, group, body), None))

    def must_consult(self, context: RoutingContext) -> bool:
        """Whether `consult` has anything to ask."""
        if self.custom is not None or self.settings.pre_call_checks:
            return True
        return context.watchers is not None and (hooks := context.hooks) is not None and hooks.filters

    def choose(self, context: RoutingContext, tried: Sequence[Target]) -> Choice:
        """A deployment for the next try: one of the lowest order that is free and was not tried; else one that was.

        Raises GroupExhaustedError when all cool down or are at their limits, BadRequestError when there are none, and what
        the checks before a call raise.
        """
        if not context.group.members:
            raise no_such_model(context.call.model)
        now = self.clock()
        levels = context.levels
        if levels is None:
            levels = context.limit_to(self._levels(context))
        if context.preferred_id is not None and not tried:
            chosen = self._preferred(context, context.preferred_id, levels, now)
            if chosen is not None:
                return chosen
        for level in levels:
            choice = self._draw(context, level, tried, now)
            if choice is None:
                choice = self._pick(
                    context, [d for d in level.members if self._is_eligible(context, d, tried, now)], now
                )
            if choice is not None:
                return choice
        if tried:
            # A cooldown keeps other calls away. This one was there already, and waits before it goes again.
            again = [each for level in levels for each in level.members if context.target(each) in tried]
            choice = self._pick(context, again, now)
            if choice is not None:
                return choice
        raise self._exhausted(context, levels, now)

    def _healthy(self, group: Group) -> list[dict[str, Any]]:
        """The deployments that do not cool down, as entries of a model_list; all, if all do."""
        now, cooling_down = self.clock(), self.state.cooling_down
        available = [each for each in group.members if cooling_down.get(each.id, now) <= now]
        return [each.entry() for each in available or group.members]

    def _levels(self, context: RoutingContext) -> Sequence[Level]:
        """The group's deployments that this request may use."""
        group, settings = context.group, self.settings
        if settings.tag_filtering:
            group = tags.allowed(group, context.options.tags, match_any=settings.tags_match_any)
            if not group.members:
                raise AuthenticationError(
                    f"Not allowed to access model due to tags configuration. Passed model={context.call.model} and "
                    f"tags={list(context.options.tags)}",
                    model=context.call.model,
                )
        if context.allowed is not None:
            group = checks.allowed_by_hooks(group, context.allowed)
        if context.options.region is not None:
            group = checks.in_region(group, context.options.region)
        if settings.pre_call_checks:
            group = checks.capable(group, context.call.body, context.tokens)
        if context.options.same_address:
            group = checks.at_one_address(group)
        return group.levels(settings.strategy.rank)

    def _draw(self, context: RoutingContext, level: Level, tried: Sequence[Target], now: float) -> Choice | None:
        """By the strategy, without a look at all members."""
        missed: list[int] = []
        for _ in range(DRAWS):
            place = self._drawn(level, missed, now)
            if place is None:
                return None
            drawn = level.members[place]
            if self._is_eligible(context, drawn, tried, now):
                choice = self._lease(context, drawn, now)
                if choice is not None:
                    return choice
            missed.append(place)
        return None

    def _drawn(self, level: Level, besides: Sequence[int], now: float) -> int | None:
        strategy = self.settings.strategy
        if strategy.measure is None:
            return level.draw(self.rng)
        if level.ranking is None or level.ranking[0] is not strategy:
            places = tuple((each.id, each.limits) for each in level.members)
            level.ranking = strategy, self.rankings.of(places, strategy.measure)
        return level.ranking[1].draw(now, self.rng, slack=strategy.slack, besides=besides)

    def _pick(self, context: RoutingContext, candidates: Sequence[Deployment], now: float) -> Choice | None:
        """By the strategy, from those of `candidates` that have a place left."""
        free = [
            each for each in candidates if each.limits is NO_LIMITS or not self.state.wait(each.id, each.limits, now)
        ]
        while free:
            picked = self._best(free, now)
            choice = self._lease(context, picked, now)
            if choice is not None:
                return choice
            free = [each for each in free if each is not picked]  # another thread was faster
        return None

    def _best(self, candidates: Sequence[Deployment], now: float) -> Deployment:
        """What `_drawn` would draw, if there were no others."""
        strategy = self.settings.strategy
        if strategy.measure is None:
            return candidates[Level(candidates).draw(self.rng)]
        numbers = [strategy.measure(self.state.tally(each.id, now), now)[0] for each in candidates]
        bar = min(numbers) * (1 + strategy.slack)
        return self.rng.choice([each for each, number in zip(candidates, numbers, strict=True) if number <= bar])

    def _is_eligible(
        self, context: RoutingContext, deployment: Deployment, tried: Sequence[Target], now: float
    ) -> bool:
        if tried and context.target(deployment) in tried:
            return False
        cooling_down = self.state.cooling_down
        return not cooling_down or not context.can_cool_down or self._is_available(deployment, cooling_down, now)

    def _is_available(self, deployment: Deployment, cooling_down: Mapping[str, float], now: float) -> bool:
        until = cooling_down.get(deployment.id)
        if until is None:
            return True
        if until > now:
            return False
        if self.state.end_cooldown(deployment.id, now):
            log.info("deployment %s of %s is back", deployment.id[:12], deployment.name)
        return True

    def _lease(self, context: RoutingContext, deployment: Deployment, now: float) -> Choice | None:
        """The choice of this deployment, unless it is at a limit."""
        limits, target = deployment.limits, context.target(deployment)
        if limits is NO_LIMITS and not self.settings.strategy.counts:
            return Choice(target, Lease(self, context, deployment, now, None).settle)
        reserved = guess(context.call.body) if limits.tpm is not None else 0
        if self.state.take(deployment.id, limits, reserved, now):
            return None
        return Choice(target, Lease(self, context, deployment, now, reserved).settle)

    def _preferred(
        self, context: RoutingContext, preferred_id: str, levels: Sequence[Level], now: float
    ) -> Choice | None:
        chosen = next((each for level in levels for each in level.members if each.id == preferred_id), None)
        if chosen is None:
            log.warning(
                "the custom routing strategy chose %r, which is no deployment of %s that this call may use: "
                "routing_strategy decides instead", preferred_id[:100], context.group.name,
            )  # fmt: skip
            return None
        return self._lease(context, chosen, now)

    def _exhausted(self, context: RoutingContext, levels: Sequence[Level], now: float) -> GroupExhaustedError:
        members = [each for level in levels for each in level.members]
        cooling_down = self.state.cooling_down
        waits = []
        for each in members:
            seconds = max(0.0, cooling_down.get(each.id, now) - now) if context.can_cool_down else 0.0
            waits.append(seconds or self.state.wait(each.id, each.limits, now))
        cooling = [each.id for each in members if cooling_down.get(each.id, now) > now]
        return GroupExhaustedError(context.call.model, min(waits), cooling, checks=self.settings.pre_call_checks)

    # --- how it went --------------------------------------------------------------------------------------------------

    def note_failure(self, context: RoutingContext, deployment: Deployment, error: LiteLLMError, now: float) -> None:
        """Count a failure, unless it is the caller's own, and let the deployment cool down where the rules say so."""
        cooldown = self.settings.cooldown
        impatient = isinstance(error, Timeout) and context.call.timeouts is not None
        if impatient or context.options.adapt is not None:
            return
        if self.settings.strategy.times and isinstance(error, Timeout):
            self.state.penalise(deployment.id, PENALTY, now)
        if not context.can_cool_down or not cooldown.counts(error):
            return
        tally = self.state.failed(deployment.id, type(error).__name__, now)
        seconds = cooldown.seconds_after(error, tally, deployment_seconds=deployment.cooldown_time)
        if seconds and self.state.cool_down(deployment.id, now + seconds, now):
            log.warning(
                "deployment %s of %s cools down for %.0f s after %s %s",
                deployment.id[:12], deployment.name, seconds, error.status_code, type(error).__name__,
            )  # fmt: skip


class RoutingContext:
    """A call, the group that it asks, and what was found out for it on the way."""

    __slots__ = (
        "_adapted",
        "allowed",
        "call",
        "can_cool_down",
        "group",
        "levels",
        "options",
        "preferred_id",
        "tokens",
        "watchers",
    )  # fmt: skip

    def __init__(
        self, call: Call, group: Group, options: RoutingOptions = NO_OPTIONS, watchers: Watchers | None = None
    ) -> None:
        self.call = call
        self.group = group
        self.options = options
        self.watchers = watchers
        self.levels: Sequence[Level] | None = None
        self.allowed: frozenset[str] | None = None  # the ids that hooks' filters leave
        self.preferred_id: str | None = None  # the id that a custom strategy returned
        self.tokens: int | None = None  # of the prompt, once they have been counted
        self.can_cool_down = group.can_cool_down
        self._adapted: dict[str, Target] = {}

    @property
    def hooks(self) -> Hooks | None:
        """The user's hooks on the call's way."""
        return None if self.watchers is None else self.watchers.observe.hooks

    @property
    def about(self) -> Mapping[str, Any]:
        """What those hooks get besides the call."""
        return {} if self.watchers is None else self.watchers.about

    def limit_to(self, levels: Sequence[Level]) -> Sequence[Level]:
        """Note which deployments this request may use. Where that is one alone, it is used even if it cools down."""
        self.levels = levels
        self.can_cool_down = self.can_cool_down and (len(levels) > 1 or len(levels[0].members) > 1)
        return levels

    def target(self, deployment: Deployment) -> Target:
        """Where a deployment sends this call: the same object each time it is asked for."""
        if self.options.adapt is None:
            return deployment.target or deployment.make(deployment.model)
        if deployment.id not in self._adapted:
            self._adapted[deployment.id] = self.options.adapt(deployment)
        return self._adapted[deployment.id]


class Lease:
    """What a chosen deployment is settled with. `reserved`: the tokens reserved, or None where no account is kept."""

    __slots__ = ("_chooser", "_context", "_deployment", "_reserved", "_taken_at")

    def __init__(
        self, chooser: Chooser, context: RoutingContext, deployment: Deployment, taken_at: float, reserved: int | None
    ) -> None:
        self._chooser = chooser
        self._context = context
        self._deployment = deployment
        self._taken_at = taken_at
        self._reserved = reserved

    def settle(self, outcome: Outcome) -> None:
        """Give back what was taken, and note how it went."""
        chooser, deployment = self._chooser, self._deployment
        now, state = chooser.clock(), chooser.state
        if self._reserved is not None:
            used = tokens_of(outcome.usage)
            if outcome.status == "unused":
                used = None
            elif used is None:
                used = self._reserved if outcome.status != "failure" else 0
            state.give_back(deployment.id, self._taken_at, self._reserved, used, now)
        if outcome.status == "failure" and outcome.error is not None:
            chooser.note_failure(self._context, deployment, outcome.error, now)
        elif outcome.status == "success" and (self._context.can_cool_down or chooser.settings.strategy.times):
            seconds = self._seconds(outcome) if chooser.settings.strategy.times else None
            state.succeeded(deployment.id, now, seconds)

    def _seconds(self, outcome: Outcome) -> float | None:
        """What a call took: to the first words of a stream; for a whole answer, each token of it."""
        tokens = (outcome.usage or {}).get("completion_tokens")
        if outcome.seconds is None or self._context.call.stream or not isinstance(tokens, int):
            return outcome.seconds
        return outcome.seconds / max(1, tokens)
