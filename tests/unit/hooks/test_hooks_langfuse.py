"""The callback "langfuse" with its real packages, against a local fake of Langfuse's ingestion."""

import sys

import pytest
from tests.fakes.langfuse import Langfuse
from tests.processes import run_python
from tests.unit.hooks.records import record

import litellm
from litellm.hooks.builtin.langfuse import LangfuseLogger, observation_id, trace_id
from litellm.hooks.observers import Callbacks

pytest.importorskip("langfuse")


@pytest.fixture
def langfuse():
    with Langfuse() as server:
        yield server


@pytest.fixture
def observers(langfuse, callbacks, monkeypatch):
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-lf-test")
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-lf-test")
    monkeypatch.setenv("LANGFUSE_HOST", langfuse.url)
    return callbacks.snapshot(success_callback=["langfuse"], failure_callback=["langfuse"])


def told(langfuse, dispatcher, observers, event, **fields):
    observers.emit(event, record(**fields))
    assert dispatcher.flush(10)
    (observation,) = langfuse.observations
    return observation


@pytest.mark.parametrize("is_async", [False, True])
def test_a_success(langfuse, dispatcher, observers, is_async):
    """flush() has sent it."""
    seen = told(langfuse, dispatcher, observers, "success", is_async=is_async, stream=True, first_chunk=1_700_000_001.0)
    assert seen.name == ("litellm-acompletion" if is_async else "litellm-completion")
    assert (seen.start, seen.end) == (1_700_000_000.0, 1_700_000_002.5)
    assert seen["type"] == "generation"
    assert seen["model.name"] == "gpt-x"
    assert seen.json("input") == [{"role": "user", "content": "Hello"}]
    assert seen.json("output") == {"role": "assistant", "content": "Good morning"}
    assert seen.json("usage_details") == {"input": 3, "output": 4, "total": 7}
    assert seen.json("cost_details") == {"total": 0.25}
    assert seen.json("model.parameters")["temperature"] == 0.5
    assert seen["level"] == "DEFAULT"
    assert seen["completion_start_time"].startswith("2023-11-14T")
    assert seen["user.id"] == "ada"
    assert seen["metadata.litellm_call_id"] == "call-1"
    assert seen.parent_id is None


def test_a_failure(langfuse, dispatcher, observers):
    error = litellm.exceptions.RateLimitError("slow down", llm_provider="openai", model="gpt-x")
    seen = told(langfuse, dispatcher, observers, "failure", error=error, response=None, status="failure")
    assert seen["level"] == "ERROR"
    assert "slow down" in seen["status_message"]
    assert seen["output"] is None


def test_metadata(langfuse, dispatcher, observers):
    """Seed 003: LiteLLM's words. Ids that are no OpenTelemetry ids are digested, and stay findable."""
    metadata = {
        "generation_name": "ishaan-generation",
        "generation_id": "openai-client-gen-id22",
        "trace_id": "openai-client-trace-id22",
        "trace_user_id": "openai-client-user-id2",
        "trace_name": "a trace",
        "session_id": "a session",
        "tags": ["one", "two"],
        "trace_metadata": {"branch": "main"},
        "parent_observation_id": "parent",
        "version": "v2",
        "colour": {"of": "mine"},
    }
    seen = told(langfuse, dispatcher, observers, "success", metadata=metadata)
    assert seen.name == "ishaan-generation"
    assert seen.trace_id == trace_id("openai-client-trace-id22")
    assert seen.id == observation_id("openai-client-gen-id22")
    assert seen.parent_id == observation_id("parent")
    assert seen["metadata.trace_id"] == "openai-client-trace-id22"
    assert seen["metadata.generation_id"] == "openai-client-gen-id22"
    assert seen["user.id"] == "openai-client-user-id2"
    assert seen["session.id"] == "a session"
    assert seen["langfuse.trace.name"] == "a trace"
    assert seen["langfuse.trace.tags"] == ["one", "two"]
    assert seen["langfuse.trace.metadata.branch"] == "main"
    assert seen["langfuse.version"] == "v2"
    assert seen["metadata.colour"] == '{"of":"mine"}'


def test_an_existing_trace_is_not_written_over(langfuse, dispatcher, observers):
    metadata = {"existing_trace_id": "0123456789abcdef0123456789abcdef", "trace_name": "new", "session_id": "new"}
    seen = told(langfuse, dispatcher, observers, "success", metadata=metadata)
    assert seen.trace_id == "0123456789abcdef0123456789abcdef"
    assert (seen["langfuse.trace.name"], seen["session.id"]) == (None, None)


def test_masked(langfuse, dispatcher, observers):
    seen = told(langfuse, dispatcher, observers, "success", metadata={"mask_input": True, "mask_output": True})
    assert (seen["input"], seen["output"]) == ("redacted-by-litellm",) * 2


@pytest.mark.parametrize("event", ["success", "failure"])
def test_redacted(langfuse, dispatcher, observers, event):
    """O14: no sink sees what was said."""
    fields = {
        "params": {"turn_off_message_logging": True},
        "body": {"messages": [{"role": "user", "content": "canary"}]},
    }
    if event == "failure":
        fields |= {"error": ValueError("canary"), "response": None, "status": "failure"}
    told(langfuse, dispatcher, observers, event, **fields)
    assert b"canary" not in b"".join(request.body for request in langfuse.requests)


def test_calls_of_a_session_are_traces_of_their_own(langfuse, dispatcher, observers):
    for call in ("1", "2"):
        observers.emit("success", record(id=call, params={"litellm_session_id": "s"}))
    assert dispatcher.flush(10)
    assert {seen["session.id"] for seen in langfuse.observations} == {"s"}
    assert len({seen.trace_id for seen in langfuse.observations}) == 2


@pytest.mark.parametrize("name", ["0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789ABCDEF"])
def test_trace_ids_that_are_some_already(name):
    assert trace_id(name) == "0123456789abcdef0123456789abcdef"


def test_keys_are_needed(callbacks, monkeypatch):
    monkeypatch.delenv("LANGFUSE_PUBLIC_KEY", raising=False)
    with pytest.raises(ValueError, match="LANGFUSE_PUBLIC_KEY"):
        callbacks.snapshot(success_callback=["langfuse"])


def test_a_call_does_not_fail_for_keys(dispatcher, monkeypatch, caplog):
    """O14: who is lenient leaves it out, says so once, and tells the others."""
    monkeypatch.delenv("LANGFUSE_PUBLIC_KEY", raising=False)
    callbacks, told = Callbacks(dispatcher, lenient=True), []
    for items in (["langfuse"], ["langfuse", lambda kwargs, *_: told.append(kwargs["model"])], "langfuse"):
        callbacks.snapshot(success_callback=items).emit("success", record())
    assert dispatcher.flush(10)
    assert told == ["gpt-x"]
    (line,) = [entry for entry in caplog.records if entry.levelname == "WARNING"]
    assert line.getMessage().startswith("the callback langfuse is left out: langfuse needs LANGFUSE_PUBLIC_KEY")


def test_the_package_is_needed(callbacks, monkeypatch):
    monkeypatch.setitem(sys.modules, "langfuse", None)
    with pytest.raises(ImportError, match=r"pip install 'litellm\[langfuse\]'"):
        LangfuseLogger("pk", "sk", "http://127.0.0.1:1")


def test_sent_at_exit(langfuse):
    """O15: a script that ends at once, with no word about it."""
    done = run_python(
        """
from litellm.hooks.dispatch import default_dispatcher
from litellm.hooks.observers import Callbacks
from litellm.types.hooks import CallRecord
call = CallRecord(id="1", operation="chat", is_async=False, model="m", stream=False, metadata={}, params={}, status="success",
                  body={"messages": []}, started=1.0, ended=2.0)
callbacks = Callbacks(default_dispatcher())
callbacks.snapshot(success_callback=[lambda *_: None]).emit("success", call)
callbacks.snapshot(success_callback=["langfuse"]).emit("success", call)
""",
        env={"LANGFUSE_PUBLIC_KEY": "pk-lf-test", "LANGFUSE_SECRET_KEY": "sk-lf-test", "LANGFUSE_HOST": langfuse.url},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(langfuse.observations) == 1
