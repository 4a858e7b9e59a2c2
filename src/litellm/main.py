"""Address: ddtrace and langchain-litellm import from litellm.main."""

from __future__ import annotations

from litellm.engine.assemble import stream_chunk_builder
from litellm.engine.stream import CustomStreamWrapper
from litellm.sdk.chat import acompletion, completion
from litellm.types.chat import ModelResponse

__all__ = ["CustomStreamWrapper", "ModelResponse", "acompletion", "completion", "stream_chunk_builder"]
