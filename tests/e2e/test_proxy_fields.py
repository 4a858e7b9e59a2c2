"""F1: what a client may say, what reaches the upstream, and what comes back in headers. What is the
administrator's cannot be said by a client, in any place."""

import json
import uuid

import pytest
from tests.e2e.talk import CHAT, HI, KEY, Talk, deployment
from tests.fakes import behaviour as act
from tests.processes import Gateway


@pytest.fixture(scope="module")
def gateway(module_upstream):
    marked = module_upstream.base.replace("://", "://name:canary-password@") + "?key=canary-query"
    config = f"""
model_list:
{deployment("m", module_upstream, info={"id": "the-only-one"})}{deployment("other", module_upstream)}
{deployment("tuned", module_upstream, temperature=0.5, max_tokens=9, extra_body={"top_k": 3}, extra_headers={"x-ours": "1"})}
{deployment("marked", module_upstream, api_base=marked)}
general_settings: {{master_key: {KEY}}}
router_settings: {{num_retries: 0}}
"""
    with Gateway(config, args=["--host", "127.0.0.1"]) as server:
        yield server
    assert "Traceback" not in server.stderr
    assert "canary" not in server.stderr, "F5"


@pytest.fixture
def talk(gateway, up):
    return Talk(gateway)


# --- what a client must not say ------------------------------------------------------------------------------------------

SERVERS_OWN = """
organization custom_llm_provider mock_response mock_tool_calls mock_timeout mock_delay
headers extra_headers ssl_verify ssl_certificate model_list client supports_system_message
context_window_fallback_dict input_cost_per_token output_cost_per_token azure_ad_token tenant_id client_id client_secret
weight order rpm tpm model_info litellm_system_prompt use_litellm_proxy deployment_id force_ipv4 hf_model_name base_model
""".split()


@pytest.mark.parametrize("name", SERVERS_OWN)
@pytest.mark.parametrize("place", ["body", "extra_body", "extra_body twice"])
def test_the_administrators_words(talk, up, name, place):
    """F1: 400 that names the field, in OpenAI's `param`; nothing is sent."""
    said = {name: "http://evil.example/v1"}
    if place != "body":
        said = {"extra_body": said}
    if place == "extra_body twice":
        said = {"extra_body": said}
    answer = talk.post(json.dumps({"model": "m", "messages": HI, **said}))
    if answer.status == 200:
        assert place == "extra_body twice", "one level is merged, a second one is nobody's"
        assert name not in up.requests[0].fields
        assert b"evil" not in up.requests[0].body
        return
    assert answer.status == 400
    assert answer.error["param"] == name
    assert name in answer.error["message"]
    assert "evil" not in answer.error["message"]
    assert up.requests == []


@pytest.mark.parametrize("name", ["api_key", "api_base", "mock_response", "headers"])
def test_the_administrators_words_in_a_fallback(talk, up, name):
    """F1: whether or not the fallback is ever needed."""
    answer = talk.chat(fallbacks=[{"model": "other", name: "http://evil.example/v1"}])
    assert answer.status == 400
    assert name in answer.error["message"]
    assert up.requests == []


@pytest.mark.parametrize("place", ["metadata", "tools", "messages", "response_format", "query", "header"])
def test_the_administrators_words_elsewhere_mean_nothing(talk, up, place):
    """F1: host and key of what goes out never change, however deep the words are put."""
    evil = {
        "api_base": "http://127.0.0.1:1/v1",
        "api_key": "sk-evil",
        "base_url": "http://127.0.0.1:1",
        "model_list": [],
    }
    fields = {
        "metadata": {"metadata": {**evil, "nested": [evil]}},
        "tools": {"tools": [{"type": "function", "function": {"name": "f", "parameters": evil}, **evil}]},
        "messages": {"messages": [{"role": "user", "content": "hi", **evil}]},
        "response_format": {"response_format": {"type": "json_schema", "json_schema": evil}},
    }.get(place, {})
    path = CHAT + ("?api_base=http://127.0.0.1:1&api_key=sk-evil&model=other" if place == "query" else "")
    headers = {"api_base": "http://127.0.0.1:1", "x-api-base": "http://127.0.0.1:1", "x-litellm-api-base": "http://x"}
    answer = talk.chat(path=path, headers=headers if place == "header" else None, **fields)
    assert answer.status == 200
    (seen,) = up.requests
    assert seen.headers["authorization"] == "Bearer sk-key-of-the-upstream"
    assert seen.headers["host"] == f"127.0.0.1:{up.port}"
    assert seen.query == ""
    assert seen.fields["model"] == "m"


def test_references_to_the_environment_are_just_text(talk, up):
    """F2: `os.environ/` is resolved in the config file and nowhere else."""
    assert talk.chat(user="os.environ/PATH", messages=[{"role": "user", "content": "os.environ/HOME"}]).status == 200
    assert up.requests[0].fields["user"] == "os.environ/PATH"
    assert up.requests[0].fields["messages"][0]["content"] == "os.environ/HOME"


# --- what steers a call and stays here -------------------------------------------------------------------------------

STEERING = {
    "metadata": {"tags": ["a"], "secret": "s"}, "litellm_metadata": {"x": 1}, "tags": ["a"], "timeout": 30,
    "stream_timeout": 30, "num_retries": 1, "max_retries": 1, "fallbacks": ["other"], "disable_fallbacks": True,
    "additional_drop_params": ["seed"], "allowed_openai_params": ["seed"], "drop_params": True, "cache": {"no-cache": True},
    "caching": False, "no-log": True, "litellm_call_id": "c", "litellm_session_id": "s", "litellm_trace_id": "t",
    "enable_json_schema_validation": False, "guardrails": [], "retry_policy": {}, "retry_strategy": "x", "extra_body": {},
}  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", STEERING)
def test_steering_stays_here(talk, up, name, stream):
    """Accepted, and the upstream never sees it."""
    answer = talk.chat(stream=stream, seed=5, **{name: STEERING[name]})
    assert answer.status == 200, answer.body
    (seen,) = up.requests
    extra = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    seed = {} if name == "additional_drop_params" else {"seed": 5}
    assert seen.json == {"model": "m", "messages": HI, **seed, **extra}
    assert not [header for header in seen.headers if "litellm" in header]


def test_what_openai_and_upstreams_understand_passes(talk, up):
    """Decision 10, C11: every parameter of OpenAI's, `user`, and what nobody has heard of, byte for byte."""
    sent = {
        "temperature": 0.3, "top_p": 0.9, "n": 1, "stop": ["a"], "max_tokens": 3, "max_completion_tokens": 4,
        "presence_penalty": 0.1, "frequency_penalty": -0.1, "logit_bias": {"5": 1}, "user": "u", "seed": 7,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "tool_choice": "auto",
        "parallel_tool_calls": False, "response_format": {"type": "json_object"}, "logprobs": True, "top_logprobs": 2,
        "reasoning_effort": "low", "service_tier": "auto", "store": False, "modalities": ["text"], "verbosity": "low",
        "top_k": 40, "min_p": 0.05, "guided_json": {"type": "object"}, "chat_template_kwargs": {"enable_thinking": False},
        "unheard_of": [None, {"deep": ["é", "漢", "\U0001f600"]}], "nothing": None, "repetition_penalty": 1.0,
    }  # fmt: skip
    assert talk.chat(**sent).status == 200
    assert up.requests[0].json == {"model": "m", "messages": HI, **sent}


def test_extra_body_is_merged(talk, up):
    """As openai's client would have done; a model in it is ignored."""
    assert talk.chat(extra_body={"top_k": 4, "deep": {"a": [1]}, "model": "other"}).status == 200
    assert up.requests[0].json == {"model": "m", "messages": HI, "top_k": 4, "deep": {"a": [1]}}


def test_headers_of_clients_stay_here(talk, up):
    """F1: neither keys nor cookies nor anything else of a client's reaches an upstream unasked."""
    sent = {
        "cookie": "c=1",
        "x-custom": "1",
        "openai-organization": "org",
        "x-forwarded-for": "1.2.3.4",
        "user-agent": "me",
    }
    assert talk.chat(headers=sent).status == 200
    seen = up.requests[0].headers
    assert not seen.keys() & {"cookie", "x-custom", "openai-organization", "x-forwarded-for"}
    assert "me" != seen["user-agent"]
    assert KEY not in str(seen)


def test_what_a_deployment_sets_is_a_default(talk, up):
    """Parameters of the deployment go along, and a request overrules them; its headers always go along."""
    assert talk.chat(model="tuned").status == 200
    assert talk.chat(model="tuned", temperature=0.9, top_k=8).status == 200
    first, second = (seen.json for seen in up.requests)
    assert first == {"model": "tuned", "messages": HI, "temperature": 0.5, "max_tokens": 9, "top_k": 3}
    assert second == {"model": "tuned", "messages": HI, "temperature": 0.9, "max_tokens": 9, "top_k": 8}
    assert all(seen.headers["x-ours"] == "1" for seen in up.requests)


# --- what comes back in headers ------------------------------------------------------------------------------------------

LIMITS = {"x-ratelimit-remaining-requests": "99", "x-ratelimit-limit-tokens": "1000"}


@pytest.mark.parametrize("stream", [False, True])
def test_headers_of_answers(talk, up, stream):
    """Who answered, how many tries it took, how long, and what the upstream said about it."""
    up.next(act.answer(model="m-2026", headers={**LIMITS, "set-cookie": "a=b", "x-request-id": "req-7"}))
    answer = talk.chat(stream=stream)
    headers = answer.headers
    assert headers["x-litellm-model-id"] == "the-only-one"
    assert headers["x-litellm-model-group"] == "m"
    assert headers["x-litellm-model-name"] == "m-2026"
    assert headers["x-litellm-model-api-base"] == up.base
    assert headers["x-litellm-version"].startswith("1.106")
    assert headers["x-litellm-attempted-retries"] == "0"
    assert headers["x-litellm-attempted-fallbacks"] == "0"
    assert float(headers["x-litellm-response-duration-ms"]) > 0
    assert uuid.UUID(headers["x-litellm-call-id"])
    assert headers.items() >= LIMITS.items()
    assert headers["llm_provider-x-request-id"] == "req-7"
    assert headers["llm_provider-x-ratelimit-remaining-requests"] == "99"
    assert not [name for name in headers if "set-cookie" in name]
    assert not [name for name in headers if name.startswith("llm_provider-") and name.endswith("-encoding")]
    models = {event["model"] for event in answer.events} if stream else {answer.json()["model"]}
    assert models == {"m"}, "decision 5"


@pytest.mark.parametrize("stream", [False, True])
def test_the_call_id(talk, up, stream):
    """A client's own is kept; without one, each call gets another; errors carry it too."""
    assert talk.chat(stream=stream, headers={"x-litellm-call-id": "mine-1"}).headers["x-litellm-call-id"] == "mine-1"
    ids = {talk.chat(stream=stream).headers["x-litellm-call-id"] for _ in range(3)}
    assert len(ids) == 3
    up.next(act.error(400))
    failed = talk.chat(stream=stream, headers={"x-litellm-call-id": "mine-2"})
    assert (failed.status, failed.headers["x-litellm-call-id"]) == (400, "mine-2")


def test_the_base_is_shown_without_its_secrets(talk, up):
    """F5: user, password and query of an api_base are where people put keys."""
    answer = talk.chat(model="marked")
    assert answer.status == 200
    assert answer.headers["x-litellm-model-api-base"] == up.base
    assert "canary" not in str(answer.headers)
    assert up.requests[0].query == "key=canary-query", "it is sent all the same"


def test_hostile_headers_of_an_upstream(talk, up):
    """F1: what an upstream writes cannot become a header of ours, nor break the answer."""
    hostile = {"x-long": "y" * 5000, "content-length-x": "1", "x-litellm-model-id": "forged", "connection-x": "1"}
    up.next(act.answer(headers=hostile))
    answer = talk.chat()
    assert answer.status == 200
    assert answer.headers["x-litellm-model-id"] == "the-only-one"
    assert answer.headers["llm_provider-x-litellm-model-id"] == "forged"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529])
def test_errors_of_upstreams(talk, up, status, stream):
    """G3, decision 8: the status, the message and the code come through; our own 401 cannot be mistaken for theirs."""
    up.next(act.error(status, "canary of the upstream", code="the_code", param="the_param", retry_after=7))
    answer = talk.chat(stream=stream)
    assert answer.status == status
    error = answer.error
    assert "canary of the upstream" in error["message"]
    assert error["param"] == "the_param"
    assert error["provider_specific_fields"]["code"] == "the_code"
    assert answer.headers["retry-after"] == "7"
    assert len(up.requests) == 1


def test_the_usage_that_only_we_asked_for_is_not_shown(talk, up):
    """S3, decision 7: exactly one usage chunk if it was asked for, none otherwise; `choices` in it is empty."""
    assert not [event for event in talk.chat(stream=True).events if event.get("usage")]
    asked = talk.chat(stream=True, stream_options={"include_usage": True}).events
    (usage,) = [event for event in asked if event.get("usage")]
    assert usage is asked[-1]
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 13
