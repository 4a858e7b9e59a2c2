"""What goes wrong before there is a call is told as the route's clients want it, as all else is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.suite.inprocess import ServedProxy, deployment

from litellm.operations import CHAT
from litellm.proxy.app import ROUTES, OperationHandler
from litellm.proxy.calls import calling
from litellm.server.routing import Route, Routes
from litellm.wire import openai_chat

KEY = "sk-1234567890-of-the-master"
OWN = msgspec.structs.replace(CHAT, name="own", path="/own", dialects=("made_up", "openai_chat"))
GOOD = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})


def present_error(status: int, error: dict[str, Any]) -> bytes:
    """Nothing like OpenAI's."""
    return json.dumps({"oh": status, "why": error["error"]["message"]}).encode()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedProxy]:
    made_up = SimpleNamespace(**{**vars(openai_chat), "NAME": "made_up", "present_error": present_error})
    monkeypatch.setitem(sys.modules, "litellm.wire.made_up", made_up)  # type: ignore[arg-type]
    config = {
        "model_list": [deployment("m", "mock/error-429"), deployment("good", "mock/echo")],
        "general_settings": {"max_request_size_mb": 1},
    }
    with ServedProxy(config, master_key=KEY) as served:
        served.app.routes = Routes((*ROUTES, Route("POST", "/own", OperationHandler(calling.answer, operation=OWN))))
        yield served


def told(proxy: ServedProxy, body: str, key: str = KEY, path: str = "/own", method: str = "POST") -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    try:
        connection.request(method, path, body, {"authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("body", "key", "status", "why"),
    [
        (GOOD, "sk-wrong", 401, "key"),
        ("{", KEY, 400, "JSON"),
        ('{"model": "m", "messages": 1}', KEY, 400, "messages"),
        (GOOD.replace('"m"', '"nobodys"'), KEY, 400, "nobodys"),
        (GOOD, KEY, 429, "429"),
        ("x" * 1_100_000, KEY, 413, "large"),
    ],
    ids=["a wrong key", "no JSON", "a wrong type", "an unknown model", "the upstream's", "a body that is too large"],
)
def test_errors_are_told_in_the_routes_own_dialect(proxy, body, key, status, why):
    got, answer = told(proxy, body, key)
    assert (got, answer["oh"]) == (status, status)
    assert why in answer["why"]


def test_so_is_that_there_are_too_many_requests(proxy):
    proxy.app._concurrency = 0
    got, answer = told(proxy, GOOD)
    assert (got, answer["oh"]) == (503, 503)


def test_so_is_a_bug(proxy, monkeypatch):
    monkeypatch.setattr(calling.intake, "plan", lambda *_, **__: 1 / 0)
    got, answer = told(proxy, GOOD)
    assert (got, answer) == (500, {"oh": 500, "why": "Internal server error; the server's log has the details."})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/chat/completions", 401), ("POST", "/nowhere", 404), ("GET", "/v1/models", 401)],
)
def test_other_routes_tell_theirs_as_openai_does(proxy, method, path, status):
    got, answer = told(proxy, GOOD, "sk-wrong", path, method)
    assert (got, answer["error"]["code"]) == (status, str(status))


def test_good_answers_are_as_ever(proxy):
    got, answer = told(proxy, GOOD.replace('"m"', '"good"'))
    assert (got, answer["choices"][0]["message"]["content"]) == (200, "Hi")
