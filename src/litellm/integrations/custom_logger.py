"""Address: LiteLLM's documentation imports CustomLogger from here."""

from __future__ import annotations

from litellm.hooks.logger import CustomLogger

__all__ = ["CustomLogger"]
