"""What an upstream wrote of a stream is passed on to clients who speak the same dialect; others are written theirs."""

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
from tests.unit.router.world import HI

from litellm.engine.call import Call
from litellm.engine.client import CallNext, Client
from litellm.engine.drivers import run
from litellm.engine.opened import Opened, Source
from litellm.engine.outgoing import outgoing
from litellm.engine.route import FixedRoute, Route
from litellm.engine.watchers import Watchers
from litellm.net.steps import Ask, Flow
from litellm.operations import CHAT
from litellm.providers.resolve import resolve
from litellm.providers.target import EndpointSpec
from litellm.proxy.app import ROUTES, OperationHandler
from litellm.proxy.calls import calling
from litellm.server import routing
from litellm.wire import openai_chat
from litellm.wire.decoding import ValueDecoder
from litellm.wire.protocol import Chunk

OWN = msgspec.structs.replace(CHAT, name="own", path="/own", dialects=("made_up_elsewhere", "openai_chat"))
CHOICE = {"index": 0, "delta": {"role": "assistant", "content": "ours"}, "finish_reason": "stop"}


def foreign(call: Call, route: Route, onward: CallNext) -> Flow[Any]:  # noqa: ARG001 - it answers by itself
    """A stream in a dialect that is not OpenAI's."""
    chunk = Chunk({"id": "1", "object": "chat.completion.chunk", "created": 1, "choices": [CHOICE]}, b'{"theirs":true}')
    opened = Opened(
        requested_model=call.model, dialect="made_up_elsewhere", first=[chunk], decoder=ValueDecoder(openai_chat.rules(outgoing("m", {}))),
        source=Source(Ask(lambda: b"", None), lambda: None, lambda: None),
    )  # fmt: skip
    opened.finish()
    return opened
    yield


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedProxy]:
    made_up = SimpleNamespace(**{**vars(openai_chat), "NAME": "made_up_elsewhere"})
    monkeypatch.setitem(sys.modules, "litellm.wire.made_up_elsewhere", made_up)  # type: ignore[arg-type]
    with ServedProxy({"model_list": [deployment("m", "mock/hang")]}, layers=[foreign]) as served:
        own = routing.Route("POST", "/own", OperationHandler(calling.answer, operation=OWN))
        served.app.routes = routing.Routes((*ROUTES, own))
        yield served


@pytest.mark.parametrize(("path", "relayed"), [("/own", True), ("/v1/chat/completions", False)])
def test_to_clients(proxy, path, relayed):
    connection = HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    try:
        connection.request("POST", path, json.dumps({"model": "m", "messages": HI, "stream": True}))
        first, *_ = connection.getresponse().read().decode().split("\n\n")
    finally:
        connection.close()
    event = json.loads(first.removeprefix("data: "))
    assert event.get("theirs", False) is relayed
    assert ("choices" in event) is not relayed


def test_to_callbacks():
    """They read OpenAI's objects, whatever the upstream wrote."""
    records: list[Any] = []

    class Observer:
        per_chunk = False
        hooks = None

        def emit(self, event: str, record: Any, chunk: Any = None) -> None:  # noqa: ARG002
            records.append(record)

    client = Client(layers=[foreign])
    route = FixedRoute(target=resolve(EndpointSpec(model="mock/hang")))
    call = Call(model="m", body={"messages": HI}, stream=True)
    run(client.flow(call, route, Watchers(Observer())), client.sync_io)
    assert records[-1].status == "success"
    assert records[-1].response().choices[0].message.content == "ours"
