"""Must R6: a cancelled call ends at once, as cancelled, at whatever it was waiting for; and nothing is sent after it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.upstream import Upstream
from tests.suite.cancelling import at_every_wait

import litellm
from litellm import CustomLLM, ModelResponse
from litellm.net.async_io import AsyncTransport

HI = [{"role": "user", "content": "hi"}]
TEXT = "one two three four five six"


@pytest.fixture
def sends(monkeypatch):
    """The requests that our transport was asked for; the upstream hears of each a moment later."""
    asked: list[Any] = []
    send = AsyncTransport.send

    async def counted(self: AsyncTransport, request: Any) -> Any:
        asked.append(request)
        return await send(self, request)

    monkeypatch.setattr(AsyncTransport, "send", counted)
    return asked


async def settled(up: Upstream) -> None:
    """The upstream sees that nobody waits for it any more."""
    await asyncio.sleep(0.01)
    await up.async_wait_for(lambda: all(seen.aborted_at or seen.finished_at for seen in up.requests), timeout=1)


def asking(up: Upstream, **params: Any) -> Any:
    async def ask() -> Any:
        answer = await litellm.acompletion("openai/m", HI, api_base=up.base, **params)
        return [chunk async for chunk in answer] if params.get("stream") else answer

    return ask


SCENES: dict[str, tuple[list[Behaviour], dict[str, Any], int]] = {  # what the upstream does, the call, requests in all
    "whole": ([act.answer(delay=0.02, gap=0.02)], {}, 1),
    "streamed": ([act.answer(TEXT, delay=0.02, gap=0.01)], {"stream": True}, 1),
    "streamed, with retries": (
        [act.error(500, delay=0.01), act.cut(1, gap=0.01), act.answer(TEXT, gap=0.01)],
        {"stream": True},
        3,
    ),
    "retries": ([act.error(429, retry_after=0.02), act.hang_up(), act.answer(delay=0.02)], {}, 3),
    "fallbacks": (
        [act.error(500, delay=0.01), act.error(401, delay=0.01), act.answer(delay=0.02)],
        {"num_retries": 0, "fallbacks": ["openai/a", "openai/b"]},
        3,
    ),
    "streamed fallbacks": (
        [act.cut(1, gap=0.01), act.answer(TEXT, gap=0.01)],
        {"num_retries": 0, "fallbacks": ["openai/a"], "stream": True},
        2,
    ),
    "stream_options refused": (
        [act.answer(checks=(act.refuse_stream_options,), delay=0.01)] * 2,
        {"stream": True, "stream_options": {"include_usage": True}},
        2,
    ),
}


@pytest.mark.parametrize("scene", SCENES)
async def test_r6_at_every_await(up, scene, sends):
    """R6: CancelledError comes out, the upstream sees the end, and no further request is made."""
    behaviours, params, requests = SCENES[scene]
    turns = iter(range(1000))

    def make() -> Any:
        up.requests.clear()
        up._next.clear()
        up.next(*behaviours)
        ask = asking(up, **params)
        if "refused" in scene:  # what was learned of one model is not known of the next
            return litellm_stream_of(up, f"unlearned-{next(turns)}", params)
        return ask()

    async def after_each(_turn: int) -> None:
        await settled(up)

    waits = await at_every_wait(make, after_each, lambda: len(sends))
    assert len(up.requests) == requests, "uncancelled, it goes all the way"
    assert waits >= requests


async def litellm_stream_of(up: Upstream, model: str, params: dict[str, Any]) -> Any:
    answer = await litellm.acompletion(f"openai/{model}", HI, api_base=up.base, **params)
    return [chunk async for chunk in answer]


@pytest.mark.parametrize("stream", [False, True])
async def test_r6_no_request_follows_a_cancelled_one(up, stream):
    """R6: neither a retry nor a fallback is started for somebody who has gone (LiteLLM did: #35329)."""
    up.default = act.hang()
    call = litellm.acompletion(
        "openai/m", HI, api_base=up.base, stream=stream, num_retries=5, fallbacks=["openai/a", "openai/b"]
    )
    task = asyncio.ensure_future(call)
    await up.async_wait_for(lambda: up.requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await up.async_wait_for(lambda: up.requests[0].aborted_at, timeout=1)
    await asyncio.sleep(0.1)
    assert len(up.requests) == 1


@pytest.mark.parametrize("behaviour", [act.error(429, retry_after=30), act.error(500)], ids=["429", "500"])
async def test_r6_the_pause_before_a_retry_can_be_cancelled(up, behaviour, monkeypatch):
    """R6: nobody has to wait for the end of a Retry-After."""
    monkeypatch.setattr("random.uniform", lambda _from, _to: 100.0)
    up.default = behaviour
    task = asyncio.ensure_future(litellm.acompletion("openai/m", HI, api_base=up.base))
    await up.async_wait_for(lambda: up.requests and up.requests[0].finished_at)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(up.requests) == 1


async def test_r6_wait_for_is_a_cancellation(up):
    """R6: asyncio's own timeout works as everywhere."""
    up.default = act.hang()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(litellm.acompletion("openai/m", HI, api_base=up.base), 0.1)
    await up.async_wait_for(lambda: up.requests[0].aborted_at, timeout=1)
    assert len(up.requests) == 1


class Slow(CustomLLM):
    """An async handler with a few waits, which notes how each of its calls ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[str] = []
        self.calls = 0

    async def acompletion(self, **_: Any) -> ModelResponse:
        self.calls += 1
        try:
            for _turn in range(3):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        self.ends.append("ended")
        return ModelResponse(choices=[{"message": {"content": "done"}}])

    async def astreaming(self, **_: Any) -> Any:
        self.calls += 1
        try:
            for word in ("a", "b", "c"):
                await asyncio.sleep(0)
                yield {"text": word, "is_finished": False, "finish_reason": None}
        except (asyncio.CancelledError, GeneratorExit) as error:
            self.ends.append(type(error).__name__)
            raise
        self.ends.append("ended")


@pytest.mark.parametrize("stream", [False, True])
async def test_r6_handlers_too(monkeypatch, stream):
    """R6: a cancelled call cancels the handler that it waits for, once, and asks it for nothing more."""
    handler = Slow()
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "slow", "custom_handler": handler}])

    async def ask() -> Any:
        answer = await litellm.acompletion("slow/x", HI, stream=stream)
        return [chunk async for chunk in answer] if stream else answer

    async def after_each(turn: int) -> None:
        await asyncio.sleep(0)
        assert len(handler.ends) <= turn
        assert "ended" not in handler.ends

    waits = await at_every_wait(ask, after_each, lambda: handler.calls)
    assert waits >= 3
    assert handler.ends.count("ended") == 1
    assert len(handler.ends) > 1
