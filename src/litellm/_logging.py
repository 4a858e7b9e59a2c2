"""Address: dspy, ddtrace and hook files take LiteLLM's loggers from here. Ours is one, under each of the names."""

from __future__ import annotations

from litellm._log import log as verbose_logger

verbose_proxy_logger = verbose_router_logger = verbose_logger

__all__ = ["verbose_logger", "verbose_proxy_logger", "verbose_router_logger"]
