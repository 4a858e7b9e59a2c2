"""Copies of what a caller holds, for callbacks."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

MAX_DEPTH = 64  # containers in containers; whoever reads a copy does so level by level, and Python's stack is limited
CUT = "…"  # in the place of what is nested deeper, or contains itself

_LEAVES = frozenset({str, int, float, bool, type(None)})  # most of what there is, known without asking further
_CONTAINERS = (dict, list, tuple, Mapping, BaseModel)


class Copies:
    """Makes copies that the caller cannot reach. Texts are shared: they cannot change.

    size: the bytes that all copies so far keep in memory, about. What is copied twice is one copy.

    >>> copies, endless = Copies(), {"a": [1]}
    >>> endless["b"] = endless
    >>> copies.of(endless), copies.size > 0
    ({'a': [1], 'b': '…'}, True)
    """

    def __init__(self) -> None:
        self.size = 0
        self._known: dict[int, tuple[Any, Any]] = {}  # by id: the original, which has to live on, and its copy

    def of(self, value: Any, depth: int = MAX_DEPTH) -> Any:
        """A copy of `value`, down to `depth` levels."""
        if type(value) in _LEAVES or not isinstance(value, _CONTAINERS):
            self.size += sys.getsizeof(value, 0)
            return value
        if id(value) in self._known:
            return self._known[id(value)][1]
        if not depth:
            return CUT
        self._known[id(value)] = (value, CUT)
        copy = self._made(value, depth - 1)
        self._known[id(value)] = (value, copy)
        self.size += sys.getsizeof(copy)
        return copy

    def _made(self, value: Any, depth: int) -> Any:
        if isinstance(value, BaseModel):
            return self.of(value.model_dump(exclude_none=True), depth)
        if isinstance(value, Mapping):
            return {name: self.of(item, depth) for name, item in value.items()}
        return [self.of(item, depth) for item in value]
