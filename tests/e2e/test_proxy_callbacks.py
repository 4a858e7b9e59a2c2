"""O14, O15, F5 behind the gateway: callbacks of the configuration, from its lists to the end of the process."""

import contextlib
import json
import threading

import openai
import pytest
from tests.e2e.talk import HI, KEY, Talk, deployment
from tests.fakes import behaviour as act
from tests.fakes.langfuse import Langfuse
from tests.processes import Gateway, run_command

# Writes a line for all that it is told, so that what a process has been told can be read when it has ended.
CALLBACKS = """
import asyncio
import json
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import UserAPIKeyAuth


def write(who, kwargs, response):
    log = kwargs.get("standard_logging_object") or {}
    line = {"who": who, "call": kwargs["litellm_call_id"], "event": kwargs["log_event_type"], "model": kwargs["model"],
            "said": kwargs["messages"], "metadata": kwargs["litellm_params"]["metadata"], "text": None, "log": log,
            "everything": repr(kwargs) + repr(response)}
    if getattr(response, "choices", None):
        line["text"] = response.choices[0].message.content
    with open("told.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line, default=repr) + "\\n")


def function(kwargs, response, start, end):
    write("function", kwargs, response)


async def async_function(kwargs, response, start, end):
    write("async_function", kwargs, response)


def before(kwargs):
    write("before", kwargs, None)


class Logger(CustomLogger):
    def log_success_event(self, kwargs, response, start, end):
        write("sync", kwargs, response)

    async def async_log_success_event(self, kwargs, response, start, end):
        write("logger", kwargs, response)

    async def async_log_failure_event(self, kwargs, response, start, end):
        write("logger", kwargs, response)


class Quiet(CustomLogger):
    async def async_log_success_event(self, kwargs, response, start, end):
        write("quiet", kwargs, response)


class Broken(CustomLogger):
    async def async_log_success_event(self, kwargs, response, start, end):
        raise RuntimeError("a broken callback")


class Hanging(CustomLogger):
    async def async_log_success_event(self, kwargs, response, start, end):
        await asyncio.Event().wait()


async def auth(request, api_key):
    return UserAPIKeyAuth(api_key=api_key, user_id="ada", team_id="blue")


logger, quiet, broken, hanging = Logger(), Quiet(message_logging=False), Broken(), Hanging()
text, number = "a text", 7
"""

MODELS = ("m", "n")


@pytest.fixture
def told(tmp_path):
    """What callbacks have written, when the gateway has ended."""
    (tmp_path / "my_callbacks.py").write_text(CALLBACKS, encoding="utf-8")

    def read():
        file = tmp_path / "told.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []

    return read


def config(up, settings, **general):
    models = "".join(deployment(name, up, api_key="canary.of.the.upstream") for name in MODELS)
    return (
        f"model_list:\n{models}litellm_settings: {json.dumps({'num_retries': 0, **settings})}\n"
        f"general_settings: {json.dumps({'master_key': KEY, **general})}\n"
    )


@pytest.fixture
def gateway(up, tmp_path, told):
    """gateway(settings, …) is a process with these litellm_settings."""

    @contextlib.contextmanager
    def start(settings, *, env=None, workers=1, **general):
        args = ["--host", "127.0.0.1", "--num_workers", str(workers)]
        with Gateway(config(up, settings, **general), args=args, cwd=tmp_path, env=env) as server:
            yield server

    return start


# --- who is told of what --------------------------------------------------------------------------------------------------


def test_the_lists(gateway, up, told):
    """Functions, async functions and loggers, each in the list that it is in."""
    settings = {
        "callbacks": "my_callbacks.logger",
        "success_callback": ["my_callbacks.function"],
        "failure_callback": ["my_callbacks.async_function"],
        "input_callback": ["my_callbacks.before"],
    }
    with gateway(settings) as server:
        talk = Talk(server)
        assert talk.chat(headers={"x-litellm-call-id": "fine"}).status == 200
        up.next(act.error(404))
        assert talk.chat(headers={"x-litellm-call-id": "bad"}).status == 404
        assert talk.chat(headers={"x-litellm-call-id": "stream"}, stream=True).status == 200
    assert sorted((line["call"], line["who"], line["event"]) for line in told()) == [
        ("bad", "async_function", "failed_api_call"),
        ("bad", "before", "pre_api_call"),
        ("bad", "logger", "failed_api_call"),
        ("fine", "before", "pre_api_call"),
        ("fine", "function", "successful_api_call"),
        ("fine", "logger", "successful_api_call"),
        ("stream", "before", "pre_api_call"),
        ("stream", "function", "successful_api_call"),
        ("stream", "logger", "successful_api_call"),
    ]
    assert {line["text"] for line in told() if line["event"] == "successful_api_call"} == {"Hello from upstream."}


def test_a_function_among_loggers(gateway, up, told):
    """In `callbacks` it is told of what succeeds and of what fails."""
    with gateway({"callbacks": ["my_callbacks.function"]}) as server:
        up.next(act.error(404))
        assert Talk(server).chat().status == 404
        assert Talk(server).chat().status == 200
    assert sorted(line["event"] for line in told()) == ["failed_api_call", "successful_api_call"]


def test_what_the_gateway_adds(gateway, told):
    """Who called, from where, and for which group; F5: without a key."""
    with gateway({"callbacks": ["my_callbacks.logger"]}, custom_auth="my_callbacks.auth") as server:
        answer = Talk(server, "key-of-ada").chat(
            metadata={"colour": "blue"}, tags=["one"], headers={"x-team": "a", "x-litellm-call-id": "call-7"}
        )
        assert answer.status == 200
    (line,) = told()
    metadata, log = line["metadata"], line["log"]
    assert metadata["colour"] == "blue"
    assert (metadata["user_api_key_user_id"], metadata["user_api_key_team_id"]) == ("ada", "blue")
    assert len(metadata["user_api_key_hash"]) == 64
    assert (line["call"], log["model_group"], log["request_tags"]) == ("call-7", "m", ["one"])
    assert log["model_id"] == answer.headers["x-litellm-model-id"]
    assert "key-of-ada" not in line["everything"]
    assert "'x-team': 'a'" in line["everything"]


def test_tags_of_a_header(gateway, told):
    """The body's own go before it."""
    header = {"x-litellm-tags": "one, two,,"}
    with gateway({"callbacks": ["my_callbacks.logger"]}) as server:
        assert Talk(server).chat(headers=header).status == 200
        assert Talk(server).chat(headers=header, tags=["three"]).status == 200
    assert sorted(line["log"]["request_tags"] for line in told()) == [["one", "two"], ["three"]]


def test_words_that_are_not_to_be_told(gateway, told):
    """O14: by the setting, the logger's own wish, or the client's header."""
    with gateway({"callbacks": ["my_callbacks.logger", "my_callbacks.quiet"]}) as server:
        assert Talk(server).chat(messages=[{"role": "user", "content": "canary words"}]).status == 200
        header = {"x-litellm-enable-message-redaction": "true"}
        assert Talk(server).chat(messages=[{"role": "user", "content": "canary words"}], headers=header).status == 200
    seen = sorted((line["who"], "canary words" in line["everything"]) for line in told())
    assert seen == [("logger", False), ("logger", True), ("quiet", False), ("quiet", False)]


def test_turned_off_for_all(gateway, told):
    with gateway({"callbacks": ["my_callbacks.logger"], "turn_off_message_logging": True}) as server:
        assert Talk(server).chat(messages=[{"role": "user", "content": "canary words"}]).status == 200
    (line,) = told()
    assert "canary words" not in line["everything"]
    assert "Hello from upstream." not in line["everything"]
    assert line["log"]["total_tokens"] == 13


def test_a_broken_callback(gateway, told):
    """Harms neither the call nor the other callbacks; the log has a line."""
    with gateway({"callbacks": ["my_callbacks.broken", "my_callbacks.logger"]}) as server:
        assert Talk(server).chat().status == 200
    assert [line["who"] for line in told()] == ["logger"]
    assert "a broken callback" in server.stderr


# --- the end of the process -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_whatever_was_answered_is_told_before_the_end(gateway, up, told, workers):
    """O15: SIGTERM under load. Not one call is lost, and the exit code is 0."""
    answered, stop = [], threading.Event()
    up.default = act.answer(delay=0.005)

    def ask(server, number):
        for turn in range(10_000):
            call = f"{number}-{turn}"
            try:
                answer = Talk(server).chat(headers={"x-litellm-call-id": call}, stream=bool(turn % 2))
            except OSError:
                return
            if answer.status == 200:
                answered.append(call)
            if stop.is_set():
                return

    with gateway({"callbacks": ["my_callbacks.logger"]}, workers=workers) as server:
        clients = [threading.Thread(target=ask, args=(server, number)) for number in range(4)]
        for client in clients:
            client.start()
        up.wait_for(lambda: len(answered) >= 40, timeout=20)
        server.signal()
        assert server.wait(20) == 0
        stop.set()
        for client in clients:
            client.join(10)
    calls = [line["call"] for line in told() if line["event"] == "successful_api_call"]
    assert set(answered) <= set(calls)
    assert len(calls) == len(set(calls))


def test_a_request_that_is_cut_off_is_told_too(gateway, up, told):
    """O15: as a failure, when the time to finish is over."""
    up.default = act.hang()
    with (
        gateway({"callbacks": ["my_callbacks.logger"]}, graceful_shutdown_seconds=0) as server,
        Talk(server).dial() as sock,
    ):
        sock.sendall(Talk(server).request_bytes())
        up.wait_for(lambda: up.requests)
        assert server.stop() == 0
    (line,) = told()
    assert (line["event"], line["log"]["error_information"]["error_code"]) == ("failed_api_call", "499")


def test_a_callback_that_never_ends(gateway, told):
    """O15: does not keep the process alive; the log says that not all was told."""
    with gateway({"callbacks": ["my_callbacks.hanging", "my_callbacks.logger"]}) as server:
        assert Talk(server).chat().status == 200
        assert server.stop(30) == 0
    assert "callbacks were not told of all calls" in server.stderr
    assert [line["who"] for line in told()] == ["logger"]


# --- secrets --------------------------------------------------------------------------------------------------------------


def test_no_secret_gets_to_anybody(gateway, up, told):
    """F5: the upstream's key, the master key, the client's own and Langfuse's, in whatever goes well or wrong."""
    secrets = {
        "LANGFUSE_PUBLIC_KEY": "canary.of.langfuse.public",
        "LANGFUSE_SECRET_KEY": "canary.of.langfuse.secret",
        "CLIENT": "canary.of.the.client",
    }
    bodies = []
    with Langfuse(secrets["LANGFUSE_PUBLIC_KEY"], secrets["LANGFUSE_SECRET_KEY"]) as langfuse:
        env = {**secrets, "LANGFUSE_HOST": langfuse.url}
        settings = {"callbacks": ["my_callbacks.logger", "langfuse"], "success_callback": ["my_callbacks.broken"]}
        with gateway(settings, env=env, custom_auth="my_callbacks.auth") as server:
            talk = Talk(server, secrets["CLIENT"])
            for behaviour in (act.answer(), act.error(401), act.error(500), act.hang_up(), act.bad_json()):
                for stream in (False, True):
                    up.next(behaviour)
                    bodies.append(talk.chat(stream=stream, user="canary user").body)
            bodies.append(talk.chat(api_key="canary.of.the.client.side").body)
        sent = repr(langfuse.observations)  # which are there, so the keys were right
    lines = [line["everything"] for line in told()]
    assert len(lines) == len(langfuse.observations) == 11
    assert sum("canary user" in line for line in lines) == 10
    seen = "".join([sent, *lines, server.stderr, server.stdout]) + b"".join(bodies).decode()
    for secret in (*secrets.values(), "canary.of.the.upstream", "canary.of.the.client.side", KEY):
        assert secret not in seen
    assert up.requests[0].headers["authorization"] == "Bearer canary.of.the.upstream"


# --- Langfuse -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_langfuse(gateway, up, workers):
    """Seed 003: `metadata` in extra_body names the generation, the trace and its user."""
    with Langfuse() as langfuse:
        env = {
            "LANGFUSE_PUBLIC_KEY": "pk-lf-test",
            "LANGFUSE_SECRET_KEY": "sk-lf-test",
            "LANGFUSE_HOST": langfuse.url,
        }
        with gateway({"success_callback": ["langfuse"]}, env=env, workers=workers) as server:
            client = openai.OpenAI(api_key=KEY, base_url=server.url)
            response = client.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "this is a test request, write a short poem"}],
                extra_body={
                    "metadata": {
                        "generation_name": "ishaan-generation-openai-client",
                        "generation_id": "openai-client-gen-id22",
                        "trace_id": "openai-client-trace-id22",
                        "trace_user_id": "openai-client-user-id2",
                    }
                },
            )
            client.close()
        assert response.choices[0].message.content == "Hello from upstream."
        (seen,) = langfuse.observations
    assert seen.name == "ishaan-generation-openai-client"
    assert seen["user.id"] == "openai-client-user-id2"
    assert "openai-client-trace-id22" in json.dumps(seen.attributes)
    assert "openai-client-gen-id22" in json.dumps(seen.attributes)
    assert seen.json("usage_details") == {"input": 9, "output": 4, "total": 13}
    assert "metadata" not in up.requests[0].fields


def test_langfuse_without_keys(up, tmp_path):
    """Told at the start, in one line."""
    (tmp_path / "config.yaml").write_text(config(up, {"callbacks": ["langfuse"]}), encoding="utf-8")
    ended = run_command("--config", "config.yaml", "--port", "0", cwd=tmp_path)
    assert ended.returncode == 1
    assert "litellm_settings.callbacks: langfuse needs LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY" in ended.stderr
    assert "Traceback" not in ended.stderr


# --- the configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"callbacks": ["langfus"]},
            "no callback of that name; write file.object for one of your own (did you mean langfuse?)",
        ),
        ({"success_callback": ["s3"]}, "no callback of that name"),
        ({"callbacks": ["nowhere.logger"]}, "nowhere.py not found beside the config file"),
        ({"callbacks": ["my_callbacks.loger"]}, "has no attribute loger (did you mean logger?)"),
        ({"callbacks": ["my_callbacks.Logger"]}, "Logger is a class; name an instance of it"),
        (
            {"failure_callback": ["my_callbacks.number"]},
            "not a callback: name a function, or an instance of a CustomLogger",
        ),
        ({"input_callback": ["my_callbacks.text"]}, "not a callback"),
        ({"callbacks": [7]}, "Input should be a valid string"),
        ({"turn_off_message_logging": "maybe"}, "Input should be a valid boolean"),
    ],
)
def test_what_is_wrong_with_a_configuration(up, tmp_path, told, settings, words):
    (tmp_path / "config.yaml").write_text(config(up, settings), encoding="utf-8")
    ended = run_command("check", "config.yaml", cwd=tmp_path)
    assert ended.returncode == 1
    assert words in ended.stdout + ended.stderr
    assert f"litellm_settings.{next(iter(settings))}" in ended.stdout + ended.stderr


def test_several_models_in_one_request(gateway, up, told):
    """Each is told once, though they share a request."""
    up.models["n"] = act.error(404)
    with gateway({"callbacks": ["my_callbacks.logger"]}) as server:
        assert Talk(server).chat(model="m,n", messages=HI, headers={"x-litellm-call-id": "both"}).status == 200
    assert sorted((line["call"], line["event"]) for line in told()) == [
        ("both-0", "successful_api_call"),
        ("both-1", "failed_api_call"),
    ]
