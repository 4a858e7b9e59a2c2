"""O14: loggers are told what came of fallbacks, and that a group had nothing left, once, before a call's end."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.suite.doors import HI, KEY
from tests.suite.inprocess import ServedProxy, deployment
from tests.suite.watching import ByAsyncSdk, ByProxy, BySdk, FallbackRecorder

import litellm
from litellm.hooks.dispatch import default_dispatcher
from litellm.integrations.custom_logger import CustomLogger

SECRET = "the words that nobody is to read"
STREAMED = [("chat", False), ("chat", True), ("text", False), ("text", True), ("embeddings", False)]


@pytest.fixture(scope="module")
def watched(house, tmp_path_factory):
    """A proxy whose callback is the recorder in `watched.recorder`. Its group "full" takes one request per minute."""
    folder = tmp_path_factory.mktemp("watched")
    text = "from tests.suite.watching import FallbackRecorder\nrecorder = FallbackRecorder()\n"
    (folder / "my_fallback_recorder.py").write_text(text, encoding="utf-8")
    place = {"api_base": house.up.base, "api_key": KEY}
    config = {
        "model_list": [deployment("*", "openai/*", **place), deployment("full", "openai/full", rpm=1, **place)],
        "litellm_settings": {"callbacks": ["my_fallback_recorder.recorder"], "num_retries": 0},
    }
    with ServedProxy(config, folder=folder) as proxy:
        proxy.recorder = sys.modules["my_fallback_recorder"].recorder
        yield proxy


@pytest.fixture
def recorder(up, monkeypatch):
    made = FallbackRecorder()
    monkeypatch.setattr(litellm, "callbacks", [made])
    return made


@pytest.fixture(params=["sdk", "asdk", "proxy"])
def asker(request, up, watched, recorder):
    """Each door in turn, and `asker.recorder` hears of the calls."""
    made = {"sdk": BySdk, "asdk": ByAsyncSdk}[request.param](up.base) if request.param != "proxy" else ByProxy(watched)
    made.recorder = recorder if request.param != "proxy" else watched.recorder
    made.recorder.clear()
    return made


def router_of(up, *names: str, full: str = "", **settings: Any) -> litellm.Router:
    """One deployment for each name; that of `full` takes one request per minute."""
    entries = [
        deployment(name, f"openai/{name}-x", api_base=up.base, api_key=KEY, **({"rpm": 1} if name == full else {}))
        for name in names
    ]
    return litellm.Router(model_list=entries, num_retries=0, **settings)


def ask(router: litellm.Router, model: str, is_async: bool, **params: Any) -> Any:
    if is_async:
        return asyncio.run(router.acompletion(model, HI, **params))
    return router.completion(model, HI, **params)


# --- fallbacks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "stream"), STREAMED)
def test_a_fallback_that_answers(asker, up, kind, stream):
    """With where it went, why, and what the call's other events have of it."""
    up.models["bad"] = act.error(404, "no such thing")
    words = {"stream": True} if stream else {}
    asker.ask(kind, model=asker.model("bad"), fallbacks=[asker.model("good")], metadata={"colour": "blue"}, **words)
    assert asker.recorder.kinds == ["success_fallback", "success"]
    turn, end = asker.recorder.events
    assert turn.group == asker.model("bad")
    assert isinstance(turn.error, litellm.NotFoundError)
    assert "no such thing" in str(turn.error)
    assert "standard_logging_object" not in turn.kwargs
    for name in ("model", "messages", "litellm_call_id", "call_type", "stream", "custom_llm_provider", "api_base"):
        assert turn.kwargs[name] == end.kwargs[name], name
    assert turn.kwargs["model"] == "good"
    assert turn.metadata["colour"] == "blue"
    assert "exception" not in {**turn.kwargs, **end.kwargs}


@pytest.mark.parametrize("stream", [False, True])
def test_fallbacks_that_fail_too(asker, up, stream):
    """Told of all of them together, with the first error; the failure has the last."""
    up.models.update(bad=act.error(404), worse=act.error(401), worst=act.error(403))
    others = [asker.model(name) for name in ("worse", "worst")]
    with pytest.raises((litellm.PermissionDeniedError, RuntimeError)):
        asker.ask("chat", model=asker.model("bad"), fallbacks=others, num_retries=0, stream=stream)
    assert asker.recorder.kinds == ["failure_fallback", "failure"]
    turn, end = asker.recorder.events
    assert (turn.group, type(turn.error)) == (asker.model("bad"), litellm.NotFoundError)
    assert isinstance(end.kwargs["exception"], litellm.PermissionDeniedError)
    assert turn.kwargs["model"] == end.kwargs["model"] == "worst"


def test_a_fallback_whose_stream_breaks(asker, up):
    """It has answered, and then the call has failed."""
    up.models.update(bad=act.error(404), good=act.cut(3))
    try:
        asker.ask("chat", model=asker.model("bad"), fallbacks=[asker.model("good")], num_retries=0, stream=True)
    except litellm.APIConnectionError:
        assert asker.name != "proxy"
    assert asker.recorder.kinds == ["success_fallback", "failure"]
    assert isinstance(asker.recorder.events[-1].kwargs["exception"], litellm.APIConnectionError)


@pytest.mark.parametrize("words", [{}, {"fallbacks": []}, {"fallbacks": ["unheard-of/m"]}])
def test_no_fallback(recorder, up, words):
    """None is needed, or there is none; one that cannot be asked counts as one that failed, as it does in the error."""
    BySdk(up.base).ask("chat", **words)
    assert recorder.kinds == ["success"]
    up.default = act.error(404)
    with pytest.raises(litellm.NotFoundError) as caught:
        BySdk(up.base).ask("chat", num_retries=0, **words)
    turns = ["failure_fallback"] if words.get("fallbacks") else []
    assert recorder.kinds == ["success", *turns, "failure"]
    assert ("all fallbacks failed too" in str(caught.value)) is bool(turns)


@pytest.mark.parametrize("is_async", [False, True])
def test_of_several_in_a_row(up, recorder, is_async):
    """One event for a call, however many fallbacks it took, each with its own; retries are none."""
    up.models.update({"a-x": act.error(500), "b-x": act.error(404)})
    router = router_of(up, "a", "b", "c", fallbacks=[{"a": ["b"]}, {"b": ["c"]}])
    ask(router, "a", is_async, num_retries=1)
    assert recorder.kinds == ["success_fallback", "success"]
    turn, end = recorder.events
    assert (turn.group, type(turn.error)) == ("a", litellm.InternalServerError)
    assert turn.metadata["model_group"] == end.metadata["model_group"] == "c"
    assert end.log["hidden_params"]["attempted_fallbacks"] == 2


def test_an_answer_that_a_filter_has_cut_off(up, recorder):
    """Its fallbacks are fallbacks."""
    up.models["a-x"] = act.answer("half", finish_reason="content_filter")
    router = router_of(up, "a", "b", content_policy_fallbacks=[{"a": ["b"]}])
    router.completion("a", HI)
    turn, _ = recorder.events
    assert (turn.kind, type(turn.error)) == ("success_fallback", litellm.ContentPolicyViolationError)


# --- exhausted groups -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
def test_a_group_at_its_limit(up, recorder, is_async):
    router = router_of(up, "m", full="m")
    ask(router, "m", is_async)
    recorder.clear()
    with pytest.raises(litellm.RateLimitError):
        ask(router, "m", is_async)
    assert recorder.kinds == ["exhausted", "failure"]
    turn, end = recorder.events
    assert (turn.group, turn.metadata["model_group"]) == ("m", "m")
    assert isinstance(turn.error, litellm.exceptions.RouterRateLimitError)
    assert turn.error is end.kwargs["exception"]


def test_a_group_at_rest(up, recorder):
    up.default = act.error(429, retry_after=30)
    entries = [deployment("m", f"openai/{name}", api_base=up.base, api_key=KEY) for name in "ab"]
    router = litellm.Router(model_list=entries, num_retries=0, allowed_fails=0)
    for kinds in (["failure"], ["failure"], ["exhausted", "failure"]):
        recorder.clear()
        with pytest.raises(litellm.RateLimitError):
            router.completion("m", HI)
        assert recorder.kinds == kinds
    assert len(up.requests) == 2


@pytest.mark.parametrize("is_async", [False, True])
def test_an_exhausted_group_with_a_fallback(up, recorder, is_async):
    """Told whatever comes of it."""
    router = router_of(up, "m", "n", full="m", fallbacks=[{"m": ["n"]}])
    ask(router, "m", is_async)
    recorder.clear()
    ask(router, "m", is_async)
    assert recorder.kinds == ["exhausted", "success_fallback", "success"]
    exhausted, turn, _ = recorder.events
    assert exhausted.error is turn.error
    assert (exhausted.group, exhausted.metadata["model_group"]) == (turn.group, "m") == ("m", "m")
    assert turn.metadata["model_group"] == "n"


def test_a_fallback_that_is_exhausted(up, recorder):
    """Its group is told by the exception."""
    up.models["bad-x"] = act.error(404)
    router = router_of(up, "bad", "m", full="m", fallbacks=[{"bad": ["m"]}])
    router.completion("m", HI)
    recorder.clear()
    with pytest.raises(litellm.RateLimitError):
        router.completion("bad", HI)
    assert recorder.kinds == ["exhausted", "failure_fallback", "failure"]
    exhausted, turn, _ = recorder.events
    assert (exhausted.group, exhausted.error.model) == ("bad", "m")
    assert (turn.group, type(turn.error)) == ("bad", litellm.NotFoundError)


def test_at_the_gateway(watched, up):
    watched.recorder.clear()
    gateway = ByProxy(watched)
    gateway.ask("chat", model="full")
    watched.recorder.clear()
    with pytest.raises(RuntimeError, match="No deployments available"):
        gateway.ask("chat", model="full")
    assert watched.recorder.kinds == ["exhausted", "failure"]
    watched.recorder.clear()
    gateway.ask("chat", model="full", fallbacks=["m"])
    assert watched.recorder.kinds == ["exhausted", "success_fallback", "success"]
    assert [event.group for event in watched.recorder.events[:2]] == ["full", "full"]


# --- who is told, and what is not -----------------------------------------------------------------------------------------


def test_no_log(asker, up):
    up.models["bad"] = act.error(404)
    asker.ask("chat", model=asker.model("bad"), fallbacks=[asker.model("good")], **{"no-log": True})
    assert asker.recorder.kinds == []


@pytest.mark.parametrize("by", ["call", "setting", "logger"])
def test_redacted(up, monkeypatch, by):
    """O14: neither what was asked nor the errors' texts, which may quote it; and the failure of a group at its limit."""
    recorder = FallbackRecorder(message_logging=by != "logger")
    monkeypatch.setattr(litellm, "callbacks", [recorder])
    monkeypatch.setattr(litellm, "turn_off_message_logging", by == "setting")
    words = {"metadata": {"turn_off_message_logging": True}} if by == "call" else {}
    up.models["bad-x"] = act.error(404, f"cannot answer {SECRET}")
    router = router_of(up, "bad", "good", "full", full="full", fallbacks=[{"bad": ["full", "good"]}])
    said = [{"role": "user", "content": SECRET}]
    router.completion("full", said, **words)
    recorder.clear()
    router.completion("bad", said, **words)
    assert recorder.kinds == ["exhausted", "success_fallback", "success"]
    turn = recorder.events[1]
    with pytest.raises(litellm.RateLimitError):
        router.completion("full", said, **words)
    assert recorder.kinds[3:] == ["exhausted", "failure"]
    assert SECRET not in repr([(event.kwargs, getattr(event, "error", None)) for event in recorder.events])
    assert isinstance(turn.error, litellm.NotFoundError)
    assert turn.kwargs["messages"] == [{"role": "user", "content": "redacted-by-litellm"}]


def test_functions_and_other_lists_are_not_told(up, monkeypatch):
    """A function would take it for the end of the call."""
    told: list[str] = []
    others = FallbackRecorder()
    monkeypatch.setattr(litellm, "callbacks", [lambda kwargs, *_: told.append(kwargs["log_event_type"])])
    monkeypatch.setattr(litellm, "success_callback", [others])
    monkeypatch.setattr(litellm, "failure_callback", [others])
    up.models["bad"] = act.error(404)
    BySdk(up.base).ask("chat", model="openai/bad", fallbacks=["openai/good"])
    assert others.kinds == ["success"]
    assert told == ["successful_api_call"]


class Span:
    """Not a CustomLogger; it has one of the methods, and what it begins with is there at the end."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def log_pre_api_call(self, model, messages, kwargs):
        kwargs["span"] = [1]

    async def log_success_fallback_event(self, original_model_group, kwargs, original_exception):
        kwargs["span"].append(2)

    def log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.told.append(kwargs["span"])


def test_kwargs_are_those_of_the_call(up, monkeypatch):
    span = Span()
    monkeypatch.setattr(litellm, "callbacks", [span])
    up.models["bad"] = act.error(404)
    BySdk(up.base).ask("chat", model="openai/bad", fallbacks=["openai/good"])
    assert default_dispatcher().flush(10)
    assert span.told == [[1, 2]]


class Failing(CustomLogger):
    async def log_success_fallback_event(self, original_model_group, kwargs, original_exception):
        raise ValueError("a logger's own trouble")


def test_a_logger_that_fails(up, monkeypatch, recorder):
    """The call and the other loggers go on."""
    monkeypatch.setattr(litellm, "callbacks", [Failing(), recorder])
    up.models["bad"] = act.error(404)
    assert BySdk(up.base).ask("chat", model="openai/bad", fallbacks=["openai/good"]).choices
    assert recorder.kinds == ["success_fallback", "success"]


def test_errors_are_not_kept(up, recorder):
    """P5: what was told goes when its last holder does, without the collector."""
    up.models["bad"] = act.error(404)
    assert BySdk(up.base).ask("chat", model="openai/bad", fallbacks=["openai/good"]).choices
    (error,) = [weakref.ref(event.error) for event in recorder.events if event.kind == "success_fallback"]
    gc.disable()
    try:
        recorder.clear()
        assert error() is None
    finally:
        gc.enable()
