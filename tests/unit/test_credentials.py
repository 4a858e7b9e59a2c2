"""What counts as a credential, by its name, and what is shown in its place."""

import contextlib
import io

import pytest
from tests.unit.hooks.records import record

import litellm
from litellm._credentials import MASK, masked, names_credential
from litellm._numbers import truthy
from litellm.hooks.payload import Payload
from litellm.hooks.redact import redaction_wanted
from litellm.types.params import ChatParams, EmbeddingParams, ModerationParams, TextParams

NAMES = """
    api_key OPENAI_API_KEY OPENAI_KEY aws_access_key_id aws_secret_access_key aws_session_token client_secret
    client_secret_value secret_name azure_ad_token azure_password vertex_credentials Authorization Proxy-Authorization
    x-api-key x-api-key-2 apiKey accessToken openaikey key token api_keys access_tokens Cookie Set-Cookie private_key_id
    X-Auth-Token x-forwarded-access-token Ocp-Apim-Subscription-Key db_passwd passphrase DB_PWD bearer oauth cf-access-jwt
    GROQ_KEY_V2 litellm_key_header
""".split()
OTHERS = """
    max_tokens max_token input_cost_per_token output_cost_per_audio_token model keys tokens tokenizer keyword author
    completion_tokens user idempotency_key prompt_cache_key api_base aws_region_name token_count bypass compass
""".split()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_a_credential(name):
    assert names_credential(name)
    assert names_credential(name.swapcase())
    assert masked({"deep": [{name: "canary"}, {name: b"canary"}]}) == {"deep": [{name: MASK}, {name: MASK}]}


@pytest.mark.parametrize("name", OTHERS)
def test_a_name_of_something_else(name):
    assert not names_credential(name)
    assert masked({name: "shown"}) == {name: "shown"}


@pytest.mark.parametrize(
    "name", ["key" + "1" * 30_000 + "x", "key_id" * 9_000 + "x", "token" * 20_000, "x" * 100_000 + "secret"]
)
def test_a_name_made_to_take_long_does_not(name):
    """A pattern that tries all ways of reading the digits would not end."""
    assert names_credential(name) == name.endswith(("token", "secret"))


def test_no_parameter_of_an_upstream_is_taken_for_one():
    for params in (ChatParams, TextParams, EmbeddingParams, ModerationParams):
        assert [name for name in params.__annotations__ if names_credential(name)] == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("event", ["input", "success"])
def test_callbacks_are_told_no_credential_in_metadata(name, event):
    told = Payload(record(metadata={name: "canary.credential"}, params={"mine": {name: "canary.credential"}}), event)
    assert "canary.credential" not in repr(told.kwargs)


@pytest.mark.parametrize("name", NAMES)
def test_a_router_prints_no_credential(name):
    entry = {"model_name": "m", "litellm_params": {"model": "openai/m", "api_key": "sk-1", name: "canary.credential"}}
    router = litellm.Router(model_list=[entry])
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        shown = router.print_deployment(router.model_list[0])
    assert "canary.credential" not in repr(shown) + printed.getvalue()


@pytest.mark.parametrize("said", [True, 1, 1.0, "1", "true", " TRUE ", "yes", "on"])
def test_what_means_true_asks_for_redaction(said):
    """However it is written, in a parameter, in metadata or in a header."""
    assert truthy(said)
    assert redaction_wanted(record(params={"turn_off_message_logging": said}), default=False)
    assert redaction_wanted(record(metadata={"turn_off_message_logging": said}), default=False)
    assert redaction_wanted(record(params={"headers": {"X-LiteLLM-Enable-Message-Redaction": said}}), default=False)
    assert not redaction_wanted(record(params={"headers": {"litellm-disable-message-redaction": said}}), default=True)


@pytest.mark.parametrize("said", [False, 0, "0", "false", "no", "off", ""])
def test_what_means_false_does_not(said):
    assert not truthy(said)
    assert not redaction_wanted(record(params={"turn_off_message_logging": said}), default=True)
    assert redaction_wanted(record(params={"headers": {"litellm-disable-message-redaction": said}}), default=True)
