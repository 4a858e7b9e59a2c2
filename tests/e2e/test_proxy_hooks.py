"""The hooks of `litellm_settings.callbacks` on the path of a request, each with what it may do. Those of
streams, and requests for several models, are next door."""

import asyncio
import json
import threading

import pytest
from fastapi import HTTPException
from tests.e2e.hooked import gives, raises, remembers, served
from tests.e2e.talk import HI, KEY, Talk
from tests.fakes import behaviour as act
from tests.suite.inprocess import ServedProxy, deployment


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


# --- before the call ----------------------------------------------------------------------------------------------------


def test_doing_nothing_changes_nothing(talk, up, loggers):
    assert talk.chat(temperature=0.5).text == "Hello from upstream."
    assert talk.chat(stream=True).streamed_text == "Hello from upstream."
    assert up.requests[0].fields == {"model": "m", "messages": HI, "temperature": 0.5}


def test_what_a_pre_call_hook_returns_reaches_the_upstream(talk, up, logger):
    async def hook(data, **_):
        return {**data, "model": "n", "messages": [{"role": "user", "content": "other"}], "temperature": 0.1}

    logger.does["pre_call"] = hook
    answer = talk.chat()
    assert up.requests[0].fields == {
        "model": "n", "messages": [{"role": "user", "content": "other"}], "temperature": 0.1
    }  # fmt: skip
    assert answer.json()["model"] == "n"


def test_what_it_changes_in_place_does_too(talk, up, logger):
    async def hook(data, **_):
        data["messages"][0]["content"] += "!"
        data["user"] = "ada"

    logger.does["pre_call"] = hook
    assert talk.chat().status == 200
    assert up.requests[0].fields == {"model": "m", "messages": [{"role": "user", "content": "hi!"}], "user": "ada"}


def test_what_a_pre_call_hook_is_given(talk, logger):
    """F5: who calls, what is asked, where it came from; and no key."""
    seen = []
    logger.does["pre_call"] = remembers(seen)
    talk.chat(metadata={"colour": "blue"}, headers={"x-team": "a", "x-litellm-call-id": "call-7"})
    (given,) = seen
    assert given["call_type"] == "completion"
    assert given["caller"].user_role == "proxy_admin"
    assert given["data"]["messages"] == HI
    assert given["data"]["metadata"].items() >= {"colour": "blue", "user_api_key": given["caller"].api_key}.items()
    assert given["data"]["metadata"]["headers"]["x-team"] == "a"
    assert given["data"]["litellm_call_id"] == "call-7"
    request = given["data"]["proxy_server_request"]
    assert (request["method"], request["url"], request["body"]["model"]) == ("POST", "/v1/chat/completions", "m")
    assert KEY not in repr(seen) + given["caller"].model_dump_json()


@pytest.mark.parametrize(
    ("path", "fields", "call_type"),
    [
        ("/v1/chat/completions", {"messages": HI}, "completion"),
        ("/v1/completions", {"prompt": "hi"}, "text_completion"),
        ("/v1/embeddings", {"input": "hi"}, "embeddings"),
        ("/v1/moderations", {"input": "hi"}, "moderation"),
    ],
)
def test_call_types(talk, up, logger, path, fields, call_type):
    """And the body of each reaches the upstream as the hooks leave it."""
    seen = []
    logger.does |= {"pre_call": remembers(seen), "moderation": remembers(seen)}
    answer = talk.post(json.dumps({"model": "m", **fields}), path=path)
    assert answer.status == 200, answer.body
    assert [given["call_type"] for given in seen] == [call_type] * 2
    assert up.requests[0].fields.items() >= {"model": "m", **fields}.items()
    assert not up.requests[0].fields.keys() & {"metadata", "litellm_call_id", "proxy_server_request"}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_a_text_is_the_answer(talk, up, logger, path, streamed):
    """In the shape that was asked for, and no upstream is asked."""
    logger.does["pre_call"] = gives("I would rather not.")
    answer = talk.post(json.dumps({"model": "m", "messages": HI, "prompt": "hi", "stream": streamed}), path=path)
    events = answer.events if streamed else [answer.json()]
    choices = [choice for event in events for choice in event["choices"]]
    parts = [
        choice.get("text") or (choice.get("message") or choice.get("delta") or {}).get("content") or ""
        for choice in choices
    ]
    assert "".join(parts) == "I would rather not."
    assert events[0]["model"] == "m"
    assert up.requests == []


def test_a_text_refuses_what_has_no_text(talk, up, logger):
    logger.does["pre_call"] = gives("No embeddings today.")
    answer = talk.post(json.dumps({"model": "m", "input": "hi"}), path="/v1/embeddings")
    assert (answer.status, answer.error["message"]) == (400, "No embeddings today.")
    assert up.requests == []


class ProxyException(Exception):
    """As LiteLLM's: its attributes are all that is known of it."""

    message, type, param, code = "too many words", "words_error", "messages", "413"


REFUSALS = {
    "text": (HTTPException(400, "no swearing"), 400, "no swearing"),
    "dict of an error": (HTTPException(403, {"error": "no swearing"}), 403, "no swearing"),
    "dict": (HTTPException(422, {"error": "x", "rule": 7}), 422, '{"error":"x","rule":7}'),
    "no detail": (HTTPException(429), 429, "Too Many Requests"),
    "ProxyException": (ProxyException(), 413, "too many words"),
    "a secret in it": (HTTPException(400, "sk-abcdefghijklmnopqrstuvwxyz"), 400, "**********"),
}


@pytest.mark.parametrize("hook", ["pre_call", "moderation", "success"])
@pytest.mark.parametrize(("error", "status", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refusing(talk, logger, hook, error, status, message):
    logger.does[hook] = raises(error)
    answer = talk.chat()
    assert (answer.status, answer.error["message"]) == (status, message)


@pytest.mark.parametrize("value", [False, True, 403])
def test_what_means_nothing_is_no_refusal(talk, up, logger, caplog, value):
    """The request goes on, and the log names the hook."""
    logger.does["pre_call"] = gives(value)
    assert talk.chat().text == "Hello from upstream."
    assert f"Scripted.async_pre_call_hook gave {type(value).__name__}" in caplog.text


@pytest.mark.parametrize("hook", ["pre_call", "success"])
def test_an_exception_that_is_returned(talk, logger, hook):
    logger.does[hook] = gives(HTTPException(418, "teapot"))
    error = talk.chat().error
    assert (error["message"], error["type"]) == ("teapot", "invalid_request_error")


def test_headers_of_a_refusal(talk, logger):
    error = HTTPException(429, "later", headers={"Retry-After": "7", "x-two": "one\r\nset-cookie: two"})
    logger.does["pre_call"] = raises(error)
    answer = talk.chat()
    assert (answer.headers["retry-after"], answer.headers["x-two"]) == ("7", "one set-cookie: two")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("hook", ["pre_call", "moderation", "success", "headers"])
def test_a_bug_in_a_hook(talk, logger, hook, caplog):
    """F5: the client learns nothing of it; the log has it."""
    logger.does[hook] = raises(KeyError("insides of a hook"))
    answer = talk.chat()
    assert answer.status == 500
    assert "insides" not in answer.body.decode()
    assert "insides of a hook" in caplog.text
    logger.does.clear()
    assert talk.chat().status == 200


@pytest.mark.parametrize("status", [200, 302, 99, "later"])
def test_a_status_that_is_no_refusal(talk, logger, status):
    error = HTTPException(400, "odd")
    error.status_code = status
    logger.does["pre_call"] = raises(error)
    assert talk.chat().status == 500


def test_metadata_that_is_no_object(talk, up, logger):
    """As without hooks: a 400 that says so."""
    answer = talk.chat(metadata="blue")
    assert (answer.status, answer.error["param"]) == (400, "metadata")
    assert up.requests == []


def test_hooks_in_the_order_of_the_configuration(talk, up, loggers):
    async def one(data, **_):
        return {**data, "user": "one"}

    async def two(data, **_):
        return {**data, "user": data["user"] + " two"}

    loggers[0].does["pre_call"], loggers[1].does["pre_call"] = one, two
    talk.chat()
    assert up.requests[0].fields["user"] == "one two"


def test_a_refusal_keeps_the_hooks_behind_it_out(talk, loggers):
    seen = []
    loggers[0].does["pre_call"] = raises(HTTPException(400, "no"))
    loggers[1].does["pre_call"] = remembers(seen)
    assert talk.chat().status == 400
    assert seen == []


def test_the_cache(talk, logger):
    """One for all requests of a server."""
    counts = []

    async def hook(cache, **_):
        counts.append(await cache.async_increment_cache("requests", 1))

    logger.does["pre_call"] = hook
    talk.chat()
    talk.chat()
    assert counts == [1, 2]


@pytest.mark.parametrize("stream", [False, True])
def test_who_only_looks_at_requests_changes_no_answer(up, tmp_path, stream):
    """S1: the upstream's bytes are relayed as they are."""
    text = """
from litellm.integrations.custom_logger import CustomLogger

class Looks(CustomLogger):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        return {**data, "user": "ada"}

    async def async_moderation_hook(self, data, user_api_key_dict, call_type):
        assert data["user"] == "ada"

looks = Looks()
"""
    (tmp_path / "looks.py").write_text(text, encoding="utf-8")
    odd = (
        '{"id":"1","created":1,"model":"m",  "choices":[{"index":0,"%s":{"content":"h\\u00e9"},"x":1.50%s}],"new":null}'
    )
    if stream:
        up.default = act.events([odd % ("delta", ""), odd % ("delta", ',"finish_reason":"stop"')])
    else:
        up.default = act.verbatim(200, odd % ("message", ""), {"content-type": "application/json"})
    config = {
        "model_list": [deployment("m", "openai/m", api_base=up.base)],
        "litellm_settings": {"callbacks": ["looks.looks"]},
    }
    with ServedProxy(config, folder=tmp_path) as proxy:
        body = Talk(proxy).chat(stream=stream).body.decode()
    assert odd % (("delta", "") if stream else ("message", "")) in body
    assert up.requests[0].fields["user"] == "ada"


# --- beside the call ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True])
def test_moderation_runs_beside_the_call(talk, up, logger, streamed):
    """It refuses while the upstream is at work, and the upstream is let go."""
    up.default = act.hang()

    async def hook(**_):
        await asyncio.to_thread(up.wait_for, lambda: up.requests)
        raise HTTPException(403, "not this")

    logger.does["moderation"] = hook
    answer = talk.chat(stream=streamed)
    assert (answer.status, answer.error["message"]) == (403, "not this")
    up.wait_for(lambda: up.requests[0].aborted_at)


def test_nothing_is_answered_before_moderation_ends(talk, up, logger):
    """An upstream that is done first has to wait; its stream is closed when the answer is no."""
    up.default = act.stall(after=4)
    asked = threading.Event()

    async def hook(**_):
        await asyncio.to_thread(asked.wait, 5)
        raise HTTPException(403, "not this")

    logger.does["moderation"] = hook
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes(stream=True))
        up.wait_for(lambda: up.requests)
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        asked.set()
        sock.settimeout(5)
        assert b" 403 " in sock.recv(1000)
    up.wait_for(lambda: up.requests[0].aborted_at)


def test_a_client_that_leaves_during_moderation(talk, up, logger):
    """S8: takes the hook and the upstream with it."""
    up.default = act.hang()
    cancelled = threading.Event()

    async def hook(**_):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    logger.does["moderation"] = hook
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes())
        up.wait_for(lambda: up.requests)
    up.wait_for(lambda: up.requests[0].aborted_at)
    assert cancelled.wait(5)


def test_several_moderators(talk, up, loggers):
    """All have to let the request pass."""
    loggers[1].does["moderation"] = raises(HTTPException(403, "the second says no"))
    assert talk.chat().error["message"] == "the second says no"


def test_the_upstreams_own_error_with_moderation(talk, up, logger):
    logger.does["moderation"] = gives(None)
    up.next(act.error(404, "no such thing"))
    assert talk.chat().status == 404


# --- after the call -----------------------------------------------------------------------------------------------------


def test_an_answer_that_a_hook_edits(talk, loggers):
    async def edit(response, **_):
        response.choices[0].message.content += " One."

    async def more(response, **_):
        response.choices[0].message.content += " Two."
        return response

    loggers[0].does["success"], loggers[1].does["success"] = edit, more
    answer = talk.chat()
    assert answer.text == "Hello from upstream. One. Two."
    assert answer.json()["usage"]["total_tokens"] == 13


def test_another_answer(talk, logger):
    logger.does["success"] = gives({"id": "1", "object": "chat.completion", "choices": [], "note": "ours"})
    assert talk.chat().json() == {"id": "1", "object": "chat.completion", "choices": [], "note": "ours", "model": "m"}


def test_an_answer_of_no_shape(talk, logger, caplog):
    logger.does["success"] = gives(True)
    assert talk.chat().status == 500
    assert "async_post_call_success_hook gave bool" in caplog.text


def test_embeddings_that_a_hook_edits(talk, logger):
    async def hook(response, **_):
        response.data[0].embedding = [0.0]

    logger.does["success"] = hook
    answer = talk.post(json.dumps({"model": "m", "input": "hi"}), path="/v1/embeddings")
    assert answer.json()["data"][0]["embedding"] == [0.0]


def test_headers(talk, loggers):
    """Those of all hooks, the last of a name; what is secret of the request's is not shown to them."""
    seen = []

    async def one(headers, response, **_):
        seen.append((headers, response))
        return {"X-Added": "one", "x-both": "one"}

    loggers[0].does["headers"] = one
    loggers[1].does["headers"] = gives({"x-both": "two\r\nset-cookie: x"})
    answer = talk.chat(headers={"x-team": "a"})
    assert (answer.headers["x-added"], answer.headers["x-both"]) == ("one", "two set-cookie: x")
    ((headers, response),) = seen
    assert headers["x-team"] == "a"
    assert "authorization" not in headers
    assert response.choices[0].message.content == "Hello from upstream."


# --- after a failure ----------------------------------------------------------------------------------------------------


def test_a_failure_hook_is_told_of_every_failure(talk, up, logger):
    seen = []
    logger.does["failure"] = remembers(seen)
    up.next(act.error(404, "no such thing"))
    assert talk.chat().status == 404
    assert talk.chat(model="unknown").status == 400
    refusal = HTTPException(403, "no")
    logger.does["pre_call"] = raises(refusal)
    assert talk.chat().status == 403
    assert [type(given["error"]).__name__ for given in seen] == ["NotFoundError", "RequestError", "HTTPException"]
    assert seen[2]["error"] is refusal
    assert seen[0]["data"]["messages"] == HI
    assert "no such thing" in seen[0]["traceback"]


@pytest.mark.parametrize("way", [gives, raises])
def test_a_failure_hook_replaces_the_error(talk, up, loggers, way):
    loggers[0].does["failure"] = way(HTTPException(418, "something went wrong"))
    seen = []
    loggers[1].does["failure"] = remembers(seen)
    up.next(act.error(401, "insides"))
    answer = talk.chat()
    assert (answer.status, answer.error["message"]) == (418, "something went wrong")
    assert seen[0]["error"].status_code == 418


def test_a_failure_hook_that_fails(talk, up, logger, caplog):
    """The error stays what it was."""
    logger.does["failure"] = raises(KeyError("bug of the hook"))
    up.next(act.error(404, "no such thing"))
    assert talk.chat().status == 404
    assert "bug of the hook" in caplog.text


def test_a_failure_hook_gets_the_request_as_hooks_before_the_refusal_left_it(talk, loggers):
    async def marks(data, **_):
        return {**data, "user": "ada"}

    seen = []
    loggers[0].does.update(pre_call=marks, failure=remembers(seen))
    loggers[1].does["pre_call"] = raises(HTTPException(403, "no"))
    assert talk.chat().status == 403
    assert seen[0]["data"]["user"] == "ada"


# --- what would end more than the request ---------------------------------------------------------------------------------

ESCAPES = (SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError(), BaseException("insides"))


@pytest.mark.parametrize("error", ESCAPES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("name", ["pre_call", "moderation", "success", "headers", "listing"])
def test_a_hook_ends_its_request_at_the_most(talk, logger, name, error):
    """Whatever it raises is a bug like any other: an answer that says nothing, and a server that lives."""
    logger.does[name] = raises(error)
    answer = talk.get("/v1/models") if name == "listing" else talk.chat()
    assert (answer.status, answer.error["type"]) == (500, "internal_server_error")
    assert "insides" not in answer.error["message"]
    logger.does.clear()
    assert talk.chat().status == 200


@pytest.mark.parametrize("error", ESCAPES, ids=lambda error: type(error).__name__)
def test_a_failure_hook_ends_its_request_at_the_most(talk, up, logger, error):
    up.models["m"] = act.error(418)
    logger.does["failure"] = raises(error)
    assert talk.chat().status == 500
    logger.does.clear()
    assert talk.chat().status == 418
