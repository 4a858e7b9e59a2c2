"""Address: ddtrace and langchain-litellm import from litellm.main."""

from __future__ import annotations

from litellm.engine.assemble import stream_chunk_builder
from litellm.engine.stream import CustomStreamWrapper
from litellm.sdk.chat import acompletion, completion
from litellm.sdk.completion import atext_completion, text_completion
from litellm.sdk.embedding import aembedding, embedding
from litellm.types.chat import ModelResponse

__all__ = [
    "CustomStreamWrapper", "ModelResponse", "acompletion", "aembedding", "atext_completion", "completion", "embedding",
    "stream_chunk_builder", "text_completion",
]  # fmt: skip
