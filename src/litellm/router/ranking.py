"""Who is first, of many whose numbers change all the time, without a look at each of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from heapq import heappop, heappush
from math import inf
from random import Random
from threading import RLock

from sortedcontainers import SortedList  # type: ignore[import-untyped]

from litellm.router.state import Standing

AT_ONCE = 256  # how many a draw asks about for no other reason than the time; in a new minute that may be all of them


class Ranking:
    """The places 0, 1, 2, … in the order of a number that each of them has.

    What happens to a place is told with `changed`, which only notes it; the next `draw` asks `standing` for the new number.
    So a draw costs what has changed since the last one, each a logarithm of how many places there are.
    standing: tells the number of a place at a time, and until when it stands if nothing happens (seconds, or infinite).
    """

    __slots__ = ("__weakref__", "_changed", "_due", "_expected", "_lock", "_numbers", "_order", "_standing")

    def __init__(self, size: int, standing: Callable[[int, float], Standing], lock: RLock) -> None:
        self._standing = standing
        self._lock = lock
        self._numbers = [0.0] * size
        self._order = SortedList((0.0, place) for place in range(size))
        self._changed = set(range(size))
        self._due: list[
            tuple[float, int]
        ] = []  # a heap of when a number changes by itself; each place once at the most
        self._expected: set[int] = set()  # the places in there

    def changed(self, place: int) -> None:
        """Its number may be another one now. To be called with the lock held."""
        self._changed.add(place)

    def draw(self, now: float, rng: Random, *, slack: float = 0.0, besides: Collection[int] = ()) -> int | None:
        """The place with the lowest number, or None. Among equals it is chance.

        slack: those count as equals whose number is higher by up to this fraction. besides: a few places not to draw.
        """
        with self._lock:
            self._catch_up(now)
            order = self._order
            first = 0
            while first < len(order) and order[first][1] in besides:
                first += 1
            if first == len(order):
                return None
            end = order.bisect_right((order[first][0] * (1 + slack), len(order)))
            while True:
                place: int = order[first + int(rng.random() * (end - first))][1]
                if place not in besides:
                    return place

    def _catch_up(self, now: float) -> None:
        # A fresh set, and not one that is emptied: garbage collected meanwhile may end a call, and so add to it.
        changed, self._changed = self._changed, set()
        due = self._due
        while due and due[0][0] <= now and len(changed) < AT_ONCE:
            place = heappop(due)[1]
            self._expected.discard(place)
            changed.add(place)
        for place in changed:
            number, until = self._standing(place, now)
            if number != self._numbers[place]:
                self._order.remove((self._numbers[place], place))
                self._order.add((number, place))
                self._numbers[place] = number
            if until < inf and place not in self._expected:
                self._expected.add(place)
                heappush(due, (until, place))
