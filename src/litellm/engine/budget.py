"""One budget for a whole request: limits multiply, and each of them is small."""

from __future__ import annotations

from threading import Lock
from typing import Any

import msgspec

from litellm.exceptions import BadRequestError

MAX_REQUESTS = 100  # that one request may make of upstreams
AT_ONCE = 16  # of these, under way for several models or prompts


class Budget(msgspec.Struct, eq=False):
    """How many requests of upstreams are left for a request, over all its models, prompts, retries and fallbacks. Counted
    where they are sent. at_once: how many may be under way at once where it asks several; each holds a copy of it.

    >>> budget = Budget(1)
    >>> budget.take("gpt-4o"), budget.spent
    (None, True)
    """

    limit: int = MAX_REQUESTS
    at_once: int = AT_ONCE
    taken: int = 0
    _lock: Any = msgspec.field(default_factory=Lock)  # several prompts or models may be asked in threads

    @property
    def remaining(self) -> int:
        """How many there may still be."""
        return self.limit - self.taken

    @property
    def spent(self) -> bool:
        """Whether nothing is left: then why the last try failed is what the caller learns."""
        return self.taken >= self.limit

    def take(self, model: str) -> None:
        """Count one. Raises BadRequestError when none is left."""
        with self._lock:
            if self.taken < self.limit:
                self.taken += 1
                return
        raise BadRequestError(
            f"this request has made {self.limit} requests of upstreams, as many as one may: name fewer models, prompts, "
            "retries or fallbacks",
            model,
        )
