"""litellm.embedding and litellm.aembedding."""

from __future__ import annotations

import time
from typing import Any

from litellm.engine.drivers import arun, run
from litellm.operations import EMBEDDINGS
from litellm.sdk._call import default_client, make_call
from litellm.sdk._present import present
from litellm.sdk._signature import set_signature
from litellm.types.embedding import EmbeddingResponse
from litellm.types.params import EmbeddingParams


def embedding(model: str, input: Any = None, **params: Any) -> EmbeddingResponse:  # noqa: A002 - OpenAI's name
    """Turn texts into vectors.

    model: as for completion. input: a text, tokens as numbers, or a list of these. Further parameters are OpenAI's
    (dimensions, encoding_format, user), those that steer any call, and what the upstream knows besides. The vectors are
    floats, unless encoding_format="base64" asks for these; whatever the upstream sends is converted.

    Raises what completion raises.

    >>> len(embedding("mock/embedder", ["one", "two"], dimensions=3).data[1].embedding)
    3
    """
    started = time.monotonic()
    plan, client = make_call(model, input, None, params, EMBEDDINGS), default_client()
    answer: EmbeddingResponse = present(plan.call, run(client.flow(*plan), client.sync_io), client.sync_io, started)
    return answer


async def aembedding(model: str, input: Any = None, **params: Any) -> EmbeddingResponse:  # noqa: A002 - OpenAI's name
    """The same as embedding, for asyncio."""
    started = time.monotonic()
    plan, client = make_call(model, input, None, params, EMBEDDINGS, is_async=True), default_client()
    answer: EmbeddingResponse = present(
        plan.call, await arun(client.flow(*plan), client.async_io), client.async_io, started
    )
    return answer


for _function in (embedding, aembedding):
    set_signature(_function, EmbeddingParams)
