"""Hooks on streams, on requests for several models, and on the list of models."""

import http.client
import json
import threading

import pytest
from fastapi import HTTPException
from tests.e2e.hooked import gives, raises, remembers, served
from tests.e2e.talk import HI, Talk, text_of
from tests.fakes import behaviour as act


@pytest.fixture(scope="module")
def gateway(module_upstream, tmp_path_factory):
    with served(module_upstream, tmp_path_factory.mktemp("hooks")) as proxy:
        yield proxy


@pytest.fixture
def talk(gateway, up):
    return Talk(gateway)


@pytest.fixture
def loggers(gateway):
    """The two loggers of the configuration, which do nothing yet."""
    yield gateway.loggers
    for each in gateway.loggers:
        each.does.clear()


@pytest.fixture
def logger(loggers):
    return loggers[0]


# --- streams ------------------------------------------------------------------------------------------------------------


def test_an_iterator_hook_changes_drops_and_adds_chunks(talk, loggers):
    async def shout(response, _):
        async for chunk in response:
            if chunk.choices and chunk.choices[0].delta.content:
                chunk.choices[0].delta.content = chunk.choices[0].delta.content.upper()
            yield chunk

    async def censor(response, _):
        async for chunk in response:
            if chunk.choices and "FROM" in (chunk.choices[0].delta.content or ""):
                continue
            if chunk.choices and chunk.choices[0].finish_reason:
                yield {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": " The end."}}]}
            yield chunk

    loggers[0].does["iterator"], loggers[1].does["iterator"] = shout, censor
    answer = talk.chat(stream=True)
    assert answer.streamed_text == "HELLO UPSTREAM. The end."
    assert answer.events[0]["model"] == "m"


def test_an_iterator_hook_sees_the_request(talk, logger):
    seen = []

    async def hook(response, data):
        seen.append(data["messages"])
        async for chunk in response:
            yield chunk

    logger.does["iterator"] = hook
    assert talk.chat(stream=True).status == 200
    assert seen == [HI]


@pytest.mark.parametrize("hook", ["iterator", "piece"])
def test_a_hook_that_raises_in_mid_stream(talk, up, logger, hook):
    """An error in the stream, its end, and the upstream is let go."""
    up.default = act.answer("one two three four", gap=0.01)

    async def iterator(response, _):
        async for chunk in response:
            if chunk.choices and "three" in (chunk.choices[0].delta.content or ""):
                raise HTTPException(400, "no three")
            yield chunk

    async def piece(text, **_):
        if "three" in text:
            raise HTTPException(400, "no three")

    logger.does[hook] = {"iterator": iterator, "piece": piece}[hook]
    *chunks, error = talk.chat(stream=True).events
    assert text_of(chunks) == "one two"
    assert error["error"]["message"] == "no three"
    assert error["error"]["code"] == "400"


def test_a_bug_in_a_stream_hook(talk, logger, caplog):
    logger.does["piece"] = raises(KeyError("insides of a hook"))
    *_, error = talk.chat(stream=True).events
    assert error["error"]["code"] == "500"
    assert "insides" not in json.dumps(error)
    assert "insides of a hook" in caplog.text


def test_a_streaming_hook_that_returns_its_text(talk, logger):
    """Which is no objection; another text is."""

    async def same(text, **_):
        return text

    logger.does["piece"] = same
    assert talk.chat(stream=True).streamed_text == "Hello from upstream."
    logger.does["piece"] = gives("data: not this")
    assert talk.chat(stream=True).events[-1]["error"]["message"] == "not this"


def test_the_upstreams_failure_goes_through_the_iterator(talk, up, logger):
    """Which may say something else instead."""
    up.next(act.cut(3))

    async def hook(response, _):
        try:
            async for chunk in response:
                yield chunk
        except Exception as error:
            yield {"choices": [{"index": 0, "delta": {"content": f" [{type(error).__name__}]"}}]}

    logger.does["iterator"] = hook
    assert talk.chat(stream=True).streamed_text.endswith(" [APIConnectionError]")


def test_a_client_that_leaves_a_hooked_stream(talk, up, loggers):
    """S8: closes the upstream, and every generator on the way gets to its end."""
    up.default = act.stall(after=3)
    ended = [threading.Event(), threading.Event()]

    def hook(event):
        async def iterator(response, _):
            try:
                async for chunk in response:
                    yield chunk
            finally:
                event.set()

        return iterator

    for logger, event in zip(loggers, ended, strict=True):
        logger.does["iterator"] = hook(event)
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes(stream=True))
        assert sock.recv(1000)
    up.wait_for(lambda: up.requests[0].aborted_at)
    assert [event.wait(5) for event in ended] == [True, True]


def test_a_hook_that_ends_a_stream_early(talk, up, logger):
    """The upstream is not read on for nobody."""
    up.default = act.answer("word " * 500, gap=0.01)

    async def hook(response, _):
        async for chunk in response:
            yield chunk
            if chunk.choices and chunk.choices[0].delta.content:
                return

    logger.does["iterator"] = hook
    assert talk.chat(stream=True).streamed_text == "word"
    up.wait_for(lambda: up.requests[0].aborted_at)


# --- several models, and the list of them -------------------------------------------------------------------------------


def test_several_models(talk, up, logger):
    """The hooks before the call see one request, those after it every answer; what they refuse of one
    leaves the others be."""
    seen = []

    async def after(response, **_):
        if response.model == "n":
            raise HTTPException(403, "not n")
        response.choices[0].message.content += "!"

    logger.does |= {"pre_call": remembers(seen), "success": after}
    m, n = talk.chat(model="m,n").json()
    assert m["choices"][0]["message"]["content"] == "Hello from upstream.!"
    assert n["error"]["message"] == "not n"
    assert n["error"]["code"] == "403"
    assert [given["data"]["model"] for given in seen] == ["m,n"]


def test_a_failure_among_several(talk, up, logger):
    up.models["n"] = act.error(404, "insides")
    logger.does["failure"] = gives(HTTPException(418, "something went wrong"))
    m, n = talk.chat(model="m,n").json()
    assert m["choices"][0]["message"]["content"] == "Hello from upstream."
    assert n["error"]["message"] == "something went wrong"


def test_a_text_for_several(talk, up, logger):
    logger.does["pre_call"] = gives("No.")
    answers = talk.chat(model="m,n").json()
    assert [answer["choices"][0]["message"]["content"] for answer in answers] == ["No.", "No."]
    assert up.requests == []


def test_the_fastest_of_several(talk, logger):
    async def after(response, **_):
        response.choices[0].message.content += "!"

    logger.does["success"] = after
    assert talk.chat(model="m,n", fastest_response=True).text == "Hello from upstream.!"


def test_listed_models(talk, logger):
    async def hook(models, caller):
        assert caller.user_role == "proxy_admin"
        return [name for name in models if name != "n"]

    logger.does["listing"] = hook
    assert [model["id"] for model in talk.get("/v1/models").json()["data"]] == ["m"]


def test_a_listing_that_is_refused(talk, logger):
    logger.does["listing"] = raises(HTTPException(403, "no list for you"))
    answer = talk.get("/v1/models")
    assert (answer.status, answer.error["message"]) == (403, "no list for you")


@pytest.mark.parametrize(
    "error", [SystemExit(3), GeneratorExit(), KeyboardInterrupt()], ids=lambda each: type(each).__name__
)
@pytest.mark.parametrize("hook", ["iterator", "piece"])
def test_a_hook_in_mid_stream_ends_its_stream_at_the_most(talk, up, logger, hook, error):
    """The client sees that it was cut off, and the server lives."""

    async def iterator(response, _):
        async for chunk in response:
            yield chunk
            raise error

    logger.does[hook] = iterator if hook == "iterator" else raises(error)
    with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionError)):
        talk.chat(stream=True)
    logger.does.clear()
    assert talk.chat(stream=True).streamed_text == "Hello from upstream."
