"""The openai package, version 2."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import openai
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

from .client import Client, Messages, Said, Vectors


class OpenAI(Client):
    name = "openai"
    kind: Any = openai.OpenAI

    def __init__(self, base: str, key: str, model: str) -> None:
        self._client = self.kind(base_url=base, api_key=key, max_retries=0)
        self._model = model

    def _asked(self, messages: Messages, tools: Sequence[type[BaseModel]], params: dict[str, Any]) -> dict[str, Any]:
        offered = {"tools": [openai.pydantic_function_tool(tool) for tool in tools]} if tools else {}
        return {"model": self._model, "messages": messages, **offered, **params}

    async def whole(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        return _said(self._client.chat.completions.create(**self._asked(messages, tools, params)))

    async def streamed(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        asked = {"stream_options": {"include_usage": True}, **self._asked(messages, tools, params)}
        with self._client.chat.completions.stream(**asked) as stream:
            pieces = [event for event in stream if event.type == "content.delta"]
            return _said(stream.get_final_completion(), len(pieces))

    async def parse(self, messages: Messages, kind: type[BaseModel]) -> BaseModel:
        answer = self._client.chat.completions.parse(model=self._model, messages=messages, response_format=kind)
        return answer.choices[0].message.parsed

    async def embed(self, texts: list[str]) -> Vectors:
        return [each.embedding for each in self._client.embeddings.create(model=self._model, input=texts).data]

    async def close(self) -> None:
        self._client.close()


class AsyncOpenAI(OpenAI):
    name = "openai-async"
    kind = openai.AsyncOpenAI

    async def whole(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        return _said(await self._client.chat.completions.create(**self._asked(messages, tools, params)))

    async def streamed(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        asked = {"stream_options": {"include_usage": True}, **self._asked(messages, tools, params)}
        async with self._client.chat.completions.stream(**asked) as stream:
            pieces = [event async for event in stream if event.type == "content.delta"]
            return _said(await stream.get_final_completion(), len(pieces))

    async def parse(self, messages: Messages, kind: type[BaseModel]) -> BaseModel:
        answer = await self._client.chat.completions.parse(model=self._model, messages=messages, response_format=kind)
        return answer.choices[0].message.parsed

    async def embed(self, texts: list[str]) -> Vectors:
        return [each.embedding for each in (await self._client.embeddings.create(model=self._model, input=texts)).data]

    async def close(self) -> None:
        await self._client.close()


def _said(answer: ChatCompletion, pieces: int = 1) -> Said:
    (choice,) = answer.choices
    calls = [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls or ()]
    usage = (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens)
    return Said(choice.message.content or "", calls, usage, pieces)
