"""What a call costs. One price function for listed prices and for your own; what has no price costs None, never 0.

A rate is looked for by the names in _RATES, the first that is known counts: who lists no price for cached tokens gives no
discount on them. Each name is tried in four spellings, from "input_cost_per_token_above_200k_tokens_flex" to
"input_cost_per_token": the size of the whole prompt decides on the first suffix, the service tier on the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from litellm.catalog.facts import Facts, facts
from litellm.catalog.usage import Buckets, buckets, plain
from litellm.exceptions import BadRequestError, NotFoundError

_INPUT, _OUTPUT = "input_cost_per_token", "output_cost_per_token"
_WRITE = "cache_creation_input_token_cost"

# Bucket → names of its rate. The prompt's buckets, and the answer's.
_PROMPT: Mapping[str, tuple[str, ...]] = {
    "input": (_INPUT,),
    "cache_read": ("cache_read_input_token_cost", "input_cost_per_token_cache_hit", _INPUT),
    "cache_write": (_WRITE, _INPUT),
    "cache_write_1h": (f"{_WRITE}_above_1hr", _WRITE, _INPUT),
    "audio_input": ("input_cost_per_audio_token", _INPUT),
    "image_input": ("input_cost_per_image_token", _INPUT),
}
_ANSWER: Mapping[str, tuple[str, ...]] = {
    "output": (_OUTPUT,),
    "reasoning": ("output_cost_per_reasoning_token", _OUTPUT),
    "audio_output": ("output_cost_per_audio_token", _OUTPUT),
    "image_output": ("output_cost_per_image_token", _OUTPUT),
}


def cost(usage: Any, known: Facts, service_tier: str | None = None) -> float | None:
    """US dollars for a `usage` (dict, object or Buckets); None if the price of any of its tokens is unknown.

    >>> ours = Facts.of("ours", {"input_cost_per_token": 2e-6, "output_cost_per_token": 8e-6})
    >>> cost({"prompt_tokens": 1000, "completion_tokens": 500}, ours)
    0.006
    >>> cost({"prompt_tokens": 1000}, Facts.of("free of facts", {})) is None
    True
    """
    parts = prompt_and_answer(usage, known, service_tier)
    return None if parts is None else sum(parts)


def prompt_and_answer(usage: Any, known: Facts, service_tier: str | None = None) -> tuple[float, float] | None:
    """`cost`, for the prompt and for the answer."""
    used = usage if isinstance(usage, Buckets) else buckets(usage)
    if known.input_cost_per_token is None and known.output_cost_per_token is None and not known.steps:
        return None  # also for no tokens at all: nothing is known about this price
    suffixes = _suffixes(used.prompt_tokens, known.steps, service_tier)
    prompt, answer = (_sum(used, table, known.rates, suffixes) for table in (_PROMPT, _ANSWER))
    return None if prompt is None or answer is None else (prompt, answer)


def _suffixes(prompt_tokens: int, steps: Sequence[int], service_tier: str | None) -> list[str]:
    sizes = [f"_above_{step}k_tokens" for step in steps if prompt_tokens > step * 1000]
    tiers = [f"_{service_tier}", ""] if service_tier else [""]
    return [size + tier for size in [*sizes, ""] for tier in tiers]


def _sum(
    used: Buckets, table: Mapping[str, tuple[str, ...]], rates: Mapping[str, float], suffixes: Sequence[str]
) -> float | None:
    total = 0.0
    for bucket, names in table.items():
        tokens: int = getattr(used, bucket)
        if tokens:
            rate = next((rates[name + end] for name in names for end in suffixes if name + end in rates), None)
            if rate is None:
                return None
            total += tokens * rate
    return total


def cost_per_token(
    model: str = "",
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    custom_llm_provider: str | None = None,
    *,
    cache_creation_input_tokens: int = 0,
    cache_read_input_tokens: int = 0,
    usage_object: Any = None,
    custom_cost_per_token: Mapping[str, float] | None = None,
    service_tier: str | None = None,
    **_: Any,  # LiteLLM has more, for prices per second and per character
) -> tuple[float, float]:
    """US dollars for the prompt and for the answer: of all these tokens, in spite of the name.

    prompt_tokens contain the cached ones. usage_object, if given, is used instead of the numbers. Raises NotFoundError
    when the model, or the price of something used, is unknown.

    >>> cost_per_token("gpt-4o", prompt_tokens=1000, completion_tokens=100)
    (0.0025, 0.001)
    """
    usage = usage_object or {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "cache_creation_input_tokens": cache_creation_input_tokens,
        "cache_read_input_tokens": cache_read_input_tokens,
    }
    if custom_cost_per_token is not None:
        known: Facts | None = Facts.of(model, custom_cost_per_token)
    else:
        known = facts(model, custom_llm_provider)
    if known is None:
        message = f"This model isn't mapped yet. model={model}, custom_llm_provider={custom_llm_provider}"
        raise NotFoundError(message, model=model, llm_provider=custom_llm_provider)
    parts = prompt_and_answer(usage, known, service_tier)
    if parts is None:
        message = f"The price of {model} is not known. Say it with litellm.register_model or custom_cost_per_token"
        raise NotFoundError(message, model=model, llm_provider=custom_llm_provider)
    return parts


def completion_cost(
    completion_response: Any = None,
    model: str | None = None,
    prompt: str = "",
    completion: str = "",
    messages: Sequence[Any] = (),
    call_type: str | None = None,  # noqa: ARG001 - LiteLLM has it; what was used says what it costs
    custom_llm_provider: str | None = None,
    custom_cost_per_token: Mapping[str, float] | None = None,
    service_tier: str | None = None,
    **_: Any,  # LiteLLM has more, for images, seconds and regions
) -> float:
    """US dollars for a call: for the `usage` of its response, or for a counted prompt (or messages) and completion.

    `model` is the response's, if not given. Raises BadRequestError when neither names one, NotFoundError when the model or
    its price is unknown.

    >>> completion_cost({"model": "gpt-4o-2024-08-06", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}})
    0.0035
    >>> completion_cost(model="gpt-4o", prompt="Hello world", completion="Hi!")
    2.5e-05
    """
    response = plain(completion_response)
    hidden = getattr(completion_response, "_hidden_params", None) or response.get("_hidden_params")
    provider = custom_llm_provider or plain(hidden).get("custom_llm_provider")
    name = model or response.get("model")
    if not name:
        raise BadRequestError("completion_cost needs a model, or a response that names one", model="", llm_provider="")
    usage = response.get("usage") or _counted(name, prompt, messages, completion or "".join(_texts(response)))
    tier = service_tier or response.get("service_tier")
    return sum(
        cost_per_token(
            name,
            custom_llm_provider=provider,
            usage_object=usage,
            custom_cost_per_token=custom_cost_per_token,
            service_tier=tier,
        )
    )


def _counted(model: str, prompt: str, messages: Sequence[Any], completion: str) -> dict[str, int]:
    from litellm.tokens.count import token_counter

    prompt_tokens = token_counter(model, messages=messages) if messages else token_counter(model, text=prompt)
    return {"prompt_tokens": prompt_tokens, "completion_tokens": token_counter(model, text=completion)}


def _texts(response: Mapping[str, Any]) -> Iterator[str]:
    for choice in response.get("choices") or ():
        text = plain(plain(choice).get("message")).get("content") or plain(choice).get("text")
        if isinstance(text, str):
            yield text
