"""rpm, tpm and max_parallel_requests: what a request reserves, what it used, and the error when a limit is reached.

A request takes its place when its deployment is chosen and gives it back when its answer, also a streamed one, has ended.
Tokens are reserved as a guess from the request's text and put right by the answer's usage.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from litellm.exceptions import RateLimitError, RouterRateLimitError
from litellm.wire.protocol import Body

CHARACTERS_PER_TOKEN = 4


class GroupExhaustedError(RateLimitError, RouterRateLimitError):  # type: ignore[misc]  # one has a model in any case
    """429: every deployment of a group cools down or is at its limit. `retry-after` says when the first one is back."""

    def __init__(self, model: str, seconds: float, cooling_down: list[str], *, checks: bool = False) -> None:
        after = max(1, math.ceil(seconds))
        RouterRateLimitError.__init__(self, model, after, checks, cooling_down)
        RateLimitError.__init__(self, str(self.args[0]), model=model, response_headers={"retry-after": str(after)})
        self.message = self.text  # LiteLLM's words, which begin without the name of the class


def guess(body: Body) -> int:
    """About how many tokens the text of a request is; cheap rather than exact.

    >>> guess({"messages": [{"role": "user", "content": "Hello, how are you?"}]})
    4
    """
    texts = body.get("messages") or body.get("prompt") or body.get("input") or ""
    return _characters(texts) // CHARACTERS_PER_TOKEN


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        inside = value.get("content", value.get("text"))
        return 0 if inside is None else _characters(inside)
    if isinstance(value, list | tuple):
        return sum(map(_characters, value))
    return 0


def tokens_of(usage: Mapping[str, Any] | None) -> int | None:
    """The tokens that an answer says it took; None when it does not say.

    >>> tokens_of({"prompt_tokens": 3, "completion_tokens": 4})
    7
    """
    if not usage:
        return None
    total = usage.get("total_tokens")
    if isinstance(total, int):
        return total
    parts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")]
    return sum(part for part in parts if isinstance(part, int))
