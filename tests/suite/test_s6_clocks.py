"""Must S6 and R5: four clocks, each with its own words; and no way to wait longer than was allowed."""

from __future__ import annotations

import time
from contextlib import contextmanager

import httpx2
import pytest
from tests.fakes import behaviour as act
from tests.fakes.server import unconnectable
from tests.suite.doors import Failure, ProxyRaw, SdkAsync, SdkSync, text_of
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm.exceptions import APIConnectionError, Timeout

SDKS = pytest.mark.parametrize("sdk", ["sdk", "asdk"])
LONG = "one two three four five six seven eight nine ten"


@contextmanager
def soon(seconds: float = 2.0):
    """A limit far above what is allowed and far below what would be waited for without it."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@contextmanager
def timed_out(words: str):
    with soon(), pytest.raises(Failure, match=words) as told:
        yield told
    assert told.value.status == 408
    assert told.value.kind in (None, Timeout)


@pytest.mark.parametrize("timeout", [0.2, "0.2", httpx2.Timeout(30, connect=0.2)], ids=str)
@pytest.mark.parametrize("sdk", [SdkSync, SdkAsync])
def test_s6_connect(sdk, streamed, timeout):
    """S6: connecting has a clock of its own."""
    with unconnectable() as url, timed_out(r"no connection to .* within 0\.2 s \(connect timeout\)"):
        sdk(url).ask(streamed=streamed, timeout=timeout, num_retries=0)


@SDKS
def test_s6_first_byte(house, up, sdk, streamed):
    """S6: so has the wait for the answer to begin."""
    up.next(act.hang())
    with timed_out(r"no answer from .* within 0\.2 s \(first byte\)"):
        house.doors[sdk].ask(streamed=streamed, timeout=httpx2.Timeout(30, read=0.2), num_retries=0)


@SDKS
def test_s6_between_chunks(house, up, sdk):
    """S6: and silence in the middle of a stream; the text so far is not lost."""
    up.next(act.stall(3))
    with timed_out(r"was silent for 0\.2 s in mid-stream") as told:
        house.doors[sdk].stream(timeout=httpx2.Timeout(30, read=0.2))
    assert told.value.partial == text_of(told.value.chunks) == "Hello from"


@SDKS
def test_s6_total_of_a_stream(house, up, sdk):
    """S6: and the whole, even while chunks keep coming."""
    up.next(act.answer(LONG, gap=0.1))
    with timed_out(r"was not complete after 0\.4 s") as told:
        house.doors[sdk].stream(timeout=0.4)
    assert told.value.partial.startswith("one")


@SDKS
def test_s6_total_of_a_whole_answer(house, up, sdk):
    """S6: also when the body arrives in pieces, each of them in time."""
    up.next(act.answer(delay=0.3, gap=0.3))
    with timed_out(r"was not complete after 0\.4 s"):
        house.doors[sdk].chat(timeout=0.4, num_retries=0)


def test_s6_a_refused_connection_is_no_timeout(house):
    """S6, decision 8: nobody listens there, which is known at once."""
    with soon(), pytest.raises(Failure) as told:
        SdkSync("http://127.0.0.1:1/v1").chat(num_retries=0)
    assert told.value.kind is APIConnectionError


@pytest.mark.parametrize("bad", [0, -1, "soon", "nan", "inf", True, [1]])
def test_s6_a_timeout_that_is_none_is_refused(door, up, bad, streamed):
    """S6: a clock that cannot run is a 400 that says so, not a call without clocks."""
    with pytest.raises(Failure, match="timeout must be") as told:
        door.ask(streamed=streamed, timeout=bad)
    assert told.value.status == 400
    assert up.requests == []


def test_s6_stream_timeout_is_for_the_first_chunk(door, up):
    """S6: with stream_timeout a stream has to begin in time, which a head alone does not do; then it may take long."""
    up.next(act.stall(0), act.answer(LONG, gap=0.05))
    with soon(), pytest.raises(Failure) as told:
        door.stream(stream_timeout=0.2, timeout=3, num_retries=0)
    assert told.value.status == 408
    assert text_of(door.stream(stream_timeout=0.2, timeout=3, num_retries=0)) == LONG


def test_s6_stream_timeout_is_for_streams(door, up):
    """S6: an answer that is not streamed may take longer than that."""
    up.next(act.answer(delay=0.4))
    assert text_of(door.chat(stream_timeout=0.2, num_retries=0)) == "Hello from upstream."


BLACK_HOLES = {
    "no answer": act.hang(),
    "a head": act.stall(0),
    "half an answer": act.stall(2),
    "an endless trickle": act.answer("x " * 1000, gap=0.05),
}


@pytest.mark.parametrize("case", BLACK_HOLES)
@pytest.mark.parametrize("door_name", ["sdk", "asdk", "proxy"])
def test_r5_black_hole(house, up, streamed, door_name, case):
    """R5: timeout=0.2 is 0.2 seconds, retries included, whatever the upstream does instead of answering."""
    door = house.doors[door_name]
    up.default = BLACK_HOLES[case]
    if case == "an endless trickle" and not streamed:
        up.default = act.answer("x" * 20_000, gap=0.3)
    with soon(), pytest.raises(Failure) as told:
        door.ask(streamed=streamed, timeout=0.2)
    assert told.value.status == 408
    assert len(up.requests) == 1, "there was no time for another try"
    up.wait_for(lambda: up.requests[0].aborted_at)


@pytest.mark.parametrize("header", ["x-litellm-timeout", "x-litellm-stream-timeout"])
def test_r5_by_header(proxy_door, up, header):
    """R5: a client of the proxy can say it in a header."""
    up.default = act.hang()
    with soon(), pytest.raises(Failure) as told:
        proxy_door.stream(headers={header: "0.2"}, num_retries=0)
    assert told.value.status == 408


WHERE = {
    "deployment": ({"timeout": 0.2}, {}, {}),
    "router": ({}, {"timeout": 0.2}, {}),
    "settings": ({}, {}, {"request_timeout": 0.2}),
    "deployment over router": ({"timeout": 0.2}, {"timeout": 30}, {"request_timeout": 30}),
    "router over settings": ({}, {"timeout": 0.2}, {"request_timeout": 30}),
}


@pytest.mark.parametrize("where", WHERE)
def test_r5_precedence(up, where):
    """R5: request > deployment > group > global; the nearest one counts, be it shorter or longer."""
    params, routing, settings = WHERE[where]
    config = {
        "model_list": [deployment("m", "openai/m", api_base=up.base, **params)],
        "router_settings": routing,
        "litellm_settings": settings,
    }
    with ServedProxy(config) as proxy:
        door = ProxyRaw(proxy)
        up.next(act.hang())
        with soon(), pytest.raises(Failure) as told:
            door.stream()
        assert told.value.status == 408
        up.next(act.answer(delay=0.3))
        assert text_of(door.chat(timeout=30)) == "Hello from upstream."


@pytest.mark.parametrize("sync", [True, False])
async def test_r5_module_setting(up, monkeypatch, sync):
    """R5: litellm.request_timeout is the SDK's global one, and the call's own stands over it."""
    monkeypatch.setattr(litellm, "request_timeout", 0.2)
    place = {"model": "openai/m", "messages": [{"role": "user", "content": "hi"}], "api_base": up.base}
    up.next(act.hang(), act.answer(delay=0.3))
    with soon():
        with pytest.raises(Timeout):
            litellm.completion(**place) if sync else await litellm.acompletion(**place)
    answer = litellm.completion(**place, timeout=30) if sync else await litellm.acompletion(**place, timeout=30)
    assert answer.choices[0].message.content == "Hello from upstream."


def test_r5_several_deployments_share_the_time(up):
    """R3, R5: what the client allows is for the whole call, however many deployments there are to try."""
    up.default = act.hang()
    config = {"model_list": [deployment("m", f"openai/m{i}", api_base=up.base) for i in range(3)]}
    with ServedProxy(config) as proxy, soon(1.5), pytest.raises(Failure) as told:
        ProxyRaw(proxy).chat(timeout=0.6, num_retries=5)
    assert told.value.status == 408
