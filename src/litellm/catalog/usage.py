"""Every provider's account of the tokens of a call, brought into one: buckets that do not overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_NOTHING: Mapping[str, Any] = {}
_CACHE = ("cache_read_input_tokens", "cache_creation_input_tokens")  # Anthropic's names
_NUMBERS = (int, float)  # and not bool


class Buckets(msgspec.Struct, frozen=True):
    """Tokens of one call, each in one bucket: the first six are all of the prompt, the other four all of the answer.

    input: the prompt without what the next five hold. cache_write_1h: written to a cache that keeps it for an hour, which
    costs more than the usual five minutes. output: the answer's text, without what the last three hold.
    """

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    audio_input: int = 0
    image_input: int = 0
    output: int = 0
    reasoning: int = 0
    audio_output: int = 0
    image_output: int = 0

    @property
    def prompt_tokens(self) -> int:
        given = self.input + self.audio_input + self.image_input
        return given + self.cache_read + self.cache_write + self.cache_write_1h

    @property
    def completion_tokens(self) -> int:
        return self.output + self.reasoning + self.audio_output + self.image_output

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


def buckets(usage: Any) -> Buckets:
    """Sort a `usage` into buckets: a dict or an object, OpenAI's (both of its APIs), Anthropic's, or a mixture of them.

    Whatever an upstream writes, the sums are its own: details that say more than the whole are cut to it, and what is no
    number of tokens counts as none.

    >>> found = buckets({"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 80}})
    >>> found.input, found.cache_read, found.output, found.total_tokens
    (20, 80, 5, 105)
    >>> buckets({"input_tokens": 20, "cache_read_input_tokens": 80, "output_tokens": 5}) == found
    True
    """
    fields = plain(usage)
    prompt_details = plain(fields.get("prompt_tokens_details") or fields.get("input_tokens_details"))
    completion_details = plain(fields.get("completion_tokens_details") or fields.get("output_tokens_details"))
    read = _first(prompt_details, "cached_tokens") or _first(fields, _CACHE[0], "prompt_cache_hit_tokens")
    written = _first(fields, _CACHE[1]) or _first(prompt_details, "cache_creation_tokens", "cache_write_tokens")
    for_an_hour = min(_first(plain(fields.get("cache_creation")), "ephemeral_1h_input_tokens"), written)

    prompt = _first(fields, "prompt_tokens", "input_tokens")
    anthropic = not _first(fields, "prompt_tokens") and _first(fields, *_CACHE)
    if anthropic or prompt < read + written:
        prompt += read + written  # Anthropic's own account does not contain in the prompt what a cache was used for

    completion, reasoning = (
        _first(fields, "completion_tokens", "output_tokens"),
        _first(completion_details, "reasoning_tokens"),
    )
    if reasoning and _first(fields, "total_tokens") == prompt + completion + reasoning:
        completion += reasoning  # xAI counts them beside the answer, the others within

    media = (_first(prompt_details, "audio_tokens"), _first(prompt_details, "image_tokens"))
    given, cache_read, cache_write_1h, cache_write, audio_input, image_input = _split_among(
        prompt, read, for_an_hour, written - for_an_hour, *media
    )
    media = (_first(completion_details, "audio_tokens"), _first(completion_details, "image_tokens"))
    output, audio_output, image_output, reasoning = _split_among(completion, *media, reasoning)
    return Buckets(
        input=given,
        cache_read=cache_read,
        cache_write=cache_write,
        cache_write_1h=cache_write_1h,
        audio_input=audio_input,
        image_input=image_input,
        output=output,
        reasoning=reasoning,
        audio_output=audio_output,
        image_output=image_output,
    )


def plain(value: Any) -> Mapping[str, Any]:
    """A dict or pydantic object as a dict; empty for anything else."""
    if value is None or isinstance(value, Mapping):
        return value or _NOTHING
    dump = getattr(value, "model_dump", None)
    return dump() if callable(dump) else _NOTHING


def _first(fields: Mapping[str, Any], *names: str) -> int:
    """The first of these numbers of tokens that is above 0."""
    for name in names:
        value: Any = fields.get(name)
        if type(value) in _NUMBERS and 1 <= value < 2**53:
            return int(value)
    return 0


def _split_among(total: int, *parts: int) -> tuple[int, ...]:
    """Fill the parts from the whole, in order, as far as it goes: (what is left, the parts)."""
    filled = []
    for part in parts:
        filled.append(min(part, total))
        total -= filled[-1]
    return (total, *filled)
