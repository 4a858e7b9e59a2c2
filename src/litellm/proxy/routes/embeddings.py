"""POST /embeddings."""

from __future__ import annotations

from litellm.proxy.calls import calling
from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy


async def create(proxy: Proxy, http: Exchange) -> None:
    """Answer with the vectors of texts."""
    await calling.answer(proxy, http, "embeddings")
