"""Address: crewAI, google-adk, langchain-litellm, mini-swe-agent, openhands, pr-agent and swe-agent import from here."""

from __future__ import annotations

from litellm.catalog.info import (
    get_max_tokens,
    get_model_info,
    register_model,
    supports_function_calling,
    supports_response_schema,
    supports_vision,
)
from litellm.engine.stream import CustomStreamWrapper
from litellm.sdk.helpers import get_llm_provider, get_supported_openai_params
from litellm.tokens.count import token_counter
from litellm.types.chat import Choices, Message, ModelResponse, Usage

__all__ = [
    "Choices", "CustomStreamWrapper", "Message", "ModelResponse", "Usage", "get_llm_provider", "get_max_tokens",
    "get_model_info", "get_supported_openai_params", "register_model", "supports_function_calling",
    "supports_response_schema", "supports_vision", "token_counter",
]  # fmt: skip
