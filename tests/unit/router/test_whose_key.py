"""A key and the provider that it goes to are bound to each other, also where an entry leaves it to the caller's name to say
which provider is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.router.world import HI, deployments

import litellm
from litellm.exceptions import AuthenticationError
from litellm.providers.backend import Unusable
from litellm.providers.table import ROWS
from litellm.providers.target import Target
from litellm.router.pool import Pool

KEY = "sk-canary-of-the-entry"
OPENAI = {"OPENAI_API_KEY": KEY}


def target(
    name: str, environ: Mapping[str, str] = OPENAI, *, listed: str = "*", model: str = "*", **params: Any
) -> Target:
    """Where a wildcard sends a name to."""
    entry = {"model_name": listed, "litellm_params": {"model": model, "api_key": KEY, **params}}
    group = Pool.of(deployments(entry, environ=dict(environ))).find(name)
    assert group is not None
    (member,) = group.members
    assert member.target is not None
    return member.target


def has(made: Target, secret: str = KEY) -> bool:
    """Whether anything of a target holds the key."""
    return secret in repr((made.headers, made.api_key, made.params, made.credentials, made.defaults))


@pytest.mark.parametrize(
    ("listed", "model", "name"),
    [
        ("*", "*", "groq/x"),
        ("*", "*", "anyscale/x"),
        ("*", "*", "grok-3"),
        ("g*", "g*", "groq/x"),
        ("*/x", "*/x", "groq/x"),
        ("my-*", "*", "my-groq/x"),
    ],
)
def test_a_key_does_not_go_to_whichever_provider_a_client_names(listed, model, name):
    """It is OpenAI's. The others say which variable to set, and the entry is served all the same."""
    made = target(name, OPENAI, listed=listed, model=model)
    assert isinstance(made.backend, Unusable)
    assert isinstance(made.backend.error, AuthenticationError)
    assert "or set " in made.backend.error.message
    assert not has(made)


def test_each_provider_has_its_own_variable():
    """Whatever the entry's key is, a provider gets what its own variable holds."""
    rows = [row for row in ROWS if row.base and "{" not in row.base and row.key and "OPENAI_API_KEY" not in row.key]
    keys = {row.name: target(f"{row.name}/x", {**OPENAI, row.key[0]: f"sk-of-{row.name}"}).api_key for row in rows}
    assert keys == {row.name: f"sk-of-{row.name}" for row in rows}
    assert len(keys) > 50


def test_a_place_without_a_key_is_sent_none():
    assert not has(target("azure/x", {**OPENAI, "AZURE_API_BASE": "https://a.example"}))


@pytest.mark.parametrize(
    ("environ", "name", "goes"),
    [
        (OPENAI, "openai/x", True),
        (OPENAI, "gpt-4o", True),
        (OPENAI, "unheard-of", True),
        ({}, "gpt-4o", True),  # a key that is no variable's
        ({}, "groq/x", False),
        ({"MY_KEY": KEY}, "gpt-4o", True),
        ({"MY_KEY": KEY}, "groq/x", False),
        ({"GROQ_API_KEY": KEY}, "groq/x", True),
        ({"GROQ_API_KEY": KEY}, "gpt-4o", False),
        ({"GROQ_API_KEY": KEY}, "mistral/x", False),
        ({"HUGGINGFACE_API_KEY": KEY}, "huggingface/x", True),
        ({"GROQ_API_KEY": KEY, "OPENAI_API_KEY": KEY}, "gpt-4o", True),
    ],
)
def test_the_variable_says_whose_the_key_is(environ, name, goes):
    if name == "unheard-of":
        with pytest.raises(litellm.BadRequestError, match="LLM Provider NOT provided"):
            target(name, {**environ, "NOBODY": "x"})
        return
    assert has(target(name, {**environ, "PATH": "/"})) is goes


@pytest.mark.parametrize(
    "params",
    [
        {"api_key": None, "extra_headers": {"Authorization": f"Bearer {KEY}"}},
        {"api_key": None, "headers": {"x-api-key": KEY}},
        {"api_key": None, "organization": KEY},
        {"api_key": None, "azure_ad_token": KEY},
        {"api_key": None, "client_secret": KEY, "client_id": KEY, "tenant_id": KEY},
        {"api_key": None, "aws_secret_access_key": KEY},
    ],
    ids=str,
)
def test_the_same_holds_for_all_that_gives_access(params):
    made = target("groq/x", {"GROQ_API_KEY": "sk-groq"}, **params)
    assert made.api_key == "sk-groq"
    assert not has(made)


def test_what_gives_no_access_goes_along():
    made = target("groq/x", {"GROQ_API_KEY": "sk-groq"}, extra_headers={"x-team": "blue"}, temperature=0)
    assert made.headers["x-team"] == "blue"
    assert made.defaults["temperature"] == 0


def test_a_token_of_azures_is_azures():
    environ = {"OPENAI_API_KEY": KEY, "AZURE_API_BASE": "https://a.example"}
    made = target("azure/x", environ, azure_ad_token="token-of-azure")  # noqa: S106
    assert made.headers["Authorization"] == "Bearer token-of-azure"
    assert not has(made)


@pytest.mark.parametrize(
    ("listed", "model", "params", "name"),
    [
        ("*", "*", {"api_base": "https://proxy.example/v1"}, "groq/x"),
        ("*", "openai/*", {}, "groq/x"),
        ("*", "*", {"custom_llm_provider": "groq"}, "anything"),
        ("groq/*", "groq/*", {}, "groq/x"),
    ],
)
def test_an_entry_that_says_where_its_key_goes_is_obeyed(listed, model, params, name):
    assert has(target(name, listed=listed, model=model, **params))


def test_words_of_a_call_bring_no_key_back(monkeypatch):
    """A call with a header of its own makes a target anew, from what was left of the entry."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    router = litellm.Router([{"model_name": "*", "litellm_params": {"model": "*", "api_key": KEY}}], num_retries=0)
    for words in ({}, {"extra_headers": {"x-team": "blue"}}, {"organization": "mine"}, {"api_version": "1"}):
        with pytest.raises(AuthenticationError, match="GROQ_API_KEY"):
            router.completion("groq/x", HI, **words)


def test_own_code_is_told_the_key(monkeypatch):
    """A handler is the administrator's; there is no other place that its key could come from."""
    seen: list[Any] = []

    class Handler(litellm.CustomLLM):
        def completion(self, *, api_key: str, model_response: Any, **_: Any) -> Any:
            seen.append(api_key)
            return model_response

    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": Handler()}])
    litellm.Router([{"model_name": "*", "litellm_params": {"model": "*", "api_key": KEY}}]).completion("mine/x", HI)
    assert seen == [KEY]
