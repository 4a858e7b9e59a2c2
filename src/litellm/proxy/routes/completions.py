"""POST /completions."""

from __future__ import annotations

from litellm.proxy.calls import calling
from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy


async def create(proxy: Proxy, http: Exchange) -> None:
    """Answer a prompt, whole or streamed."""
    await calling.answer(proxy, http, "text")
