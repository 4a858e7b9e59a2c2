"""One budget for a whole request: limits multiply, and each of them is small."""

from __future__ import annotations

from threading import Lock

from litellm.exceptions import BadRequestError

MOST_REQUESTS = 100  # that one request may make of upstreams


class Budget:
    """How many requests of upstreams are left for a request, over all its models, prompts, retries and fallbacks. Counted
    down by whoever sends.

    >>> budget = Budget(1)
    >>> budget.take("gpt-4o"), budget.spent
    (None, True)
    """

    __slots__ = ("_lock", "left", "most")

    def __init__(self, most: int = MOST_REQUESTS) -> None:
        self.most = self.left = most
        self._lock = Lock()  # several prompts or models may be asked in threads

    @property
    def spent(self) -> bool:
        """Whether nothing is left: then why the last try failed is what the caller learns."""
        return self.left <= 0

    def take(self, model: str) -> None:
        """Count one. Raises BadRequestError when none is left."""
        with self._lock:
            if self.left > 0:
                self.left -= 1
                return
        raise BadRequestError(
            f"this request has made {self.most} requests of upstreams, as many as one may: name fewer models, prompts, "
            "retries or fallbacks",
            model,
        )
