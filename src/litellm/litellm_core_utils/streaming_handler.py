"""Address: opik and openinference import CustomStreamWrapper from here."""

from __future__ import annotations

from litellm.engine.stream import CustomStreamWrapper
from litellm.types.chat import StreamingChoices

__all__ = ["CustomStreamWrapper", "StreamingChoices"]
