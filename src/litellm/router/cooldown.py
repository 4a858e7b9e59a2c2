"""When a deployment cools down, and for how long: pure rules over an error and the numbers of the current minute.

Errors with these statuses count; all others are the request's own fault (400, 422, a prompt that is too long, refused
content) or the caller's (it went away, or its own clock ran out), and say nothing about a deployment:

    429            cools down at once
    401, 402, 404  cools down at once: the key, the account or the model is wrong, and stays so for the next request
    408, 5xx       cools down when more than half of the minute's requests failed, of five or more

Where allowed_fails or allowed_fails_policy is set, that number of failures in a minute takes the place of these rules. A
group's only deployment never cools down: a bad answer is better than none.
"""

from __future__ import annotations

from typing import Any

import msgspec

from litellm._numbers import parse_int, parse_number
from litellm.engine.retry_policy import retry_after
from litellm.exceptions import LiteLLMError
from litellm.router.tally import Tally
from litellm.types.router_words import FAILS_FIELDS

AT_ONCE = frozenset({401, 402, 404, 429})
MIN_REQUESTS = 5  # requests in a minute, before a share of failures means something
MAX_SECONDS = 3600.0  # seconds that a Retry-After may ask for


class Cooldown(msgspec.Struct, frozen=True):
    """The rules of one Router. seconds: how long a cooldown is, where the upstream does not say; 0: there is none."""

    seconds: float = 5.0
    allowed_fails: int | None = None
    allowed_by_kind: tuple[tuple[type[LiteLLMError], int], ...] = ()

    @classmethod
    def of(
        cls, cooldown_time: float | None, allowed_fails: int | None, policy: Any = None, *, disabled: bool = False
    ) -> Cooldown:
        """Read LiteLLM's words. policy: an AllowedFailsPolicy, as an object or a mapping.

        >>> Cooldown.of(30, 3).seconds, Cooldown.of(30, 3, disabled=True).seconds
        (30.0, 0.0)
        """
        fields = policy.model_dump() if hasattr(policy, "model_dump") else dict(policy or {})
        counts = ((kind.error, parse_int(name, fields.get(name))) for name, kind in FAILS_FIELDS.items())
        allowed = tuple((kind, count) for kind, count in counts if count is not None)
        seconds = parse_number("cooldown_time", cooldown_time)
        seconds = 0.0 if disabled else cls().seconds if seconds is None else seconds
        return cls(seconds, parse_int("allowed_fails", allowed_fails), allowed)

    def counts(self, error: LiteLLMError) -> bool:
        """Whether this error says something about the deployment."""
        if not self.seconds:
            return False
        status = error.status_code or 500
        return status in AT_ONCE or status == 408 or status >= 500 or self._allowed(error)[1] is not None

    def seconds_after(self, error: LiteLLMError, tally: Tally, *, deployment_seconds: float | None = None) -> float:
        """The seconds to cool down after `error`, which `tally` has counted; 0 for none. deployment_seconds: its own
        cooldown_time."""
        seconds = self.seconds if deployment_seconds is None else deployment_seconds
        if not seconds or not self.counts(error) or not self._due(error, tally):
            return 0.0
        stated = retry_after(error.response_headers)
        return min(stated, MAX_SECONDS) if stated else seconds

    def _due(self, error: LiteLLMError, tally: Tally) -> bool:
        kind, allowed = self._allowed(error)
        if kind is not None and allowed is not None:
            return tally.failures.get(type(error).__name__, 0) > allowed
        failures = sum(tally.failures.values())
        if self.allowed_fails is not None:
            return failures > self.allowed_fails
        requests = failures + tally.successes
        return error.status_code in AT_ONCE or (requests >= MIN_REQUESTS and failures * 2 > requests)

    def _allowed(self, error: LiteLLMError) -> tuple[type[LiteLLMError] | None, int | None]:
        return next(
            ((kind, allowed) for kind, allowed in self.allowed_by_kind if isinstance(error, kind)), (None, None)
        )
