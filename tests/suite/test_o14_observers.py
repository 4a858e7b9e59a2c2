"""O14: every logger is told of every call once, of a copy of its own, while nobody waits for it."""

from __future__ import annotations

import asyncio
import copy
import json
import sys
import threading
import time

import pytest
from tests.fakes import behaviour as act
from tests.suite.doors import KEY, request
from tests.suite.inprocess import ServedProxy, deployment
from tests.suite.watching import KINDS, ByAsyncSdk, ByProxy, BySdk, Recorder

import litellm
from litellm.engine.client import Client
from litellm.engine.drivers import run
from litellm.engine.watchers import Watchers
from litellm.hooks.dispatch import Dispatcher, default_dispatcher
from litellm.hooks.observers import Callbacks
from litellm.sdk._call import make_call

STREAMED = ("chat", "text")
METADATA = {"colour": "blue", "nested": {"list": [1, 2]}}


@pytest.fixture(scope="module")
def watched(house, tmp_path_factory):
    """A proxy whose callback is the Recorder in `watched.recorder`."""
    folder = tmp_path_factory.mktemp("watched")
    text = "from tests.suite.watching import Recorder\nrecorder = Recorder()\n"
    (folder / "my_recorder.py").write_text(text, encoding="utf-8")
    config = {
        "model_list": [deployment("*", "openai/*", api_base=house.up.base, api_key=KEY)],
        "litellm_settings": {"callbacks": ["my_recorder.recorder"], "num_retries": 0},
    }
    with ServedProxy(config, folder=folder) as proxy:
        proxy.recorder = sys.modules["my_recorder"].recorder
        yield proxy


@pytest.fixture(params=["sdk", "asdk", "proxy"])
def asker(request, house, up, watched, monkeypatch):
    """Each door in turn, and `asker.recorder` hears of the calls."""
    if request.param == "proxy":
        made = ByProxy(watched)
        made.recorder = watched.recorder
        made.recorder.clear()
    else:
        made = {"sdk": BySdk, "asdk": ByAsyncSdk}[request.param](up.base)
        made.recorder = Recorder()
        monkeypatch.setattr(litellm, "callbacks", [made.recorder])
    return made


class Blocker:
    """Put into a dispatcher, it holds up everything behind it until it is released."""

    def __init__(self):
        self.released = threading.Event()

    def works(self):
        assert self.released.wait(10)
        return ()


@pytest.fixture
def blocker():
    made = Blocker()
    default_dispatcher().put(made)
    yield made
    made.released.set()
    assert default_dispatcher().flush(10)


# --- what is told ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "stream"), [(kind, stream) for kind in KINDS for stream in (False, True) if not stream or kind in STREAMED]
)
def test_success(asker, up, kind, stream):
    before = time.time()
    answer = asker.ask(kind, metadata=METADATA, num_retries=0, **({"stream": True} if stream else {}))
    after = time.time()
    assert answer
    event = asker.recorder.event
    *_, about, model, cost = KINDS[kind]
    usage = (5, 0, 5) if kind == "embeddings" else (9, 4, 13)
    assert event.kind == event.log["status"] == "success"
    assert (event.kwargs["model"], event.log["model"]) == (model, model)
    assert event.kwargs["custom_llm_provider"] == "openai"
    assert event.kwargs["messages"] == next(iter(about.values()))
    assert event.kwargs["stream"] is stream
    assert event.metadata.items() >= METADATA.items()
    assert tuple(event.log[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")) == usage
    assert event.kwargs["response_cost"] == event.log["response_cost"] == pytest.approx(cost)
    assert before <= event.log["startTime"] <= event.log["completionStartTime"] <= event.log["endTime"] <= after
    assert event.start.timestamp() == pytest.approx(event.log["startTime"])
    assert event.end.timestamp() == pytest.approx(event.log["endTime"])
    assert event.log["hidden_params"]["attempted_retries"] == event.log["hidden_params"]["attempted_fallbacks"] == 0
    assert event.response.usage.total_tokens == usage[2]
    if kind != "embeddings":
        choice = event.response.choices[0]
        assert (choice.message.content if kind == "chat" else choice.text) == "Hello from upstream."
    assert [begun.kwargs["litellm_call_id"] for begun in asker.recorder.begun] == [event.kwargs["litellm_call_id"]]
    chunks = [chunk if isinstance(chunk, dict) else chunk.model_dump() for chunk in answer] if stream else []
    assert not any(chunk.get("usage") for chunk in chunks), "nobody asked to see it"
    assert "metadata" not in up.requests[0].fields
    assert "blue" not in up.requests[0].body.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_failure(asker, up, kind):
    up.next(act.error(404, "no such thing"))
    with pytest.raises(Exception, match="no such thing"):
        asker.ask(kind, metadata=METADATA, num_retries=0)
    event = asker.recorder.event
    assert event.kind == event.log["status"] == "failure"
    assert event.response is None
    assert isinstance(event.kwargs["exception"], litellm.NotFoundError)
    assert event.log["error_information"]["error_code"] == "404"
    assert (event.log["model"], event.log["custom_llm_provider"]) == (KINDS[kind][3], "openai")
    assert event.metadata.items() >= METADATA.items()
    assert event.log["response_cost"] is event.kwargs["response_cost"] is None
    assert event.log["api_base"] == up.base
    if asker.name == "proxy":
        assert (event.log["model_group"], event.metadata["deployment"]) == ("*", f"openai/{KINDS[kind][3]}")
        assert event.log["model_id"] == event.metadata["model_info"]["id"] != ""


@pytest.fixture
def recorder(monkeypatch):
    made = Recorder()
    monkeypatch.setattr(litellm, "callbacks", [made])
    return made


def test_a_failure_says_what_failed(up, recorder):
    """The last target that was tried: here a fallback's."""
    up.default = act.error(404)
    entries = [deployment(name, f"openai/{name}-x", api_base=up.base, api_key=KEY) for name in ("m", "n")]
    entries[1]["model_info"] = {"id": "the-second", "tier": 2}
    router = litellm.Router(model_list=entries, fallbacks=[{"m": ["n"]}], num_retries=0)
    mine = {"colour": "blue"}
    with pytest.raises(litellm.NotFoundError):
        router.completion("m", [{"role": "user", "content": "hi"}], metadata=mine)
    event = recorder.event
    assert [event.log[name] for name in ("model_group", "model_id", "api_base", "model", "custom_llm_provider")] == [
        "n", "the-second", up.base, "n-x", "openai",
    ]  # fmt: skip
    info = {"id": "the-second", "tier": 2}
    assert event.metadata == {
        "colour": "blue", "model_group": "n", "deployment": "openai/n-x", "model_info": info, "api_base": up.base,
    }  # fmt: skip
    assert mine == {"colour": "blue"}
    assert all(b"the-second" not in asked.body and b"colour" not in asked.body for asked in up.requests)


def test_a_limit_says_which_group(up, recorder):
    """Nothing was tried: the group that was asked for."""
    router = litellm.Router(
        model_list=[deployment("m", "openai/m", api_base=up.base, api_key=KEY, rpm=1)], num_retries=0
    )
    router.completion("m", [{"role": "user", "content": "hi"}])
    with pytest.raises(litellm.RateLimitError):
        router.completion("m", [{"role": "user", "content": "hi"}])
    _, event = recorder.events
    assert (event.kind, event.log["model_group"], event.log["model_id"]) == ("failure", "m", None)
    assert event.metadata == {"model_group": "m"}
    assert len(up.requests) == 1


@pytest.mark.parametrize("kind", STREAMED)
def test_a_stream_that_breaks(asker, up, kind):
    """Told when it has broken, once, as a failure."""
    up.next(act.cut(3))
    if asker.name == "proxy":
        assert "error" in asker.ask(kind, stream=True, num_retries=0)[-1]
    else:
        with pytest.raises(litellm.APIConnectionError):
            asker.ask(kind, stream=True, num_retries=0)
    event = asker.recorder.event
    assert (event.kind, event.log["status"]) == ("failure", "failure")
    assert isinstance(event.kwargs["exception"], litellm.APIConnectionError)


@pytest.mark.parametrize("kind", STREAMED)
def test_a_caller_that_leaves(asker, up, kind):
    """A call that nobody wants any more has failed: by status 499."""
    up.next(act.stall(after=4))
    asker.leave(kind, metadata=METADATA)
    up.wait_for(lambda: up.requests[0].aborted_at)
    up.wait_for(lambda: asker.recorder.events)
    event = asker.recorder.event
    assert (event.kind, event.log["error_information"]["error_code"]) == ("failure", "499")
    assert event.metadata.items() >= METADATA.items()


def test_a_task_that_is_cancelled(up, monkeypatch):
    """R6: before there is an answer."""
    recorder = Recorder()
    monkeypatch.setattr(litellm, "callbacks", [recorder])
    up.default = act.hang()

    async def main():
        asked = asyncio.create_task(
            litellm.acompletion("openai/m", [{"role": "user", "content": "hi"}], api_base=up.base, api_key=KEY)
        )
        await asyncio.to_thread(up.wait_for, lambda: up.requests)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(main())
    log = recorder.event.log
    assert (log["error_information"]["error_code"], log["api_base"]) == ("499", up.base)


class Handler(litellm.CustomLLM):
    def completion(self, *, model_response, **_):
        model_response.choices[0].message.content = "by hand"
        return model_response

    def streaming(self, **_):
        for text in ("by ", "hand"):
            yield {"text": text, "is_finished": text == "hand", "finish_reason": "stop", "index": 0, "tool_use": None,
                   "usage": None}  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("model", "params"), [("mine/m", {}), ("openai/m", {"mock_response": "by hand"})])
def test_handlers_and_mocks(monkeypatch, model, params, stream):
    """A call that no upstream hears of is told like any other."""
    recorder = Recorder()
    monkeypatch.setattr(litellm, "callbacks", [recorder])
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": Handler()}])
    answer = litellm.completion(model, [{"role": "user", "content": "hi"}], stream=stream, metadata={"a": 1}, **params)
    assert not stream or list(answer)
    event = recorder.event
    assert (event.kind, event.kwargs["model"], event.metadata["a"]) == ("success", "m", 1)
    assert event.response.choices[0].message.content == "by hand"


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_was_retried(asker, up, kind):
    up.next(act.error(503), act.error(503))
    asker.ask(kind, num_retries=2)
    event = asker.recorder.event
    assert (event.kind, event.log["hidden_params"]["attempted_retries"]) == ("success", 2)
    assert len(asker.recorder.begun) == 1


def test_retries_that_did_not_help(asker, up):
    up.default = act.error(503)
    with pytest.raises(Exception, match="503|upstream|InternalServer|ServiceUnavailable"):
        asker.ask("chat", num_retries=1)
    event = asker.recorder.event
    assert (event.kind, event.log["hidden_params"]["attempted_retries"]) == ("failure", 1)
    assert len(up.requests) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_fell_back(asker, up, kind):
    """Told with the model that answered."""
    up.models["bad"] = act.error(404)
    asker.ask(kind, model=asker.model("bad"), fallbacks=[asker.model(KINDS[kind][3])], num_retries=0)
    event = asker.recorder.event
    assert (event.kind, event.kwargs["model"]) == ("success", KINDS[kind][3])
    assert event.log["hidden_params"]["attempted_fallbacks"] == 1
    assert event.kwargs["response_cost"] == pytest.approx(KINDS[kind][4])


def test_a_price_that_nobody_knows(asker):
    """O12: None, and not nothing."""
    asker.ask("chat", model=asker.model("unheard-of"))
    event = asker.recorder.event
    assert event.log["response_cost"] is event.kwargs["response_cost"] is None


@pytest.mark.parametrize(
    ("headers", "words", "told"),
    [
        ({"x-litellm-trace-id": "t"}, {}, "t"),
        ({"x-litellm-trace-id": "t", "x-litellm-session-id": "s"}, {}, "s"),
        ({"x-litellm-trace-id": "t"}, {"litellm_trace_id": "body"}, "body"),
    ],
)
def test_ids_in_headers(watched, up, headers, words, told):
    """As the same words in the body, which count more; the upstream sees neither."""
    recorder = watched.recorder
    recorder.clear()
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], **words})
    assert request(watched, "POST", "/v1/chat/completions", body, headers).status == 200
    assert recorder.event.log["trace_id"] == told
    assert not [name for name in up.requests[0].headers if "litellm" in name]


@pytest.mark.parametrize("params", [{}, {"stream": True}])
def test_no_log(asker, params):
    asker.ask("chat", **{"no-log": True}, **params)
    assert asker.recorder.events == asker.recorder.begun == []


def test_words_of_a_call_are_left_out(asker, up):
    """F5: as one call asks; the word is not sent."""
    asker.ask("chat", turn_off_message_logging=True)
    (event,) = asker.recorder.events
    assert event.log["messages"] == [{"role": "user", "content": "redacted-by-litellm"}]
    assert "turn_off_message_logging" not in up.requests[-1].fields


def test_several_models_at_once(watched, up):
    """Each part of a batch is a call of its own."""
    up.models["bad"] = act.error(404)
    recorder = watched.recorder
    recorder.clear()
    body = json.dumps({"model": "gpt-4o-mini,bad,other", "messages": [{"role": "user", "content": "hi"}]})
    headers = {"x-litellm-call-id": "batch"}
    assert request(watched, "POST", "/v1/chat/completions", body, headers).status == 200
    told = {event.kwargs["litellm_call_id"]: (event.kind, event.kwargs["model"]) for event in recorder.events}
    assert told == {
        "batch-0": ("success", "gpt-4o-mini"),
        "batch-1": ("failure", "bad"),
        "batch-2": ("success", "other"),
    }
    assert len(recorder.events) == 3


def test_the_fastest_of_several(watched, up):
    """The others are cancelled, and told as that."""
    up.models["slow"] = act.hang()
    recorder = watched.recorder
    recorder.clear()
    body = {"model": "slow,m", "messages": [{"role": "user", "content": "hi"}], "fastest_response": True}
    assert request(watched, "POST", "/v1/chat/completions", json.dumps(body)).status == 200
    assert sorted((event.kind, event.kwargs["model"]) for event in recorder.events) == [
        ("failure", "slow"),
        ("success", "m"),
    ]


# --- copies ---------------------------------------------------------------------------------------------------------------


class Vandal(Recorder):
    """Changes whatever it gets hold of."""

    def spoil(self, kwargs, response):
        kwargs["messages"].clear()
        kwargs["litellm_params"]["metadata"].clear()
        kwargs["standard_logging_object"]["messages"] = kwargs["model"] = "spoilt"
        response.choices[0].message.content = "spoilt"
        response.choices.clear()

    def log_success_event(self, kwargs, response, start, end):
        self.spoil(kwargs, response)

    async def async_log_success_event(self, kwargs, response, start, end):
        self.spoil(kwargs, response)


@pytest.mark.parametrize("door", [BySdk, ByAsyncSdk])
def test_callbacks_cannot_reach_what_is_the_callers(door, up, monkeypatch):
    """G2: nor what other calls are told."""
    vandal = Vandal()
    monkeypatch.setattr(litellm, "callbacks", [vandal])
    messages, metadata = [{"role": "user", "content": "hi"}], copy.deepcopy(METADATA)
    answer = door(up.base).ask("chat", messages=messages, metadata=metadata)
    assert vandal.events == []
    assert messages == [{"role": "user", "content": "hi"}]
    assert metadata == METADATA
    assert answer.choices[0].message.content == "Hello from upstream."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("door", [BySdk, ByAsyncSdk])
def test_callers_cannot_reach_what_is_told(door, stream, up, monkeypatch, blocker):
    """What the caller does with its objects after the call comes too late, however late the callback is."""
    recorder = Recorder()
    monkeypatch.setattr(litellm, "callbacks", [recorder])
    messages, metadata, tags = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}], {"a": {"b": 1}}, ["one"]
    answer = door(up.base).ask("chat", messages=messages, metadata=metadata, tags=tags, stream=stream)
    messages[0]["content"][0]["text"] = "other"
    metadata["a"]["b"] = 2
    tags.append("two")
    if stream:
        for chunk in answer:
            chunk.choices.clear()
    else:
        answer.choices[0].message.content = "other"
    blocker.released.set()
    event = recorder.event
    assert event.kwargs["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    assert event.metadata["a"] == {"b": 1}
    assert event.log["request_tags"] == ["one"]
    assert event.response.choices[0].message.content == "Hello from upstream."


# --- watching changes nothing ---------------------------------------------------------------------------------------------


def nested(depth, value=1):
    for _ in range(depth):
        value = {"n": [value]}
    return value


USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
HEAD = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini", "usage": USAGE}
WORDS = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}


@pytest.mark.parametrize(
    "fields", [{"choices": [{"message": "hi"}]}, {"choices": [WORDS], "odd": nested(200)}], ids=["shape", "depth"]
)
def test_an_odd_answer_that_the_client_gets_is_told(watched, up, fields):
    """S8: what it has cost, whether or not it can be read."""
    watched.recorder.clear()
    up.next(act.verbatim(200, json.dumps(HEAD | fields).encode()))
    answer = ByProxy(watched).ask("chat")
    assert (answer["choices"], watched.recorder.event.kind) == (fields["choices"], "success")
    assert watched.recorder.event.log["total_tokens"] == 13
    assert watched.recorder.event.log["response_cost"] == pytest.approx(KINDS["chat"][4])


def test_an_odd_stream_that_the_client_gets_is_told(watched, up):
    watched.recorder.clear()
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
    deltas = [{"content": "a"}, {"tool_calls": ["x"]}]
    chunks = [head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    up.next(act.events([*chunks, head | {"choices": [], "usage": USAGE}]))
    assert len(ByProxy(watched).ask("chat", stream=True)) == 2
    assert watched.recorder.event.kind == "success"
    assert watched.recorder.event.log["total_tokens"] == 13


def test_a_deep_request(watched, up):
    """It is answered, and told as deep as can be read."""
    watched.recorder.clear()
    assert ByProxy(watched).ask("chat", zz=nested(200), metadata=nested(200))
    assert up.requests[0].fields["zz"] == nested(200)
    assert watched.recorder.event.kind == "success"
    assert "…" in str(watched.recorder.event.kwargs["optional_params"])


class Spoilt(dict):
    def items(self):
        raise RuntimeError("not to be copied")


@pytest.mark.parametrize("door", [BySdk, ByAsyncSdk])
def test_metadata_that_contains_itself_or_cannot_be_copied(door, up, monkeypatch, caplog):
    recorder, endless = Recorder(), {"colour": "blue"}
    endless["again"] = [endless]
    monkeypatch.setattr(litellm, "callbacks", [recorder])
    assert door(up.base).ask("chat", metadata=endless)
    assert recorder.event.metadata.items() >= {"colour": "blue", "again": ["…"]}.items()
    assert door(up.base).ask("chat", metadata=Spoilt(a=1))
    assert len(recorder.events) == 1
    assert "cannot be told" in caplog.text


class Noting(litellm.CustomLLM):
    def completion(self, *, model_response, **_):
        model_response.note = object()
        return model_response


def test_an_answer_that_is_no_json(monkeypatch):
    """A handler may put anything into it."""
    recorder = Recorder()
    monkeypatch.setattr(litellm, "callbacks", [recorder])
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "noting", "custom_handler": Noting()}])
    assert litellm.completion("noting/m", [{"role": "user", "content": "hi"}]).note
    assert (recorder.event.kind, recorder.event.response) == ("success", None)


# --- nobody waits ---------------------------------------------------------------------------------------------------------


def test_answers_do_not_wait(asker, blocker):
    """They are there while nobody has been told yet."""
    for _ in range(5):
        assert asker.ask("chat", metadata={})
        assert asker.ask("chat", stream=True)
    assert asker.recorder._events == []
    blocker.released.set()
    assert [event.kind for event in asker.recorder.events] == ["success"] * 10


@pytest.mark.parametrize("door", [BySdk, ByAsyncSdk])
def test_a_callback_that_blocks_or_raises(door, up, monkeypatch, caplog):
    """The answer comes while it blocks; others are told all the same."""
    entered, released, recorder = threading.Event(), threading.Event(), Recorder()

    def blocks(*_):
        entered.set()
        assert released.wait(10)

    def raises(*_):
        raise RuntimeError("a bad callback")

    monkeypatch.setattr(litellm, "success_callback", [raises, blocks])
    monkeypatch.setattr(litellm, "callbacks", [recorder])
    try:
        assert door(up.base).ask("chat")
        assert entered.wait(10)
        assert door(up.base).ask("chat")
        up.wait_for(lambda: len([event for event in recorder._events if event.kind == "success"]) == 2)
    finally:
        released.set()
    assert len(recorder.events) == 2
    assert "a bad callback" in caplog.text


def test_more_than_can_wait(up, caplog):
    """O14: what is too much is dropped and counted, and the calls succeed."""
    dispatcher, blocker, told = Dispatcher(maximum=3), Blocker(), []
    observe = Callbacks(dispatcher).snapshot(success_callback=[lambda kwargs, *_: told.append(kwargs)])
    client = Client()
    dispatcher.put(blocker)
    up.wait_for(lambda: not dispatcher._worker._inbox)
    for _ in range(10):
        plan = make_call("openai/m", [{"role": "user", "content": "hi"}], False, {"api_base": up.base, "api_key": KEY})
        flow = client.flow(plan.call, plan.route, Watchers(observe))
        assert run(flow, client.sync_io).usage["total_tokens"] == 13
    blocker.released.set()
    assert dispatcher.close(10)
    assert (len(told), dispatcher.dropped) == (3, 7)
    assert "callbacks do not keep up" in caplog.text


# --- nobody is told -------------------------------------------------------------------------------------------------------

OF_WATCHING = ("/litellm/hooks/", "/engine/observe.py", "/proxy/hooks/", "/proxy/auth/custom.py")


class Profile:
    """The files of all functions that are called in a thread, as a profiler sees them."""

    def __init__(self):
        self.files = set()

    def __call__(self, frame, event, _):
        if event == "call":
            self.files.add(frame.f_code.co_filename)

    @property
    def of_watching(self):
        assert any("/litellm/engine/" in name for name in self.files), "it has seen nothing"
        return [name for name in self.files if any(part in name for part in OF_WATCHING)]


@pytest.mark.parametrize("params", [{}, {"stream": True}, {"metadata": METADATA}])
def test_what_is_not_configured_does_not_run_in_the_sdk(up, params):
    """P3: not one function of it."""
    door, profile = BySdk(up.base), Profile()
    door.ask("chat", **params)
    sys.setprofile(profile)
    try:
        door.ask("chat", **params)
    finally:
        sys.setprofile(None)
    assert profile.of_watching == []


@pytest.mark.parametrize("params", [{}, {"stream": True}, {"metadata": METADATA}])
def test_what_is_not_configured_does_not_run_in_the_proxy(house, up, params):
    """P3: there are no observers and no hooks, and not one function of theirs is called."""
    proxy, profile = house.proxy, Profile()
    assert (proxy.state.observe, proxy.state.hooks, proxy.state.custom_auth) == (None, None, None)

    async def profiled(function):
        sys.setprofile(function)

    ByProxy(proxy).ask("chat", **params)
    proxy.call(profiled, profile)
    try:
        ByProxy(proxy).ask("chat", **params)
    finally:
        proxy.call(profiled, None)
    assert profile.of_watching == []


@pytest.mark.parametrize("stream", [False, True])
def test_watching_changes_no_byte(house, watched, up, stream):
    """S1: who is only told of calls does not keep the upstream's bytes from being relayed."""
    assert watched.state.hooks is None
    odd = '{"id":"1","created":1,"model":"m",  "choices":[{"index":0,"%s":{"content":"h\\u00e9"},"x":1.50}],"new":null}'
    if stream:
        up.default = act.events([odd % "delta", (odd % "delta").replace("1.50}", '1.50,"finish_reason":"stop"}')])
    else:
        up.default = act.verbatim(200, odd % "message", {"content-type": "application/json"})
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": stream})
    plain, seen = (request(proxy, "POST", "/v1/chat/completions", body).body for proxy in (house.proxy, watched))
    assert plain == seen
    assert b"h\\u00e9" in seen
    assert b"1.50" in seen
