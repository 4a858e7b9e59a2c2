"""What callers get wrong: a BadRequestError that says what, the same from the sync and the async function."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import litellm

HI = [{"role": "user", "content": "hi"}]

WRONG: list[dict[str, Any]] = [
    {"api_key": "secret-key\r\nX-Evil: 1"},
    {"api_key": "schlüssel-€-secret"},
    {"extra_headers": {"X-Number": 1}},
    {"extra_headers": {"X-Näme": "a"}},
    {"num_retries": "many"},
    {"some_parameter": object()},
    {"timeout": "soon"},
    {"messages": "hi"},
]


@pytest.mark.parametrize("params", WRONG, ids=lambda params: str(next(iter(params.items())))[:40])
def test_wrong_arguments(params: dict[str, Any]) -> None:
    """G3, F5: no network, no Python error of another kind, and a key is not repeated."""
    call = {"messages": HI, "api_base": "http://127.0.0.1:9/v1", **params}
    with pytest.raises(litellm.BadRequestError) as told:
        litellm.completion("openai/m", **call)
    with pytest.raises(litellm.BadRequestError) as told_async:
        asyncio.run(litellm.acompletion("openai/m", **call))
    assert str(told.value) == str(told_async.value)
    assert "secret" not in str(told.value)


def test_a_single_name_to_drop() -> None:
    """C9: a name where a list is meant is that name, not its letters."""
    with pytest.raises(litellm.UnsupportedParamsError):
        litellm.completion("groq/m", HI, logprobs=True, api_key="k", api_base="http://127.0.0.1:9")
    response = litellm.completion(
        "groq/m", HI, logprobs=True, additional_drop_params="logprobs", mock_response="dropped", api_key="k"
    )
    assert response.choices[0].message.content == "dropped"


def test_fallbacks_when_the_first_has_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """R1: a missing key is a failure like others: whoever named fallbacks gets one."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    response = litellm.completion("openai/gpt-4o", HI, fallbacks=["mock/echo"])
    assert response.choices[0].message.content == "hi"
    with pytest.raises(litellm.AuthenticationError, match="OPENAI_API_KEY"):
        litellm.completion("openai/gpt-4o", HI)


@pytest.mark.parametrize(
    "params",
    [
        {"messages": [{"role": "user", "content": 5}], "model": "mock/echo"},
        {"n": "two", "model": "mock/chat"},
        {"n": 10**9, "model": "mock/chat"},
        {"tools": [{"type": "web_search"}], "model": "mock/tool-call"},
    ],
    ids=str,
)
def test_the_mock_refuses_what_a_model_would(params: dict[str, Any]) -> None:
    """The mock is developed against, so it answers wrong requests as an upstream would: with a 400."""
    with pytest.raises(litellm.BadRequestError):
        litellm.completion(**{"messages": HI, **params})


def test_an_error_of_the_callers_is_left_as_it_is() -> None:
    """G2: the exception in mock_response is theirs; two calls do not write into it."""
    mine = litellm.RateLimitError("mine", "openai", "m")
    before = str(mine)
    for _ in range(2):
        with pytest.raises(litellm.RateLimitError) as told:
            litellm.completion("openai/m", HI, mock_response=mine, fallbacks=["openai/n"], num_retries=0)
        assert str(told.value).count("all fallbacks failed") == 1
    assert str(mine) == before
