"""Address: hook files import DualCache from here."""

from __future__ import annotations

from litellm.hooks.scratch import DualCache

__all__ = ["DualCache"]
