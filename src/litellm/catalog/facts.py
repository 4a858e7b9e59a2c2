"""What is known about a model, and which entry of the catalog that is.

A model is looked for under these names; the first that is there counts (`gpt-4o` stands for what the caller wrote):

    1  provider/gpt-4o      with custom_llm_provider, or as it was written
    2  gpt-4o               with custom_llm_provider: if the entry is this provider's
    3  gpt-4o               for "openai/gpt-4o", if the entry is this provider's; "bedrock/converse/NAME" also as NAME
    4  all of these without what follows the base of a fine-tuned model: "ft:gpt-4o:acme::id" is "ft:gpt-4o"
    5  all of these without the date or version at the end: "gpt-4o-2031-01-02", "gemini-2.5-pro-001", "x-latest"

That an entry must be the provider's keeps "openai/claude-opus-5", some server that speaks OpenAI's format, from being
sold at Anthropic's price.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Self

import msgspec

from litellm._bounded import Bounded
from litellm.catalog.store import model_cost

ABILITIES = (
    "function_calling", "parallel_function_calling", "vision", "response_schema", "tool_choice", "prompt_caching",
    "audio_input", "audio_output", "pdf_input", "web_search", "reasoning", "system_messages", "native_streaming",
    "computer_use", "url_context", "assistant_prefill", "embedding_image_input", "video_input",
)  # fmt: skip

_FINE_TUNED = re.compile(r"((?:.*/)?ft:[^:]+):.+")
_SNAPSHOT = re.compile(r"(.+)[-@](?:\d{8}|\d{4}-\d\d-\d\d|0\d\d|latest)")
MAX_KNOWN = 1024
_known: Bounded[tuple[str, str | None], tuple[int, Facts | None]] = Bounded(MAX_KNOWN)  # by the catalog's revision
_STEP = re.compile(r"_above_(\d+)k_tokens")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One model, as calls, routing and accounting look at it.

    key: its name in the catalog. rates: US dollars per token (second, image, …) by LiteLLM's field names. steps: sizes of
    the input, in thousands of tokens, above which other rates hold; the largest first. supports: abilities, as in
    "vision". lacks: those that its entry denies; of what is in neither, nothing is known.

    >>> mine = Facts.of("mine", {"input_cost_per_token": 1e-6, "supports_vision": True})
    >>> mine.input_cost_per_token, mine.output_cost_per_token, mine.supports
    (1e-06, None, frozenset({'vision'}))
    """

    key: str
    litellm_provider: str | None
    mode: str | None
    max_input_tokens: int | None
    max_output_tokens: int | None
    rates: Mapping[str, float]
    steps: tuple[int, ...]
    supports: frozenset[str]
    lacks: frozenset[str]

    @classmethod
    def of(cls, key: str, entry: Mapping[str, Any]) -> Self:
        """Read an entry of the catalog, or of a deployment that states its own limits and prices."""
        rates = {name: rate for name, rate in _rates(entry) if rate is not None}
        steps = {int(step) for name in rates for step in _STEP.findall(name)}
        return cls(
            key=key,
            litellm_provider=_text(entry.get("litellm_provider")),
            mode=_text(entry.get("mode")),
            max_input_tokens=_limit(entry, "max_input_tokens"),
            max_output_tokens=_limit(entry, "max_output_tokens", "max_tokens"),
            rates=rates,
            steps=tuple(sorted(steps, reverse=True)),
            supports=frozenset(ability for ability in ABILITIES if entry.get(f"supports_{ability}") is True),
            lacks=frozenset(ability for ability in ABILITIES if entry.get(f"supports_{ability}") is False),
        )

    @property
    def input_cost_per_token(self) -> float | None:
        return self.rates.get("input_cost_per_token")

    @property
    def output_cost_per_token(self) -> float | None:
        return self.rates.get("output_cost_per_token")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    """A number that may be written as text: YAML reads 1e-6 as a string."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _limit(entry: Mapping[str, Any], *names: str) -> int | None:
    """The first of these that says how many. 0 stands for unknown."""
    return next((int(number) for name in names if (number := _number(entry.get(name)) or 0) >= 1), None)


def _rates(entry: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    for name, value in entry.items():
        if "cost" in name:
            yield name, _number(value)
    # The same said in another way: [{"range": [256000, 1000000], "input_cost_per_token": …}, …], by the input's size.
    for tier in _list(entry.get("tiered_pricing")):
        if isinstance(tier, Mapping):
            above = int(_number(next(iter(_list(tier.get("range"))), None)) or 0) // 1000
            for name, value in tier.items():
                if "cost" in name:
                    yield (f"{name}_above_{above}k_tokens" if above else name), _number(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def facts(model: str, provider: str | None = None) -> Facts | None:
    """What is known about `model`; None when nothing is. Never raises, and costs a look into a dict for a model that was
    asked about before, unless somebody may have changed its entry.

    >>> facts("openai/gpt-4o").max_output_tokens
    16384
    >>> facts("gpt-4o", "nobody") is None
    True
    """
    known = _known.get((model, provider))
    if known is not None and known[0] == model_cost.revision:
        return known[1]
    return _look_up(model, provider)


def _look_up(model: str, provider: str | None) -> Facts | None:
    """`facts`, which are remembered if each entry that was looked at is as it was shipped."""
    revision, shipped, found = model_cost.revision, True, None
    for name, owner in _names(model, provider):
        line = model_cost.line(name)
        if line is None:
            continue
        shipped = shipped and isinstance(line, msgspec.Raw)
        seen = _as_shipped(name) if isinstance(line, msgspec.Raw) else Facts.of(name, line)
        if _sells(owner, seen.litellm_provider):
            found = seen
            break
    if shipped:
        _known[model, provider] = revision, found
    return found


@lru_cache(maxsize=512)
def _as_shipped(name: str) -> Facts:
    return Facts.of(name, model_cost.read(name) or {})


def _names(model: str, provider: str | None) -> Iterator[tuple[str, str | None]]:
    """(name to look for, the provider that the entry must belong to or None), in the order that the module states."""
    for name in _variants(model):
        prefix, slash, rest = name.partition("/")
        if provider and prefix != provider:
            yield f"{provider}/{name}", None
            yield name, provider
        else:
            yield name, None
        if slash:
            yield rest, provider or prefix
            yield rest.rpartition("/")[2], provider or prefix


def _variants(model: str) -> Iterator[str]:
    yield model
    if tuned := _FINE_TUNED.fullmatch(model):
        yield tuned[1]
    elif dated := _SNAPSHOT.fullmatch(model):
        yield dated[1]


def _sells(provider: str | None, owner: str | None) -> bool:
    """Whether an entry of `owner` is one of `provider`'s: vertex_ai's are vertex_ai-language-models' and others'."""
    if provider is None or owner is None or provider == owner:
        return True
    return owner.startswith((f"{provider}-", f"{provider}_")) or owner.endswith(f"-{provider}")
