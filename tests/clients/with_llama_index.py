"""LlamaIndex's OpenAILike and OpenAILikeEmbedding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai.utils import from_openai_message_dicts
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from .client import Client, Messages, Said, Vectors


class LlamaIndex(Client):
    name = "llama-index"

    def __init__(self, base: str, key: str, model: str) -> None:
        # LlamaIndex leaves closing its connections to the garbage collector.
        self._http, self._async_http = httpx.Client(), httpx.AsyncClient()
        place = {
            "api_base": base,
            "api_key": key,
            "max_retries": 0,
            "http_client": self._http,
            "async_http_client": self._async_http,
        }
        self._llm = OpenAILike(
            **place,
            model=model,
            is_chat_model=True,
            is_function_calling_model=True,
            should_use_structured_outputs=True,
            additional_kwargs={"stream_options": {"include_usage": True}},  # left out where nothing is streamed
        )
        self._embedding = OpenAILikeEmbedding(**place, model_name=model)

    async def whole(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        if tools:
            return self._said(self._llm.chat_with_tools(**_offering(messages, tools), **params))
        return self._said(self._llm.chat(_chat(messages), **params))

    async def streamed(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        if tools:
            return self._gathered(list(self._llm.stream_chat_with_tools(**_offering(messages, tools), **params)))
        return self._gathered(list(self._llm.stream_chat(_chat(messages), **params)))

    async def parse(self, messages: Messages, kind: type[BaseModel]) -> BaseModel:
        return self._llm.as_structured_llm(kind).chat(_chat(messages)).raw

    async def embed(self, texts: list[str]) -> Vectors:
        return self._embedding.get_text_embedding_batch(texts)

    async def close(self) -> None:
        self._http.close()
        await self._async_http.aclose()

    def _gathered(self, responses: list[ChatResponse]) -> Said:
        return self._said(responses[-1], sum(bool(response.delta) for response in responses))

    def _said(self, response: ChatResponse, pieces: int = 1) -> Said:
        calls = self._llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
        counts = response.additional_kwargs
        usage = (counts["prompt_tokens"], counts["completion_tokens"], counts["total_tokens"])
        return Said(
            response.message.content or "", [(call.tool_name, call.tool_kwargs) for call in calls], usage, pieces
        )


class AsyncLlamaIndex(LlamaIndex):
    name = "llama-index-async"

    async def whole(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        if tools:
            return self._said(await self._llm.achat_with_tools(**_offering(messages, tools), **params))
        return self._said(await self._llm.achat(_chat(messages), **params))

    async def streamed(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        if tools:
            stream = await self._llm.astream_chat_with_tools(**_offering(messages, tools), **params)
        else:
            stream = await self._llm.astream_chat(_chat(messages), **params)
        return self._gathered([response async for response in stream])

    async def parse(self, messages: Messages, kind: type[BaseModel]) -> BaseModel:
        return (await self._llm.as_structured_llm(kind).achat(_chat(messages))).raw

    async def embed(self, texts: list[str]) -> Vectors:
        return await self._embedding.aget_text_embedding_batch(texts)


def _chat(messages: Messages) -> list[ChatMessage]:
    return from_openai_message_dicts(messages)


def _offering(messages: Messages, tools: Sequence[type[BaseModel]]) -> dict[str, Any]:
    made = [
        FunctionTool.from_defaults(fn=print, name=tool.__name__, description=tool.__doc__, fn_schema=tool)
        for tool in tools
    ]
    return {"tools": made, "chat_history": _chat(messages), "allow_parallel_tool_calls": True}
