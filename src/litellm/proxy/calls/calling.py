"""What every request for a model goes through: authentication, intake, call, reply."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from litellm.engine.call import Answer
from litellm.engine.drivers import arun
from litellm.engine.opened import Opened
from litellm.net.async_io import AsyncTransport
from litellm.operations import Operation
from litellm.proxy.auth.authenticator import Caller
from litellm.proxy.calls import intake, multi_model, reply
from litellm.proxy.calls.multi_model import MultiModelRequest
from litellm.proxy.hooks.hook_data import from_hook_data, headers_of, to_hook_data
from litellm.proxy.hooks.request_hooks import HookedRequest
from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy
from litellm.wire.dialects import client_dialect
from litellm.wire.protocol import ClientDialect


async def answer(proxy: Proxy, http: Exchange, operation: Operation) -> None:
    """Answer a request for `operation`, whole or streamed."""
    started = time.monotonic()
    caller = await admitted(proxy, http)
    body = intake.parse(http.body)
    if proxy.heartbeat is not None and operation.streams and body.get("stream") is True:
        with beating(http, proxy.heartbeat):
            await _answer(proxy, http, operation, caller, body, started)
    else:
        await _answer(proxy, http, operation, caller, body, started)


@contextmanager
def beating(http: Exchange, seconds: float) -> Iterator[None]:
    """Put a comment into the stream every `seconds`, as long as the answer takes."""
    beats = asyncio.create_task(_beat(http, seconds))
    try:
        yield
    finally:
        beats.cancel()


async def _beat(http: Exchange, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        http.heartbeat()


async def admitted(proxy: Proxy, http: Exchange) -> Caller:
    """The caller. Raises RequestError 401."""
    if proxy.custom_auth is None:
        return proxy.authenticator.admit(http.headers)
    return await proxy.custom_auth.admit(http)


async def _answer(
    proxy: Proxy, http: Exchange, operation: Operation, caller: Caller, body: dict[str, Any], started: float
) -> None:
    """Make the call that `body` asks for, and answer; by way of the administrator's hooks, where there are any."""
    hooked, text = None, None
    if proxy.hooks is not None:
        data = to_hook_data(http, caller, body)
        hooked = HookedRequest(hooks=proxy.hooks, caller=caller.described(), operation=operation, data=data)
    try:
        if hooked is not None:
            text = await hooked.before()
            body = from_hook_data(hooked.data)
        dialect = client_dialect(operation.dialect)
        plan = intake.plan(proxy, caller, operation, http, body, answer=text)
        if isinstance(plan, MultiModelRequest):
            await multi_model.answer(proxy.client, http, plan, dialect, hooked, started)
            return
        call = arun(proxy.client.flow(*plan), proxy.client.async_io)
        result = await (call if hooked is None else hooked.beside(call))
        await _reply(proxy.client.async_io, http, result, dialect, hooked, started)
    except Exception as error:
        if hooked is None or http.started:
            raise
        replacement = await hooked.failed(error)
        if replacement is error:
            raise
        raise replacement from error


async def _reply(
    io: AsyncTransport,
    http: Exchange,
    result: Answer | Opened,
    dialect: ClientDialect,
    hooked: HookedRequest | None,
    started: float,
) -> None:
    if isinstance(result, Answer):
        more = [] if hooked is None else await hooked.headers(await hooked.edit(result), headers_of(http))
        reply.send_json(http, result, dialect, started, more)
    elif hooked is not None and hooked.hooks.sees_streams:
        async with aclosing(hooked.chunks(reply.objects(result, io, hooked.operation))) as chunks:
            await reply.stream_objects(http, result, dialect, chunks, started)
    else:
        await reply.stream(http, result, dialect, io, started)
