"""What every request for a model goes through: the key, the body, the call, the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from pydantic import BaseModel

from litellm.engine.call import Answer, Opened
from litellm.engine.drivers import afan_out, arun
from litellm.engine.present import answer_class, built
from litellm.net.steps import Fan
from litellm.operations import Operation
from litellm.providers.target import Mock
from litellm.proxy.auth.authenticator import Caller
from litellm.proxy.calls import intake, reply
from litellm.proxy.calls.intake import Several
from litellm.proxy.hooks import hook_data
from litellm.proxy.hooks.request_hooks import Visit
from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy


async def answer(proxy: Proxy, http: Exchange, operation: Operation) -> None:
    """Answer a request for `operation`, whole or streamed."""
    started = time.monotonic()
    caller = await admitted(proxy, http)
    body = intake.parse(http.body)
    flow = _plain if proxy.gates is None else _gated
    if proxy.heartbeat is not None and operation.streams and body.get("stream") is True:
        with beating(http, proxy.heartbeat):
            await flow(proxy, http, operation, caller, body, started)
    else:
        await flow(proxy, http, operation, caller, body, started)


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


async def _plain(
    proxy: Proxy, http: Exchange, operation: Operation, caller: Caller, body: dict[str, Any], started: float
) -> None:
    call = intake.call(proxy, caller, operation, http, body)
    if isinstance(call, Several):
        await _several(proxy, http, call, started)
        return
    result = await arun(proxy.client.flow(call), proxy.client.async_io)
    if isinstance(result, Answer):
        reply.whole(http, result, started)
    else:
        await reply.stream(http, result, proxy.client.async_io, started)


async def admitted(proxy: Proxy, http: Exchange) -> Caller:
    """Who is calling. Raises RequestError 401 for somebody who may not."""
    if proxy.custom_auth is None:
        return proxy.gate.admit(http.headers)
    return await proxy.custom_auth.admit(http)


async def _several(proxy: Proxy, http: Exchange, asked: Several, started: float, visit: Visit | None = None) -> None:
    """One request for several models: all of their answers, or the first that comes."""
    flows = [proxy.client.flow(call) for call in asked.calls.values()]
    answers = afan_out(Fan(flows, first=asked.fastest), proxy.client.async_io)
    results = await (answers if visit is None else visit.beside(answers))
    if visit is not None:
        results = [await _one_of_several(visit, result) for result in results]
    if asked.fastest:
        won = next((result for result in results if isinstance(result, Answer)), None)
        if won is None:
            raise results[0] if results else next(iter(asked.refused.values()))
        reply.whole(http, won, started, [(b"x-litellm-fastest_response_batch_completion", b"true")])
        return
    by_place = {**asked.refused, **dict(zip(asked.calls, results, strict=True))}
    reply.several(http, [by_place[place] for place in sorted(by_place)], started)


async def _one_of_several(visit: Visit, result: Answer | Exception) -> Answer | Exception:
    """One place of several, by way of the hooks after a call. What they raise is this place's error and no other's."""
    try:
        if isinstance(result, Exception):
            raise result
        await _after(visit, result)
        return result
    except Exception as error:  # noqa: BLE001 - it is told in its place
        return await visit.failed(error)


async def _gated(
    proxy: Proxy, http: Exchange, operation: Operation, caller: Caller, body: dict[str, Any], started: float
) -> None:
    """The same as `_plain`, by way of the administrator's hooks."""
    assert proxy.gates is not None  # noqa: S101 - the caller has looked
    data = hook_data.for_hooks(http, caller, body)
    visit = Visit(gates=proxy.gates, caller=caller.described(), operation=operation, data=data)
    try:
        said = await visit.before()
        call = intake.call(proxy, caller, operation, http, hook_data.from_hooks(visit.data))
        if said is not None:  # an answer of the hook's own, in the shape of a model's
            for each in call.calls.values() if isinstance(call, Several) else (call,):
                each.mock, each.relay = Mock(said), False
        if isinstance(call, Several):
            await _several(proxy, http, call, started, visit)
            return
        result = await visit.beside(arun(proxy.client.flow(call), proxy.client.async_io))
        await _presented(proxy, http, visit, result, started)
    except Exception as error:
        if http.started:
            raise
        told = await visit.failed(error)
        if told is error:
            raise
        raise told from error


async def _presented(proxy: Proxy, http: Exchange, visit: Visit, result: Answer | Opened, started: float) -> None:
    io = proxy.client.async_io
    if isinstance(result, Answer):
        response = await _after(visit, result)
        reply.whole(http, result, started, await visit.headers(response, hook_data.headers_of(http)))
    elif visit.gates.sees_streams:
        async with aclosing(visit.chunks(reply.objects(result, io, visit.operation))) as chunks:
            await reply.stream_objects(http, result, chunks, started)
    else:
        await reply.stream(http, result, io, started)


async def _after(visit: Visit, result: Answer) -> Any:
    """Let the hooks change a whole answer; gives it as the object that they saw, or None if none wants to see it."""
    if not visit.gates.sees_answers:
        return None
    response = result.data
    if not isinstance(response, BaseModel):
        response = built(answer_class(visit.operation), {**response, "model": result.asked}, result)
    result.data = await visit.after(response)
    return result.data
