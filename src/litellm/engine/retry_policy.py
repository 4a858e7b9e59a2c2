"""Whether to retry, and after how long: an immutable value. Nothing here sends or sleeps."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from litellm._numbers import parse_int
from litellm.exceptions import LiteLLMError
from litellm.types.router_words import RETRY_FIELDS

FIRST_DELAY = 0.5  # seconds; doubles each time
MAX_DELAY = 8.0
MAX_RETRY_AFTER = 60.0  # an upstream that asks for more is not waited for: the caller learns it instead
MAX_STATED_DELAY = 366 * 86400.0  # seconds; what is more is taken for this, so that it can be counted with


# (class of error, retries): the first class that an error is of counts.
Limits = tuple[tuple[type[Exception], int], ...]


class Retry(msgspec.Struct, frozen=True):
    """How often a failed call is sent again: `limit` times at the most, so the upstream sees limit + 1 requests.

    floor: seconds to wait at least, also where the upstream asks for nothing. by_kind: other limits for certain errors;
    an administrator may name there also such as are not tried again otherwise.
    """

    limit: int = 2
    used: int = 0
    floor: float = 0.0
    by_kind: Limits = ()

    def after(self, error: LiteLLMError) -> Retry:
        """The value for the next try; raises `error` when it should not be tried again."""
        limit = self.limit_for(error)
        if self.used >= limit:
            if self.used:
                error.num_retries, error.max_retries = self.used, limit or self.limit
            try:
                raise error
            finally:
                del error  # its traceback leads here: it would keep itself until the collector comes
        return msgspec.structs.replace(self, used=self.used + 1)

    def limit_for(self, error: LiteLLMError) -> int:
        """How often a call that failed so may be sent again in all."""
        for kind, limit in self.by_kind:
            if isinstance(error, kind):
                return limit
        return self.limit if retryable(error) else 0

    def delay(self, error: LiteLLMError) -> float:
        """Seconds to wait before this try: full jitter, and never less than the latest Retry-After."""
        stated = retry_after(error.response_headers)
        backoff = min(MAX_DELAY, FIRST_DELAY * 2 ** (self.used - 1))
        return max(stated or 0.0, self.floor) + random.uniform(0, backoff)  # noqa: S311 - spreading load, not secrets


def limits_of(policy: Any) -> Limits:
    """Read a RetryPolicy: an object with `model_dump`, a mapping, or None. Raises ValueError for a field there is not, and
    for what is no whole number; "3" is one.

    >>> [(kind.__name__, limit) for kind, limit in limits_of({"RateLimitErrorRetries": 3})]
    [('RateLimitError', 3)]
    """
    fields = policy.model_dump(exclude_none=True) if hasattr(policy, "model_dump") else dict(policy or {})
    unknown = fields.keys() - RETRY_FIELDS.keys()
    if unknown:
        raise ValueError(
            f"a retry policy has no {', '.join(sorted(unknown))}; its fields are {', '.join(RETRY_FIELDS)}"
        )
    limits = ((kind.error, parse_int(name, fields.get(name))) for name, kind in RETRY_FIELDS.items())
    return tuple((kind, limit) for kind, limit in limits if limit is not None)


def retryable(error: LiteLLMError) -> bool:
    """Whether the same request may succeed later: 408, 409, 429, 5xx, and broken connections. Other 4xx never."""
    status = error.status_code or 500
    return status in (408, 409, 429) or status >= 500


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer asks to wait, from retry-after-ms or Retry-After (seconds or a date): MAX_STATED_DELAY at
    the most, None for nonsense.

    >>> retry_after({"retry-after": "2"})
    2.0
    """
    if not headers:
        return None
    in_ms = _number(headers.get("retry-after-ms"))
    if in_ms is not None:
        return min(in_ms / 1000, MAX_STATED_DELAY)
    value = headers.get("retry-after") or headers.get("Retry-After")
    seconds = _number(value)
    if value is None:
        return None
    try:
        stated = parsedate_to_datetime(value).timestamp() - time.time() if seconds is None else seconds
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, stated), MAX_STATED_DELAY)


def _number(text: str | None) -> float | None:
    """What RFC 9110 calls delay-seconds, and the fractions that some servers send."""
    if not text or not text.strip().replace(".", "", 1).isdecimal():
        return None
    number = float(text.strip())
    return number if math.isfinite(number) else None
