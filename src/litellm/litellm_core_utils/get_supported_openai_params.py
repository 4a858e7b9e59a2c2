"""Address: crewAI and dspy import the function from here."""

from __future__ import annotations

from litellm.sdk.helpers import get_supported_openai_params

__all__ = ["get_supported_openai_params"]
