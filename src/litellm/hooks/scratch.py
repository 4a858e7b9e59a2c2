"""The `cache` that hooks are given to remember things between requests: LiteLLM's DualCache, as far as hooks use it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

MAXIMUM = 10_000  # entries; the one that was used longest ago is forgotten


class ScratchCache:
    """A bounded map in this process. ttl: seconds that an entry lives, for ever if it is not given.

    >>> cache = ScratchCache()
    >>> cache.set_cache("greeted", True, ttl=60)
    >>> cache.get_cache("greeted"), cache.get_cache("unknown"), cache.increment_cache("count", 2)
    (True, None, 2.0)
    """

    def __init__(self, maximum: int = MAXIMUM, clock: Callable[[], float] = time.monotonic) -> None:
        self._maximum = maximum
        self._clock = clock
        self._entries: OrderedDict[str, tuple[Any, float | None]] = OrderedDict()

    def get_cache(self, key: str, **_: Any) -> Any:
        value, until = self._entries.get(key, (None, None))
        if until is not None and until <= self._clock():
            self._entries.pop(key, None)
            return None
        if key in self._entries:
            self._entries.move_to_end(key)
        return value

    def set_cache(self, key: str, value: Any, ttl: float | None = None, **_: Any) -> None:
        self._entries[key] = (value, None if ttl is None else self._clock() + ttl)
        self._entries.move_to_end(key)
        if len(self._entries) > self._maximum:
            self._entries.popitem(last=False)

    def increment_cache(self, key: str, value: float = 1, ttl: float | None = None, **_: Any) -> float:
        """Add to a number, which begins at 0; its ttl begins with it."""
        before = self.get_cache(key)
        total = float(before or 0) + value
        if before is None:
            self.set_cache(key, total, ttl)
        else:
            self._entries[key] = (total, self._entries[key][1])
        return total

    def delete_cache(self, key: str) -> None:
        self._entries.pop(key, None)

    async def async_get_cache(self, key: str, **more: Any) -> Any:
        return self.get_cache(key, **more)

    async def async_set_cache(self, key: str, value: Any, ttl: float | None = None, **more: Any) -> None:
        self.set_cache(key, value, ttl, **more)

    async def async_increment_cache(self, key: str, value: float = 1, ttl: float | None = None, **more: Any) -> float:
        return self.increment_cache(key, value, ttl, **more)

    async def async_delete_cache(self, key: str) -> None:
        self.delete_cache(key)


DualCache = ScratchCache  # the name that hook files annotate it with
