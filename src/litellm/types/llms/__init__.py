"""Address: openai-agents reads `litellm.types.llms.openai` without importing it."""

from __future__ import annotations

from litellm.types.llms import openai

__all__ = ["openai"]
