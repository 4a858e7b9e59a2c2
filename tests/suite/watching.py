"""Calls of every kind at every door, and a logger that remembers what it is told of them."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import litellm
from litellm.hooks.dispatch import default_dispatcher
from litellm.integrations.custom_logger import CustomLogger

from .doors import KEY, PATIENCE
from .inprocess import ServedProxy

# operation → (function of the SDK, path, what it is about, model with a known price, that price for the fakes' usage)
KINDS: Mapping[str, tuple[str, str, dict[str, Any], str, float]] = {
    "chat": (
        "completion", "/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}, "gpt-4o-mini",
        9 * 0.15e-6 + 4 * 0.6e-6,
    ),
    "text": ("text_completion", "/v1/completions", {"prompt": "hi"}, "gpt-3.5-turbo-instruct", 9 * 1.5e-6 + 4 * 2e-6),
    "embeddings": ("embedding", "/v1/embeddings", {"input": ["hi"]}, "text-embedding-3-small", 5 * 0.02e-6),
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    kind: str  # "before", "success" or "failure"; of a FallbackRecorder also the other events' names
    kwargs: dict[str, Any]
    response: Any = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def log(self) -> dict[str, Any]:
        return self.kwargs["standard_logging_object"]

    @property
    def metadata(self) -> dict[str, Any]:
        return self.kwargs["litellm_params"]["metadata"]


class Recorder(CustomLogger):
    """Remembers. `async_` methods are told of async calls, the others of sync ones."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._events: list[Event] = []

    @property
    def events(self) -> list[Event]:
        """How calls ended, when all that happened has been told."""
        assert default_dispatcher().flush(10)
        return [event for event in self._events if event.kind != "before"]

    @property
    def event(self) -> Event:
        """The only one."""
        (only,) = self.events
        return only

    @property
    def begun(self) -> list[Event]:
        """What was told before calls."""
        assert default_dispatcher().flush(10)
        return [event for event in self._events if event.kind == "before"]

    def clear(self) -> None:
        assert default_dispatcher().flush(10)
        self._events.clear()

    def log_pre_api_call(self, model, messages, kwargs):
        self._events.append(Event("before", dict(kwargs)))

    def log_success_event(self, *given):
        self._events.append(Event("success", *given))

    def log_failure_event(self, *given):
        self._events.append(Event("failure", *given))

    async def async_log_success_event(self, *given):
        self._events.append(Event("success", *given))

    async def async_log_failure_event(self, *given):
        self._events.append(Event("failure", *given))


@dataclass(frozen=True)
class Turn(Event):
    """What is told between a call's beginning and its end."""

    group: str | None = None
    error: Exception | None = None


class FallbackRecorder(Recorder):
    """Is told of fallbacks and exhausted groups too."""

    async def log_success_fallback_event(self, original_model_group, kwargs, original_exception):
        self._turn("success_fallback", kwargs, original_model_group, original_exception)

    async def log_failure_fallback_event(self, original_model_group, kwargs, original_exception):
        self._turn("failure_fallback", kwargs, original_model_group, original_exception)

    async def log_model_group_rate_limit_error(self, exception, original_model_group, kwargs):
        self._turn("exhausted", kwargs, original_model_group, exception)

    def _turn(self, kind, kwargs, group, error):
        self._events.append(Turn(kind, dict(kwargs), group=group, error=error))

    @property
    def kinds(self) -> list[str]:
        """What was told, in its order."""
        return [event.kind for event in self.events]


class Asker:
    """One door for all operations. `ask` gives the answer, or a stream's chunks; errors come as they are."""

    name: str

    def model(self, name: str) -> str:
        raise NotImplementedError

    def ask(self, kind: str, **params: Any) -> Any:
        raise NotImplementedError

    def leave(self, kind: str, **params: Any) -> None:
        """Ask for a stream, read its first chunk, and go away."""
        raise NotImplementedError


class BySdk(Asker):
    name = "sdk"

    def __init__(self, base: str) -> None:
        self._place = {"api_base": base, "api_key": KEY}

    def model(self, name: str) -> str:
        return f"openai/{name}"

    def _asked(self, kind: str, params: dict[str, Any], prefix: str = "") -> Any:
        function, _, about, model, _ = KINDS[kind]
        given = {"model": self.model(model), **about, **self._place, **params}
        return getattr(litellm, prefix + function)(**given)

    def ask(self, kind: str, **params: Any) -> Any:
        answer = self._asked(kind, params)
        return list(answer) if params.get("stream") else answer

    def leave(self, kind: str, **params: Any) -> None:
        stream = self._asked(kind, {**params, "stream": True})
        next(stream)
        stream.close()


class ByAsyncSdk(BySdk):
    name = "asdk"

    def ask(self, kind: str, **params: Any) -> Any:
        async def ask() -> Any:
            answer = await self._asked(kind, params, "a")
            return [chunk async for chunk in answer] if params.get("stream") else answer

        return asyncio.run(asyncio.wait_for(ask(), PATIENCE))

    def leave(self, kind: str, **params: Any) -> None:
        async def ask() -> None:
            stream = await self._asked(kind, {**params, "stream": True}, "a")
            await anext(stream)
            await stream.aclose()

        asyncio.run(asyncio.wait_for(ask(), PATIENCE))


class ByProxy(Asker):
    name = "proxy"

    def __init__(self, proxy: ServedProxy) -> None:
        self._proxy = proxy

    def model(self, name: str) -> str:
        return name

    @contextlib.contextmanager
    def _asked(self, kind: str, params: dict[str, Any]) -> Iterator[http.client.HTTPResponse]:
        _, path, about, model, _ = KINDS[kind]
        body = json.dumps({"model": model, **about, **params})
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._proxy.port, timeout=PATIENCE)) as line:
            line.request("POST", path, body, {"content-type": "application/json"})
            yield line.getresponse()

    def ask(self, kind: str, **params: Any) -> Any:
        with self._asked(kind, params) as response:
            body = response.read()
            if response.status >= 400:
                raise RuntimeError(body)
            if not params.get("stream"):
                return json.loads(body)
            return [json.loads(event[6:]) for event in body.decode().split("\n\n")[:-2]]

    def leave(self, kind: str, **params: Any) -> None:
        with self._asked(kind, {**params, "stream": True}) as response:
            response.read(1)
            response.close()
