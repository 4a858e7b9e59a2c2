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
    from litellm.net.messages import Timeouts
    from litellm.providers.resolve import Target

FIRST_DELAY = 0.5  # seconds; doubles each time
LONGEST_DELAY = 8.0
LONGEST_RETRY_AFTER = 60.0  # an upstream that asks for more is not waited for: the caller learns it instead


class Retry(msgspec.Struct, frozen=True):
    """How often a failed call is sent again: `limit` times at the most, so the upstream sees limit + 1 requests.

    floor: seconds to wait at least, also where the upstream asks for nothing.
    """

    limit: int = 2
    used: int = 0
    floor: float = 0.0

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
        return max(asked or 0.0, self.floor) + random.uniform(0, backoff)  # noqa: S311 - spreading load, not secrets


def retryable(error: LiteLLMError) -> bool:
    """Whether the same request may succeed later: 408, 409, 429, 5xx, and broken connections. Other 4xx never."""
    status = error.status_code or 500
    return status in (408, 409, 429) or status >= 500


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer asks to wait, from retry-after-ms or Retry-After (seconds or a date).

    >>> retry_after({"retry-after": "2"})
    2.0
    """
    if not headers:
        return None
    in_ms = _number(headers.get("retry-after-ms"))
    if in_ms is not None:
        return in_ms / 1000
    value = headers.get("retry-after") or headers.get("Retry-After")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _number(text: str | None) -> float | None:
    """What RFC 9110 calls delay-seconds, and the fractions that some servers send."""
    return float(text) if text and text.strip().replace(".", "", 1).isdecimal() else None


def retrying(
    call: Call, attempt: Callable[[Call, Target, float | None], Flow[Answer | Opened]]
) -> Flow[Answer | Opened]:
    """Attempt until it works or may not be tried again. A try goes to another target where there is one.

    A total timeout that the caller set holds for everything together; one of the configuration, for all tries at one
    target: another deployment gets its full time.
    """
    tried: list[Target] = []
    retry = call.retry
    target = call.choose(tried)
    if target.max_retries is not None and not call.own_retries:
        retry = Retry(target.max_retries, floor=retry.floor)
    deadlines: dict[int, float] = {}
    while True:
        started = time.monotonic()
        deadline = _deadline(deadlines, call, target, started)
        try:
            answer = yield from attempt(call, target, deadline - started if tried else None)
        except LiteLLMError as error:
            retry = retry.after(error)
            tried.append(target)
            target = call.choose(tried)
            pause = retry.delay(error) if target in tried else 0.0
            too_long = pause > 0 and (retry_after(error.response_headers) or 0.0) > LONGEST_RETRY_AFTER
            if too_long or time.monotonic() + pause >= _deadline(deadlines, call, target, time.monotonic()):
                if retry.used > 1:
                    error.num_retries, error.max_retries = retry.used - 1, retry.limit
                raise
            if pause:
                log.debug("retry %d of %d in %.2f s after %s", retry.used, retry.limit, pause, error)
                yield Sleep(pause)
        else:
            answer.retries = retry.used
            return answer


def clocks_of(call: Call, target: Target) -> Timeouts:
    """The call's clocks, or the target's where the caller said nothing."""
    if call.own_timeouts:
        return call.timeouts
    return (target.stream_clocks if call.stream else target.clocks) or call.timeouts


def _deadline(deadlines: dict[int, float], call: Call, target: Target, now: float) -> float:
    """When the tries at `target` must have ended: fixed when it is first asked for."""
    key = 0 if call.own_timeouts else id(target)
    return deadlines.setdefault(key, now + clocks_of(call, target).total)
