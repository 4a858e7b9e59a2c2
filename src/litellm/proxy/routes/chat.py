"""POST /chat/completions."""

from __future__ import annotations

import time

from litellm.engine.call import Answer
from litellm.engine.drivers import arun
from litellm.proxy import intake, reply
from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy


async def create(proxy: Proxy, http: Exchange) -> None:
    """Answer a chat request, whole or streamed."""
    started = time.monotonic()
    proxy.gate.admit(http.headers)
    call = intake.chat(proxy, http.body, http.headers, http.call_id)
    client = proxy.client
    result = await arun(client.flow(call), client.async_io)
    if isinstance(result, Answer):
        reply.whole(http, result, started)
    else:
        await reply.stream(http, result, client.async_io, started)
