"""The four doors to the same house: one test, asked at each of them, has to get one answer.

A door is `chat(messages, model=…, **params) -> dict` and `stream(…) -> list of chunks as dicts`, and the same for the
other operations: `text`, `text_stream`, `embed`, `moderate`. What goes wrong is raised as `Failure`, which says the same
at every door: status, message, and for a stream what had come out before.
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
from litellm.operations import OPERATIONS

from .inprocess import ServedProxy

HI = [{"role": "user", "content": "hi"}]
KEY = "sk-of-the-upstream"
PATHS = {row.name: row.path for row in OPERATIONS}
SUBJECTS = {row.name: row.subject.name for row in OPERATIONS}
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

    def whole(self, operation: str, subject: Any, *, model: str | None = "m", **params: Any) -> dict[str, Any]:
        raise NotImplementedError

    def streamed(self, operation: str, subject: Any, *, model: str | None = "m", **params: Any) -> Chunks:
        raise NotImplementedError

    def chat(self, messages: Any = HI, **params: Any) -> dict[str, Any]:
        return self.whole("chat", messages, **params)

    def stream(self, messages: Any = HI, **params: Any) -> Chunks:
        return self.streamed("chat", messages, **params)

    def text(self, prompt: Any = "hi", **params: Any) -> dict[str, Any]:
        return self.whole("text", prompt, **params)

    def text_stream(self, prompt: Any = "hi", **params: Any) -> Chunks:
        return self.streamed("text", prompt, **params)

    def embed(self, texts: Any = "hi", **params: Any) -> dict[str, Any]:
        return self.whole("embeddings", texts, **params)

    def moderate(self, texts: Any = "hi", **params: Any) -> dict[str, Any]:
        return self.whole("moderations", texts, **params)

    def ask_text(self, prompt: Any = "hi", *, streamed: bool, **params: Any) -> Any:
        """One of the two; for tests that hold for both."""
        return self.text_stream(prompt, **params) if streamed else self.text(prompt, **params)

    def ask(self, messages: Any = HI, *, streamed: bool, **params: Any) -> Any:
        """One of the two; for tests that hold for both."""
        return self.stream(messages, **params) if streamed else self.chat(messages, **params)


class SdkSync(Door):
    """litellm.completion and its relatives."""

    name = "sdk"

    def __init__(self, base: str) -> None:
        self._place = {"api_base": base, "api_key": KEY}

    def params(self, model: str | None, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"model": model if model is None or "/" in model else f"openai/{model}", **self._place, **params}

    def whole(self, operation: str, subject: Any, *, model: str | None = "m", **params: Any) -> dict[str, Any]:
        ask = getattr(litellm, _SDK[operation])
        with _told():
            return ask(**{SUBJECTS[operation]: subject}, **self.params(model, params)).model_dump()

    def streamed(self, operation: str, subject: Any, *, model: str | None = "m", **params: Any) -> Chunks:
        ask = getattr(litellm, _SDK[operation])
        chunks: Chunks = []
        with _told(chunks):
            for chunk in ask(**{SUBJECTS[operation]: subject}, stream=True, **self.params(model, params)):
                chunks.append(chunk.model_dump())
        return chunks


class SdkAsync(SdkSync):
    """litellm.acompletion and its relatives, each call on an event loop of its own."""

    name = "asdk"

    def whole(self, operation: str, subject: Any, *, model: str | None = "m", **params: Any) -> dict[str, Any]:
        async def ask() -> dict[str, Any]:
            asked = getattr(litellm, "a" + _SDK[operation])
            with _told():
                return (await asked(**{SUBJECTS[operation]: subject}, **self.params(model, params))).model_dump()

        return asyncio.run(asyncio.wait_for(ask(), PATIENCE))

    def streamed(self, operation: str, subject: Any, *, model: str | None = "m", **params: Any) -> Chunks:
        async def ask() -> Chunks:
            asked = getattr(litellm, "a" + _SDK[operation])
            chunks: Chunks = []
            with _told(chunks):
                made = await asked(**{SUBJECTS[operation]: subject}, stream=True, **self.params(model, params))
                async for chunk in made:
                    chunks.append(chunk.model_dump())
            return chunks

        return asyncio.run(asyncio.wait_for(ask(), PATIENCE))


_SDK = {"chat": "completion", "text": "text_completion", "embeddings": "embedding", "moderations": "moderation"}


class ProxyRaw(Door):
    """The proxy, by bare HTTP."""

    name = "proxy"
    remote = True

    def __init__(self, proxy: ServedProxy, headers: Mapping[str, str] | None = None) -> None:
        self.proxy = proxy
        self.headers = headers or {}

    def whole(self, operation: str, subject: Any, *, model: str | None = "m", **params: Any) -> dict[str, Any]:
        return json.loads(self.post(subject, operation=operation, model=model, **params).body)

    def streamed(self, operation: str, subject: Any, *, model: str | None = "m", **params: Any) -> Chunks:
        *events, done = self.events(subject, operation=operation, model=model, **params)
        assert done == "[DONE]", f"the last event is {done!r}"
        chunks = [json.loads(event) for event in events]
        for at, chunk in enumerate(chunks):
            if chunk.get("error"):
                assert at == len(chunks) - 1, "something was said after the error"
                told = chunk["error"]
                raise Failure(int(told["code"]), told["message"], chunks=chunks[:at], body=chunk)
        return chunks

    def events(self, subject: Any = HI, **params: Any) -> list[str]:
        """What a stream consists of, [DONE] included, as text."""
        answer = self.post(subject, stream=True, **params)
        assert answer.headers["content-type"].startswith("text/event-stream")
        *events, rest = answer.body.decode().split("\n\n")
        assert rest == "", "the last event has no end"
        for event in events:
            assert all(line.startswith("data: ") for line in event.split("\n"))
        return ["\n".join(line.removeprefix("data: ") for line in event.split("\n")) for event in events]

    def post(
        self,
        subject: Any = HI,
        *,
        operation: str = "chat",
        model: str | None = "m",
        path: str | None = None,
        headers: Mapping[str, str] = {},
        **params: Any,
    ) -> Reply:
        """The answer as it came; a Failure when it is an error. path: instead of the operation's own."""
        body = {SUBJECTS[operation]: subject, **params} | ({} if model is None else {"model": model})
        reply = request(
            self.proxy, "POST", path or f"/v1{PATHS[operation]}", json.dumps(body), {**self.headers, **headers}
        )
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

    def whole(self, operation: str, subject: Any, *, model: str | None = "m", **params: Any) -> dict[str, Any]:
        with _told():
            answer = self._create(operation)(**self._said(operation, subject, model, params))
            return answer.to_dict(warnings=False)

    def streamed(self, operation: str, subject: Any, *, model: str | None = "m", **params: Any) -> Chunks:
        chunks: Chunks = []
        with _told(chunks):
            made = self._create(operation)(stream=True, **self._said(operation, subject, model, params))
            for chunk in made:
                chunks.append(chunk.to_dict(warnings=False))
        return chunks

    def _create(self, operation: str) -> Any:
        client = self._client
        return {
            "chat": client.chat.completions,
            "text": client.completions,
            "embeddings": client.embeddings,
            "moderations": client.moderations,
        }[operation].create

    def _said(self, operation: str, subject: Any, model: str | None, params: Mapping[str, Any]) -> dict[str, Any]:
        said = {SUBJECTS[operation]: subject, "extra_body": dict(params)}
        return said if model is None else said | {"model": model}

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
        choice = answer["choices"][0]
        return choice["text"] if "text" in choice else choice["message"]["content"]
    choices = [choice for chunk in answer for choice in chunk["choices"] if choice["index"] == 0]
    return "".join((choice["text"] if "text" in choice else choice["delta"].get("content")) or "" for choice in choices)


class House:
    """An upstream, a proxy in front of it that serves every name from there, and the doors."""

    def __init__(self, up: Upstream, proxy: ServedProxy) -> None:
        self.up = up
        self.proxy = proxy
        self.doors: dict[str, Door] = {
            door.name: door for door in (SdkSync(up.base), SdkAsync(up.base), ProxyRaw(proxy), ProxyByOpenAI(proxy))
        }


DOORS = ("sdk", "asdk", "proxy", "openai")
