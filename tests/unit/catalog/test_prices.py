"""O12: usage becomes disjoint buckets whose sum is the whole, and one function prices them; unknown is None, never 0."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm.catalog.facts import Facts, facts
from litellm.catalog.info import register_model
from litellm.catalog.prices import completion_cost, cost, cost_per_token, prompt_and_answer
from litellm.catalog.store import model_cost
from litellm.catalog.usage import Buckets, buckets
from litellm.exceptions import BadRequestError, NotFoundError
from litellm.types.chat import ModelResponse, Usage

# One digit of the price per bucket, so that a cost shows which tokens were billed as what.
RATES = {
    "input_cost_per_token": 1.0,
    "cache_read_input_token_cost": 10.0,
    "cache_creation_input_token_cost": 100.0,
    "cache_creation_input_token_cost_above_1hr": 1_000.0,
    "input_cost_per_audio_token": 10_000.0,
    "input_cost_per_image_token": 100_000.0,
    "output_cost_per_token": 1.0,
    "output_cost_per_reasoning_token": 10.0,
    "output_cost_per_audio_token": 100.0,
    "output_cost_per_image_token": 1_000.0,
}
PRICED = Facts.of("priced", RATES)
TIERED = Facts.of(
    "tiered",
    {
        "input_cost_per_token": 1.0,
        "input_cost_per_token_above_128k_tokens": 2.0,
        "input_cost_per_token_above_200k_tokens": 3.0,
        "input_cost_per_token_above_272k_tokens": 4.0,
        "input_cost_per_token_above_272k_tokens_flex": 0.4,
        "input_cost_per_token_flex": 0.1,
        "input_cost_per_token_priority": 10.0,
        "output_cost_per_token": 5.0,
        "output_cost_per_token_above_200k_tokens": 7.0,
    },
)

COUNT = st.integers(0, 10**9)
ODD = st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats() | st.text(max_size=3) | st.just([1])
NAMES = [
    "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens", "cache_read_input_tokens",
    "cache_creation_input_tokens", "prompt_cache_hit_tokens",
]  # fmt: skip
DETAIL = ["cached_tokens", "audio_tokens", "image_tokens", "reasoning_tokens", "cache_creation_tokens"]
DETAILS = ["prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details"]


def usages(number):
    details = st.none() | st.dictionaries(st.sampled_from(DETAIL), number)
    return st.builds(
        lambda plain, nested: {**plain, **nested},
        st.dictionaries(st.sampled_from(NAMES), number),
        st.dictionaries(st.sampled_from([*DETAILS, "cache_creation"]), details),
    )


def sizes(found: Buckets) -> list[int]:
    return [getattr(found, name) for name in found.__struct_fields__]


# --- buckets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}, Buckets(input=7, output=3)),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 5, "image_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 5, "image_tokens": 4},
            },
            Buckets(
                input=31, cache_read=60, audio_input=5, image_input=4,
                output=11, reasoning=30, audio_output=5, image_output=4,
            ),
        ),
        # OpenAI's Responses API: the prompt contains what was cached.
        (
            {"input_tokens": 100, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 60}},
            Buckets(input=40, cache_read=60, output=5),
        ),
        # Anthropic: it does not.
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_read_input_tokens": 60,
                "cache_creation_input_tokens": 30,
                "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
            },
            Buckets(input=10, cache_read=60, cache_write=20, cache_write_1h=10, output=5),
        ),
        # Anthropic's numbers as LiteLLM hands them on: inside an OpenAI usage, whose prompt contains them.
        (
            {"prompt_tokens": 100, "completion_tokens": 5, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 30},
            Buckets(input=10, cache_read=60, cache_write=30, output=5),
        ),
        # Both spellings of the same cached tokens are not two times as many.
        (
            {"prompt_tokens": 100, "cache_read_input_tokens": 60, "prompt_tokens_details": {"cached_tokens": 60}},
            Buckets(input=40, cache_read=60),
        ),
        # Fewer than were cached: it cannot contain them.
        ({"prompt_tokens": 10, "cache_read_input_tokens": 60}, Buckets(input=10, cache_read=60)),
        ({"prompt_tokens": 100, "prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40}, Buckets(input=40, cache_read=60)),
        # xAI counts reasoning beside the answer; the total tells.
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 35, "completion_tokens_details": {"reasoning_tokens": 20}},
            Buckets(input=10, output=5, reasoning=20),
        ),
        ({"prompt_tokens": 10, "prompt_tokens_details": None, "completion_tokens": None}, Buckets(input=10)),
        ({}, Buckets()),
        (None, Buckets()),
        (7, Buckets()),
    ],
)  # fmt: skip
def test_accounts_of_providers(usage, expected: Buckets) -> None:
    """O12"""
    assert buckets(usage) == expected


def test_an_object_is_read_like_a_dict() -> None:
    data = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 60}}
    assert buckets(Usage(**data)) == buckets(data) == Buckets(input=40, cache_read=60, output=5)


@given(usages(COUNT | ODD))
def test_no_account_is_too_strange(usage: dict) -> None:
    """O12: whatever an upstream says, no bucket is negative, and each is part of the whole."""
    found = buckets(usage)
    assert min(sizes(found)) >= 0
    assert sum(sizes(found)) == found.total_tokens == found.prompt_tokens + found.completion_tokens


@given(COUNT, COUNT, st.lists(COUNT, min_size=7, max_size=7))
def test_the_sum_of_the_buckets_is_the_whole(prompt: int, completion: int, parts: list[int]) -> None:
    """O12: Σ buckets == total, also when the details claim more than the whole."""
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": min(parts[0], prompt),
            "audio_tokens": parts[1],
            "image_tokens": parts[2],
        },
        "completion_tokens_details": dict(zip(["reasoning_tokens", "audio_tokens", "image_tokens"], parts[3:6])),
    }
    found = buckets(usage)
    assert (found.prompt_tokens, found.completion_tokens) == (prompt, completion)
    assert sum(sizes(found)) == usage["total_tokens"]
    assert buckets(json.loads(json.dumps(usage))) == found


# --- prices -------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 9), min_size=10, max_size=10))
def test_each_bucket_has_its_price(numbers: list[int]) -> None:
    """O12: every token is billed once, at its bucket's rate: the digits of the cost are the buckets."""
    used = Buckets(*numbers)
    prompt = used.input + 10 * used.cache_read + 100 * used.cache_write + 1_000 * used.cache_write_1h
    prompt += 10_000 * used.audio_input + 100_000 * used.image_input
    answer = used.output + 10 * used.reasoning + 100 * used.audio_output + 1_000 * used.image_output
    assert prompt_and_answer(used, PRICED) == (prompt, answer)
    assert cost(used, PRICED) == prompt + answer


@given(st.lists(COUNT, min_size=10, max_size=10), st.floats(0, 1), st.floats(0, 1))
def test_two_prices_price_everything(numbers: list[int], in_: float, out: float) -> None:
    """O12: with only input and output priced, nothing is free and nothing is billed twice."""
    used = Buckets(*numbers)
    paid = cost(used, Facts.of("two", {"input_cost_per_token": in_, "output_cost_per_token": out}))
    assert paid is not None
    assert math.isclose(paid, used.prompt_tokens * in_ + used.completion_tokens * out, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("prompt", "tier", "expected"),
    [
        (128_000, None, 128_000 * 1.0 + 5),
        (128_001, None, 128_001 * 2.0 + 5),
        (200_001, None, 200_001 * 3.0 + 7),  # the size of the prompt decides on the price of the answer, too
        (272_001, None, 272_001 * 4.0 + 7),
        (1_000, "flex", 1_000 * 0.1 + 5),
        (272_001, "flex", 272_001 * 0.4 + 7),
        (1_000, "priority", 1_000 * 10.0 + 5),
        (272_001, "priority", 272_001 * 4.0 + 7),  # no price is listed for both
        (1_000, "default", 1_000 * 1.0 + 5),
    ],
)
def test_steps_and_tiers(prompt: int, tier: str | None, expected: float) -> None:
    assert cost({"prompt_tokens": prompt, "completion_tokens": 1}, TIERED, tier) == pytest.approx(expected)


def test_the_whole_prompt_counts_for_a_step() -> None:
    """Cached tokens are part of the size."""
    usage = {"prompt_tokens": 200_001, "prompt_tokens_details": {"cached_tokens": 200_000}}
    assert cost(usage, TIERED) == 200_001 * 3.0


@pytest.mark.parametrize("entry", [{}, {"mode": "chat", "input_cost_per_second": 1.0}, {"output_cost_per_token": 1.0}])
def test_unknown_prices_are_none(entry: dict) -> None:
    """O12: never 0."""
    assert cost({"prompt_tokens": 1}, Facts.of("unpriced", entry)) is None


def test_what_is_not_used_needs_no_price() -> None:
    embedding = Facts.of("embedding", {"input_cost_per_token": 1.0})
    assert cost({"prompt_tokens": 3}, embedding) == 3.0
    assert cost({"prompt_tokens": 3, "completion_tokens": 1}, embedding) is None
    assert cost({}, Facts.of("unpriced", {})) is None
    assert cost({}, embedding) == 0.0


def test_free_is_a_price() -> None:
    assert cost({"prompt_tokens": 3}, Facts.of("free", {"input_cost_per_token": 0, "output_cost_per_token": 0})) == 0.0


# --- what callers ask ---------------------------------------------------------------------------------------------------


def test_cost_per_token() -> None:
    assert cost_per_token(model="gpt-4o", prompt_tokens=1000, completion_tokens=100) == (0.0025, 0.001)
    cached = cost_per_token(
        "claude-sonnet-4-5", 1000, 100, cache_read_input_tokens=500, cache_creation_input_tokens=400
    )
    assert cached == pytest.approx((100 * 3e-6 + 500 * 3e-7 + 400 * 3.75e-6, 100 * 1.5e-5))
    assert cost_per_token("gpt-4o", usage_object=Usage(prompt_tokens=1000)) == (0.0025, 0.0)
    assert cost_per_token("gpt-4o", 1000, 0, "azure") == (0.0025, 0.0)
    flex, usual = (cost_per_token("gpt-5", 1000, 10, service_tier=tier) for tier in ("flex", None))
    assert flex == pytest.approx((usual[0] / 2, usual[1] / 2))


def test_completion_cost_of_a_response() -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    response = ModelResponse(model="gpt-4o-2024-08-06", usage=usage)
    assert completion_cost(response) == completion_cost(completion_response=dict(response)) == pytest.approx(0.0035)
    assert completion_cost(response, model="anthropic/claude-sonnet-4-5") == pytest.approx(0.0045)


def test_the_provider_that_answered_decides() -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 0}
    response = ModelResponse(model="gemini-2.5-pro", usage=usage, _hidden_params={"custom_llm_provider": "gemini"})
    assert completion_cost(response) == pytest.approx(0.00125)
    response._hidden_params["custom_llm_provider"] = "openai"  # somebody's server with a well-known name for its model
    with pytest.raises(NotFoundError):
        completion_cost(response)


def test_the_service_tier_that_answered_decides() -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 0}
    assert completion_cost({"model": "gpt-5", "usage": usage, "service_tier": "flex"}) == pytest.approx(0.000625)
    assert completion_cost({"model": "gpt-5", "usage": usage, "service_tier": "default"}) == pytest.approx(0.00125)


def test_completion_cost_counts_where_nobody_did() -> None:
    """2 and 1 tokens as texts, 9 as a message."""
    assert completion_cost(model="gpt-4o", prompt="Hello world", completion="Hi") == pytest.approx(2 * 2.5e-6 + 1e-5)
    asked = [{"role": "user", "content": "Hello world"}]
    said = {"model": "gpt-4o", "choices": [{"message": {"content": "Hi"}}]}
    assert completion_cost(said, messages=asked) == pytest.approx(9 * 2.5e-6 + 1e-5)


def test_your_own_prices() -> None:
    """O12: the same function; a model that nobody knows needs no entry."""
    mine = {"input_cost_per_token": 1.0, "output_cost_per_token": 2.0}
    said = {
        "model": "nobody/knows",
        "usage": {"prompt_tokens": 10, "completion_tokens": 1, "cache_read_input_tokens": 4},
    }
    assert completion_cost(said, custom_cost_per_token=mine) == 12.0
    register_model({"house/priced": mine})
    try:
        assert completion_cost(said, model="house/priced") == 12.0
    finally:
        del model_cost["house/priced"]


def test_unknown_models_and_prices_raise() -> None:
    with pytest.raises(NotFoundError, match="This model isn't mapped yet. model=nobody/knows"):
        completion_cost({"model": "nobody/knows", "usage": {"prompt_tokens": 1}})
    with pytest.raises(NotFoundError, match="isn't mapped yet"):
        cost_per_token("nobody/knows", 1)
    with pytest.raises(NotFoundError, match="price of azure/container is not known"):
        cost_per_token("azure/container", 1)
    with pytest.raises(BadRequestError, match="needs a model"):
        completion_cost()


def test_every_listed_model_has_a_price_or_none() -> None:
    usage = {"prompt_tokens": 300_000, "completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 5}}
    costs = {name: cost(usage, facts(name)) for name in model_cost}  # type: ignore[arg-type]
    assert len([paid for paid in costs.values() if paid is not None]) > 3000
    assert [name for name, paid in costs.items() if paid is not None and not 0 <= paid < 1000] == []


def test_the_documented_prices_are_those_in_use() -> None:
    """Each row of the table, in the order of the buckets: a usage of that bucket alone costs by the field named first."""
    page = Path(__file__).parents[3] / "docs" / "costs-and-tokens.md"
    rows = re.findall(r"^\| .* \| `(\w+)`.*\|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == len(Buckets.__struct_fields__)
    for field, bucket in zip(rows, Buckets.__struct_fields__, strict=True):
        assert (
            cost(
                Buckets(**{bucket: 3}),
                Facts.of("one", {"input_cost_per_token": 5, "output_cost_per_token": 5, field: 7}),
            )
            == 21
        )
