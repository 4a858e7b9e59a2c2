"""The state of deployments that calls share: cooldowns, how much of a limit is used, how calls went.

`State` is the seam for a shared store. None of its methods waits for anything: an implementation that shares with other
processes keeps these numbers here as well, writes what changes behind the calls and reads the others' ahead of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import inf
from threading import RLock
from typing import Protocol

from litellm.router.changes import Changes
from litellm.router.tally import MINUTE, Limits, Measure, Ranked, Score, Tally


class State(Protocol):
    """What is shared. Times are seconds of one clock, `deployment` is a deployment's id.

    changes: told whenever a score may have become another one. cooling_down: the deployments that cool down, and until
    when; mostly empty, it may hold some whose time is over.
    """

    changes: Changes

    @property
    def cooling_down(self) -> Mapping[str, float]: ...

    def cool_down(self, deployment: str, until: float, now: float) -> bool:
        """Let it cool down at least until then; a later time that is set already stands. Whether it did not before."""

    def end_cooldown(self, deployment: str, now: float) -> bool:
        """Forget a cooldown whose time is over. Whether there was one."""

    def tally(self, deployment: str, now: float) -> Tally:
        """Its numbers in the current minute, to be read."""

    def score(self, deployments: Sequence[Ranked], measure: Measure, place: int, now: float) -> Score:
        """What `measure` says of the numbers of the one at this place; infinite while it cools down or is at a limit."""

    def take(self, deployment: str, limits: Limits, tokens: int, now: float) -> float:
        """Take a place for a request and reserve `tokens`: 0. If there is none: the seconds until there may be one."""

    def wait(self, deployment: str, limits: Limits, now: float) -> float:
        """The seconds until there may be a place; 0 if there is one."""

    def give_back(self, deployment: str, taken: float, reserved: int, used: int | None, now: float) -> None:
        """End what was taken at the time `taken`. used: the tokens it took in truth; None: nothing was sent at all."""

    def succeeded(self, deployment: str, now: float, seconds: float | None = None) -> None:
        """Count a success, and remember how long it took, where that is measured."""

    def failed(self, deployment: str, kind: str, now: float) -> Tally:
        """Count a failure of this kind. The numbers afterwards."""

    def penalise(self, deployment: str, seconds: float, now: float) -> None:
        """Remember a call as having taken this long."""

    def serve(self, deployments: Collection[str]) -> None:
        """From now on these are served and no others. A deployment that is not is forgotten, once nothing of it is under
        way; until then it may come back, and goes on counting. Before the first call all are served."""

    def clear(self) -> None:
        """Begin anew: nothing cools down, nothing is used."""


class LocalState:
    """State within this process. Safe to share between threads; holds one Tally for each deployment that was used."""

    def __init__(self) -> None:
        # One that its own thread can take twice: garbage may be collected while it is held, a stream that was dropped
        # may be in there, and its end is told to us.
        self._lock = RLock()
        self._tallies: dict[str, Tally] = {}
        self.cooling_down: dict[str, float] = {}
        self._served: Collection[str] | None = None  # None: all
        self.changes = Changes()

    def cool_down(self, deployment: str, until: float, now: float) -> bool:
        with self._lock:
            if self._is_gone(deployment) and deployment not in self._tallies:
                return False
            known = self.cooling_down.get(deployment, now)
            self.cooling_down[deployment] = max(known, until)
            self.changes.notify(deployment)
            return known <= now

    def end_cooldown(self, deployment: str, now: float) -> bool:
        with self._lock:
            until = self.cooling_down.get(deployment)
            if until is None or until > now:
                return False
            del self.cooling_down[deployment]
            self.changes.notify(deployment)
            return True

    def tally(self, deployment: str, now: float) -> Tally:
        with self._lock:
            return self._current(deployment, now)

    def score(self, deployments: Sequence[Ranked], measure: Measure, place: int, now: float) -> Score:
        deployment, limits = deployments[place]
        with self._lock:
            until = self.cooling_down.get(deployment, now)
            if until > now:
                return inf, until
            if deployment not in self._tallies:
                return 0.0, inf
            tally = self._current(deployment, now)
            seconds = tally.wait(limits, now)
            return (inf, now + seconds) if seconds else measure(tally, now)

    def take(self, deployment: str, limits: Limits, tokens: int, now: float) -> float:
        with self._lock:
            tally = self._current(deployment, now)
            seconds = tally.wait(limits, now)
            if not seconds:
                self._tallies[deployment] = tally
                tally.requests += 1
                tally.tokens += tokens
                tally.in_flight += 1
            self.changes.notify(deployment)
            return seconds

    def wait(self, deployment: str, limits: Limits, now: float) -> float:
        with self._lock:
            return self._current(deployment, now).wait(limits, now)

    def give_back(self, deployment: str, taken: float, reserved: int, used: int | None, now: float) -> None:
        with self._lock:
            tally = self._tallies.get(deployment)
            if tally is None:
                return
            tally.in_flight = max(0, tally.in_flight - 1)
            tally = self._current(deployment, now)
            same_minute = tally.minute == int(taken // MINUTE)
            if same_minute:
                tally.tokens = max(0, tally.tokens - reserved)
                tally.requests = max(0, tally.requests - (used is None))
            tally.tokens += used or 0  # tokens count in the minute in which the answer ends
            if not tally.in_flight and self._served is not None and deployment not in self._served:
                self._forget(deployment)
            self.changes.notify(deployment)

    def succeeded(self, deployment: str, now: float, seconds: float | None = None) -> None:
        with self._lock:
            tally = self._current(deployment, now)
            tally.successes += 1
            if seconds is not None:
                tally.latencies.append((now, seconds))
                self.changes.notify(deployment)

    def failed(self, deployment: str, kind: str, now: float) -> Tally:
        with self._lock:
            tally = self._current(deployment, now)
            tally.failures[kind] = tally.failures.get(kind, 0) + 1
            return tally

    def penalise(self, deployment: str, seconds: float, now: float) -> None:
        with self._lock:
            self._current(deployment, now).latencies.append((now, seconds))
            self.changes.notify(deployment)

    def serve(self, deployments: Collection[str]) -> None:
        with self._lock:
            self._served = deployments
            for deployment in [each for each in (*self._tallies, *self.cooling_down) if each not in deployments]:
                tally = self._tallies.get(deployment)
                if tally is None or not tally.in_flight:
                    self._forget(deployment)
                    self.changes.notify(deployment)

    def clear(self) -> None:
        with self._lock:
            self.cooling_down.clear()
            self.changes.notify_all()
            for tally in self._tallies.values():  # what is under way stays counted: it will give its place back
                tally.begin(tally.minute)
                tally.latencies.clear()

    def _current(self, deployment: str, now: float) -> Tally:
        minute = int(now // MINUTE)
        tally = self._tallies.get(deployment)
        if tally is None:
            tally = Tally(minute)
            if not self._is_gone(deployment):
                self._tallies[deployment] = tally
        elif tally.minute < minute:  # not for a thread that is late
            tally.begin(minute)
        return tally

    def _is_gone(self, deployment: str) -> bool:
        return self._served is not None and deployment not in self._served

    def _forget(self, deployment: str) -> None:
        self._tallies.pop(deployment, None)
        self.cooling_down.pop(deployment, None)
