"""When to try again, and after how long: an immutable value, and the layer that obeys it. There is no other retry."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import msgspec

from litellm._log import log
from litellm.exceptions import LiteLLMError
from litellm.net.steps import Flow, Sleep

if TYPE_CHECKING:
    from litellm.engine.call import Answer, Call, Opened
    from litellm.providers.resolve import Target

FIRST_DELAY = 0.5  # seconds; doubles each time
LONGEST_DELAY = 8.0
LONGEST_RETRY_AFTER = 60.0  # an upstream that asks for more is not waited for: the caller learns it instead


class Retry(msgspec.Struct, frozen=True):
    """How often a failed call is sent again: `limit` times at the most, so the upstream sees limit + 1 requests."""

    limit: int = 2
    used: int = 0

    def after(self, error: LiteLLMError) -> Retry:
        """The value for the next try; raises `error` when it should not be tried again."""
        if self.used >= self.limit or not retryable(error):
            if self.used:
                error.num_retries, error.max_retries = self.used, self.limit
            raise error
        return msgspec.structs.replace(self, used=self.used + 1)

    def delay(self, error: LiteLLMError) -> float:
        """Seconds to wait before this try: full jitter, and never less than the latest Retry-After."""
        asked = retry_after(error.response_headers)
        backoff = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (self.used - 1))
        return (asked or 0.0) + random.uniform(0, backoff)  # noqa: S311 - spreading load, not secrets


def retryable(error: LiteLLMError) -> bool:
    """Whether the same request may succeed later: 408, 409, 429, 5xx, and broken connections. Other 4xx never."""
    status = error.status_code or 500
    asked = retry_after(error.response_headers)
    return (status in (408, 409, 429) or status >= 500) and not (asked is not None and asked > LONGEST_RETRY_AFTER)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer asks to wait, from retry-after-ms or Retry-After (seconds or a date).

    >>> retry_after({"retry-after": "2"})
    2.0
    """
    if not headers:
        return None
    in_ms = headers.get("retry-after-ms")
    value = headers.get("retry-after") or headers.get("Retry-After")
    try:
        if in_ms:
            return max(0.0, float(in_ms) / 1000)
        if value is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def retrying(
    call: Call, attempt: Callable[[Call, Target, float | None], Flow[Answer | Opened]]
) -> Flow[Answer | Opened]:
    """Attempt until it works or may not be tried again. A try goes to another target where there is one.

    The call's total timeout holds for all tries at one target together: a retry gets what is left of it.
    """
    tried: list[Target] = []
    retry = call.retry
    target = call.choose(tried)
    if target.max_retries is not None and not call.own_retries:
        retry = Retry(target.max_retries)
    deadline: float | None = None
    while True:
        started = time.monotonic()
        if deadline is None:
            limits = call.timeouts if call.own_timeouts else target.clocks or call.timeouts
            deadline = started + limits.total
            remaining = None
        else:
            remaining = deadline - started
        try:
            answer = yield from attempt(call, target, remaining)
        except LiteLLMError as error:
            retry = retry.after(error)
            tried.append(target)
            following = call.choose(tried)
            if following in tried:
                pause = retry.delay(error)
                if following is target and time.monotonic() + pause >= deadline:
                    error.num_retries, error.max_retries = retry.used - 1, retry.limit
                    raise
                log.debug("retry %d of %d in %.2f s after %s", retry.used, retry.limit, pause, error)
                yield Sleep(pause)
            if following is not target:
                deadline = None
            target = following
        else:
            answer.retries = retry.used
            return answer
