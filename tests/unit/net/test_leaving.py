"""S8: whoever leaves a call early, in whatever way, closes the upstream's connection within 250 ms and leaves nothing
behind. R6: cancellation is nobody's error and comes through as what it is."""

import asyncio
import gc
import signal

import pytest
from tests.fakes import behaviour as act
from tests.fakes.raw_client import HI

import litellm

AT_ONCE = 0.25
LONG = "word " * 200


def params(up, **more):
    return {"model": "openai/m", "messages": HI, "api_key": "k", "api_base": up.base, "num_retries": 2, **more}


def gone(up):
    """The upstream saw one request, and us leaving it."""
    up.wait_for(lambda: up.requests and up.requests[-1].aborted_at, AT_ONCE)
    up.wait_for(lambda: up.open_connections == 0, AT_ONCE)
    assert len(up.requests) == 1, "leaving is no failure, so nothing is retried"
    return True


# --- sync ----------------------------------------------------------------------------------------------------------------


def leave_by_break(stream):
    for _ in stream:
        break


def leave_by_error(stream):
    with pytest.raises(ZeroDivisionError):
        for _ in stream:
            1 / 0  # noqa: B018


def leave_by_close(stream):
    next(stream)
    stream.close()
    stream.close()
    assert list(stream) == []


def leave_by_forgetting(stream):
    next(stream)


@pytest.mark.parametrize("leave", [leave_by_break, leave_by_error, leave_by_close, leave_by_forgetting])
def test_leaving_a_stream(up, leave):
    """S8: SDK `break` and its relatives, while the caller may still hold the object."""
    up.next(act.answer(LONG, gap=0.02))
    stream = litellm.completion(stream=True, **params(up))
    leave(stream)
    if leave is leave_by_forgetting:
        del stream
        gc.collect()
    assert gone(up)
    assert litellm.completion(**params(up)).choices


class Alarm(Exception):  # noqa: N818
    """What a signal handler raises, as Ctrl-C does."""


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    "behaviour", [act.hang(), act.stall(after=0), act.stall(after=3, text=LONG)], ids=["no head", "head", "body"]
)
def test_interrupting(up, stream, behaviour):
    """S8: an exception out of a signal handler, wherever it strikes."""
    litellm.completion(**params(up))  # the first call makes what all calls need, and may take its time
    up.requests.clear()
    up.next(behaviour)

    def ring(*_):
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Alarm):
            answer = litellm.completion(stream=stream, **params(up))
            list(answer)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert gone(up)
    assert litellm.completion(**params(up)).choices


# --- async ---------------------------------------------------------------------------------------------------------------


async def left_by_break(stream):
    async for _ in stream:
        break


async def left_by_error(stream):
    with pytest.raises(ZeroDivisionError):
        async for _ in stream:
            1 / 0  # noqa: B018


async def left_by_aclose(stream):
    await anext(stream)
    await stream.aclose()
    await stream.aclose()
    assert [chunk async for chunk in stream] == []


async def left_by_forgetting(stream):
    await anext(stream)


@pytest.mark.parametrize("leave", [left_by_break, left_by_error, left_by_aclose, left_by_forgetting])
async def test_leaving_an_async_stream(up, leave):
    """S8: the same with `async for`."""
    up.next(act.answer(LONG, gap=0.02))
    stream = await litellm.acompletion(stream=True, **params(up))
    await leave(stream)
    if leave is left_by_forgetting:
        del stream
        gc.collect()
    await asyncio.to_thread(gone, up)
    assert (await litellm.acompletion(**params(up))).choices


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    "behaviour", [act.hang(), act.stall(after=0), act.stall(after=3, text=LONG)], ids=["no head", "head", "body"]
)
@pytest.mark.parametrize("by", ["cancel", "timeout"])
async def test_cancelling_a_task(up, stream, behaviour, by):
    """S8, R6: before the first byte, after the head, in mid-stream, and while a whole answer is read."""
    up.next(behaviour)

    async def call():
        answer = await litellm.acompletion(stream=stream, **params(up))
        async for _ in answer:
            pass

    if by == "timeout":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call(), 0.1)
    else:
        task = asyncio.create_task(call())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
    await asyncio.to_thread(gone, up)
    assert (await litellm.acompletion(**params(up))).choices


async def test_cancelling_between_two_tries(up):
    """S8, C2: a call that waits for its next try is not tried again."""
    up.default = act.error(503, retry_after=5)
    task = asyncio.create_task(litellm.acompletion(**params(up)))
    await up.async_wait_for(lambda: up.requests)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.05)
    assert len(up.requests) == 1


async def test_one_of_many_is_cancelled(up):
    """S8: the others never notice."""
    up.default = act.answer(delay=0.15)
    tasks = [asyncio.create_task(litellm.acompletion(**params(up))) for _ in range(20)]
    await up.async_wait_for(lambda: len(up.requests) == 20)
    for task in tasks[::2]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in done[::2])
    assert all(answer.choices for answer in done[1::2])
    await up.async_wait_for(lambda: sum(bool(seen.aborted_at) for seen in up.requests) == 10)


async def test_a_task_group_that_fails_takes_its_calls_with_it(up):
    """S8: structured concurrency works as it says."""
    up.next(act.hang())

    async def fail():
        await asyncio.sleep(0.05)
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(litellm.acompletion(**params(up)))
            group.create_task(fail())
    await asyncio.to_thread(gone, up)
