"""The four doors to the same house: one test, asked at each of them, has to get one answer.

A door is `chat(messages, model=…, **params) -> dict` and `stream(…) -> list of chunks as dicts`. What goes wrong is
raised as `Failure`, which says the same at every door: status, message, and for a stream what had come out before.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import openai
from tests.fakes.upstream import Upstream

import litellm
from litellm.exceptions import LiteLLMError

from .inprocess import ServedProxy

HI = [{"role": "user", "content": "hi"}]
KEY = "sk-of-the-upstream"
PATIENCE = 5.0  # seconds after which something that should have ended is given up
Chunks = list[dict[str, Any]]


class Failure(Exception):
    """kind: the exception's class, or None where there is only HTTP. chunks: those of a stream before it broke."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: type[Exception] | None = None,
        chunks: Sequence[dict[str, Any]] = (),
        partial: str | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(f"{status} {kind.__name__ if kind else ''} {message}")
        self.status = status
        self.message = message
        self.kind = kind
        self.chunks = list(chunks)
        self.partial = partial
        self.body = body


class Door:
    """What all doors have; `remote` ones are the proxy's."""

    name: str
    remote = False

    def chat(self, messages: Any = HI, *, model: str = "m", **params: Any) -> dict[str, Any]:
        raise NotImplementedError

    def stream(self, messages: Any = HI, *, model: str = "m", **params: Any) -> Chunks:
        raise NotImplementedError

    def ask(self, messages: Any = HI, *, streamed: bool, **params: Any) -> Any:
        """One of the two; for tests that hold for both."""
        return self.stream(messages, **params) if streamed else self.chat(messages, **params)


class SdkSync(Door):
    """litellm.completion."""

    name = "sdk"

    def __init__(self, base: str) -> None:
        self._place = {"api_base": base, "api_key": KEY}

    def params(self, model: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"model": model if "/" in model else f"openai/{model}", **self._place, **params}

    def chat(self, messages: Any = HI, *, model: str = "m", **params: Any) -> dict[str, Any]:
        with _told():
            return litellm.completion(messages=messages, **self.params(model, params)).model_dump()

    def stream(self, messages: Any = HI, *, model: str = "m", **params: Any) -> Chunks:
        chunks: Chunks = []
        with _told(chunks):
            for chunk in litellm.completion(messages=messages, stream=True, **self.params(model, params)):
                chunks.append(chunk.model_dump())
        return chunks


class SdkAsync(SdkSync):
    """litellm.acompletion, each call on an event loop of its own."""

    name = "asdk"

    def chat(self, messages: Any = HI, *, model: str = "m", **params: Any) -> dict[str, Any]:
        async def ask() -> dict[str, Any]:
            with _told():
                return (await litellm.acompletion(messages=messages, **self.params(model, params))).model_dump()

        return asyncio.run(asyncio.wait_for(ask(), PATIENCE))

    def stream(self, messages: Any = HI, *, model: str = "m", **params: Any) -> Chunks:
        async def ask() -> Chunks:
            chunks: Chunks = []
            with _told(chunks):
                made = await litellm.acompletion(messages=messages, stream=True, **self.params(model, params))
                async for chunk in made:
                    chunks.append(chunk.model_dump())
            return chunks

        return asyncio.run(asyncio.wait_for(ask(), PATIENCE))


class ProxyRaw(Door):
    """The proxy, by bare HTTP."""

    name = "proxy"
    remote = True

    def __init__(self, proxy: ServedProxy, headers: Mapping[str, str] | None = None) -> None:
        self.proxy = proxy
        self.headers = headers or {}

    def chat(self, messages: Any = HI, *, model: str = "m", **params: Any) -> dict[str, Any]:
        return json.loads(self.post(messages, model=model, **params).body)

    def stream(self, messages: Any = HI, *, model: str = "m", **params: Any) -> Chunks:
        *events, done = self.events(messages, model=model, **params)
        assert done == "[DONE]", f"the last event is {done!r}"
        chunks = [json.loads(event) for event in events]
        for at, chunk in enumerate(chunks):
            if chunk.get("error"):
                assert at == len(chunks) - 1, "something was said after the error"
                told = chunk["error"]
                raise Failure(int(told["code"]), told["message"], chunks=chunks[:at], body=chunk)
        return chunks

    def events(self, messages: Any = HI, **params: Any) -> list[str]:
        """What a stream consists of, [DONE] included, as text."""
        answer = self.post(messages, stream=True, **params)
        assert answer.headers["content-type"].startswith("text/event-stream")
        *events, rest = answer.body.decode().split("\n\n")
        assert rest == "", "the last event has no end"
        for event in events:
            assert all(line.startswith("data: ") for line in event.split("\n"))
        return ["\n".join(line.removeprefix("data: ") for line in event.split("\n")) for event in events]

    def post(self, messages: Any = HI, *, model: str = "m", headers: Mapping[str, str] = {}, **params: Any) -> Reply:
        """The answer as it came; a Failure when it is an error."""
        body = json.dumps({"model": model, "messages": messages, **params})
        reply = request(self.proxy, "POST", "/v1/chat/completions", body, {**self.headers, **headers})
        if reply.status >= 400:
            told = json.loads(reply.body)["error"]
            raise Failure(reply.status, told["message"], body=told)
        return reply


class Reply:
    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


def request(
    proxy: ServedProxy, method: str, path: str, body: str | bytes | None = None, headers: Mapping[str, str] = {}
) -> Reply:
    """One exchange on a connection of its own."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE)) as connection:
        connection.request(method, path, body, {"content-type": "application/json", **headers})
        response = connection.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


class ProxyByOpenAI(Door):
    """The proxy, by OpenAI's own client."""

    name = "openai"
    remote = True

    def __init__(self, proxy: ServedProxy, key: str = "sk-any") -> None:
        self._client = openai.OpenAI(base_url=f"{proxy.url}/v1", api_key=key, max_retries=0, timeout=PATIENCE)

    def chat(self, messages: Any = HI, *, model: str = "m", **params: Any) -> dict[str, Any]:
        with _told():
            answer = self._client.chat.completions.create(model=model, messages=messages, extra_body=params)
            return answer.to_dict(warnings=False)

    def stream(self, messages: Any = HI, *, model: str = "m", **params: Any) -> Chunks:
        chunks: Chunks = []
        with _told(chunks):
            made = self._client.chat.completions.create(model=model, messages=messages, stream=True, extra_body=params)
            for chunk in made:
                chunks.append(chunk.to_dict(warnings=False))
        return chunks

    def close(self) -> None:
        self._client.close()


@contextlib.contextmanager
def _told(chunks: Sequence[dict[str, Any]] = ()) -> Iterator[None]:
    """Errors of both libraries, as Failure."""
    try:
        yield
    except LiteLLMError as error:
        raise Failure(
            error.status_code or 0, str(error), kind=type(error), chunks=chunks, partial=getattr(error, "partial", None)
        ) from error
    except openai.APIError as error:
        status = getattr(error, "status_code", None) or int(error.code or 0)
        raise Failure(status, error.message, kind=type(error), chunks=chunks, body=error.body) from error


def text_of(answer: dict[str, Any] | Chunks) -> str:
    """The text of the first choice of an answer, whole or streamed."""
    if isinstance(answer, dict):
        return answer["choices"][0]["message"]["content"]
    deltas = [choice["delta"] for chunk in answer for choice in chunk["choices"] if choice["index"] == 0]
    return "".join(delta.get("content") or "" for delta in deltas)


class House:
    """An upstream, a proxy in front of it that serves every name from there, and the doors."""

    def __init__(self, up: Upstream, proxy: ServedProxy) -> None:
        self.up = up
        self.proxy = proxy
        self.doors: dict[str, Door] = {
            door.name: door for door in (SdkSync(up.base), SdkAsync(up.base), ProxyRaw(proxy), ProxyByOpenAI(proxy))
        }


DOORS = ("sdk", "asdk", "proxy", "openai")
