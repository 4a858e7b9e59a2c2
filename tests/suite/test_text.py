"""Text completions at every door: as the upstream has them, and asked of those who only have chat."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.endpoints import chat_chunks
from tests.fakes.replies import USAGE, Answer, Stream, plain_json
from tests.suite.chunks import differences, maybe_unknown, text, usages
from tests.suite.doors import Failure, ProxyRaw, text_of
from tests.suite.examples import examples
from tests.suite.handlers import TEXT, chunks, with_only
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm.exceptions import BadRequestError, IncompleteStream

CHAT_ONLY = {"custom_llm_provider": "anyscale"}
HEAD = {"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "x"}
PROMPTS = ["one", ["one", "two"], [1, 2, 3], [[1, 2], [3]], [""]]


def choice(words: str, index: int = 0, finish_reason: str | None = None, **more):
    return {"text": words, "index": index, "logprobs": None, "finish_reason": finish_reason, **more}


def sdk(name, prompt, **params):
    if name == "sdk":
        return litellm.text_completion(prompt=prompt, **params)
    return asyncio.run(litellm.atext_completion(prompt=prompt, **params))


both = pytest.mark.parametrize("name", ["sdk", "asdk"])


# --- upstreams that have completions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", PROMPTS, ids=str)
def test_prompts_are_sent_as_they_are(door, up, prompt):
    """C12: text, texts, tokens and lists of tokens; nothing else is sent."""
    door.text(prompt)
    (seen,) = up.requests
    assert seen.path == "/v1/completions"
    assert seen.json == {"model": "m", "prompt": prompt}


def test_answers_have_openais_shape(door, up):
    answer = door.text(["one", "two"], n=2, echo=True)
    assert [(each["index"], each["text"]) for each in answer["choices"]] == [
        (0, "oneHello from upstream."), (1, "oneHello from upstream."),
        (2, "twoHello from upstream."), (3, "twoHello from upstream."),
    ]  # fmt: skip
    assert answer["object"] == "text_completion"
    assert answer["id"] == "cmpl-fake-1"
    assert {name: answer["usage"][name] for name in USAGE} == USAGE


def test_streams(door, up):
    """The same text, piece by piece, and no usage that was not asked for."""
    streamed = door.text_stream("one", n=2)
    assert text_of(streamed) == "Hello from upstream."
    assert [each["choices"][0]["finish_reason"] for each in streamed[-2:]] == ["stop", "stop"]
    assert not any(each.get("usage") for each in streamed)


def test_s3_usage_is_the_last_chunk(door, up):
    """S3: for completions too."""
    *_, last = door.text_stream(stream_options={"include_usage": True})
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == USAGE["total_tokens"]


pieces = st.lists(st.tuples(text, maybe_unknown), min_size=1, max_size=6)


@examples(12)
@given(pieces, maybe_unknown, st.none() | usages)
def test_s1_streams_come_out_as_they_went_in(door, up, said, extra, usage):
    """S1: random streams of completions, field for field."""
    sent = [{**HEAD, **extra, "choices": [choice(words) | more]} for words, more in said]
    sent.append({**HEAD, "choices": [choice("", finish_reason="length", token_ids=[1])]})
    if usage is not None:
        sent.append({**HEAD, "choices": [], "usage": usage})
    up.next(Behaviour(Stream(sent)))
    got = door.text_stream(stream_options={"include_usage": True})
    wanted = [chunk | {"model": "m"} for chunk in sent] if door.remote else sent
    assert differences(wanted, got) == []


def test_s1_the_proxy_relays_nulls(proxy_door, up):
    """S1, C11: by bare HTTP an answer differs in nothing but the name."""
    sent = {**HEAD, "choices": [choice("x", finish_reason="stop", stop_reason=None)], "usage": None, "vendor": [1.50]}
    up.next(Behaviour(plain_json(sent)))
    assert proxy_door.text() == sent | {"model": "m"}


def test_s4_truncated(door, up):
    """S4: a stream without an end is an error that keeps what was said."""
    up.next(act.events([{**HEAD, "choices": [choice("half")]}], sse=act.SSE(done=False)))
    with pytest.raises(Failure) as told:
        door.text_stream(num_retries=0)
    assert text_of(told.value.chunks) == "half"
    if not door.remote:
        assert told.value.kind is IncompleteStream
        assert told.value.partial == "half"


def test_s4_finish_reasons_are_enough(door, up):
    """S4: without [DONE] a stream whose choices have ended is complete."""
    sent = [{**HEAD, "choices": [choice("all", finish_reason="stop")]}]
    up.next(act.events(sent, sse=act.SSE(done=False)))
    assert text_of(door.text_stream()) == "all"


def test_r1_r3_before_the_first_text(door, up, streamed):
    """R1, R3: what fails before anything was said is tried again."""
    up.next(act.error(503), act.hang_up())
    assert text_of(door.ask_text(streamed=streamed, num_retries=2)) == "Hello from upstream."
    assert len(up.requests) == 3


def test_r5_timeouts(door, up, streamed):
    """R5, S6: the clocks run for completions too."""
    up.default = act.hang()
    with pytest.raises(Failure) as told:
        door.ask_text(streamed=streamed, timeout=0.2, num_retries=0)
    assert told.value.status == 408


def test_s8_a_break_closes_the_upstream(house, up):
    """S8: leaving the loop lets go of the upstream."""
    up.default = act.stall(2)
    for _ in litellm.text_completion("one", **house.doors["sdk"].params("m", {}), stream=True):
        break
    seen = up.requests[0]
    up.wait_for(lambda: seen.aborted_at)


def test_s8_a_client_that_leaves_closes_the_upstream(house, up):
    """S8: at the gateway, in mid-stream."""
    up.default = act.stall(2)
    body = b'{"model": "m", "prompt": "x", "stream": true}'
    head = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", house.proxy.port), timeout=5) as sock:
        sock.sendall(head + body)
        read = b""
        while b'"text":' not in read:
            read += sock.recv(65536)
    up.wait_for(lambda: up.requests[0].aborted_at)


def test_errors_name_what_is_missing(proxy_door):
    """Bad bodies are told as well as chat's are."""
    with pytest.raises(Failure, match="/completions: Missing required parameter: 'prompt'") as told:
        proxy_door.post("x", operation="embeddings", path="/v1/completions")
    assert (told.value.status, told.value.body["param"]) == (400, "prompt")
    with pytest.raises(Failure, match="prompt must be text, tokens, or a list of these, not a number") as told:
        proxy_door.text(3)
    assert (told.value.status, told.value.body["param"]) == (400, "prompt")


@both
def test_a_prompt_is_needed(name):
    with pytest.raises(BadRequestError, match="prompt is missing"):
        sdk(name, None, model="openai/m", api_key="k")


# --- objects ---------------------------------------------------------------------------------------------------------


@both
def test_the_object(house, up, name):
    """Attributes, items, pickles and dumps; LiteLLM's class."""
    answer = sdk(name, "one", **house.doors["sdk"].params("m", {}))
    assert isinstance(answer, litellm.TextCompletionResponse)
    assert answer.choices[0].text == answer["choices"][0]["text"] == "Hello from upstream."
    assert answer.usage.total_tokens == USAGE["total_tokens"]
    assert answer._hidden_params["custom_llm_provider"] == "openai"
    assert answer.choices[0].logprobs is None
    assert answer.model_dump() == answer.json() == answer.to_dict()


def test_chunks_make_a_whole(house, up):
    """stream_chunk_builder knows completions."""
    stream = litellm.text_completion("one", **house.doors["sdk"].params("m", {"n": 2}), stream=True)
    assert isinstance(stream, litellm.CustomStreamWrapper)
    whole = litellm.stream_chunk_builder(stream)
    assert isinstance(whole, litellm.TextCompletionResponse)
    assert [(each.text, each.finish_reason) for each in whole.choices] == [("Hello from upstream.", "stop")] * 2
    assert whole.object == "text_completion"
    assert stream.response_uptil_now == "Hello from upstream."
    assert stream.received_finish_reason == "stop"


@both
@pytest.mark.parametrize("provider", ["openai", "anyscale", "text-completion-openai"])
def test_mock_response(name, provider):
    """In either format; n and several prompts give as many choices."""
    model = f"{provider}/x"
    answer = sdk(name, ["a", "b"], model=model, n=2, mock_response="yo")
    assert [(each.text, each.index) for each in answer.choices] == [("yo", 0), ("yo", 1), ("yo", 2), ("yo", 3)]
    whole = {"choices": [{"message": {"content": "from chat"}, "finish_reason": "length"}]}
    found = sdk(name, "a", model=model, mock_response=whole).choices[0]
    assert (found.text, found.finish_reason) == ("from chat", "length")
    with pytest.raises(litellm.RateLimitError):
        sdk(name, "a", model=model, mock_response="litellm.RateLimitError", num_retries=0)
    chunks = litellm.text_completion("a", model, mock_response="yo there", stream=True)
    assert [chunk.choices[0].text for chunk in chunks] == ["yo ", "the", "re", ""]


def test_mock_models():
    """The same question always has the same answer; echo repeats the prompt, tokens too."""
    one, two = (litellm.text_completion(["a b", "c"], "mock/any", n=2).choices for _ in range(2))
    assert one == two
    assert one[0].text == one[1].text != one[2].text
    assert litellm.text_completion([1, 2], "mock/echo", echo=True).choices[0].text == "1 21 2"
    assert text_of([chunk.model_dump() for chunk in litellm.text_completion("a b", "mock/echo", stream=True)]) == "a b"
    with pytest.raises(IncompleteStream):
        list(litellm.text_completion("a", "mock/no-finish", stream=True))


def test_a_deployments_mock_response():
    """Asked for any operation, it answers in that one's shape."""
    config = {"model_list": [deployment("m", "openai/x", mock_response="yo"),
                             deployment("e", "openai/x", mock_response=[0.5])]}  # fmt: skip
    with ServedProxy(config) as proxy:
        door = ProxyRaw(proxy)
        assert text_of(door.text(["a", "b"])) == text_of(door.chat()) == text_of(door.text_stream("a")) == "yo"
        assert door.embed(["a", "b"], model="e")["data"][1]["embedding"] == [0.5]


# --- of those who only have chat ---------------------------------------------------------------------------------------


@both
def test_a_prompt_becomes_a_message(house, up, name):
    answer = sdk(name, "one", max_tokens=5, **house.doors["sdk"].params("x", CHAT_ONLY) | {"model": "x"})
    (seen,) = up.requests
    assert seen.path == "/v1/chat/completions"
    assert seen.json == {"model": "x", "messages": [{"role": "user", "content": "one"}], "max_tokens": 5}
    assert isinstance(answer, litellm.TextCompletionResponse)
    assert answer.choices[0].text == "Hello from upstream."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.object == "text_completion"


@both
def test_several_prompts_are_asked_one_by_one(house, up, name):
    """Choices in the order of the prompts and numbered through, usage added up."""
    up.default = act.answer(usage={**USAGE, "completion_tokens_details": {"reasoning_tokens": 1}})
    answer = sdk(name, ["one", "two", "three"], n=2, **house.doors["sdk"].params("x", CHAT_ONLY) | {"model": "x"})
    asked = [seen.json["messages"][0]["content"] for seen in up.requests]
    assert sorted(asked) == ["one", "three", "two"]
    assert [each.index for each in answer.choices] == [0, 1, 2, 3, 4, 5]
    assert answer.usage.total_tokens == 3 * USAGE["total_tokens"]
    assert answer.usage.completion_tokens_details.reasoning_tokens == 3


@both
def test_several_prompts_keep_their_order(house, up, name):
    """Also when the first one takes longest."""
    model = house.doors["sdk"].params("x", CHAT_ONLY) | {"model": "x"}

    def slow_first(seen):
        said = seen.json["messages"][0]["content"]
        return plain_json({"choices": [{"index": 0, "message": {"content": said}, "finish_reason": "stop"}]})

    up.default = act.answer(checks=(slow_first,))
    assert [each.text for each in sdk(name, ["a", "b", "c"], **model).choices] == ["a", "b", "c"]


@both
def test_one_prompt_that_fails_fails_the_call(house, up, name):
    """The error is the upstream's, and the retries are those of the call."""
    refuse = act.error(400, "No twos.").say
    up.default = act.answer(checks=(lambda seen: refuse if "two" in str(seen.json) else None,))
    with pytest.raises(BadRequestError, match="No twos"):
        sdk(name, ["one", "two"], **house.doors["sdk"].params("x", CHAT_ONLY) | {"model": "x"})
    assert len(up.requests) == 2


def test_s8_cancelling_several_prompts_cancels_each(house, up):
    """S8, R6: no request outlives the call that it was made for."""
    up.default = act.hang()
    place = house.doors["sdk"].params("x", CHAT_ONLY) | {"model": "x"}

    async def call():
        asked = asyncio.ensure_future(litellm.atext_completion(["a", "b", "c"], **place))
        await up.async_wait_for(lambda: len(up.requests) == 3)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(call())
    up.wait_for(lambda: all(seen.aborted_at for seen in up.requests))


@both
def test_r5_several_prompts_have_one_timeout(house, up, name):
    """R5: they are asked side by side, so it is not theirs added up."""
    up.default = act.hang()
    place = house.doors["sdk"].params("x", CHAT_ONLY) | {"model": "x"}
    began = time.monotonic()
    with pytest.raises(litellm.Timeout):
        sdk(name, ["a", "b", "c"], timeout=0.2, num_retries=0, **place)
    assert time.monotonic() - began < 0.5


@both
@pytest.mark.parametrize(
    ("prompt", "params", "said"),
    [
        ([1, 2], {}, "as text, not as tokens"),
        ("one", {"echo": True}, "echo needs an endpoint for completions"),
        ("one", {"suffix": "end"}, "suffix needs"),
        ("one", {"best_of": 3}, "best_of needs"),
        (["one", "two"], {"stream": True}, "cannot be streamed"),
    ],
)
def test_what_chat_cannot_say(house, up, name, prompt, params, said):
    """A clear 400, and nothing is sent."""
    with pytest.raises(BadRequestError, match=said):
        sdk(name, prompt, **house.doors["sdk"].params("x", CHAT_ONLY) | {"model": "x"}, **params)
    assert up.requests == []


def test_what_asks_for_nothing_is_left_out(house, up):
    """echo=False and best_of=1 are what chat does anyway."""
    place = house.doors["sdk"].params("x", CHAT_ONLY) | {"model": "x"}
    litellm.text_completion("one", echo=False, best_of=1, logprobs=2, **place)
    assert up.requests[0].json == {
        "model": "x", "messages": [{"role": "user", "content": "one"}], "logprobs": True, "top_logprobs": 2,
    }  # fmt: skip


def test_chats_logprobs_become_those_of_completions(house, up):
    tokens = [{"token": "Hel", "logprob": -0.5, "top_logprobs": [{"token": "Hel", "logprob": -0.5}]},
              {"token": "lo", "logprob": -1.5, "top_logprobs": []}]  # fmt: skip
    said = {"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop", "logprobs": {"content": tokens}}
    up.next(Behaviour(plain_json({"id": "1", "choices": [said]})))
    found = litellm.text_completion("one", **house.doors["sdk"].params("x", CHAT_ONLY) | {"model": "x"})
    assert found.choices[0].logprobs.model_dump() == {
        "tokens": ["Hel", "lo"], "token_logprobs": [-0.5, -1.5], "top_logprobs": [{"Hel": -0.5}, {}],
        "text_offset": [0, 3],
    }  # fmt: skip


def test_chats_streams_become_those_of_completions(house, up):
    """Text and reasoning come, the role alone does not; usage when asked for."""
    answer = Answer("one two", message={"reasoning_content": "hm"})
    up.next(Behaviour(Stream(chat_chunks(answer, include_usage=True))))
    got = list(litellm.text_completion("one", stream=True, stream_options={"include_usage": True},
                                       **house.doors["sdk"].params("x", CHAT_ONLY) | {"model": "x"}))  # fmt: skip
    assert all(isinstance(chunk, litellm.TextCompletionResponse) for chunk in got)
    assert text_of([chunk.model_dump() for chunk in got]) == "one two"
    assert got[0].choices[0].reasoning_content == "hm"
    assert got[-2].choices[0].finish_reason == "stop"
    assert got[-1].usage.total_tokens == USAGE["total_tokens"]
    assert got[-1].choices == []


@pytest.mark.parametrize("methods", [("completion",), ("acompletion",), ("streaming",), ("astreaming",)], ids=str)
def test_handlers_that_chat_complete_too(handlers, streamed, methods):
    """C1: a handler's methods for chat serve completions."""
    handler = with_only(*methods)
    got = handlers.ask(handler, streamed=streamed, operation="text", messages="hi")
    assert text_of(got) == TEXT
    assert handler.given[0]["messages"] == [{"role": "user", "content": "hi"}]
    assert (got[0] if streamed else got)["object"] == "text_completion"
    assert len(list(chunks())) > 1


def test_handlers_are_asked_for_each_prompt(handlers):
    """Several prompts, at every door."""
    got = handlers.ask(with_only("completion"), streamed=False, operation="text", messages=["a", "b"], n=1)
    assert [(each["index"], each["text"]) for each in got["choices"]] == [(0, TEXT), (1, TEXT)]


@pytest.mark.parametrize("where", ["server", "request"])
def test_r2_fallbacks(up, streamed, where):
    """R1, R2: until the first text, streams too; the answer has the name of the group that gave it."""
    bad, good = (deployment(name, f"openai/{name}", api_base=up.base, api_key="k") for name in ("bad", "good"))
    up.models["bad"] = act.cut(0)
    config = {"model_list": [bad, good], "router_settings": {"num_retries": 0}}
    if where == "server":
        config["router_settings"]["fallbacks"] = [{"bad": ["good"]}]
    with ServedProxy(config) as proxy:
        said = {"fallbacks": ["good"]} if where == "request" else {}
        got = ProxyRaw(proxy).ask_text("x", model="bad", streamed=streamed, **said)
    assert text_of(got) == "Hello from upstream."
    assert (got[0] if streamed else got)["model"] == "good"
    assert [seen.json["prompt"] for seen in up.requests] == ["x", "x"]


# --- chat, of those who only have completions ----------------------------------------------------------------------------

TEXT_ONLY = {"custom_llm_provider": "text-completion-openai"}


def test_chat_of_a_completions_endpoint(house, up):
    """`text-completion-openai/…`: one message's text is the prompt; the answer is chat's, with the upstream's id."""
    message = {"role": "user", "content": [{"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]}
    answer = litellm.completion(messages=[message], max_completion_tokens=3, **house.doors["sdk"].params("x", TEXT_ONLY)
                                | {"model": "x"})  # fmt: skip
    (seen,) = up.requests
    assert seen.path == "/v1/completions"
    assert seen.json == {"model": "x", "prompt": "Hi there", "max_tokens": 3}
    assert isinstance(answer, litellm.ModelResponse)
    assert answer.choices[0].message.content == "Hello from upstream."
    assert (answer.id, answer.object) == ("cmpl-fake-1", "chat.completion")


def test_chat_of_a_completions_endpoint_streams(house, up):
    """The role on the first chunk of each choice."""
    place = house.doors["sdk"].params("x", TEXT_ONLY) | {"model": "x"}
    got = [chunk.model_dump() for chunk in litellm.completion(messages=[{"role": "user", "content": "x"}], stream=True,
                                                              **place)]  # fmt: skip
    assert text_of(got) == "Hello from upstream."
    assert [chunk["choices"][0]["delta"].get("role") for chunk in got[:2]] == ["assistant", None]
    assert got[-1]["choices"][0]["finish_reason"] == "stop"


def test_several_messages_are_one_prompt(house, up):
    """In order, a blank line between them. (LiteLLM sends a list of prompts, each of which is completed by itself.)"""
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    litellm.completion(messages=talk, **house.doors["sdk"].params("x", TEXT_ONLY) | {"model": "x"})
    assert up.requests[0].json["prompt"] == "Be brief.\n\nHi"


def test_completions_logprobs_become_chats(house, up):
    logprobs = {"tokens": ["a", "é"], "token_logprobs": [None, -1.0], "top_logprobs": [None, {"é": -1.0}],
                "text_offset": [0, 1]}  # fmt: skip
    up.next(Behaviour(plain_json({**HEAD, "choices": [choice("aé", finish_reason="stop") | {"logprobs": logprobs}]})))
    place = house.doors["sdk"].params("x", TEXT_ONLY) | {"model": "x"}
    answer = litellm.completion(messages=[{"role": "user", "content": "x"}], logprobs=True, top_logprobs=1, **place)
    assert up.requests[0].json == {"model": "x", "prompt": "x", "logprobs": 1}
    first, second = answer.choices[0].logprobs["content"]
    assert (first["token"], first["logprob"], first["top_logprobs"]) == ("a", None, [])
    assert (second["bytes"], second["logprob"]) == ([195, 169], -1.0)
    assert second["top_logprobs"][0]["token"] == "é"


@pytest.mark.parametrize(
    ("messages", "params", "said"),
    [
        ([{"role": "user", "content": "x"}], {"tools": [{"type": "function"}]}, "tools need an endpoint for chat"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}], {}, "takes text only"),
    ],
)
def test_what_completions_cannot_say(house, up, messages, params, said):
    with pytest.raises(BadRequestError, match=said):
        litellm.completion(messages=messages, **house.doors["sdk"].params("x", TEXT_ONLY) | {"model": "x"}, **params)
    assert up.requests == []
