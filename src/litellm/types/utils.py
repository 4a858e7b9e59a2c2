"""Address: LiteLLM's users import these from here (crewAI, google-adk, langchain-litellm, openai-agents, seed 004)."""

from __future__ import annotations

from litellm.types.chat import (
    ChatCompletionDeltaToolCall,
    ChatCompletionMessageToolCall,
    Choices,
    CompletionTokensDetailsWrapper,
    Delta,
    Function,
    FunctionCall,
    Message,
    ModelResponse,
    ModelResponseBase,
    ModelResponseStream,
    PromptTokensDetailsWrapper,
    StreamingChoices,
    Usage,
)
from litellm.types.completion import TextChoices, TextCompletionResponse
from litellm.types.embedding import Embedding, EmbeddingResponse
from litellm.types.hooks import CallTypes, StandardLoggingPayload
from litellm.types.streaming import GenericStreamingChunk

__all__ = [
    "CallTypes",
    "ChatCompletionDeltaToolCall",
    "ChatCompletionMessageToolCall",
    "Choices",
    "CompletionTokensDetailsWrapper",
    "Delta",
    "Embedding",
    "EmbeddingResponse",
    "Function",
    "FunctionCall",
    "GenericStreamingChunk",
    "Message",
    "ModelResponse",
    "ModelResponseBase",
    "ModelResponseStream",
    "PromptTokensDetailsWrapper",
    "StandardLoggingPayload",
    "StreamingChoices",
    "TextChoices",
    "TextCompletionResponse",
    "Usage",
]
