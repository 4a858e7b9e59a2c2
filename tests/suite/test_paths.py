"""The paths under which the gateway serves its four operations, also those that name the model."""

from __future__ import annotations

import json
from urllib.parse import quote

import openai
import pytest
from tests.fakes import behaviour as act
from tests.suite.doors import SUBJECTS, request
from tests.suite.test_c12_bodies import OPERATIONS, SUBJECT

from litellm.operations import BY_NAME

HOLDERS = ("/engines/", "/v1/engines/", "/openai/deployments/")
NAMES = ("m", "org/model", "a b", "chat", "modèle", "50%", "completions")

every_operation = pytest.mark.parametrize("operation", OPERATIONS)


def post(house, path, operation, **more):
    body = {SUBJECTS[operation]: SUBJECT[operation], **more}
    return request(house.proxy, "POST", path, json.dumps(body))


@every_operation
@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_plain(house, up, operation, prefix):
    assert post(house, prefix + BY_NAME[operation].path, operation, model="m").status == 200
    assert up.requests[0].path == "/v1" + BY_NAME[operation].path


@every_operation
@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("name", NAMES)
def test_the_model_in_the_path(house, up, operation, holder, name):
    """Slashes may stand as they are; other characters are percent-encoded."""
    for written in {quote(name), quote(name, safe="")}:
        reply = post(house, holder + written + BY_NAME[operation].path, operation)
        assert reply.status == 200
        assert json.loads(reply.body)["model"] == name
    assert {seen.json["model"] for seen in up.requests} == {name}
    assert {seen.path for seen in up.requests} == {"/v1" + BY_NAME[operation].path}


@every_operation
def test_the_path_wins(house, up, operation):
    """When the body names another model."""
    assert post(house, "/engines/mine" + BY_NAME[operation].path, operation, model="other").status == 200
    assert up.requests[0].json["model"] == "mine"


def test_the_azure_client(house, up):
    """OpenAI's client for Azure writes its paths and its key header; streams too."""
    with openai.AzureOpenAI(azure_endpoint=house.proxy.url, api_key="sk-any", api_version="2024-10-21") as client:
        talk = [{"role": "user", "content": "hi"}]
        answer = client.chat.completions.create(model="org/model", messages=talk)
        assert answer.choices[0].message.content == "Hello from upstream."
        assert answer.model == "org/model"
        streamed = client.chat.completions.create(model="m", messages=talk, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == "Hello from upstream."
        assert len(client.embeddings.create(model="m", input="x").data[0].embedding) == 4
    assert [seen.json["model"] for seen in up.requests] == ["org/model", "m", "m"]


@pytest.mark.parametrize("path", ["/engines/m", "/engines//completions", "/engines/m/files", "/openai/deployments/m/"])
def test_paths_of_nothing(house, path):
    assert request(house.proxy, "POST", path, "{}").status == 404


def test_other_methods(house):
    reply = request(house.proxy, "GET", "/engines/m/embeddings")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@every_operation
def test_errors_name_the_operation(house, up, operation):
    """The text, the status and the headers are the same as for chat."""
    up.default = act.error(429, "Slow down.", retry_after=7)
    reply = post(house, "/engines/m" + BY_NAME[operation].path, operation, num_retries=0)
    assert reply.status == 429
    assert "Slow down." in json.loads(reply.body)["error"]["message"]
    assert reply.headers["retry-after"] == "7"
    assert reply.headers["x-litellm-call-id"]


@every_operation
def test_headers_of_answers(house, up, operation):
    reply = post(house, BY_NAME[operation].path, operation, model="m")
    assert reply.headers["x-litellm-model-group"] == "m"
    assert reply.headers["x-litellm-model-api-base"] == up.base
    assert reply.headers["x-litellm-attempted-retries"] == "0"
    assert reply.headers["llm_provider-x-request-id"] == "req-fake-1"
