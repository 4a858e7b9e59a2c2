"""Must C1: a handler may have any of the methods; what is missing is made up for, what is wrong is named."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.suite.doors import Failure, SdkSync, text_of
from tests.suite.handlers import NOWHERE, SUBSETS, TEXT, Everything, answer, chunks, generic, with_method, with_only
from tests.suite.inprocess import deployment
from tests.suite.watching import Recorder

import litellm
from litellm import CustomLLM

SYNC_FIRST, ASYNC_FIRST = ("completion", "acompletion"), ("acompletion", "completion")
PREFERRED = {  # (sync?, streamed?): who is asked, the first that is there
    (True, False): (*SYNC_FIRST, "streaming", "astreaming"),
    (True, True): ("streaming", "astreaming", *SYNC_FIRST),
    (False, False): (*ASYNC_FIRST, "astreaming", "streaming"),
    (False, True): ("astreaming", "streaming", *ASYNC_FIRST),
}


@pytest.mark.parametrize("methods", SUBSETS, ids="+".join)
def test_c1_any_subset_of_methods(handlers, methods, streamed):
    """C1: sync for async and the other way round, whole for streamed likewise; never both, never the wrong one first."""
    handler = with_only(*methods)
    order = PREFERRED[handlers.name == "sdk", streamed]
    there = [name for name in order if name in methods]
    assert text_of(handlers.ask(handler, streamed=streamed)) == TEXT
    assert handler.asked == there[:1]


async def test_c1_sync_call_inside_a_running_loop(monkeypatch):
    """C1, G1: an async handler behind the sync function, called where a loop runs already (a notebook)."""
    for methods in (("acompletion",), ("astreaming",)):
        monkeypatch.setattr(
            litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": with_only(*methods)}]
        )
        streamed = methods == ("astreaming",)
        assert text_of(SdkSync(NOWHERE).ask(streamed=streamed, model="mine/x")) == TEXT


@pytest.mark.parametrize("operation", ["completion", "text_completion"])
def test_c1_an_answer_told_as_a_stream_is_a_success(monkeypatch, operation):
    """C1, O14: a stream that was made of a whole answer has ended well, with its usage, for all who keep account."""
    recorder, usage = Recorder(), {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    handler = with_method("completion", lambda _self, **_: {**answer().model_dump(), "usage": usage})
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": handler}])
    monkeypatch.setattr(litellm, "callbacks", [recorder])
    router = litellm.Router(model_list=[deployment("m", "mine/x")], num_retries=0)
    about = {"messages": [{"role": "user", "content": "hi"}]} if operation == "completion" else {"prompt": "hi"}
    assert list(getattr(router, operation)(model="m", stream=True, **about))
    assert recorder.event.kind == "success"
    assert recorder.event.log["total_tokens"] == 7


async def _coroutine(**_: Any) -> Any:
    return answer()


async def _async_generator(**_: Any) -> Any:
    yield generic("x")


WRONG_ANSWERS = {
    "str": lambda **_: "Hello",
    "NoneType": lambda **_: None,
    "dict": lambda **_: {"text": "Hello"},
    "list": lambda **_: [generic("x")],
    "generator": lambda **_: (chunk for chunk in chunks()),
    "coroutine": lambda **_: _coroutine(),
}


@pytest.mark.parametrize("kind", WRONG_ANSWERS)
@pytest.mark.parametrize("method", ["completion", "acompletion"])
def test_c1_wrong_answer(handlers, method, kind, streamed):
    """C1: an answer of the wrong kind is an error that names the class, the method and the kind."""
    wrong = WRONG_ANSWERS[kind]

    async def asynchronous(_self: Any, **_: Any) -> Any:
        return wrong()

    handler = with_method(method, asynchronous if method == "acompletion" else lambda _self, **_: wrong())
    with pytest.raises(Failure) as told:
        handlers.ask(handler, streamed=streamed, num_retries=0)
    assert told.value.status == 500
    for word in ("Handler", method, kind):
        assert word in told.value.message


WRONG_STREAMS = {
    "str": lambda: "Hello",
    "NoneType": lambda: None,
    "dict": lambda: generic("x"),
    "ModelResponse": answer,
    "int": lambda: 7,
}


@pytest.mark.parametrize("kind", WRONG_STREAMS)
@pytest.mark.parametrize("method", ["streaming", "astreaming"])
def test_c1_wrong_stream(handlers, method, kind):
    """C1: the same for what cannot be iterated as a stream."""
    wrong = WRONG_STREAMS[kind]

    async def asynchronous(_self: Any, **_: Any) -> Any:
        return wrong()

    handler = with_method(method, asynchronous if method == "astreaming" else lambda _self, **_: wrong())
    with pytest.raises(Failure) as told:
        handlers.ask(handler, streamed=True, num_retries=0)
    assert told.value.status == 500
    for word in ("Handler", method, kind):
        assert word in told.value.message


@pytest.mark.parametrize("wrong", ["Hello", 7, None, ("a", "b"), b"x", [generic("x")]], ids=lambda w: type(w).__name__)
@pytest.mark.parametrize("method", ["streaming", "astreaming"])
@pytest.mark.parametrize("first", [True, False], ids=["at once", "later"])
def test_c1_wrong_chunk(handlers, method, wrong, first):
    """C1: a chunk of the wrong kind is named, whether it is the first or a later one."""
    sent = [wrong] if first else [generic("so far"), wrong]

    def plain(_self: Any, **_: Any) -> Any:
        yield from sent

    async def asynchronous(_self: Any, **_: Any) -> Any:
        for chunk in sent:
            yield chunk

    handler = with_method(method, plain if method == "streaming" else asynchronous)
    with pytest.raises(Failure) as told:
        handlers.ask(handler, streamed=True, num_retries=0)
    assert told.value.status == 500
    for word in ("Handler", method, type(wrong).__name__):
        assert word in told.value.message
    assert text_of(told.value.chunks) == ("" if first else "so far")


RIGHT_STREAMS = {
    "a list": ("streaming", lambda _self, **_: list(chunks())),
    "an iterator": ("streaming", lambda _self, **_: iter(chunks())),
    "a generator from an async method": ("astreaming", lambda _self, **_: (chunk for chunk in chunks())),
    "an async generator from a sync method": ("streaming", lambda _self, **given: Everything().astreaming(**given)),
}


@pytest.mark.parametrize("case", RIGHT_STREAMS)
def test_c1_what_can_be_iterated_is_a_stream(handlers, case):
    """C1: what is clear enough is taken."""
    assert text_of(handlers.ask(with_method(*RIGHT_STREAMS[case]), streamed=True)) == TEXT


def test_c1_a_coroutine_that_gives_an_async_generator(handlers):
    """C1: `async def astreaming` that returns an iterator instead of being one (LiteLLM: #28475)."""

    async def astreaming(_self: Any, **given: Any) -> Any:
        await asyncio.sleep(0)
        return Everything().astreaming(**given)

    assert text_of(handlers.ask(with_method("astreaming", astreaming), streamed=True)) == TEXT


def test_c1_a_dict_in_the_right_shape_is_an_answer(handlers, streamed):
    """C1: a plain dict in OpenAI's shape will do."""
    handler = with_method("completion", lambda _self, **_: answer().model_dump())
    assert text_of(handlers.ask(handler, streamed=streamed)) == TEXT


def test_c1_the_empty_response_may_be_filled(handlers, streamed):
    """C1: LiteLLM's way: fill the model_response that is given."""

    def completion(_self: Any, model_response: Any, **_: Any) -> Any:
        model_response.choices[0].message.content = "filled"
        model_response.model = "their-name"
        return model_response

    answered = handlers.ask(with_method("completion", completion), streamed=streamed)
    assert text_of(answered) == "filled"
    named = {chunk["model"] for chunk in answered} if streamed else {answered["model"]}
    assert named == {"m" if handlers.name == "proxy" else "their-name"}


def test_c1_an_answer_of_another_call_may_be_passed_on(handlers, streamed):
    """C1, seed 004: a handler that returns what litellm.completion gave it."""

    def completion(_self: Any, **_: Any) -> Any:
        return litellm.completion("gpt-3.5-turbo", [{"role": "user", "content": "x"}], mock_response="Hi!")

    assert text_of(handlers.ask(with_method("completion", completion), streamed=streamed)) == "Hi!"


def test_c1_methods_without_kwargs(handlers, streamed):
    """C1, C3: a method gets those arguments that it names."""

    class Frugal(CustomLLM):
        def completion(self, model: str, messages: list[Any]) -> Any:
            return answer(f"{model}: {messages[0]['content']}")

        def streaming(self, messages: list[Any], *, model: str) -> Any:
            yield generic(f"{model}: {messages[0]['content']}", finish="stop")

    assert text_of(handlers.ask(Frugal(), streamed=streamed)) == "x: hi"


def test_c1_no_methods_at_all(handlers, streamed):
    """C1: LiteLLM's words for a handler that has nothing."""
    with pytest.raises(Failure, match="Not implemented yet"):
        handlers.ask(CustomLLM(), streamed=streamed, num_retries=0)


def test_c1_a_handler_need_not_be_a_subclass(handlers, streamed):
    """C1: whoever has the methods is a handler."""

    class Duck:
        def completion(self, **_: Any) -> Any:
            return answer()

    assert text_of(handlers.ask(Duck(), streamed=streamed)) == TEXT
