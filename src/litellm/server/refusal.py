"""Errors of requests that the server itself finds."""

from __future__ import annotations

Headers = list[tuple[bytes, bytes]]
RETRY_AFTER = 1  # seconds


class Refusal(Exception):  # noqa: N818 - it is an answer as much as an error
    """A request that is not served. `message` says what to do; the application renders it."""

    def __init__(self, status: int, message: str, headers: Headers | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers: Headers = headers or []


def overloaded(why: str) -> Refusal:
    """A refusal that holds for a moment only."""
    return Refusal(503, f"The server is too busy: {why}. Try again.", [(b"retry-after", b"%d" % RETRY_AFTER)])


def too_large(limit: float) -> Refusal:
    """A body that is longer than bodies may be. limit: bytes."""
    return Refusal(413, f"The request body is larger than {limit / 1e6:g} MB")
