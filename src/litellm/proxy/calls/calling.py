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
from litellm.proxy.auth.authenticator import Caller
from litellm.proxy.calls import intake, reply
from litellm.proxy.calls.intake import MOST_MODELS, Several
from litellm.proxy.hooks import hook_data
from litellm.proxy.hooks.request_hooks import HookedRequest
from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy

HELD_AT_ONCE = 16 * 2**20  # bytes of the copies of one request's body that are on their way to several models


async def answer(proxy: Proxy, http: Exchange, operation: Operation) -> None:
    """Answer a request for `operation`, whole or streamed."""
    started = time.monotonic()
    caller = await admitted(proxy, http)
    body = intake.parse(http.body)
    flow = _plain if proxy.hooks is None else _gated
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
    plan = intake.plan(proxy, caller, operation, http, body)
    if isinstance(plan, Several):
        await _several(proxy, http, plan, started)
        return
    result = await arun(proxy.client.flow(*plan), proxy.client.async_io)
    if isinstance(result, Answer):
        reply.whole(http, result, started)
    else:
        await reply.stream(http, result, proxy.client.async_io, started)


async def admitted(proxy: Proxy, http: Exchange) -> Caller:
    """Who is calling. Raises RequestError 401 for somebody who may not."""
    if proxy.custom_auth is None:
        return proxy.gate.admit(http.headers)
    return await proxy.custom_auth.admit(http)


async def _several(
    proxy: Proxy, http: Exchange, asked: Several, started: float, hooked: HookedRequest | None = None
) -> None:
    """One request for several models: all of their answers, or the first that comes."""
    flows = [proxy.client.flow(*plan) for plan in asked.plans.values()]
    answers = afan_out(Fan(flows, asked.fastest, _at_once(len(http.body))), proxy.client.async_io)
    results = await (answers if hooked is None else hooked.beside(answers))
    if hooked is not None:
        results = [await _one_of_several(hooked, result) for result in results]
    if asked.fastest:
        won = next((result for result in results if isinstance(result, Answer)), None)
        if won is None:
            raise results[0] if results else next(iter(asked.refused.values()))
        reply.whole(http, won, started, [(b"x-litellm-fastest_response_batch_completion", b"true")])
        return
    by_place = {**asked.refused, **dict(zip(asked.plans, results, strict=True))}
    reply.several(http, [by_place[place] for place in sorted(by_place)], started)


def _at_once(size: int) -> int:
    """How many calls with a body of so many bytes may be under way for one request: each holds a copy as it is sent."""
    return max(1, min(MOST_MODELS, HELD_AT_ONCE // max(1, size)))


async def _one_of_several(hooked: HookedRequest, result: Answer | Exception) -> Answer | Exception:
    """One place of several, by way of the hooks after a call. What they raise is this place's error and no other's."""
    try:
        if isinstance(result, Exception):
            raise result
        await _after(hooked, result)
        return result
    except Exception as error:  # noqa: BLE001 - it is told in its place
        return await hooked.failed(error)


async def _gated(
    proxy: Proxy, http: Exchange, operation: Operation, caller: Caller, body: dict[str, Any], started: float
) -> None:
    """The same as `_plain`, by way of the administrator's hooks."""
    assert proxy.hooks is not None  # noqa: S101 - the caller has looked
    data = hook_data.for_hooks(http, caller, body)
    hooked = HookedRequest(hooks=proxy.hooks, caller=caller.described(), operation=operation, data=data)
    try:
        said = await hooked.before()
        plan = intake.plan(proxy, caller, operation, http, hook_data.from_hooks(hooked.data), answer=said)
        if isinstance(plan, Several):
            await _several(proxy, http, plan, started, hooked)
            return
        result = await hooked.beside(arun(proxy.client.flow(*plan), proxy.client.async_io))
        await _presented(proxy, http, hooked, result, started)
    except Exception as error:
        if http.started:
            raise
        told = await hooked.failed(error)
        if told is error:
            raise
        raise told from error


async def _presented(
    proxy: Proxy, http: Exchange, hooked: HookedRequest, result: Answer | Opened, started: float
) -> None:
    io = proxy.client.async_io
    if isinstance(result, Answer):
        response = await _after(hooked, result)
        reply.whole(http, result, started, await hooked.headers(response, hook_data.headers_of(http)))
    elif hooked.hooks.sees_streams:
        async with aclosing(hooked.chunks(reply.objects(result, io, hooked.operation))) as chunks:
            await reply.stream_objects(http, result, chunks, started)
    else:
        await reply.stream(http, result, io, started)


async def _after(hooked: HookedRequest, result: Answer) -> Any:
    """Let the hooks change a whole answer; gives it as the object that they saw, or None if none wants to see it."""
    if not hooked.hooks.sees_answers:
        return None
    response = result.data
    if not isinstance(response, BaseModel):
        response = built(answer_class(hooked.operation), {**response, "model": result.asked}, result)
    result.data = await hooked.after(response)
    return result.data
