"""An upstream that repeats what it was sent: no spelling of a credential reaches a client, an exception or the log."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from urllib.parse import quote, unquote

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.suite.doors import HI, Reply, request
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm._credentials import spellings
from litellm.engine.faults import MAX_DEPTH
from litellm.exceptions import LiteLLMError
from litellm.providers.rekey import with_headers, with_key
from litellm.providers.resolve import resolve
from litellm.providers.table import ROWS
from litellm.providers.target import EndpointSpec

# How a credential may be given, and what of it must not come back: also not escaped, decoded or encoded.
KEY = "canary.of.the.key"
ODD_KEY = 'canary"of\\the/key&<x>'
USER, PASSWORD = "canary.user", "canary.p@ss/w:rd%"
BASIC = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
WAYS = {
    "a key": ({"api_key": KEY}, [KEY]),
    "a key that JSON escapes": ({"api_key": ODD_KEY}, [ODD_KEY]),
    "a user and a password in the address": (
        {"login": f"{quote(USER)}:{quote(PASSWORD, safe='')}@"},
        [BASIC, PASSWORD],
    ),
    "a header of one's own": ({"api_key": KEY, "extra_headers": {"X-My-Token": ODD_KEY}}, [KEY, ODD_KEY]),
    "a Basic header of one's own": ({"extra_headers": {"Authorization": f"Basic {BASIC}"}}, [BASIC, PASSWORD]),
    "a query": ({"api_key": KEY, "query": f"?subscription-key={quote(ODD_KEY, safe='')}"}, [KEY, ODD_KEY]),
}


def spelled(text: str) -> set[str]:
    return {
        text, unquote(text), quote(text), quote(text, safe=""), json.dumps(text)[1:-1], escape(text),
        json.dumps(text).replace("/", "\\/")[1:-1],
    }  # fmt: skip


def said(texts: list[str]) -> str:
    return "you sent " + " and ".join(form for text in texts for form in sorted(spelled(text)))


def in_json(texts: list[str]) -> str:
    return json.dumps({"message": said(texts), "headers": {text: [said([text])] for text in texts}})


def cut_short(text: str) -> bytes:
    """So long that a message quotes it only up to the middle of the credential."""
    return b"x" * (300 - len(text) // 2) + text.encode()


FAULTS = {
    "a message": lambda texts: act.error(401, said(texts)),
    "a bad request": lambda texts: act.error(400, said(texts)),
    "fields": lambda texts: act.verbatim(403, json.dumps({"error": {"message": "no", "code": said(texts), "param": said(texts)}})),
    "an object of another shape": lambda texts: act.verbatim(502, in_json(texts)),
    "HTML": lambda texts: act.verbatim(502, f"<p>{said(texts)}</p>"),
    "no answer": lambda texts: act.verbatim(200, in_json(texts)),
    "no JSON": lambda texts: act.verbatim(200, said(texts)),
    "cut short": lambda texts: act.verbatim(200, cut_short(texts[-1])),
    "a redirect": lambda texts: act.redirect("http://127.0.0.1:1/" + quote(texts[0], safe="")),
    "in a 200": lambda texts: act.verbatim(200, json.dumps({"error": {"message": said(texts), "code": 500}})),
}  # fmt: skip
STREAMS = {
    **FAULTS,
    "in the stream": lambda texts: act.events([CHUNK, {"error": {"message": said(texts), "type": "server_error"}}]),
    "an odd chunk": lambda texts: act.events([CHUNK, in_json(texts).encode()]),
}
CHUNK = {
    "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hello"}, "finish_reason": None}],
}  # fmt: skip

ANSWER = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
}  # fmt: skip


def place(up: Upstream, way: dict) -> dict:
    params = {"api_key": None, **way}
    base = up.base.replace("://", "://" + params.pop("login", "")) + params.pop("query", "")
    return {"api_base": base, **{name: value for name, value in params.items() if value is not None}}


def asked(proxy: ServedProxy, *, stream: bool = False) -> Reply:
    return request(proxy, "POST", "/v1/chat/completions", json.dumps({"model": "m", "messages": HI, "stream": stream}))


def leaks(text: str, texts: list[str]) -> list[str]:
    return [form for each in texts for form in spelled(each) if form in text]


@pytest.fixture
def up() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def logged(caplog) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, logger="LiteLLM")
    return caplog


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("way", "texts"), WAYS.values(), ids=WAYS)
def test_errors_show_no_credential(up, logged, way, texts, stream):
    config = {
        "model_list": [
            deployment("m", "openai/up", **place(up, way)),
            deployment("spare", "openai/up", **place(up, way)),
        ],
        "litellm_settings": {"num_retries": 0, "fallbacks": [{"m": ["spare"]}]},
    }
    with ServedProxy(config) as proxy:
        for name, fault in (STREAMS if stream else FAULTS).items():
            up.default = fault(texts)
            reply = asked(proxy, stream=stream)
            assert leaks(reply.body.decode(), texts) == [], (name, reply.status)
            with pytest.raises(LiteLLMError) as raised:
                list(litellm.completion("openai/up", HI, stream=stream, num_retries=0, **place(up, way)))
            error = raised.value
            seen = (
                f"{error} {error!r} {error.body} {error.code} {error.param} {error.type} {dict(error.response_headers)}"
            )
            assert leaks(seen, texts) == [], name
    assert leaks(logged.text, texts) == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("way", "texts"), WAYS.values(), ids=WAYS)
def test_headers_of_good_answers_show_no_credential(up, way, texts, stream):
    """Also the one that says by what name the upstream knows its model."""
    echo = {"X-Echo": f"Authorization {texts[0]}", "X-Echo-2": quote(texts[-1], safe=""), "X-Fine": "as it came"}
    model = {"model": texts[0]}
    good = (
        act.events([CHUNK | model, b"[DONE]"], headers=echo)
        if stream
        else act.verbatim(200, json.dumps(ANSWER | model), headers=echo)
    )
    up.default = good
    with ServedProxy({"model_list": [deployment("m", "openai/up", **place(up, way))]}) as proxy:
        reply = asked(proxy, stream=stream)
    assert reply.status == 200
    headers = reply.headers
    assert leaks(repr(headers), texts) == []
    assert "**********" in headers["llm_provider-x-echo"]
    assert "**********" in headers["x-litellm-model-name"]
    assert headers["llm_provider-x-fine"] == "as it came"
    assert leaks(reply.body.decode(), texts) == []
    got = litellm.completion("openai/up", HI, stream=stream, **place(up, way))
    assert leaks(repr(got._hidden_params), texts) == []


@pytest.mark.parametrize("stream", [False, True])
def test_names_of_headers_show_no_credential(up, stream):
    """A key is mostly made of characters that the name of a header may have, and such a name is in lower case here."""
    key = "sk-Canary.Of_the~KEY"
    echo = {f"X-{key}": "1", key: "2", "X-Fine": "as it came"}
    up.default = (
        act.events([CHUNK, b"[DONE]"], headers=echo) if stream else act.verbatim(200, json.dumps(ANSWER), headers=echo)
    )
    with ServedProxy({"model_list": [deployment("m", "openai/up", api_base=up.base, api_key=key)]}) as proxy:
        reply = asked(proxy, stream=stream)
    assert reply.headers["llm_provider-x-fine"] == "as it came"
    assert key.lower() not in repr(reply.headers).lower()
    got = litellm.completion("openai/up", HI, stream=stream, api_base=up.base, api_key=key)
    assert key.lower() not in repr(got._hidden_params).lower()


def test_short_keys_stand_in_good_answers(up):
    """People give words as keys to servers that want none."""
    up.default = act.answer(headers={"X-Server": "ollama"})
    with ServedProxy({"model_list": [deployment("m", "openai/ollama", api_base=up.base, api_key="ollama")]}) as proxy:
        reply = asked(proxy)
    assert reply.headers["llm_provider-x-server"] == "ollama"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("depth", [MAX_DEPTH, 400, 950])
@pytest.mark.parametrize(("before", "after"), [('{"a":', "}"), ("[", "]")])
def test_an_error_object_nested_deeply_stays_an_error_of_its_status(up, logged, before, after, depth, stream):
    """Wherever in the error it is nested."""
    deep = before * depth + "1" + after * depth
    with ServedProxy({"model_list": [deployment("m", "openai/up", api_base=up.base, api_key=KEY)]}) as proxy:
        for body in (
            f'{{"error": {{"message": "no", "more": {deep}}}}}', f'{{"error": {deep}}}', f'{{"error": {{"code": {deep}}}}}',
            f'{{"error": {{"message": {deep}, "param": {deep}, "type": {deep}}}}}', f'{{"detail": {deep}}}', deep,
        ):  # fmt: skip
            up.default = act.verbatim(400, body)
            reply = asked(proxy, stream=stream)
            assert reply.status == 400, body[:40]
            assert json.loads(reply.body)["error"]["code"] == "400"
    assert "RecursionError" not in logged.text
    assert len(logged.text) < 20_000


@pytest.mark.parametrize("text", [KEY, ODD_KEY, f"Basic {BASIC}", f"Bearer {ODD_KEY}", "tok\u00e9n of Latin-1"])
def test_spellings_are_those_in_which_texts_come_back(text):
    found = spellings(text)
    bare = text.removeprefix("Bearer ").removeprefix("Basic ")
    assert spelled(bare) <= set(found)
    assert list(found) == sorted(found, key=len, reverse=True)
    assert spellings(None, "", "abc") == (), "too short to be told from words"


def test_every_header_that_a_key_goes_into_is_registered():
    """Whatever the provider and its scheme, and whoever gave the key."""
    for row in ROWS:
        place_ = EndpointSpec(model=f"{row.name}/m", api_base="http://127.0.0.1:1/v1", api_key=ODD_KEY, environ={})
        if row.login is not None or "openai_chat" not in row.dialects:
            continue
        target = resolve(place_)
        own = with_key(target, "canary.of.a.client")
        token = with_headers(target, {**target.headers, "Authorization": "Bearer canary.of.a.token"})
        for each, key in ((target, ODD_KEY), (own, "canary.of.a.client"), (token, "canary.of.a.token")):
            carrying = [value for value in each.headers.values() if key in value]
            assert carrying, row.name
            assert all(spelled(key) <= set(found) for found in (each.credentials, each.secrets)), row.name


def test_what_the_environment_adds_is_registered_too():
    environ = {"OPENAI_API_BASE": "http://me:canary.password@127.0.0.1:1/v1", "OPENAI_ORGANIZATION": "canary.org"}
    target = resolve(EndpointSpec(model="openai/m", environ=environ))
    for name, value in target.headers.items():
        if "litellm/" not in value and name not in ("Content-Type", "Accept-Encoding"):
            assert spellings(value)[-1] in target.secrets, name
    assert "canary.password" in target.credentials
