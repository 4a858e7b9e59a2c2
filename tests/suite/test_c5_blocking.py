"""Must C5: a handler may block, in any of its methods; nobody else notices."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from tests.suite.doors import KEY, Failure, ProxyRaw, request, text_of
from tests.suite.handlers import HandlerDoor, answer, generic, with_method
from tests.suite.inprocess import ServedProxy, deployment

import litellm

BLOCKED = 0.5  # seconds that a handler blocks
UNHEEDED = 0.25  # what others may take meanwhile; they take a hundredth of that


def _blocks(_self: Any, **_: Any) -> Any:
    time.sleep(BLOCKED)
    return answer()


async def _blocks_async(_self: Any, **_: Any) -> Any:
    time.sleep(BLOCKED)  # what the published example of an async handler amounts to
    return answer()


def _blocks_streaming(_self: Any, **_: Any) -> Any:
    yield generic("a")
    time.sleep(BLOCKED)
    yield generic("b", finish="stop")


async def _blocks_astreaming(_self: Any, **_: Any) -> Any:
    yield generic("a")
    time.sleep(BLOCKED)
    yield generic("b", finish="stop")


BLOCKING = {
    "completion": _blocks,
    "acompletion": _blocks_async,
    "streaming": _blocks_streaming,
    "astreaming": _blocks_astreaming,
}


@pytest.mark.parametrize("method", BLOCKING)
def test_c5_a_blocking_handler_delays_nobody(up, method):
    """C5: probes and calls of other models are answered as if it were not there."""
    config = {"model_list": [deployment("m", "mine/x"), deployment("b", "openai/b", api_base=up.base, api_key=KEY)]}
    streamed = "streaming" in method
    with ServedProxy(config, handlers={"mine": with_method(method, BLOCKING[method])}) as proxy:
        door, times = ProxyRaw(proxy), []
        asking = threading.Thread(target=door.ask, kwargs={"streamed": streamed})
        asking.start()
        time.sleep(0.05)
        ends = time.monotonic() + BLOCKED - 0.15
        while (started := time.monotonic()) < ends:
            assert request(proxy, "GET", "/health/liveliness").status == 200
            assert text_of(door.ask(model="b", streamed=streamed)) == "Hello from upstream."
            times.append(time.monotonic() - started)
        assert asking.is_alive(), "it blocked for as long as that"
        asking.join()
    assert len(times) > 3
    assert max(times) < UNHEEDED


def test_c5_blocking_handlers_do_not_wait_for_each_other(up):
    """C5: sync handlers run side by side, in a bounded pool."""
    handler = with_method("completion", _blocks)
    with ServedProxy({"model_list": [deployment("m", "mine/x")]}, handlers={"mine": handler}, grace=5) as proxy:
        asking = [threading.Thread(target=ProxyRaw(proxy).chat) for _ in range(8)]
        started = time.monotonic()
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
    assert time.monotonic() - started < 3 * BLOCKED


@pytest.mark.parametrize("method", ["completion", "streaming"])
async def test_c5_the_loop_goes_on(monkeypatch, method):
    """C5: in the async SDK a sync handler that blocks leaves the caller's loop alone."""
    handler = with_method(method, BLOCKING[method])
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": handler}])
    longest, last = 0.0, time.monotonic()

    async def ask() -> None:
        made = await litellm.acompletion("mine/x", [], stream=method == "streaming")
        if method == "streaming":
            async for _chunk in made:
                pass

    asking = asyncio.ensure_future(ask())
    while not asking.done():
        await asyncio.sleep(0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    await asking
    assert longest < UNHEEDED


async def _never(_self: Any, **_: Any) -> Any:
    await asyncio.Event().wait()


async def _never_streaming(_self: Any, **_: Any) -> Any:
    yield generic("a")
    await asyncio.Event().wait()


@pytest.mark.parametrize("method", ["acompletion", "astreaming"])
@pytest.mark.parametrize("name", ["asdk", "proxy"])
def test_r5_a_handler_has_a_total_too(monkeypatch, name, method):
    """R5, S6: an async handler that waits for ever is given up when the time is over, where it can be cancelled."""
    handler = with_method(method, _never if method == "acompletion" else _never_streaming)
    started = time.monotonic()
    with pytest.raises(Failure) as told:
        HandlerDoor(name, monkeypatch).ask(handler, streamed=method == "astreaming", timeout=0.2)
    assert told.value.status == 408
    assert time.monotonic() - started < 2
