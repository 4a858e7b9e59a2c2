"""Layers that whoever builds a Client passes in: around every call, inside of what watches it."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import pytest
from tests.unit.router.world import HI, World, deployments, entry

from litellm.engine.backends.scripted import mocked
from litellm.engine.call import Answer, Call
from litellm.engine.client import CallNext, Client
from litellm.engine.drivers import run
from litellm.engine.route import FixedRoute, Route
from litellm.engine.watchers import Watchers
from litellm.exceptions import InternalServerError
from litellm.net.steps import Ask, Flow
from litellm.providers.backend import Mock
from litellm.providers.resolve import resolve
from litellm.providers.target import EndpointSpec

ROUTE = FixedRoute(target=resolve(EndpointSpec(model="mock/echo")))
CALL = Call(model="m", body={"messages": HI})


class Remembering:
    """A cache: what was asked before is answered without a target's help."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}

    def __call__(self, call: Call, route: Route, onward: CallNext) -> Flow[Any]:
        key = repr(call.body)
        if (yield Ask(lambda: key in self.known, None)):
            return self.known[key]
        self.known[key] = answer = yield from onward(call, route)
        return answer


class Noting:
    """Notes who was there in which order."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name = name
        self.notes = notes

    def __call__(self, call: Call, route: Route, onward: CallNext) -> Flow[Any]:
        self.notes.append(f"{self.name} in")
        try:
            return (yield from onward(call, route))
        finally:
            self.notes.append(f"{self.name} out")


class Observer:
    per_chunk = False
    hooks = None

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes

    def emit(self, event: str, record: Any, chunk: Any = None) -> None:  # noqa: ARG002
        self.notes.append(event)


def test_the_first_is_the_outermost_and_all_are_watched():
    notes: list[str] = []
    client = Client(layers=[Noting("a", notes), Noting("b", notes)])
    run(client.flow(CALL, ROUTE), client.sync_io)
    assert notes == ["a in", "b in", "b out", "a out"]
    notes.clear()
    run(client.flow(CALL, ROUTE, Watchers(Observer(notes))), client.sync_io)
    assert notes == ["input", "a in", "b in", "b out", "a out", "success"]


def test_a_layer_may_answer_by_itself():
    client = Client(layers=[Remembering()])
    first = run(client.flow(CALL, ROUTE), client.sync_io)
    assert run(client.flow(CALL, ROUTE), client.sync_io) is first
    other = msgspec.structs.replace(CALL, body={"messages": [{"role": "user", "content": "else"}]})
    assert run(client.flow(other, ROUTE), client.sync_io) is not first


def test_a_layer_stands_around_fallbacks():
    """It sees one call, and the answer that came of it in the end."""
    seen: list[Answer] = []

    def noting(call: Call, route: Route, onward: CallNext) -> Flow[Any]:
        answer = yield from onward(call, route)
        seen.append(answer)
        return answer

    world = World(
        deployments(entry("a", mock_response="litellm.InternalServerError"), entry("b", mock_response="rescued")),
        fallbacks=[{"a": ["b"]}], num_retries=0,
    )  # fmt: skip
    client = Client(layers=[noting])
    answer = run(client.flow(*world.plan("a")), client.sync_io)
    assert seen == [answer]
    assert (answer.requested_model, answer.fallbacks) == ("b", 1)


def test_what_goes_wrong_goes_through():
    notes: list[str] = []
    client = Client(layers=[Noting("a", notes)])
    with pytest.raises(InternalServerError):
        run(
            client.flow(
                msgspec.structs.replace(CALL, retarget=partial(mocked, Mock("litellm.InternalServerError"))), ROUTE
            ),
            client.sync_io,
        )
    assert notes == ["a in", "a out"]
