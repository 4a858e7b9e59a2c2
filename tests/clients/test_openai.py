"""What only the openai package shows: chunks and headers as they come, and the endpoints beside chat.

Version 2 here; tests/contract has version 3.
"""

from __future__ import annotations

import openai
import pytest
from tests.clients.client import KEY, MODEL, THEIRS
from tests.fakes import behaviour as act
from tests.fakes.replies import USAGE

HI = [{"role": "user", "content": "hi"}]


@pytest.fixture
def client(base):
    with openai.OpenAI(base_url=base, api_key=KEY, max_retries=0) as made:
        yield made


@pytest.fixture
def direct(upstream):
    with openai.OpenAI(base_url=upstream.base, api_key="any", max_retries=0) as made:
        yield made


def test_version():
    assert openai.VERSION.startswith("2.")


def test_chunks(client, up):
    """Decision 7: the usage chunk has no choices. Decision 5: all have the name that was asked for."""
    asked = client.chat.completions.create(
        model=MODEL, messages=HI, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = list(asked)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello from upstream."
    assert [chunk.choices[0].finish_reason for chunk in chunks[-2:]] == [None, "stop"]
    assert (last.choices, last.usage.model_dump(exclude_none=True)) == ([], USAGE)
    assert {chunk.model for chunk in [*chunks, last]} == {MODEL}


@pytest.mark.parametrize("stream", [False, True])
def test_headers(client, up, stream):
    up.default = act.answer(headers={"x-ratelimit-remaining-requests": "41"})
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=HI, stream=stream)
    assert raw.headers["content-type"].startswith("text/event-stream" if stream else "application/json")
    assert raw.headers["x-litellm-model-group"] == MODEL
    assert raw.headers["x-ratelimit-remaining-requests"] == "41"
    assert raw.headers["llm_provider-x-request-id"] == "req-fake-1"
    assert raw.headers["x-litellm-call-id"]
    parsed = raw.parse()
    assert {chunk.model for chunk in parsed} == {MODEL} if stream else parsed.model == MODEL


def test_leaving_a_stream(client, up):
    """An application that has read enough stops the upstream."""
    up.default = act.stall(after=3)
    with client.chat.completions.create(model=MODEL, messages=HI, stream=True) as stream:
        next(iter(stream))
    up.wait_for(lambda: up.requests[0].aborted_at)


def test_models(client):
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).id == MODEL


# --- endpoints beside chat: the same answer as from the upstream, but for the model's name ------------------------------


def same(through, directly) -> None:
    assert through.model == MODEL
    ours, theirs = (
        answer.to_dict(warnings=False) for answer in (through, directly)
    )  # base64 is in no type of openai's
    for answer in (ours, theirs):
        del answer["model"]
        answer.pop("id", None)  # the upstream numbers them
    assert ours == theirs


@pytest.mark.parametrize("prompt", ["Once upon", ["Once upon", "a time"], [1212, 5304], [[1212], [5304]]], ids=str)
def test_completions(client, direct, up, prompt):
    asked = {"prompt": prompt, "max_tokens": 7}
    same(client.completions.create(model=MODEL, **asked), direct.completions.create(model=THEIRS, **asked))
    assert up.requests[0].json == up.requests[1].json == {"model": THEIRS, **asked}


def test_completions_streamed(client, direct, up):
    asked = {"prompt": "Once upon", "stream": True, "stream_options": {"include_usage": True}}
    through = list(client.completions.create(model=MODEL, **asked))
    directly = list(direct.completions.create(model=THEIRS, **asked))
    assert len(through) > 3
    for ours, theirs in zip(through, directly, strict=True):
        same(ours, theirs)
    assert up.requests[0].json == up.requests[1].json


@pytest.mark.parametrize("encoding", [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}], ids=str)
@pytest.mark.parametrize("given", ["Grüezi", ["one", "two"], [1212, 5304], [[1212], [5304, 318]]], ids=str)
def test_embeddings(client, direct, up, given, encoding):
    """Token ids too; and base64, which openai asks for when nobody says anything."""
    asked = {"input": given, **encoding}
    same(client.embeddings.create(model=MODEL, **asked), direct.embeddings.create(model=THEIRS, **asked))
    assert up.requests[0].json == up.requests[1].json
    assert up.requests[0].json["input"] == given


@pytest.mark.parametrize("given", ["I like you.", ["I like you.", "I do not."]], ids=str)
def test_moderations(client, direct, up, given):
    same(
        client.moderations.create(model=MODEL, input=given),
        direct.moderations.create(model=THEIRS, input=given),
    )
    assert up.requests[0].json == up.requests[1].json == {"model": THEIRS, "input": given}


@pytest.mark.parametrize("endpoint", ["completions", "embeddings", "moderations"])
def test_errors_beside_chat(client, up, endpoint):
    create = getattr(client, endpoint).create
    asked = {"prompt" if endpoint == "completions" else "input": "hi"}
    up.next(act.error(429, "Too fast.", retry_after=7))
    with pytest.raises(openai.RateLimitError, match=r"Too fast\.") as caught:
        create(model=MODEL, **asked)
    assert caught.value.response.headers["retry-after"] == "7"
    with pytest.raises(openai.BadRequestError, match="Invalid model name passed in model=unheard-of"):
        create(model="unheard-of", **asked)
    with pytest.raises(openai.AuthenticationError):
        getattr(client.with_options(api_key="sk-somebody-elses-key"), endpoint).create(model=MODEL, **asked)
    assert len(up.requests) == 1


def test_as_if_it_were_azure(gateway, up):
    """Azure's client has the model in the path and the key in a header of Azure's."""
    place = {"azure_endpoint": gateway.url, "api_version": "2024-10-21", "api_key": KEY, "max_retries": 0}
    with openai.AzureOpenAI(**place) as client:
        assert client.chat.completions.create(model=MODEL, messages=HI).model == MODEL
        assert client.embeddings.create(model=MODEL, input="hi").model == MODEL
    assert [seen.path for seen in up.requests] == ["/v1/chat/completions", "/v1/embeddings"]
    assert {seen.json["model"] for seen in up.requests} == {THEIRS}
