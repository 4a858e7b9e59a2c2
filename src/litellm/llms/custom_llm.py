"""Address: LiteLLM's documentation imports CustomLLM from here."""

from __future__ import annotations

from litellm.providers.custom import CustomLLM, CustomLLMError

__all__ = ["CustomLLM", "CustomLLMError"]
