"""An order of deployments by numbers that change all the time, updated without a look at each of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Sequence
from functools import partial
from heapq import heapify, heappop, heappush
from math import inf
from random import Random
from threading import Lock, RLock
from weakref import WeakValueDictionary

from litellm.router.state import State
from litellm.router.tally import Measure, Ranked, Score

AT_ONCE = 256  # how many a draw asks about for no other reason than the time; in a new minute that may be all of them


class Ranking:
    """The places 0, 1, 2, … in the order of a number that each of them has.

    What happens to a place is told with `changed`, which only notes it; the next `draw` asks `score` for the new number.
    So a draw costs what has changed since the last one, and to move one of ten thousand takes some two microseconds.
    score: tells the number of a place at a time, and until when it holds if nothing happens (seconds, or infinite).
    """

    __slots__ = ("__weakref__", "_changed", "_due", "_lock", "_numbers", "_order", "_score", "_until")

    def __init__(self, size: int, score: Callable[[int, float], Score]) -> None:
        self._score = score
        self._lock = RLock()  # its own thread may take it twice: garbage collected meanwhile may end a call
        self._numbers = [0.0] * size
        self._order = [(0.0, place) for place in range(size)]  # sorted
        self._changed: dict[int, None] = dict.fromkeys(range(size))
        self._until: dict[int, float] = {}  # when a number changes by itself, for those that do
        self._due: list[tuple[float, int]] = []  # the same as a heap; with times that have been overtaken, for a while

    def changed(self, place: int) -> None:
        """Its number may be another one now. It takes no lock: to put into a dict is one step, as popitem is."""
        self._changed[place] = None

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
            end = bisect_right(order, (order[first][0] * (1 + slack), len(order)))
            while True:
                place = order[first + int(rng.random() * (end - first))][1]
                if place not in besides:
                    return place

    def _catch_up(self, now: float) -> None:
        changed, due = self._changed, self._due
        while due and due[0][0] <= now and len(changed) < AT_ONCE:
            until, place = heappop(due)
            if self._until.get(place) == until:  # else it has been asked already
                del self._until[place]
                changed[place] = None
        while changed:  # never iterated over: others add to it meanwhile
            place, _ = changed.popitem()
            number, until = self._score(place, now)
            if number != self._numbers[place]:
                self._move(place, number)
            self._expect(place, until)

    def _move(self, place: int, number: float) -> None:
        del self._order[bisect_left(self._order, (self._numbers[place], place))]
        insort(self._order, (number, place))
        self._numbers[place] = number

    def _expect(self, place: int, until: float) -> None:
        """Have the score at `place` computed again at the time `until`, unless that is due earlier anyway: what is
        computed then says when it is due next."""
        if until >= self._until.get(place, inf):
            return
        self._until[place] = until
        heappush(self._due, (until, place))
        if len(self._due) > 2 * len(self._until) + AT_ONCE:
            self._due = [(until, place) for place, until in self._until.items()]
            heapify(self._due)


class Rankings:
    """The rankings over one state, shared and held weakly."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = Lock()
        self._known: WeakValueDictionary[tuple[Sequence[Ranked], Measure], Ranking] = WeakValueDictionary()

    def of(self, deployments: Sequence[Ranked], measure: Measure) -> Ranking:
        """These, as 0, 1, 2, …, in the order of `measure`, with those that cool down or are at a limit last."""
        with self._lock:
            ranking = self._known.get((deployments, measure))
            if ranking is None:
                ranking = Ranking(len(deployments), partial(self._state.score, deployments, measure))
                self._state.changes.subscribe(ranking, [deployment for deployment, _ in deployments])
                self._known[deployments, measure] = ranking
            return ranking
