"""Address: crewAI, langchain-litellm, mini-swe-agent, pr-agent and swe-agent import from litellm.utils."""

from __future__ import annotations

from litellm.engine.stream import CustomStreamWrapper
from litellm.sdk.helpers import get_llm_provider, get_supported_openai_params
from litellm.types.chat import Choices, Message, ModelResponse, Usage

__all__ = [
    "Choices",
    "CustomStreamWrapper",
    "Message",
    "ModelResponse",
    "Usage",
    "get_llm_provider",
    "get_supported_openai_params",
]
