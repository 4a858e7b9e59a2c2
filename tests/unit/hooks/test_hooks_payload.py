"""What callbacks are given, and what never reaches them (F5, O14)."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.hooks.records import answer, record

import litellm
from litellm.hooks.logger import CustomLogger
from litellm.hooks.payload import Payload, copied, masked_copy
from litellm.hooks.redact import REDACTED, redact, redact_answer
from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth
from litellm.types.chat import ModelResponseStream

CANARY = "canary.what.was.said"
SECRET = "canary.credential"


def failed(**fields):
    error = litellm.exceptions.RateLimitError(
        f"slow down; you said {CANARY}", llm_provider="openai", model="gpt-x", status_code=429
    )
    try:
        raise error from ValueError(CANARY)
    except litellm.exceptions.RateLimitError as caught:
        return record(**{"response": None, "status": "failure", "error": caught, "usage": None, "cost": None, **fields})


def test_documented_keys():
    kwargs = Payload(record(params={"litellm_trace_id": "t", "tags": ["a"]}), "success").kwargs
    assert kwargs["model"] == "gpt-x"
    assert kwargs["messages"] == kwargs["input"] == [{"role": "user", "content": "Hello"}]
    assert kwargs["user"] == "ada"
    assert kwargs["optional_params"] == {"temperature": 0.5, "user": "ada"}
    assert kwargs["litellm_params"]["metadata"] == {}
    assert kwargs["litellm_params"]["api_base"] == "http://127.0.0.1:1/v1"
    assert (kwargs["response_cost"], kwargs["cache_hit"], kwargs["stream"]) == (0.25, False, False)
    assert (kwargs["custom_llm_provider"], kwargs["litellm_call_id"]) == ("openai", "call-1")
    assert kwargs["litellm_trace_id"] == "t"
    assert kwargs["log_event_type"] == "successful_api_call"
    assert json.loads(kwargs["original_response"])["id"] == "chatcmpl-1"
    assert kwargs["additional_args"]["complete_input_dict"]["messages"] == kwargs["messages"]
    assert "exception" not in kwargs


def test_the_standard_object():
    log = Payload(record(params={"tags": ["a"]}, model_id="id", model_group="g"), "success").kwargs[
        "standard_logging_object"
    ]
    json.dumps(log)
    assert (log["prompt_tokens"], log["completion_tokens"], log["total_tokens"]) == (3, 4, 7)
    assert (log["status"], log["call_type"], log["response_cost"]) == ("success", "completion", 0.25)
    assert (log["startTime"], log["endTime"], log["response_time"]) == (1_700_000_000.0, 1_700_000_002.5, 2.5)
    assert (log["model"], log["model_id"], log["model_group"]) == ("gpt-x", "id", "g")
    assert (log["end_user"], log["request_tags"]) == ("ada", ["a"])
    assert log["response"]["choices"][0]["message"]["content"] == "Good morning"
    assert log["model_parameters"] == {"temperature": 0.5, "user": "ada"}
    assert (log["error_str"], log["error_information"]) == (None, {})


def test_a_price_that_nobody_knows():
    """O12: None, and not nothing."""
    log = Payload(record(cost=None), "success").kwargs["standard_logging_object"]
    assert log["response_cost"] is None


def test_which_deployment():
    """Metadata gains the Router's keys, whatever a client says under them; F5: without credentials."""
    told = record(
        model_id="id", model_group="g", deployment="openai/gpt-x", model_info={"tier": 1, "api_key": SECRET},
        metadata={"colour": "blue", "model_group": "mine"},
    )  # fmt: skip
    params = Payload(told, "success").kwargs["litellm_params"]
    info = {"id": "id", "tier": 1, "api_key": "**********"}
    assert params["metadata"] == {
        "colour": "blue", "model_group": "g", "deployment": "openai/gpt-x", "model_info": info,
        "api_base": "http://127.0.0.1:1/v1",
    }  # fmt: skip
    assert params["model_info"] == info
    assert told.metadata == {"colour": "blue", "model_group": "mine"}


def test_a_group_of_which_none_was_chosen():
    params = Payload(failed(model_group="g"), "failure").kwargs["litellm_params"]
    assert params["metadata"] == {"model_group": "g"}


def test_a_failure():
    kwargs = Payload(failed(), "failure").kwargs
    log = kwargs["standard_logging_object"]
    assert isinstance(kwargs["exception"], litellm.exceptions.RateLimitError)
    assert "RateLimitError" in kwargs["traceback_exception"]
    assert (log["status"], log["error_information"]["error_code"]) == ("failure", "429")
    assert log["error_information"]["error_class"] == "RateLimitError"
    assert "slow down" in log["error_str"]
    assert kwargs["log_event_type"] == "failed_api_call"


@pytest.mark.parametrize(
    ("is_async", "name"), [(False, "complete_streaming_response"), (True, "async_complete_streaming_response")]
)
def test_a_stream(is_async, name):
    kwargs = Payload(record(stream=True, is_async=is_async, first_chunk=1_700_000_001.0), "success").kwargs
    assert kwargs[name].choices[0].message.content == "Good morning"
    assert kwargs["optional_params"]["stream"] is True
    assert (kwargs["completion_start_time"] - kwargs["start_time"]).total_seconds() == 1


@pytest.mark.parametrize(
    ("operation", "body", "name"),
    [("embeddings", {"input": ["a"]}, "aembedding"), ("text", {"prompt": "a"}, "atext_completion"),
     ("moderations", {"input": "a"}, "amoderation")],
)  # fmt: skip
def test_other_operations(operation, body, name):
    kwargs = Payload(record(operation=operation, body=body, is_async=True), "success").kwargs
    assert kwargs["call_type"] == name
    assert kwargs["input"] == next(iter(body.values()))


def test_who_called_the_gateway():
    caller = UserAPIKeyAuth(api_key="sk-1234", key_alias="ada's", team_id="blue", user_role="internal_user")
    metadata = Payload(record(caller=caller), "success").kwargs["standard_logging_object"]["metadata"]
    assert metadata["user_api_key_alias"] == "ada's"
    assert metadata["user_api_key_hash"] == caller.token
    assert metadata["user_api_key_team_id"] == "blue"
    assert caller.user_role is LitellmUserRoles.INTERNAL_USER
    assert "sk-1234" not in str(metadata) + repr(caller) + caller.model_dump_json()


def test_a_client_does_not_say_who_it_is():
    """O14: metadata comes from the client, and cannot take the place of what the gateway knows, or knows not."""
    forged = {"user_api_key_user_id": "the-ceo", "user_api_key_team_id": "theirs", "colour": "blue"}
    kwargs = Payload(record(caller=UserAPIKeyAuth(team_id="blue"), metadata=forged), "success").kwargs
    for metadata in (kwargs["litellm_params"]["metadata"], kwargs["standard_logging_object"]["metadata"]):
        assert (metadata["user_api_key_user_id"], metadata["user_api_key_team_id"]) == (None, "blue")
        assert metadata["colour"] == "blue"


# --- F5 ------------------------------------------------------------------------------------------------------------------


def with_secrets():
    steering = {
        "api_key": SECRET,
        "headers": {"Authorization": f"Bearer {SECRET}", "x-api-key": SECRET, "cookie": SECRET},
        "nested": [{"client_secret": SECRET, "password": SECRET}],
        "proxy_server_request": {"headers": {"x-litellm-api-key": SECRET}, "body": {"api_key": SECRET}},
    }
    return {
        "params": steering,
        "metadata": steering,
        "body": {"messages": [], "api_key": SECRET, "extra_headers": {"Authorization": SECRET}},
        "api_base": f"http://user:{SECRET}@127.0.0.1:1/v1?key={SECRET}",
        "headers": {"set-cookie": SECRET},
    }


@pytest.mark.parametrize("event", ["input", "success", "failure"])
def test_no_credentials(event):
    """F5: wherever they stand."""
    made = failed if event == "failure" else record
    assert SECRET not in repr(Payload(made(**with_secrets()), event).kwargs)


def test_names_that_only_sound_secret():
    """A tool's schema may have a property called password, and tokens are counted."""
    harmless = {
        "max_tokens": 5,
        "properties": {"password": {"type": "string"}},
        "user_api_key_hash": "abc",
        "tokens": "7",
    }
    assert masked_copy(harmless) == harmless


# --- redaction -----------------------------------------------------------------------------------------------------------

WORDS = [{"role": "user", "content": CANARY}]
TOOL_CALL = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": CANARY}}


def said(is_failure):
    response = answer(CANARY)
    response.choices[0].message.tool_calls = [TOOL_CALL]
    response.choices[0].message.reasoning_content = CANARY
    fields = {
        "body": {"messages": WORDS, "prompt": CANARY, "temperature": 1},
        "params": {"proxy_server_request": {"body": {"messages": WORDS, "model": "m"}, "headers": {}}},
        "stream": True,
    }
    return failed(**fields) if is_failure else record(**fields, response=response)


class Sink(CustomLogger):
    """All that a logger is told, as text."""

    def __init__(self, **options):
        super().__init__(**options)
        self.told = []

    def _take(self, kwargs, response_obj=None, *_):
        self.told.append(repr(kwargs) + repr(response_obj) + repr(getattr(response_obj, "__dict__", "")))

    def log_pre_api_call(self, model, messages, kwargs):
        self._take(kwargs, messages)

    log_post_api_call = log_stream_event = log_success_event = log_failure_event = _take


def chunk():
    delta = {"role": "assistant", "content": CANARY, "reasoning_content": CANARY}
    return ModelResponseStream.read({"id": "1", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def tell(callbacks, dispatcher, sink, setting=False, **switch):
    observers = callbacks.snapshot(callbacks=[sink], turn_off_message_logging=setting)
    for event, call in (
        ("input", said(False)),
        ("stream", said(False)),
        ("success", said(False)),
        ("failure", said(True)),
    ):
        observers.emit(event, switched(call, **switch), chunk() if event == "stream" else None)
    assert dispatcher.flush(10)
    assert len(sink.told) == 5
    return sink.told


def switched(call, headers=None, **switch):
    params = {**call.params, **switch}
    params["proxy_server_request"] = {**params["proxy_server_request"], "headers": headers or {}}
    return replace(call, params=params)


@pytest.mark.parametrize(
    ("options", "switches"),
    [
        ({}, {"setting": True}),
        ({"message_logging": False}, {}),
        ({"turn_off_message_logging": True}, {}),
        ({}, {"turn_off_message_logging": True}),
        ({}, {"headers": {"X-LiteLLM-Enable-Message-Redaction": "true"}}),
        ({"message_logging": False}, {"turn_off_message_logging": False}),
    ],
)
def test_redacted_everywhere(callbacks, dispatcher, caplog, options, switches):
    """O14, #39385: on success, failure and stream alike, whatever the switch."""
    with caplog.at_level(logging.DEBUG, logger="LiteLLM"):
        told = tell(callbacks, dispatcher, Sink(**options), **switches)
    assert [event for event in told if CANARY in event] == []
    assert all(REDACTED in event for event in told)
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"setting": True, "headers": {"litellm-disable-message-redaction": "true"}},
        {"setting": True, "turn_off_message_logging": False},
    ],
)
def test_not_redacted(callbacks, dispatcher, switches):
    """The test above would see it."""
    assert all(CANARY in event for event in tell(callbacks, dispatcher, Sink(), **switches))


def test_one_logger_redacted_the_other_not(callbacks, dispatcher):
    """message_logging is a logger's own."""
    quiet_one, other = Sink(message_logging=False), Sink()
    observers = callbacks.snapshot(callbacks=[quiet_one, other])
    observers.emit("success", said(False))
    observers.emit("failure", said(True))
    assert dispatcher.flush(10)
    assert CANARY not in "".join(quiet_one.told)
    assert all(CANARY in event for event in other.told)


def test_what_redaction_leaves():
    """Enough to count and to find: kinds, names, numbers."""
    kept = redact(said(False))
    assert kept.body["temperature"] == 1
    assert kept.response.choices[0].message.content == REDACTED
    assert kept.response.choices[0].message.tool_calls[0].function.name == "weather"
    assert kept.response.choices[0].finish_reason == "stop"
    error = redact(said(True)).error
    assert isinstance(error, litellm.exceptions.RateLimitError)
    assert (error.status_code, error.llm_provider) == (429, "openai")
    assert said(False).response.choices[0].message.content == CANARY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=15,
)


@given(JSON)
def test_a_copy_is_equal_and_shares_no_container(value):
    """G2."""

    def containers(of):
        if isinstance(of, dict | list):
            yield id(of)
            for inner in of.values() if isinstance(of, dict) else of:
                yield from containers(inner)

    made = copied(value)
    assert made == value
    assert not set(containers(made)) & set(containers(value))


def test_copies_of_cycles():
    cycle = {"a": []}
    cycle["a"].append(cycle)
    made = copied(cycle)
    assert made["a"][0] is made
    assert masked_copy(cycle)["a"][0]["a"]


@given(st.dictionaries(st.sampled_from(["id", "object", "choices", "model", "content", "text"]), JSON))
def test_quiet_takes_any_shape(fields):
    """Upstreams send what they like."""
    assert set(redact_answer(fields)) == set(fields)
    assert "content" not in fields or redact_answer(fields)["content"] in (None, REDACTED, [], {})
