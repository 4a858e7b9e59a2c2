"""Address: ddtrace imports DualCache from here, and so do hook files."""

from __future__ import annotations

from litellm.hooks.scratch import DualCache

__all__ = ["DualCache"]
