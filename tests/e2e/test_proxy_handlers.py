"""S8: `custom_provider_map`: a Python file beside the config serves models, sync or async, whole or streamed. What
it does wrong is told with its line at the start, and by its status afterwards."""

import threading
import time

import pytest
from tests.e2e.talk import KEY, Talk
from tests.processes import Gateway, run_command

HANDLERS = """
import asyncio, threading, time
from litellm import CustomLLM, CustomLLMError
import neighbour  # another file beside the config

EVENTS = []


def chunk(text, finished=False):
    return {"text": text, "is_finished": finished, "finish_reason": "stop" if finished else None, "index": 0,
            "tool_use": None, "usage": None}


class Sync(CustomLLM):
    def completion(self, *, model, messages, model_response, litellm_params, optional_params, **kwargs):
        text = messages[-1]["content"]
        if text == "sleep":
            time.sleep(0.6)
        if text.startswith("fail "):
            raise CustomLLMError(status_code=int(text[5:]), message="canary of the handler")
        if text == "bug":
            raise KeyError("canary of a bug")
        if text == "nonsense":
            return 42
        if text == "params":
            chosen = optional_params["temperature"], optional_params["top_k"]
            text = f"{litellm_params['colour']} {chosen} {litellm_params['metadata']}"
        model_response.choices[0].message.content = f"{neighbour.GREETING} {model}: {text}"
        return model_response

    def streaming(self, *, messages, **kwargs):
        if messages[-1]["content"].startswith("fail "):
            raise CustomLLMError(status_code=int(messages[-1]["content"][5:]), message="canary of the handler")
        for word in "one ", "two ", "three":
            yield chunk(word)
            if messages[-1]["content"] == "break":
                raise CustomLLMError(status_code=503, message="canary in mid-stream")
        yield chunk("", finished=True)


class Async(CustomLLM):
    async def acompletion(self, *, model, messages, model_response, **kwargs):
        if messages[-1]["content"] == "sleep":
            await asyncio.sleep(0.6)
        if messages[-1]["content"] == "block":
            time.sleep(0.6)  # which it should not, and people do
        if messages[-1]["content"] == "events":
            model_response.choices[0].message.content = repr(EVENTS)
            return model_response
        model_response.choices[0].message.content = f"async {model}"
        return model_response

    async def astreaming(self, *, messages, **kwargs):
        try:
            for number in range(3 if messages[-1]["content"] != "endless" else 10**9):
                yield chunk(f"a{number} ")
                await asyncio.sleep(0.02)
            yield chunk("", finished=True)
        except (asyncio.CancelledError, GeneratorExit) as left:
            EVENTS.append(type(left).__name__)
            raise


sync, asynchronous = Sync(), Async()
"""

CONFIG = f"""
model_list:
  - model_name: s
    litellm_params: {{model: my-sync/model-s, colour: green}}
  - model_name: a
    litellm_params: {{model: my-async/model-a}}
  - model_name: flaky
    litellm_params: {{model: my-sync/model-f}}
litellm_settings:
  custom_provider_map:
    - {{provider: my-sync, custom_handler: handlers.sync}}
    - {{provider: my-async, custom_handler: handlers.asynchronous}}
  fallbacks: [{{flaky: [a]}}]
router_settings: {{num_retries: 0}}
general_settings: {{master_key: {KEY}}}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handlers")
    (folder / "handlers.py").write_text(HANDLERS)
    (folder / "neighbour.py").write_text("GREETING = 'hello from'\n")
    with Gateway(CONFIG, args=["--host", "127.0.0.1"], cwd=folder) as server:
        yield server


@pytest.fixture
def talk(gateway):
    return Talk(gateway)


def say(text):
    return {"messages": [{"role": "user", "content": text}]}


def test_whole(talk):
    answer = talk.chat(model="s", **say("hi"))
    assert answer.text == "hello from model-s: hi"
    assert answer.json()["model"] == "s", "decision 5"
    assert answer.json()["choices"][0]["finish_reason"] == "stop"
    assert talk.chat(model="a").text == "async model-a"


def test_streamed(talk):
    """Chunks of OpenAI's shape, the role first, the end last."""
    for model, text in (("s", "one two three"), ("a", "a0 a1 a2 ")):
        events = talk.chat(model=model, stream=True).events
        assert "".join(event["choices"][0]["delta"].get("content") or "" for event in events) == text
        assert events[0]["choices"][0]["delta"]["role"] == "assistant"
        assert [event["choices"][0]["finish_reason"] for event in events] == [None] * (len(events) - 1) + ["stop"]
        assert {event["model"] for event in events} == {model}
        assert len({event["id"] for event in events}) == 1
        assert {event["object"] for event in events} == {"chat.completion.chunk"}


def test_what_a_handler_is_given(talk):
    """Every key of the deployment's YAML, the request's parameters, and its metadata."""
    text = talk.chat(model="s", temperature=0.5, top_k=3, metadata={"who": "me"}, **say("params")).text
    assert text == "hello from model-s: green (0.5, 3) {'who': 'me'}"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 422, 429, 500, 503])
def test_its_status_is_the_answers(talk, status, stream):
    """The status that it raised, and its words."""
    answer = talk.chat(model="s", stream=stream, **say(f"fail {status}"))
    assert answer.status == status
    assert "canary of the handler" in answer.error["message"]


@pytest.mark.parametrize("text", ["bug", "nonsense"])
def test_its_bugs_are_not_ours(gateway, talk, text):
    """G3: a 500 that says whose it is, without a traceback in the answer."""
    answer = talk.chat(model="s", **say(text))
    assert answer.status == 500
    message = answer.error["message"]
    assert "My-sync" in message or "Sync" in message
    assert ("KeyError" in message) == (text == "bug")


def test_a_stream_that_breaks(talk):
    """S4: what was said stands; then the error, in the stream."""
    *chunks, error = talk.chat(model="s", stream=True, **say("break")).events
    assert chunks[0]["choices"][0]["delta"]["content"] == "one "
    assert "canary in mid-stream" in error["error"]["message"]
    assert error["error"]["code"] == "503"


@pytest.mark.parametrize("stream", [False, True])
def test_it_falls_back(talk, stream):
    """From a handler to another one."""
    answer = talk.chat(model="flaky", stream=stream, **say("fail 503"))
    assert answer.status == 200
    assert answer.headers["x-litellm-model-group"] == "a"


@pytest.mark.parametrize(("model", "text"), [("s", "sleep"), ("a", "sleep"), ("a", "block")])
def test_it_blocks_nobody(talk, model, text):
    """P3: while one sleeps, on purpose or by mistake, others are served."""
    slow = threading.Thread(target=talk.chat, kwargs={"model": model, **say(text)})
    slow.start()
    time.sleep(0.1)
    started = time.monotonic()
    assert talk.get("/health/liveliness").status == 200
    assert talk.chat(model="s").status == 200
    assert time.monotonic() - started < 0.4
    slow.join()


def test_it_learns_that_its_client_has_gone(talk):
    """S8: an async generator is closed where it stands."""
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes(model="a", stream=True, **say("endless")))
        assert sock.recv(1000)
    end = time.monotonic() + 2
    while (events := talk.chat(model="a", **say("events")).text) == "[]":
        assert time.monotonic() < end, "the generator was never closed"
        time.sleep(0.02)
    assert events in ("['CancelledError']", "['GeneratorExit']")


# --- files that cannot be used -------------------------------------------------------------------------------------------

FAULTY = {
    "a syntax error": ("x = 1\ny = = 2\n", "handlers.py:2: SyntaxError"),
    "an import that fails": ("import os\nimport no_such_module_here\n", "handlers.py:2: ModuleNotFoundError"),
    "an exception": ("def f():\n    1 / 0\nf()\n", "handlers.py:2: ZeroDivisionError"),
    "it exits": ("raise SystemExit('canary')\n", "handlers.py:1: SystemExit"),
}


@pytest.mark.parametrize(("text", "said"), FAULTY.values(), ids=FAULTY)
def test_a_file_that_cannot_be_used(tmp_path, text, said):
    """O1: told at the start, with the config's line and the file's own; nothing is served."""
    (tmp_path / "handlers.py").write_text(text)
    file = tmp_path / "config.yaml"
    file.write_text(
        "model_list: []\nlitellm_settings:\n  custom_provider_map:\n"
        "    - {provider: mine, custom_handler: handlers.handler}\n"
    )
    ended = run_command("--config", str(file), "--port", "0", cwd=tmp_path)
    assert ended.returncode == 1
    place = f"{file}:4: litellm_settings.custom_provider_map.0.custom_handler: "
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith(place)]
    assert said in line
    assert "Traceback" not in ended.stderr
