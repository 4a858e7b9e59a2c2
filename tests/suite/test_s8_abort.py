"""Must S8: whoever stops listening stops the upstream, at once, at every door."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
import struct
import time
import warnings
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.suite.doors import request
from tests.suite.handlers import with_method
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm import CustomLLM

HI = [{"role": "user", "content": "hi"}]
PROMPT = 0.25  # seconds: what the Must allows
LONG = "word " * 200


def aborted(up: Upstream, since: float) -> None:
    """The upstream has seen its (last) request abandoned, soon after `since`."""
    seen = up.requests[-1]
    up.wait_for(lambda: seen.aborted_at or seen.finished_at)
    assert seen.aborted_at is not None, "it was heard to its end"
    assert seen.aborted_at - since <= PROMPT


SITUATIONS = {  # what the upstream does, whether it is streamed, what the client reads before it goes
    "whole, before anything": (act.hang(), False, b""),
    "whole, in the middle of the body": (act.stall(1), False, b""),
    "streamed, before anything": (act.hang(), True, b""),
    "streamed, after the head": (act.stall(0), True, b""),
    "streamed, before the first word": (act.stall(1), True, b""),
    "streamed, in silence": (act.stall(3), True, b"Hello"),
    "streamed, in full flow": (act.answer(LONG, gap=0.01), True, b"word"),
}


@contextlib.contextmanager
def client_of(proxy: ServedProxy, streamed: bool) -> Any:
    """A client that has sent its request, on a bare socket."""
    body = json.dumps({"model": "m", "messages": HI, "stream": streamed}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as sock:
        sock.sendall(head + body)
        yield sock


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("leave", [socket.socket.close, reset], ids=["close", "reset"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_s8_client_of_the_proxy_leaves(house, up, situation, leave):
    """S8: the client's socket closes at the proxy; the upstream sees it."""
    behaviour, streamed, awaited = SITUATIONS[situation]
    up.default = behaviour
    with client_of(house.proxy, streamed) as sock:
        up.wait_for(lambda: up.requests)
        read = b""
        while awaited not in read:
            read += sock.recv(65536)
        if not awaited:
            time.sleep(0.03)
        left = time.monotonic()
        leave(sock)
        aborted(up, left)
    time.sleep(0.05)
    assert len(up.requests) == 1, "nobody wanted a retry"


def test_s8_the_proxy_serves_on(house, up):
    """S8: after fifty clients that left, no task of theirs is left and the next client is served."""
    up.default = act.stall(2)
    before = house.proxy.call(tasks)
    with contextlib.ExitStack() as clients:
        for at in range(50):
            clients.enter_context(client_of(house.proxy, at % 2 == 0))
        up.wait_for(lambda: len(up.requests) == 50)
    up.wait_for(lambda: all(seen.aborted_at for seen in up.requests))
    up.default = act.answer()
    assert (
        request(house.proxy, "POST", "/v1/chat/completions", json.dumps({"model": "m", "messages": HI})).status == 200
    )
    assert house.proxy.call(tasks) <= before + 1


async def tasks() -> int:
    return len(asyncio.all_tasks())


def opened(up: Upstream, **params: Any) -> Any:
    """A stream from the SDK whose first words are here."""
    stream = litellm.completion("openai/m", HI, api_base=up.base, stream=True, **params)
    assert up.requests[-1].finished_at is None
    return stream


FLOWS = pytest.mark.parametrize("flow", [act.answer(LONG, gap=0.01), act.stall(3)], ids=["flowing", "silent"])


@FLOWS
def test_s8_break_out_of_for(up, flow):
    """S8: leaving a loop is enough, also while the stream is still referenced."""
    up.default = flow
    stream = opened(up)
    for _chunk in stream:
        break
    aborted(up, time.monotonic())
    assert list(stream) == []


def test_s8_an_exception_in_the_loop(up):
    """S8: the same when the loop is left by an exception."""
    up.default = act.answer(LONG, gap=0.01)
    stream = opened(up)
    with pytest.raises(ZeroDivisionError):
        for _chunk in stream:
            raise ZeroDivisionError
    aborted(up, time.monotonic())


@FLOWS
def test_s8_close(up, flow):
    """S8: close(), before the first chunk was taken or after, and twice."""
    up.default = flow
    stream = opened(up)
    stream.close()
    aborted(up, time.monotonic())
    stream.close()
    stream = opened(up)
    next(stream)
    stream.close()
    aborted(up, time.monotonic())
    assert next(stream, None) is None


def test_s8_dropped(up):
    """S8: a stream that nobody holds any more is closed."""
    up.default = act.answer(LONG, gap=0.01)
    stream = opened(up)
    next(stream)
    del stream
    gc.collect()
    aborted(up, time.monotonic())


async def aopened(up: Upstream, **params: Any) -> Any:
    return await litellm.acompletion("openai/m", HI, api_base=up.base, stream=True, **params)


async def a_aborted(up: Upstream, since: float) -> None:
    await asyncio.to_thread(aborted, up, since)


@FLOWS
async def test_s8_break_out_of_async_for(up, flow):
    """S8: LiteLLM never closed these (#12935)."""
    up.default = flow
    stream = await aopened(up)
    async for _chunk in stream:
        break
    await a_aborted(up, time.monotonic())
    assert [chunk async for chunk in stream] == []


@FLOWS
async def test_s8_aclose(up, flow):
    """S8: aclose(), before the first chunk was taken or after, and twice."""
    up.default = flow
    stream = await aopened(up)
    await stream.aclose()
    await a_aborted(up, time.monotonic())
    await stream.aclose()
    stream = await aopened(up)
    await anext(stream)
    await stream.aclose()
    await a_aborted(up, time.monotonic())
    assert await anext(stream, None) is None


async def test_s8_dropped_async(up):
    """S8: a stream that nobody holds any more is closed, without anybody awaiting it."""
    up.default = act.answer(LONG, gap=0.01)
    stream = await aopened(up)
    await anext(stream)
    del stream
    gc.collect()
    await a_aborted(up, time.monotonic())


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_s8_task_cancelled(up, situation):
    """S8: cancelling the task that waits closes the connection, whatever it waited for."""
    behaviour, streamed, awaited = SITUATIONS[situation]
    up.default = behaviour
    said: list[str] = []

    async def ask() -> None:
        answer = await litellm.acompletion("openai/m", HI, api_base=up.base, stream=streamed)
        async for chunk in answer:
            said.append(chunk.choices[0].delta.content or "")

    task = asyncio.ensure_future(ask())
    await up.async_wait_for(lambda: up.requests and awaited.decode() in "".join(said))
    await asyncio.sleep(0.03)
    left = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await a_aborted(up, left)
    assert len(up.requests) == 1


class Watched(CustomLLM):
    """Streams until it is closed, and notes when."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: list[float] = []

    def streaming(self, **_: Any) -> Any:
        try:
            while True:
                time.sleep(0.01)
                yield {"text": "word ", "is_finished": False, "finish_reason": None}
        finally:
            self.closed.append(time.monotonic())


class AsyncWatched(Watched):
    streaming = CustomLLM.streaming

    async def astreaming(self, **_: Any) -> Any:
        try:
            while True:
                await asyncio.sleep(0.01)
                yield {"text": "word ", "is_finished": False, "finish_reason": None}
        finally:
            self.closed.append(time.monotonic())


class AsyncSilent(AsyncWatched):
    """Says one word and then waits for ever."""

    async def astreaming(self, **_: Any) -> Any:
        try:
            yield {"text": "word ", "is_finished": False, "finish_reason": None}
            await asyncio.Event().wait()
        finally:
            self.closed.append(time.monotonic())


HANDLERS = pytest.mark.parametrize("kind", [Watched, AsyncWatched, AsyncSilent])


@HANDLERS
def test_s8_handlers_at_the_proxy(up, kind):
    """S8: a handler's generator is closed when the client has gone, so that it can stop what it does."""
    handler = kind()
    with ServedProxy({"model_list": [deployment("m", "mine/x")]}, handlers={"mine": handler}) as proxy:
        with client_of(proxy, True) as sock:
            while b"word" not in sock.recv(65536):
                pass
            left = time.monotonic()
        up.wait_for(lambda: handler.closed)
        assert handler.closed[0] - left <= PROMPT
        assert len(handler.closed) == 1


@HANDLERS
async def test_s8_handlers_in_the_sdk(up, monkeypatch, kind):
    """S8: the same for a loop that is left."""
    handler = kind()
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": handler}])
    async for _chunk in await litellm.acompletion("mine/x", HI, stream=True):
        break
    left = time.monotonic()
    await up.async_wait_for(lambda: handler.closed)
    assert handler.closed[0] - left <= PROMPT


def test_s8_handlers_in_the_sync_sdk(up, monkeypatch):
    """S8: and without asyncio, be the handler async or not."""
    for kind in (Watched, AsyncWatched):
        handler = kind()
        monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": handler}])
        for _chunk in litellm.completion("mine/x", HI, stream=True):
            break
        left = time.monotonic()
        up.wait_for(lambda made=handler: made.closed)
        assert handler.closed[0] - left <= PROMPT


class BadlyClosed:
    """A stream that goes on for ever, and cannot be closed without an error."""

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return {"text": "word ", "is_finished": False, "finish_reason": None}

    def close(self) -> None:
        raise RuntimeError("canary of the cleanup")


async def badly_closed() -> Any:
    """The same for an async one."""
    try:
        while True:
            await asyncio.sleep(0)
            yield {"text": "word ", "is_finished": False, "finish_reason": None}
    finally:
        raise RuntimeError("canary of the cleanup")


BADLY = pytest.mark.parametrize(
    "handler",
    [
        with_method("streaming", lambda _self, **_: BadlyClosed()),
        with_method("astreaming", lambda _self, **_: badly_closed()),
    ],
    ids=["sync", "async"],
)


@BADLY
def test_s8_a_cleanup_that_fails_at_the_proxy(up, handler, caplog):
    """S8: the place that a stream held is free again, however the handler's own cleanup ends; its error is logged."""
    config = {
        "model_list": [deployment("m", "mine/x", max_parallel_requests=1)],
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }
    with ServedProxy(config, handlers={"mine": handler}) as proxy:

        def begins() -> bool:
            with client_of(proxy, True) as sock:
                return b" 200 " in sock.recv(65536)

        for _ in range(3):
            up.wait_for(begins)
    up.wait_for(lambda: "canary of the cleanup" in caplog.text)


@BADLY
def test_s8_a_cleanup_that_fails_in_the_sdk(up, monkeypatch, caplog, handler):
    """S8: leaving a loop raises nothing, and the place is free."""
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": handler}])
    router = litellm.Router(model_list=[deployment("m", "mine/x", max_parallel_requests=1)], num_retries=0)
    for _ in range(2):
        for _chunk in router.completion("m", HI, stream=True):
            break
    up.wait_for(lambda: "canary of the cleanup" in caplog.text)


@pytest.mark.parametrize("after", [None, 2, 8])
def test_g1_loop_ends_right_after_the_stream(up, after):
    """G1: an event loop that ends with the last chunk leaves no connection open and no warning behind."""
    up.default = act.answer("a b c") if after is None else act.stall(after, text="a b c")

    async def ask() -> None:
        stream = await litellm.acompletion("openai/m", HI, api_base=up.base, stream=True)
        async for _chunk in stream:
            if after == 2:
                break

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(5):
            asyncio.run(ask())
        gc.collect()
    assert [str(warning.message) for warning in caught] == []
    up.wait_for(lambda: all(seen.aborted_at or seen.finished_at for seen in up.requests))
