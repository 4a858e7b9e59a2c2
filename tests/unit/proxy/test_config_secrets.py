"""A secret is seen only by who asks for it: not in texts, not in JSON, not in any report."""

import copy
import json
import pickle
import tempfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec
import pydantic
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm.proxy.config import ConfigError, Secret, load_config, reveal_all
from litellm.proxy.config.secrets import hide_credentials, seal_credentials

CANARY = "sk-canary-8d1f"


@given(st.text())
def test_a_secret_masks_itself(text):
    """str, repr, format and JSON show the mask, if there is something to mask; get_secret_value() gives the text."""
    secret = Secret(text)
    mask = "**********" if text else ""
    assert str(secret) == f"{secret}" == mask
    assert repr(secret) == f"Secret({mask!r})"
    assert isinstance(secret, pydantic.SecretStr)
    with pytest.raises(TypeError):
        format(secret, ">12")
    assert secret.get_secret_value() == text
    assert bool(secret) == bool(text)
    assert copy.deepcopy([secret])[0] is copy.copy(secret) is secret
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)
    for encode in (json.dumps, msgspec.json.encode):
        with pytest.raises(TypeError):
            encode(secret)


@given(st.text(), st.text())
def test_equality_is_that_of_the_texts(one, other):
    assert (Secret(one) == Secret(other)) == (one == other)
    assert Secret(one) == Secret(one)
    assert hash(Secret(one)) == hash(Secret(one))
    assert Secret(one) != one


def test_bytes_from_the_environment_can_be_compared():
    """surrogateescape is how os.environ holds what is no UTF-8."""
    text = b"\xff\xfe".decode("utf-8", "surrogateescape")
    assert Secret(text) == Secret(text)
    assert Secret(text) != Secret("other")


class Holder(pydantic.BaseModel):
    key: Secret | None = None


def test_as_a_pydantic_field():
    """F5: a model that holds secrets can be printed and dumped."""
    holder = Holder.model_validate({"key": CANARY})
    assert holder.key.get_secret_value() == CANARY
    assert CANARY not in f"{holder} {holder!r} {holder.model_dump()} {holder.model_dump_json()}"
    assert holder.model_dump_json() == '{"key":"**********"}'
    assert Holder(key=Secret("x")).key == Secret("x")
    assert Holder().key is None
    assert Holder.model_validate_json(f'{{"key":"{CANARY}"}}').key.get_secret_value() == CANARY
    with pytest.raises(pydantic.ValidationError):
        Holder.model_validate({"key": 1234})


def test_free_form_settings_are_masked_at_any_depth():
    plain = {"a": "x", "token": "t", "list": [{"password": ["p", 1]}], "vertex_credentials": {"id": "i"}, "n": None}
    masked = seal_credentials(plain)
    assert masked["token"] == Secret("t")
    assert masked["list"][0]["password"] == [Secret("p"), 1]
    assert masked["vertex_credentials"] == {"id": Secret("i")}
    assert masked["a"] == "x"
    assert reveal_all(masked) == plain
    assert reveal_all(("a", Secret("b"))) == ["a", "b"]


def test_somebody_elses_text_loses_the_secrets_in_it():
    assert hide_credentials(f"no {CANARY}", [{"deep": {"tokens": [], "token": [CANARY]}}]) == "no **********"
    assert hide_credentials("a key is a key", {"key": "a key"[:1]}) == "a key is a key"


def test_an_error_shows_no_spelling_of_a_credential():
    """However short it is, as long as it does not stand in ordinary words, and however it is quoted."""
    assert hide_credentials("no k9x7q here", {"api_key": "k9x7q"}) == "no ********** here"
    key = 'sk-"quoted"/é'
    assert hide_credentials(f"no {json.dumps(key)}", {"api_key": key}) == 'no "**********"'
    assert hide_credentials(f"no {quote(key, safe='')}", {"api_key": key}) == "no **********"


def test_a_credential_that_is_no_utf_8_is_masked_too():
    assert hide_credentials("no \udcffabcd", {"api_key": "\udcffabcd"}) == "no **********"


@pytest.mark.parametrize(
    "text",
    [
        f"general_settings: {{master_key:{CANARY}}}",  # no space after the colon
        f"general_settings: {{master_key: *{CANARY}}}",
        f"general_settings: {{master_key: !{CANARY}}}",
        f"general_settings: {{master_key: !{CANARY} x}}",
        f"general_settings: {{master_key: !!{CANARY} x}}",
        f"general_settings: {{master_key: &{CANARY} x, a: &{CANARY} y}}",
        f"general_settings:\n  master_key {CANARY}\n  other: 1",
        f"general_settings:\n  master_key: %{CANARY}",
        f'general_settings:\n  master_key: "{CANARY}',
        f"general_settings: {CANARY}",
        f"general_settings: [{CANARY}]",
        f"general_settings: {{master_key: [{CANARY}]}}",
        f"general_settings: {{master_kye: {CANARY}}}",
        f"general_settings: {{max_request_size_mb: {CANARY}, completion_model: [{CANARY}]}}",
        f"router_settings: {{routing_strategy: {CANARY}, default_fallbacks: [{CANARY}]}}",
        f"model_list: [{{model_name: [a], litellm_params: {{model: b, api_key: {{a: {CANARY}}}, rpm: {CANARY}}}}}]",
        f"environment_variables: {{a=b: {CANARY}}}",
        f"environment_variables: [{CANARY}]",
        f"%TAG ! {CANARY}\n---\na: !x b",
    ],
)
def test_a_misplaced_secret_is_not_repeated(tmp_path, text):
    """F5: mistakes in writing a key down are the likeliest reason for an error message about it."""
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_config(file, environ={})
    assert CANARY not in str(raised.value)
    assert CANARY not in repr(raised.value)


def test_what_a_users_file_raises_is_cleaned_too(tmp_path):
    """F5: its text is not ours, and may hold what the config gave it."""
    (tmp_path / "bad.py").write_text("import os\nraise ValueError('no use for ' + os.environ['MINE'])\n")
    file = tmp_path / "config.yaml"
    file.write_text(
        f"environment_variables: {{MINE: {CANARY}}}\n"
        "litellm_settings: {custom_provider_map: [{provider: a, custom_handler: bad.llm}]}\n"
    )
    with pytest.raises(ConfigError, match=r"bad.py:2: ValueError: no use for \*{10}$"):
        load_config(file)


KEYS = st.sampled_from(
    [
        "model_list",
        "model_name",
        "litellm_params",
        "model",
        "api_key",
        "rpm",
        "fallbacks",
        "default_fallbacks",
        "general_settings",
        "api_base",
        "litellm_settings",
        "router_settings",
        "environment_variables",
        "include",
        "master_key",
        "model_info",
        "id",
        "extra_headers",
        "tags",
        "model_group_alias",
        "custom_provider_map",
        "provider",
        "custom_handler",
        "organization",
        "ssl_verify",
        "custom_auth",
    ]
)
LEAVES = st.sampled_from([CANARY, CANARY + "/x", f"module.{CANARY}", 1, True, None])
FAULTY = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=15,
)
CREDENTIALS = st.sampled_from(
    ["api_key", "token", "x_password", "aws_secret_thing", "vertex_credentials", "Authorization"]
)
FREE = st.dictionaries(
    CREDENTIALS,
    st.recursive(st.just(CANARY), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
    max_size=3,
)


@settings(max_examples=150, deadline=timedelta(seconds=5))
@given(st.dictionaries(KEYS, FAULTY, min_size=1, max_size=4))
def test_no_report_repeats_a_value(data):
    """F5: whatever is wrong, and wherever a secret stands, no message holds it."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "config.yaml")
        file.write_text(yaml.safe_dump(data))
        try:
            warnings = load_config(file, environ={}).warnings
            report = repr(warnings)
        except ConfigError as error:
            report = str(error)
        assert CANARY not in report


@settings(max_examples=60, deadline=timedelta(seconds=5))
@given(FREE.filter(lambda extras: isinstance(extras.get("api_key", ""), str)), FREE, FREE)
def test_no_config_shows_a_credential(extras, body, info):
    """F5: printing a config that loaded shows no key, at any depth of its free-form parts."""
    data = {
        "model_list": [
            {
                "model_name": "a",
                "litellm_params": {"model": "x/y", "extra_body": body, "headers": {"X-Any": CANARY}, **extras},
                "model_info": info,
            }
        ],
        "general_settings": {"master_key": CANARY},
        "environment_variables": {"ANY": CANARY},
        "router_settings": {"default_fallbacks": [{"model": "a", **body}]},
    }
    with tempfile.TemporaryDirectory() as name:
        file = Path(name, "config.yaml")
        file.write_text(yaml.safe_dump(data))
        config = load_config(file, environ={})
    assert CANARY not in repr(config)
    assert CANARY not in config.model_list[0].model_dump_json()
    assert reveal_all(config.model_list[0].litellm_params.extra_body) == body
