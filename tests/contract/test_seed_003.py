"""Seed 003 as it is printed: metadata, several models in one request, the users' own keys and configurations.

/embeddings and /moderations of the same page are in test_seeds.py.
"""

import json

import pytest
from tests.contract.test_seeds import seed
from tests.e2e.talk import Talk
from tests.fakes import behaviour as act
from tests.fakes.langfuse import Langfuse
from tests.fakes.upstream import Upstream
from tests.processes import Gateway, run_python

POEM = [{"role": "user", "content": "this is a test request, write a short poem"}]


pytestmark = pytest.mark.usefixtures("port_4000")


@pytest.fixture
def up():
    with Upstream() as upstream:
        yield upstream


def deployments(up: Upstream, *names: str) -> str:
    listed = [
        {"model_name": name, "litellm_params": {"model": f"openai/{name}", "api_base": up.base, "api_key": "sk-server"}}
        for name in names
    ]
    return f"model_list: {json.dumps(listed)}\n"


def test_metadata_reaches_langfuse(up):
    """It is for logging: Langfuse gets it under its own names, and the upstream nothing of it."""
    config = deployments(up, "gpt-3.5-turbo") + 'litellm_settings: {success_callback: ["langfuse"]}\n'
    with Langfuse() as langfuse:
        env = {
            "LANGFUSE_PUBLIC_KEY": "pk-lf-test", "LANGFUSE_SECRET_KEY": "sk-lf-test", "LANGFUSE_HOST": langfuse.url,
        }  # fmt: skip
        with Gateway(config, port=None, env=env):
            done = run_python(seed("003_metadata.py"))
        observations = langfuse.observations  # told before the gateway ended
    assert (done.returncode, done.stderr) == (0, "")
    assert "content='Hello from upstream.'" in done.stdout
    (seen,) = up.requests
    assert seen.json == {"model": "gpt-3.5-turbo", "messages": POEM}
    (generation,) = [each for each in observations if each["type"] == "generation"]
    assert generation.name == "ishaan-generation-openai-client"
    told = json.dumps(generation.attributes)
    for given in ("openai-client-gen-id22", "openai-client-trace-id22", "openai-client-user-id2"):
        assert given in told


def test_the_answer_has_the_printed_shape(up):
    """Field for field; but for `_response_ms`, which is in the header x-litellm-response-duration-ms."""
    printed = json.loads(seed("003_metadata_response.json"))
    with Gateway(deployments(up, "gpt-3.5-turbo"), port=None) as gateway:
        answer = Talk(gateway).chat(messages=POEM, model="gpt-3.5-turbo")
    body = json.loads(answer.body)
    assert printed.keys() - body.keys() == {"_response_ms"}
    assert printed["choices"][0].keys() <= body["choices"][0].keys()
    assert printed["usage"].keys() <= body["usage"].keys()
    assert float(answer.headers["x-litellm-response-duration-ms"]) > 0


def test_one_request_for_two_models(up):
    """A list, in the order of the names, each answer with its group's name."""
    with Gateway(deployments(up, "llama3", "gpt-3.5-turbo"), port=None):
        done = run_python(seed("003_batch.py"))
    assert (done.returncode, done.stderr) == (0, "")
    printed = done.stdout
    assert printed.startswith("[")
    assert 0 < printed.index("gpt-3.5-turbo") < printed.index("llama3")
    assert printed.count("Hello from upstream.") == 2
    assert sorted(seen.fields["model"] for seen in up.requests) == ["gpt-3.5-turbo", "llama3"]


def test_a_users_own_configuration(up):
    """The user's Azure, at the deployment's URL, with the user's key and version; nothing of it is the server's."""
    server = {"OPENAI_API_KEY": "sk-of-the-server", "AZURE_API_KEY": "azure-key-of-the-server"}
    user = {
        "AZURE_API_KEY": "azure-key-of-the-user", "AZURE_API_VERSION": "2024-06-01", "AZURE_API_BASE": up.url,
        "OPENAI_API_KEY": "sk-of-the-user",
    }  # fmt: skip
    config = deployments(up, "other") + "general_settings: {client_side_hosts: ['127.0.0.1']}\n"
    with Gateway(config, port=None, env=server):
        done = run_python(seed("003_user_config.py") + "\n" + seed("003_user_config_call.py"), env=user)
    assert (done.returncode, done.stderr) == (0, "")
    assert "content='Hello from upstream.'" in done.stdout
    assert "model='user-azure-instance'" in done.stdout
    (seen,) = up.requests
    assert seen.path == "/openai/deployments/chatgpt-v-2/chat/completions"
    assert seen.query == "api-version=2024-06-01"
    assert seen.headers["api-key"] == "azure-key-of-the-user"
    assert "authorization" not in seen.headers
    assert seen.fields["messages"] == POEM
    assert "user_config" not in seen.fields


def test_a_users_own_key(up):
    """It goes to the model set on the proxy, in place of the server's; and a bad one is the user's own affair."""
    up.default = act.error(401, "Incorrect API key provided: my-bad-key")
    with Gateway(deployments(up, "gpt-3.5-turbo"), port=None):
        done = run_python(seed("003_api_key.py"))
    assert done.returncode == 1
    assert "openai.AuthenticationError: Error code: 401" in done.stderr
    assert "my-bad-key" not in done.stderr
    (seen,) = up.requests
    assert seen.headers["authorization"] == "Bearer my-bad-key"


def test_a_users_own_place(up):
    """`my-azure-base` stands for a URL; as it is printed, the answer says so, and nobody hears of the key."""
    with Gateway(deployments(up, "gpt-3.5-turbo"), port=None):
        done = run_python(seed("003_litellm_params.py"))
    assert done.returncode == 1
    assert "openai.BadRequestError: Error code: 400" in done.stderr
    assert "api_base must be a full URL" in done.stderr
    assert up.requests == []


def test_a_users_own_place_with_a_url(up):
    """The same, with an address in the place of the placeholder, for a model that the proxy serves by Azure."""
    config = (
        '{"model_name": "gpt-3.5-turbo", "litellm_params": {"model": "azure/chatgpt-v-2", '
        '"api_base": "http://127.0.0.1:1", "api_key": "sk-server"}}'
    )
    hosts = "general_settings: {client_side_hosts: ['127.0.0.1']}\n"
    with Gateway(f"model_list: [{config}]\n{hosts}", port=None):
        done = run_python(seed("003_litellm_params.py").replace("my-azure-base", up.url))
    assert (done.returncode, done.stderr) == (0, "")
    (seen,) = up.requests
    assert seen.path == "/openai/deployments/chatgpt-v-2/chat/completions"
    assert seen.query == "api-version=my-azure-version"
    assert seen.headers["api-key"] == "my-azure-key"
