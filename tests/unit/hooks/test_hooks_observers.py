"""From lists of callbacks to who is told what, over the real dispatcher."""

import copy
import threading
from datetime import datetime
from pathlib import Path

import pytest
from tests.unit.hooks.records import answer, record

import litellm
from litellm.exceptions import BadRequestError
from litellm.hooks.logger import NOT_CALLED, CustomLogger
from litellm.hooks.observers import BUILT_IN, Callbacks
from litellm.types.hooks import CallRecord


class Everything(CustomLogger):
    """Notes which of its methods are called."""

    def __init__(self):
        super().__init__()
        self.called = []

    def log_pre_api_call(self, model, messages, kwargs):
        self.called.append(("log_pre_api_call", model, kwargs["log_event_type"]))

    async def async_log_pre_api_call(self, model, messages, kwargs):
        self.called.append(("async_log_pre_api_call", model, kwargs["log_event_type"]))

    def log_post_api_call(self, kwargs, response_obj, start_time, end_time):
        self.called.append(("log_post_api_call",))

    def log_stream_event(self, kwargs, response_obj, start_time, end_time):
        self.called.append(("log_stream_event", response_obj))

    async def async_log_stream_event(self, kwargs, response_obj, start_time, end_time):
        self.called.append(("async_log_stream_event", response_obj))

    def log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.called.append(("log_success_event", response_obj.choices[0].message.content))

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.called.append(("async_log_success_event", response_obj.choices[0].message.content))

    def log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self.called.append(("log_failure_event", response_obj, str(kwargs["exception"])))

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self.called.append(("async_log_failure_event", response_obj, str(kwargs["exception"])))


def emit_all(observers, *events, **fields):
    for event in events:
        kept = {"error": ValueError("no"), "response": None, "status": "failure"} if event == "failure" else {}
        chunk = {"n": 1} if event == "stream" else None
        observers.emit(event, record(**{**kept, **fields}), chunk)


@pytest.mark.parametrize("is_async", [False, True])
def test_which_methods_are_called(callbacks, dispatcher, is_async):
    """In LiteLLM's order: each once, the async ones for async calls."""
    logger, prefix = Everything(), "async_" if is_async else ""
    observers = callbacks.snapshot(callbacks=[logger])
    emit_all(observers, "input", "stream", "success", "failure", is_async=is_async)
    assert dispatcher.flush(10)
    assert logger.called == [
        ("log_pre_api_call", "gpt-x", "pre_api_call"),
        *([("async_log_pre_api_call", "gpt-x", "pre_api_call")] if is_async else []),
        (f"{prefix}log_stream_event", {"n": 1}),
        ("log_post_api_call",),
        (f"{prefix}log_success_event", "Good morning"),
        (f"{prefix}log_failure_event", None, "no"),
    ]


@pytest.mark.parametrize("is_async", [False, True])
def test_functions(callbacks, dispatcher, is_async):
    """Told with LiteLLM's arguments; functions that must be awaited only of async calls, and none of chunks."""
    told = []

    def plain(*args):
        told.append(("plain", *args))

    async def awaited(*args):
        told.append(("awaited", *args))

    lists = {name: [plain, awaited] for name in ("input_callback", "success_callback", "failure_callback")}
    observers = callbacks.snapshot(**lists)
    assert not observers.per_chunk
    emit_all(observers, "input", "success", "failure", is_async=is_async)
    assert dispatcher.flush(10)
    for name in ("plain", "awaited") if is_async else ("plain",):
        before, success, failure = [args for who, *args in told if who == name]
        assert [type(arg) for arg in before] == [dict]
        assert [type(arg).__name__ for arg in success] == ["dict", "ModelResponse", "datetime", "datetime"]
        assert success[3] - success[2] == datetime.fromtimestamp(2.5) - datetime.fromtimestamp(0)
        assert failure[1] is None
        assert str(failure[0]["exception"]) == "no"
    assert len(told) == (6 if is_async else 3)


@pytest.mark.parametrize(
    ("where", "events"),
    [("input_callback", {"input"}), ("success_callback", {"success"}), ("failure_callback", {"failure"}),
     ("callbacks", {"success", "failure"})],
)  # fmt: skip
def test_which_list_means_which_event(callbacks, dispatcher, where, events):
    told = []
    observers = callbacks.snapshot(**{where: [lambda kwargs, *_: told.append(kwargs["log_event_type"])]})
    emit_all(observers, "input", "stream", "success", "failure")
    assert dispatcher.flush(10)
    names = {"pre_api_call": "input", "successful_api_call": "success", "failed_api_call": "failure"}
    assert {names[event] for event in told} == events
    assert len(told) == len(events)


def test_listed_everywhere_told_once(callbacks, dispatcher):
    """O14: exactly once."""
    logger = Everything()
    observers = callbacks.snapshot(
        callbacks=[logger, logger], success_callback=[logger], failure_callback=[logger], input_callback=[logger]
    )
    emit_all(observers, "success")
    assert dispatcher.flush(10)
    assert [name for name, *_ in logger.called] == ["log_post_api_call", "log_success_event"]


def test_any_object_with_the_methods(callbacks, dispatcher):
    class Duck:
        told = ()

        def log_success_event(self, kwargs, response_obj, start_time, end_time):
            self.told += (response_obj.id,)

    duck = Duck()
    emit_all(callbacks.snapshot(callbacks=[duck]), "input", "success", "failure")
    assert dispatcher.flush(10)
    assert duck.told == ("chatcmpl-1",)


def test_nobody(callbacks):
    """O14: nothing configured costs nothing; a logger that overrides nothing is never handed over to the thread."""
    assert callbacks.snapshot() is None
    before = threading.active_count()
    observers = callbacks.snapshot(callbacks=[CustomLogger()])
    emit_all(observers, "input", "success", "failure")
    assert not observers.per_chunk
    assert threading.active_count() == before


@pytest.mark.parametrize("no_log", [True, "true", 1])
def test_no_log(callbacks, dispatcher, no_log):
    logger = Everything()
    emit_all(callbacks.snapshot(callbacks=[logger]), "input", "success", "failure", params={"no-log": no_log})
    assert dispatcher.flush(10)
    assert logger.called == []


def test_snapshots_follow_the_lists(callbacks):
    """The lists are the user's, who changes them in place."""
    first, second, listed = Everything(), Everything(), []
    seen = []
    for change in (lambda: listed.append(first), lambda: listed.append(second), lambda: listed.remove(first)):
        change()
        seen.append(callbacks.snapshot(callbacks=listed))
        assert callbacks.snapshot(callbacks=list(listed)) is seen[-1]
    assert len({id(snapshot) for snapshot in seen}) == 3
    assert callbacks.snapshot(callbacks=listed, turn_off_message_logging=True) is not seen[-1]
    assert callbacks.snapshot(success_callback=listed) is not seen[-1]


def test_snapshots_are_bounded(callbacks):
    """Callbacks made per call must not pile up."""
    for _ in range(1000):
        callbacks.snapshot(success_callback=[lambda *_: None])
    assert len(callbacks._snapshots) <= 64


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("langsmithh", "there is no callback named 'langsmithh'; the known ones: langfuse"),
        (3, "not int"),
        (Everything, "pass Everything()"),
    ],
)
def test_what_is_no_callback(callbacks, wrong, words):
    with pytest.raises(BadRequestError) as error:
        callbacks.snapshot(success_callback=[wrong])
    assert words in str(error.value)


@pytest.mark.parametrize("where", ["input_callback", "success_callback", "failure_callback", "callbacks"])
def test_a_name_alone_is_one_item(callbacks, where):
    with pytest.raises(BadRequestError, match="there is no callback named 'langsmithh'"):
        callbacks.snapshot(**{where: "langsmithh"})


def test_builtins_exist():
    """Every row of the table names something that is there."""
    import importlib

    for place in BUILT_IN.values():
        module, _, factory = place.partition(":")
        assert callable(getattr(importlib.import_module(module), factory))


def test_kwargs_are_the_same_dict_at_each_event_of_a_call(callbacks, dispatcher):
    """Sentry keeps its span in it. Every callback has its own, and every call."""
    seen = {}

    def before(kwargs):
        kwargs["span"] = f"span of {kwargs['litellm_call_id']}"

    class Watcher(CustomLogger):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def log_pre_api_call(self, model, messages, kwargs):
            kwargs["mine"] = self.name

        def log_success_event(self, kwargs, response_obj, start_time, end_time):
            seen[self.name, kwargs["litellm_call_id"]] = (
                kwargs.get("mine"),
                "span" in kwargs,
                kwargs["log_event_type"],
            )

    observers = callbacks.snapshot(callbacks=[Watcher("a"), Watcher("b")], input_callback=[before])
    for call in ("1", "2"):
        emit_all(observers, "input", "success", id=call)
    assert dispatcher.flush(10)
    assert seen == {(name, call): (name, False, "successful_api_call") for name in "ab" for call in "12"}


def test_memory_of_calls_that_never_end_is_bounded(callbacks, dispatcher, monkeypatch):
    """G2: streams that nobody reads to their end."""
    monkeypatch.setattr("litellm.hooks.observers.OPEN_CALLS", 5)
    observers = callbacks.snapshot(input_callback=[lambda kwargs: None])
    for call in range(100):
        emit_all(observers, "input", id=str(call))
    assert dispatcher.flush(10)
    assert len(callbacks.memory) == 5
    monkeypatch.setattr("litellm.hooks.observers.OPEN_BYTES", 50)
    for call in range(100):
        emit_all(observers, "input", id=str(call), size=20)
    assert dispatcher.flush(10)
    assert len(callbacks.memory) == 2


def test_callbacks_cannot_touch_what_is_the_callers(callbacks, dispatcher):
    """G2: they are given copies, and each a dict of its own."""
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}], "stop": ["x"]}
    metadata = {"tags": ["a"], "nested": {"b": [1]}}
    response = answer()
    before = copy.deepcopy((body, metadata, response))
    done = []

    def vandal(kwargs, response_obj, *_):
        kwargs["messages"][0]["content"][0]["text"] = "spoilt"
        kwargs["optional_params"]["stop"].append("spoilt")
        kwargs["litellm_params"]["metadata"]["nested"]["b"].append("spoilt")
        kwargs["standard_logging_object"].clear()
        response_obj.choices[0].message.content = "spoilt"
        kwargs.clear()
        done.append(1)

    def other(kwargs, *_):
        done.append(kwargs["model"])

    emit_all(
        callbacks.snapshot(success_callback=[vandal, other]), "success", body=body, metadata=metadata, response=response
    )
    assert dispatcher.flush(10)
    assert sorted(map(str, done)) == ["1", "gpt-x"]
    assert (body, metadata, response) == before


@pytest.mark.parametrize("is_async", [False, True])
def test_a_logging_hook_alters_what_all_are_told(callbacks, dispatcher, is_async):
    """Guardrails mask what is logged. One that fails leaves it as it was."""

    class Masks(CustomLogger):
        def logging_hook(self, kwargs, result, call_type):
            assert call_type == "completion"
            return {**kwargs, "messages": "masked"}, result

        async def async_logging_hook(self, kwargs, result, call_type):
            assert call_type == "acompletion"
            return {**kwargs, "messages": "masked"}, result

    class Fails(CustomLogger):
        def logging_hook(self, kwargs, result, call_type):
            raise ValueError

        async_logging_hook = logging_hook

    told = []
    observers = callbacks.snapshot(
        callbacks=[Masks(), Fails()], success_callback=[lambda kwargs, *_: told.append(kwargs["messages"])]
    )
    emit_all(observers, "success", is_async=is_async)
    assert dispatcher.flush(10)
    assert told == ["masked"]


def test_a_record_that_cannot_be_told_harms_nobody(callbacks, dispatcher, caplog):
    """O14: the thread lives on."""
    told = []
    observers = callbacks.snapshot(success_callback=[lambda kwargs, *_: told.append(kwargs["litellm_call_id"])])
    emit_all(observers, "success", id="bad", body=None)
    emit_all(observers, "success", id="good")
    assert dispatcher.flush(10)
    assert told == ["good"]
    assert len(caplog.records) == 1


def test_answers_are_read_in_the_background(callbacks, dispatcher):
    """The engine may leave it to us, and an upstream's nonsense harms nobody."""
    told = []
    observers = callbacks.snapshot(success_callback=[lambda kwargs, response, *_: told.append(response.id)])
    emit_all(observers, "success", response=answer)
    assert dispatcher.flush(10)
    assert told == ["chatcmpl-1"]


@pytest.mark.parametrize("redacted", [False, True])
def test_an_answer_that_cannot_be_read(callbacks, dispatcher, redacted):
    """S8: an upstream's nonsense has cost something all the same."""
    told = []
    observers = callbacks.snapshot(
        success_callback=[lambda kwargs, response, *_: told.append((response, kwargs["response_cost"]))],
        turn_off_message_logging=redacted,
    )
    emit_all(observers, "success", response=lambda: 1 / 0)
    assert dispatcher.flush(10)
    assert told == [(None, 0.25)]


def test_a_cancelled_call_is_a_failure(callbacks, dispatcher):
    """Those who count failures by their exception find one."""
    told = []
    observers = callbacks.snapshot(failure_callback=[lambda *args: told.append(args)])
    observers.emit("failure", record(status="cancelled", error=None))
    assert dispatcher.flush(10)
    ((kwargs, response, *_),) = told
    assert response is None
    assert kwargs["exception"].status_code == 499
    assert kwargs["standard_logging_object"]["status"] == "failure"


def test_records_show_no_words():
    """F5: they end up in logs by accident."""
    assert "Hello" not in repr(record())
    assert isinstance(record(), CallRecord)


def test_two_clients_have_nothing_in_common(dispatcher):
    """G2: callbacks belong to an object."""
    mine, yours = Callbacks(dispatcher), Callbacks(dispatcher)
    assert mine.snapshot(success_callback=[print]) is not yours.snapshot(success_callback=[print])


class Waiting(CustomLogger):
    """Waits for what does not come."""

    async def async_post_mcp_tool_call_hook(self, kwargs, response_obj, start_time, end_time):
        raise AssertionError

    def get_chat_completion_prompt(self, *_, **__):
        raise AssertionError


def test_methods_that_are_not_called(callbacks, caplog):
    """G3: the log says once for each method, however many loggers of the class there are."""
    for logger in (CustomLogger(), Waiting(), Waiting(), Everything()):
        callbacks.snapshot(callbacks=[logger])
    waiting = f"{Waiting.__module__}.Waiting"
    assert caplog.messages == [
        f"{waiting}.{name} is not called by this release"
        for name in ("get_chat_completion_prompt", "async_post_mcp_tool_call_hook")
    ]


def test_the_methods_that_are_not_called_are_listed():
    """As many as stand nowhere but in the class; calling one means taking it from the list."""
    source = Path(litellm.__file__).parent
    code = "".join(path.read_text(encoding="utf-8") for path in source.rglob("*.py") if path.name != "logger.py")
    methods = [name for name in vars(CustomLogger) if not name.startswith("__")]
    assert {name for name in methods if f'"{name}"' not in code} == set(NOT_CALLED)
    for name in NOT_CALLED:
        assert "Not called by this release" in getattr(CustomLogger, name).__doc__
