"""A cache with a maximum, for keys that clients and upstreams choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(dict[K, V]):
    """A dict that forgets the entry that was put in first, when it is full and another one is put in.

    By age, not by use: looking something up then changes nothing, so it costs what it costs in a dict, and threads need no
    lock for it. What is forgotten too early is found out again.

    maximum: entries. forget: is given the value of each entry that has to go.

    >>> known = Bounded(2)
    >>> known["a"] = known["b"] = known["c"] = 1
    >>> list(known)
    ['b', 'c']
    """

    __slots__ = ("_forget", "maximum")

    def __init__(self, maximum: int, forget: Callable[[V], Any] | None = None) -> None:
        super().__init__()
        self.maximum = maximum
        self._forget = forget

    def __setitem__(self, key: K, value: V) -> None:
        while len(self) >= self.maximum and key not in self:
            self._forget_one()
        super().__setitem__(key, value)

    def setdefault(self, key: K, default: V) -> V:  # dict's own would go past __setitem__
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *entries: Any, **more: Any) -> None:
        for key, value in dict(*entries, **more).items():
            self[key] = value

    def _forget_one(self) -> None:
        try:
            value = self.pop(next(iter(self)))
        except (KeyError, RuntimeError, StopIteration):  # another thread was first
            return
        if self._forget is not None:
            self._forget(value)
