"""What the calls of one Routing know of its deployments: who rests, how much of a limit is used, how calls went.

`State` is the seam for a shared store. None of its methods waits for anything: an implementation that shares with other
processes keeps these numbers here as well, writes what changes behind the calls and reads the others' ahead of them.
Minutes are windows that begin every 60 seconds of the clock, as providers count: a limit holds within each of them, so up
to twice as much may pass in the 60 seconds around the beginning of one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import inf
from threading import RLock
from typing import TYPE_CHECKING, Protocol
from weakref import ReferenceType, WeakValueDictionary, finalize, ref

import msgspec

if TYPE_CHECKING:
    from litellm.router.ranking import Ranking

MINUTE = 60.0  # seconds
MOST_LATENCIES = 100  # kept for a deployment


class Limits(msgspec.Struct, frozen=True):
    """What a deployment takes: requests and tokens in a minute, and requests at once. None: no limit."""

    rpm: int | None = None
    tpm: int | None = None
    parallel: int | None = None


NO_LIMITS = Limits()


class Tally:
    """The numbers of one deployment. requests, tokens, successes and failures are those of `minute`."""

    __slots__ = ("failures", "in_flight", "latencies", "minute", "requests", "successes", "tokens")

    def __init__(self, minute: int) -> None:
        self.in_flight = 0
        self.latencies: deque[tuple[float, float]] = deque(maxlen=MOST_LATENCIES)  # (when, seconds)
        self.begin(minute)

    def begin(self, minute: int) -> None:
        self.minute = minute
        self.requests = self.tokens = self.successes = 0
        self.failures: dict[str, int] = {}  # by the name of the error's class


# How a strategy sees a deployment: a number, the lowest first, and until when it stands if nothing happens: seconds of the
# clock, or infinite.
Standing = tuple[float, float]
Measure = Callable[[Tally, float], Standing]
Ranked = tuple[str, Limits]  # a deployment by its id, and what it takes


class State(Protocol):
    """What is shared. Times are seconds of one clock, `deployment` is a deployment's id."""

    def resting(self) -> Mapping[str, float]:
        """The deployments that cool down, and until when. Mostly empty; may hold some whose time is over."""

    def rest(self, deployment: str, until: float, now: float) -> bool:
        """Let it cool down at least until then; a later time that is set already stands. Whether it did not before."""

    def rested(self, deployment: str, now: float) -> bool:
        """Forget a cooldown whose time is over. Whether there was one."""

    def tally(self, deployment: str, now: float) -> Tally:
        """Its numbers in the current minute, to be read."""

    def ranking(self, places: Sequence[Ranked], measure: Measure) -> Ranking:
        """These deployments, as 0, 1, 2, …, in the order of `measure`, with those that rest or are full last. It follows
        what happens to them as long as somebody holds it; meanwhile the same question has the same answer."""

    def take(self, deployment: str, limits: Limits, tokens: int, now: float) -> float:
        """Take a place for a request and reserve `tokens`: 0. If there is none: the seconds until there may be one."""

    def wait(self, deployment: str, limits: Limits, now: float) -> float:
        """The seconds until there may be a place; 0 if there is one."""

    def give_back(self, deployment: str, taken: float, reserved: int, used: int | None, now: float) -> None:
        """End what was taken at the time `taken`. used: the tokens it took in truth; None: nothing was sent at all."""

    def succeeded(self, deployment: str, now: float, seconds: float | None = None) -> None:
        """Count a success, and remember how long it took, if that matters to somebody."""

    def failed(self, deployment: str, kind: str, now: float) -> Tally:
        """Count a failure of this kind. The numbers afterwards."""

    def penalise(self, deployment: str, seconds: float, now: float) -> None:
        """Remember a call as having taken this long."""

    def forget(self, deployments: Iterable[str]) -> None:
        """They are gone."""

    def clear(self) -> None:
        """Begin anew: nobody rests, nothing is used."""


class LocalState:
    """State within this process. Safe to share between threads; holds one Tally for each deployment that was used."""

    def __init__(self) -> None:
        # One that its own thread can take twice: garbage may be collected while it is held, a stream that was dropped
        # may be in there, and its end is told to us.
        self._lock = RLock()
        self._tallies: dict[str, Tally] = {}
        self._resting: dict[str, float] = {}
        self._rankings: WeakValueDictionary[tuple[Sequence[Ranked], Measure], Ranking] = WeakValueDictionary()
        self._followers: dict[str, list[tuple[ReferenceType[Ranking], int]]] = {}  # in which rankings, and as what

    def resting(self) -> Mapping[str, float]:
        return self._resting

    def rest(self, deployment: str, until: float, now: float) -> bool:
        with self._lock:
            known = self._resting.get(deployment, now)
            self._resting[deployment] = max(known, until)
            self._changed(deployment)
            return known <= now

    def rested(self, deployment: str, now: float) -> bool:
        with self._lock:
            until = self._resting.get(deployment)
            if until is None or until > now:
                return False
            del self._resting[deployment]
            self._changed(deployment)
            return True

    def tally(self, deployment: str, now: float) -> Tally:
        with self._lock:
            return self._current(deployment, now)

    def ranking(self, places: Sequence[Ranked], measure: Measure) -> Ranking:
        from litellm.router.ranking import Ranking

        with self._lock:
            ranking = self._rankings.get((places, measure))
            if ranking is None:
                ranking = Ranking(len(places), partial(self._standing, places, measure), self._lock)
                self._rankings[places, measure] = ranking
                for at, (deployment, _) in enumerate(places):
                    self._followers.setdefault(deployment, []).append((ref(ranking), at))
                finalize(ranking, self._unfollow, places).atexit = False
            return ranking

    def take(self, deployment: str, limits: Limits, tokens: int, now: float) -> float:
        with self._lock:
            tally = self._current(deployment, now)
            seconds = _wait(tally, limits, now)
            if not seconds:
                tally.requests += 1
                tally.tokens += tokens
                tally.in_flight += 1
            self._changed(deployment)
            return seconds

    def wait(self, deployment: str, limits: Limits, now: float) -> float:
        with self._lock:
            return _wait(self._current(deployment, now), limits, now)

    def give_back(self, deployment: str, taken: float, reserved: int, used: int | None, now: float) -> None:
        with self._lock:
            tally = self._tallies.get(deployment)
            if tally is None:
                return  # it was deleted while the call was under way
            tally.in_flight = max(0, tally.in_flight - 1)
            tally = self._current(deployment, now)
            same_minute = tally.minute == int(taken // MINUTE)
            if same_minute:
                tally.tokens = max(0, tally.tokens - reserved)
                tally.requests = max(0, tally.requests - (used is None))
            tally.tokens += used or 0  # tokens count in the minute in which the answer ends
            self._changed(deployment)

    def succeeded(self, deployment: str, now: float, seconds: float | None = None) -> None:
        with self._lock:
            tally = self._current(deployment, now)
            tally.successes += 1
            if seconds is not None:
                tally.latencies.append((now, seconds))
                self._changed(deployment)

    def failed(self, deployment: str, kind: str, now: float) -> Tally:
        with self._lock:
            tally = self._current(deployment, now)
            tally.failures[kind] = tally.failures.get(kind, 0) + 1
            return tally

    def penalise(self, deployment: str, seconds: float, now: float) -> None:
        with self._lock:
            self._current(deployment, now).latencies.append((now, seconds))
            self._changed(deployment)

    def forget(self, deployments: Iterable[str]) -> None:
        with self._lock:
            for deployment in deployments:
                self._tallies.pop(deployment, None)
                self._resting.pop(deployment, None)
                self._changed(deployment)

    def clear(self) -> None:
        with self._lock:
            self._resting.clear()
            for deployment in self._followers:
                self._changed(deployment)
            for tally in self._tallies.values():  # what is under way stays counted: it will give its place back
                tally.begin(tally.minute)
                tally.latencies.clear()

    def _current(self, deployment: str, now: float) -> Tally:
        minute = int(now // MINUTE)
        tally = self._tallies.get(deployment)
        if tally is None:
            tally = self._tallies[deployment] = Tally(minute)
        elif tally.minute < minute:  # not for a thread that is late
            tally.begin(minute)
        return tally

    def _changed(self, deployment: str) -> None:
        for follower, at in self._followers.get(deployment, ()):
            ranking = follower()
            if ranking is not None:
                ranking.changed(at)

    def _unfollow(self, places: Sequence[Ranked]) -> None:
        """A ranking of these is gone."""
        with self._lock:
            for deployment, _ in places:
                left = [each for each in self._followers.get(deployment, ()) if each[0]() is not None]
                if left:
                    self._followers[deployment] = left
                else:
                    self._followers.pop(deployment, None)

    def _standing(self, places: Sequence[Ranked], measure: Measure, at: int, now: float) -> Standing:
        deployment, limits = places[at]
        until = self._resting.get(deployment, now)
        if until > now:
            return inf, until
        if deployment not in self._tallies:
            return 0.0, inf
        tally = self._current(deployment, now)
        seconds = _wait(tally, limits, now)
        return (inf, now + seconds) if seconds else measure(tally, now)


def _wait(tally: Tally, limits: Limits, now: float) -> float:
    if limits.rpm is not None and tally.requests >= limits.rpm:
        return MINUTE - now % MINUTE
    if limits.tpm is not None and tally.tokens >= limits.tpm:
        return MINUTE - now % MINUTE
    if limits.parallel is not None and tally.in_flight >= limits.parallel:
        return 1.0  # nobody knows; whoever is in there may leave at any moment
    return 0.0
