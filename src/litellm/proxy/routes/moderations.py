"""POST /moderations."""

from __future__ import annotations

from litellm.proxy.calls import calling
from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy


async def create(proxy: Proxy, http: Exchange) -> None:
    """Answer with what is objectionable in texts."""
    await calling.answer(proxy, http, "moderations")
