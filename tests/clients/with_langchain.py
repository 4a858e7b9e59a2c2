"""LangChain's ChatOpenAI and OpenAIEmbeddings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import httpx
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from .client import Client, Messages, Said, Vectors


class LangChain(Client):
    name = "langchain"

    def __init__(self, base: str, key: str, model: str) -> None:
        place = {"base_url": base, "api_key": key, "model": model, "max_retries": 0}
        self._model = ChatOpenAI(**place, stream_usage=True)
        # Embeddings would make connections of their own, and leave closing them to the garbage collector.
        self._http, self._async_http = httpx.Client(), httpx.AsyncClient()
        self._embeddings = OpenAIEmbeddings(**place, http_client=self._http, http_async_client=self._async_http)

    def _offering(self, tools: Sequence[type[BaseModel]]) -> Any:
        return self._model.bind_tools(tools) if tools else self._model

    async def whole(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        return _said(self._offering(tools).invoke(messages, **params))

    async def streamed(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        return _gathered(list(self._offering(tools).stream(messages, **params)))

    async def parse(self, messages: Messages, kind: type[BaseModel]) -> BaseModel:
        return self._model.with_structured_output(kind).invoke(messages)

    async def embed(self, texts: list[str]) -> Vectors:
        return self._embeddings.embed_documents(texts)

    async def close(self) -> None:
        self._http.close()
        await self._async_http.aclose()


class AsyncLangChain(LangChain):
    name = "langchain-async"

    async def whole(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        return _said(await self._offering(tools).ainvoke(messages, **params))

    async def streamed(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        return _gathered([chunk async for chunk in self._offering(tools).astream(messages, **params)])

    async def parse(self, messages: Messages, kind: type[BaseModel]) -> BaseModel:
        return await self._model.with_structured_output(kind).ainvoke(messages)

    async def embed(self, texts: list[str]) -> Vectors:
        return await self._embeddings.aembed_documents(texts)


def _gathered(chunks: list[Any]) -> Said:
    return _said(reduce(add, chunks), sum(bool(chunk.text) for chunk in chunks))


def _said(message: AIMessage, pieces: int = 1) -> Said:
    used = message.usage_metadata
    usage = (used["input_tokens"], used["output_tokens"], used["total_tokens"])
    return Said(message.text, [(call["name"], call["args"]) for call in message.tool_calls], usage, pieces)
