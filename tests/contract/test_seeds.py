"""The seeds run as they are printed: host, port and keys included (decision 1).

seeds/ holds snippets of the five documents, word for word; only the indentation, which web pages lose, is
restored. Two things in them cannot work as printed, and these tests say what happens instead: a trailing comma is no
JSON, and one YAML snippet is indented so that it is no YAML.

The snippets name http://0.0.0.0:4000, so that port has to be free on the loopback interface.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.fakes import behaviour as act
from tests.fakes.forward_proxy import ForwardProxy
from tests.fakes.tls import ServerTLS
from tests.fakes.upstream import Upstream
from tests.processes import Gateway, run_command, run_python

SEEDS = Path(__file__).parent / "seeds"

# What a reader adds to a snippet that is a fragment: file → (the line before which it is missing, the missing text).
ADDED = {
    # The quick start registers an instance that it never makes. The custom_handler.py below it does, with this line.
    "004_quickstart.py": ("litellm.custom_provider_map = [", "my_custom_llm = MyCustomLLM()\n"),
}

HOW_IS_IT_GOING = [{"role": "user", "content": "Hey, how's it going?"}]
WHAT_LLM = [{"role": "user", "content": "what llm are you"}]


def seed(name: str) -> str:
    text = (SEEDS / name).read_text(encoding="utf-8")
    if name in ADDED:
        before, missing = ADDED[name]
        assert text.count(before) == 1
        text = text.replace(before, missing + before)
    return text


def filled(config: str, *, model: str, api_base: str) -> str:
    """The configuration with its two placeholders replaced, which the page asks its reader to do."""
    assert "<your-model-name>" in config
    assert "<model-api-base>" in config
    return config.replace("<your-model-name>", model).replace("<model-api-base>", api_base)


pytestmark = pytest.mark.usefixtures("port_4000")


@pytest.fixture
def up():
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def curl(tmp_path):
    """Gives a command line to /bin/sh; returns the status and the JSON of the answer."""
    (tmp_path / ".curlrc").write_text(r'write-out = "\n%{http_code}"')  # or the status would stay unknown

    def run(command: str):
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        done = subprocess.run(("/bin/sh", "-c", command), env=env, capture_output=True, encoding="utf-8", timeout=20)
        assert done.returncode == 0, done.stderr
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body)

    return run


# --- seeds 000 and 002: the SDK calls an OpenAI-compatible endpoint -----------------------------------------------------


@pytest.mark.parametrize("name", ["000_completion.py", "002_completion.py"])
def test_completion_calls_an_openai_compatible_endpoint(name):
    with Upstream(port=4000) as up:
        done = run_python(seed(name))
    assert (done.returncode, done.stderr) == (0, "")
    assert "content='Hello from upstream.'" in done.stdout
    assert "model='mistral'" in done.stdout
    (seen,) = up.requests
    assert (seen.method, seen.path) == ("POST", "/chat/completions")  # nothing is put between base and endpoint
    assert seen.headers["authorization"] == "Bearer sk-1234"
    assert seen.json == {"model": "mistral", "messages": HOW_IS_IT_GOING}


@pytest.mark.parametrize("name", ["000_completion.py", "002_completion.py"])
def test_completion_calls_our_own_proxy(name, up):
    config = f"""
        model_list:
        - model_name: mistral
          litellm_params: {{model: openai/mistral-7b-instruct, api_base: "{up.base}", api_key: key-of-the-upstream}}
    """
    with Gateway(config, port=None):
        done = run_python(seed(name))
    assert (done.returncode, done.stderr) == (0, "")
    assert "content='Hello from upstream.'" in done.stdout
    assert "model='mistral'" in done.stdout  # the name that was asked for (decision 5)
    (seen,) = up.requests
    assert seen.headers["authorization"] == "Bearer key-of-the-upstream"  # and not the caller's sk-1234
    assert seen.json == {"model": "mistral-7b-instruct", "messages": HOW_IS_IT_GOING}


# --- seeds 000 and 002: the proxy, called by the openai client and by curl ----------------------------------------------


@pytest.mark.parametrize("seed_id", ["000", "002"])
def test_proxy_answers_the_openai_client(seed_id, up):
    config = filled(seed(f"{seed_id}_config.yaml"), model="qwen3-coder", api_base=up.base)
    with Gateway(config, port=None):
        done = run_python(seed(f"{seed_id}_client.py"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ChatCompletion(id='chatcmpl-fake-1', choices=[Choice(finish_reason='stop'")
    assert "content='Hello from upstream.'" in done.stdout
    assert "model='my-model'" in done.stdout
    (seen,) = up.requests
    assert seen.path == "/v1/chat/completions"
    assert seen.headers["authorization"] == "Bearer api-key"
    assert seen.json == {"model": "qwen3-coder", "messages": WHAT_LLM}


@pytest.mark.parametrize("seed_id", ["000", "002"])
def test_proxy_tells_curl_where_its_json_is_wrong(seed_id, up, curl):
    """Decision 1: the trailing comma is the one thing that does not work as printed."""
    command = seed(f"{seed_id}_curl.sh")
    config = filled(seed(f"{seed_id}_config.yaml"), model="qwen3-coder", api_base=up.base)
    with Gateway(config, port=None):
        assert curl(command) == trailing_comma("line 9 column 1")
        assert up.requests == []
        status, answer = curl(command.replace("],\n}'", "]\n}'"))
    assert status == 200
    assert answer["model"] == "my-model"
    assert answer["choices"][0]["message"]["content"] == "Hello from upstream."
    assert up.requests[0].json == {"model": "qwen3-coder", "messages": WHAT_LLM}


def trailing_comma(where: str):
    message = f"Invalid JSON payload: JSON is malformed: trailing comma in object at {where}"
    about = {"type": "invalid_request_error", "param": "request_body", "code": "400"}
    return 400, {"error": {"message": message, **about}}


@pytest.mark.parametrize("seed_id", ["000", "002"])
def test_system_messages_can_be_disabled(seed_id, up, curl):
    """Also: an empty api_key is none, so no header is sent (decision 3). http://my-custom-base is served locally."""
    ask = """curl http://0.0.0.0:4000/v1/chat/completions -d '{"model": "my-custom-model", "messages": [
        {"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "what llm are you"}]}'"""
    with (
        ForwardProxy(hosts={"my-custom-base:80": f"127.0.0.1:{up.port}"}) as way_out,
        Gateway(seed(f"{seed_id}_no_system_messages.yaml"), port=None, env={"HTTP_PROXY": way_out.url}),
    ):
        status, answer = curl(ask)
    assert (status, answer["model"]) == (200, "my-custom-model")
    (seen,) = up.requests
    assert seen.path == "/chat/completions"
    assert "authorization" not in seen.headers
    assert seen.json == {
        "model": "google/gemma",
        "messages": [{"role": "user", "content": "Answer in one word. what llm are you"}],
    }


def test_yaml_that_is_none_is_refused_with_its_line(tmp_path):
    """Seed 002 prints its last configuration with one space too many in its third line."""
    (tmp_path / "config.yaml").write_text(seed("002_no_system_messages_as_printed.yaml"), encoding="utf-8")
    done = run_command("--config", "config.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("config.yaml:3: not valid YAML: mapping values are not allowed here")


# --- seed 001: a custom API server, named by custom_llm_provider --------------------------------------------------------


def test_custom_api_server(tmp_path):
    """With the real host name, which the proxy of the environment serves locally, and the answer that is printed."""
    host = "openai-proxy.berriai.repl.co"
    tls = ServerTLS(tmp_path, hosts=(host,))
    with (
        Upstream(tls=tls) as up,
        ForwardProxy(hosts={f"{host}:443": f"127.0.0.1:{up.port}"}) as way_out,
    ):
        up.default = act.verbatim(200, seed("001_response.json"), {"content-type": "application/json"})
        env = {"HTTPS_PROXY": way_out.url, "SSL_CERT_FILE": str(tls.ca_file)}
        done = run_python(seed("001_completion.py"), env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"content='The sky, a canvas of blue,\nA work of art, pure and true,\nA'" in done.stdout
    for field in ("id='chatcmpl-7fbd6077-de10-4cb4-a8a4-3ef11a98b7c8'", "created=1699290237.408061", "total_tokens=32"):
        assert field in done.stdout
    assert [(passed.method, passed.address) for passed in way_out.requests] == [("CONNECT", f"{host}:443")]
    (seen,) = up.requests
    assert (seen.path, seen.headers["host"]) == ("/chat/completions", host)
    assert seen.headers["authorization"] == "Bearer anything"
    assert seen.json == {
        "model": "command-nightly",
        "messages": [{"content": "Hello, how are you?", "role": "user"}],
    }


def test_custom_api_server_for_completions(tmp_path):
    """The other snippet: /completions is asked, and what `completion` returns is chat's object with the upstream's id."""
    host = "openai-proxy.berriai.repl.co"
    tls = ServerTLS(tmp_path, hosts=(host,))
    printed = seed("001_text_response.txt").replace("None", "null")  # it is printed as Python
    with (
        Upstream(tls=tls) as up,
        ForwardProxy(hosts={f"{host}:443": f"127.0.0.1:{up.port}"}) as way_out,
    ):
        up.default = act.verbatim(200, printed, {"content-type": "application/json"})
        env = {"HTTPS_PROXY": way_out.url, "SSL_CERT_FILE": str(tls.ca_file)}
        done = run_python(seed("001_text_completion.py"), env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ModelResponse(id='cmpl-8HxHqF5dymQdALmLplS0dWKZVFe3r'")
    for field in ("varies depending on what time", "finish_reason='length'", "total_tokens=23", "warning='This model"):
        assert field in done.stdout
    (seen,) = up.requests
    assert (seen.path, seen.headers["authorization"]) == ("/completions", "Bearer anything")
    assert seen.json == {"model": "command-nightly", "prompt": "Hello, how are you?"}


# --- seeds 000 and 002: embeddings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["000_embedding.py", "002_embedding.py"])
def test_embedding_calls_an_openai_compatible_endpoint(name):
    with Upstream(port=4000) as up:
        done = run_python(seed(name))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("EmbeddingResponse(model='GPT-J', data=[Embedding(embedding=[0.0, 0.5, 0.5, 0.5]")
    (seen,) = up.requests
    assert (seen.path, seen.headers["authorization"]) == ("/embeddings", "Bearer sk-1234")
    assert seen.json == {"model": "GPT-J", "input": ["good morning from litellm"]}


# --- seed 003: embeddings and moderations of the proxy, by the openai client --------------------------------------------


def test_embeddings_of_the_proxy(up):
    config = f"""
        model_list:
        - model_name: text-embedding-ada-002
          litellm_params: {{model: openai/ada, api_base: "{up.base}", api_key: key-of-the-upstream}}
    """
    with Gateway(config, port=None):
        done = run_python(seed("003_embeddings.py"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("CreateEmbeddingResponse(data=[Embedding(embedding=[0.0, 0.5, 0.5, 0.5]")
    assert "model='text-embedding-ada-002'" in done.stdout
    (seen,) = up.requests
    assert seen.headers["authorization"] == "Bearer key-of-the-upstream"
    assert seen.json == {"model": "ada", "input": ["hello from litellm"], "encoding_format": "base64"}


def test_moderations_of_the_proxy(up):
    """With the printed answer."""
    up.default = act.verbatim(200, seed("003_moderations_response.json"), {"content-type": "application/json"})
    config = f"""
        model_list:
        - model_name: text-moderation-stable
          litellm_params: {{model: openai/text-moderation-007, api_base: "{up.base}", api_key: key-of-the-upstream}}
    """
    with Gateway(config, port=None):
        done = run_python(seed("003_moderations.py"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ModerationCreateResponse(id='modr-8sFEN22QCziALOfWTa77TodNLgHwA'")
    assert "harassment=1.9947197870351374e-05" in done.stdout
    assert "flagged=False" in done.stdout
    (seen,) = up.requests
    assert seen.path == "/v1/moderations"
    assert seen.json == {"model": "text-moderation-007", "input": "hello from litellm"}


# --- seed 004: a handler of one's own -----------------------------------------------------------------------------------


def test_custom_handler_quick_start():
    done = run_python(seed("004_quickstart.py"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    wrong = run_python(seed("004_quickstart.py").replace('content == "Hi!"', 'content == "Hello!"'))
    assert "AssertionError" in wrong.stderr  # or the assertion in the snippet proved nothing


def test_custom_handler_behind_the_proxy(tmp_path, curl):
    """No key is given for the deployment test-model, and none is needed until somebody asks for it."""
    (tmp_path / "custom_handler.py").write_text(seed("004_custom_handler.py"), encoding="utf-8")
    command = seed("004_curl.sh")
    with Gateway(seed("004_config.yaml"), port=None, cwd=tmp_path):
        assert curl(command) == trailing_comma("line 4 column 1")
        status, answer = curl(command.replace("],\n}'", "]\n}'"))
        refused, _ = curl(command.replace("],\n}'", "]\n}'").replace("my-custom-model", "test-model"))
    assert status == 200
    printed = json.loads(seed("004_response.json"))
    # `model` is the name that was asked for (decision 5); fields that are null are left out.
    del printed["system_fingerprint"], printed["choices"][0]["message"]["tool_calls"]
    del printed["choices"][0]["message"]["function_call"]
    assert answer["id"].startswith("chatcmpl-")
    assert answer == {**printed, "id": answer["id"], "created": answer["created"], "model": "my-custom-model"}
    assert refused == 401  # decision 3: the official base needs a key, and nothing is sent without


def test_custom_handler_spec():
    """The printed base class can be subclassed and registered as it is; what it does not implement is a 500."""
    ask_it = """
import asyncio
import litellm

class OnlySync(CustomLLM):
    def completion(self, *args, **kwargs) -> ModelResponse:
        return ModelResponse(choices=[{"message": {"role": "assistant", "content": kwargs["messages"][0]["content"]}}])

litellm.custom_provider_map = [
    {"provider": "spec", "custom_handler": CustomLLM()},
    {"provider": "mine", "custom_handler": OnlySync()},
]
hello = [{"role": "user", "content": "Hello"}]
print(litellm.completion("mine/x", hello).choices[0].message.content)
for stream in (False, True):
    for ask in (litellm.completion, lambda *args, **more: asyncio.run(litellm.acompletion(*args, **more))):
        try:
            ask("spec/x", hello, stream=stream, num_retries=0)
        except litellm.InternalServerError as error:
            print(error.status_code, error.llm_provider, error.message)
"""
    done = run_python(seed("004_spec.py") + ask_it)
    assert (done.returncode, done.stderr) == (0, "")
    said = "500 spec litellm.InternalServerError: SpecException - Not implemented yet!"
    assert done.stdout.splitlines() == ["Hello", said, said, said, said]
