"""Address: dspy and ddtrace take LiteLLM's loggers from here."""

from __future__ import annotations

from litellm._log import log as verbose_logger

__all__ = ["verbose_logger"]
