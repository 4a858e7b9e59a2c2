"""CustomLLM handlers for tests: every subset of methods, asked through every door."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, combinations
from typing import Any

import pytest
from tests.suite.doors import HI, Door, ProxyRaw, SdkAsync, SdkSync
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm import CustomLLM, ModelResponse

METHODS = ("completion", "acompletion", "streaming", "astreaming")
SUBSETS = list(chain.from_iterable(combinations(METHODS, count) for count in range(1, len(METHODS) + 1)))
TEXT = "Hello from a handler."
NOWHERE = "http://unused.invalid"
DOORS = ("sdk", "asdk", "proxy")


class HandlerDoor:
    """`ask` a handler through a door. The proxy is made for each call; that takes a hundredth of a second."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name = name
        self._monkeypatch = monkeypatch

    def ask(self, handler: Any, *, streamed: bool, messages: Any = HI, operation: str = "chat", **params: Any) -> Any:
        if self.name == "proxy":
            with ServedProxy({"model_list": [deployment("m", "mine/x")]}, handlers={"mine": handler}) as proxy:
                return self._asked(ProxyRaw(proxy), operation, messages, streamed, params)
        self._monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": handler}])
        door: Door = SdkSync(NOWHERE) if self.name == "sdk" else SdkAsync(NOWHERE)
        return self._asked(door, operation, messages, streamed, {"model": "mine/x", **params})

    def _asked(self, door: Door, operation: str, subject: Any, streamed: bool, params: dict[str, Any]) -> Any:
        ask = door.streamed if streamed else door.whole
        return ask(operation, subject, **params)


def generic(text: str = "", *, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A GenericStreamingChunk."""
    return {"text": text, "is_finished": finish is not None, "finish_reason": finish, "usage": None, **more}


def answer(text: str = TEXT) -> ModelResponse:
    return ModelResponse(choices=[{"message": {"content": text}, "finish_reason": "stop"}])


def chunks(text: str = TEXT) -> Iterable[dict[str, Any]]:
    words = text.split(" ")
    return [*(generic(word if at == 0 else " " + word) for at, word in enumerate(words)), generic(finish="stop")]


class Everything(CustomLLM):
    """Says the same four times, and notes which method was asked, and with what."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.given: list[dict[str, Any]] = []

    def note(self, name: str, given: dict[str, Any]) -> None:
        self.asked.append(name)
        self.given.append(given)

    def completion(self, **given: Any) -> Any:
        self.note("completion", given)
        return answer()

    async def acompletion(self, **given: Any) -> Any:
        self.note("acompletion", given)
        return answer()

    def streaming(self, **given: Any) -> Any:
        self.note("streaming", given)
        yield from chunks()

    async def astreaming(self, **given: Any) -> Any:
        self.note("astreaming", given)
        for chunk in chunks():
            yield chunk


def with_only(*methods: str) -> Everything:
    """A handler that has just these methods of its own."""
    missing = {name: getattr(CustomLLM, name) for name in METHODS if name not in methods}
    return type("Only_" + "_".join(methods), (Everything,), missing)()


def with_method(name: str, function: Any) -> CustomLLM:
    """A handler whose one method is this function."""
    return type("Handler", (CustomLLM,), {name: function})()
