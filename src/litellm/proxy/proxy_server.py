"""Address: the hook files of LiteLLM's documentation, and of those who began with them, import these two from here."""

from __future__ import annotations

from litellm.hooks.scratch import DualCache
from litellm.types.hooks import UserAPIKeyAuth

__all__ = ["DualCache", "UserAPIKeyAuth"]
