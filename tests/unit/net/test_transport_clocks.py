"""S6: connect, first byte, silence in mid-stream, and the whole: four clocks, each obeyed by all transports, each with a text
of its own, and none that stands in for another."""

import pytest
from tests.fakes import behaviour as act
from tests.fakes.server import unconnectable
from tests.unit.net.asking import STRAIGHT, read_all, request

from litellm.net.faults import TransportFault
from litellm.net.messages import Timeouts

SLOW = {
    "no first byte": (act.hang(), Timeouts(first_byte=0.1, total=5), "first byte"),
    "no first byte, total": (act.hang(), Timeouts(first_byte=5, total=0.1), None),
    "head, then nothing": (act.stall(after=0), Timeouts(first_byte=5, between=0.1, total=0.6), None),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("behaviour", "timeouts", "said"), SLOW.values(), ids=SLOW)
def test_slow_servers(caller, up, behaviour, timeouts, said, stream):
    """S6: each clock is obeyed, has its own text, and the connection is closed when it runs out."""
    up.next(behaviour)
    with pytest.raises(TransportFault, match=said or ".") as caught:
        reply = caller.send(request(up.base + "/chat/completions", stream=stream, timeouts=timeouts))
        read_all(caller, reply)
    assert caught.value.kind == "timeout"
    assert up.url in str(caught.value)
    caller.notice()
    up.wait_for(lambda: up.requests[0].aborted_at)


def test_silence_in_mid_stream(caller, up):
    """S6: `between` is its own clock, and the text says that it was in mid-stream."""
    up.next(act.stall(after=2))
    reply = caller.send(
        request(up.base + "/chat/completions", stream=True, timeouts=Timeouts(first_byte=5, between=0.1, total=5))
    )
    with pytest.raises(TransportFault, match=r"silent for 0\.1 s in mid-stream") as caught:
        read_all(caller, reply)
    assert caught.value.kind == "timeout"
    caller.notice()
    up.wait_for(lambda: up.requests[0].aborted_at)


def test_a_stream_that_takes_its_time_is_not_cut_by_the_first_clock(caller, up):
    """S6: first_byte holds until the head, not for the gaps after it."""
    up.next(act.answer("one two three", gap=0.08))
    timeouts = Timeouts(connect=5, first_byte=0.05, between=2, total=10)
    reply = caller.send(request(up.base + "/chat/completions", stream=True, timeouts=timeouts))
    assert b"[DONE]" in read_all(caller, reply)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_body_that_trickles_forever(caller, up, stream):
    """S6: `total` holds also while bytes keep coming, one by one."""
    up.next(act.answer("x" * 20_000, split=20))
    timeouts = Timeouts(connect=5, first_byte=5, between=5, total=0.15)
    with pytest.raises(TransportFault, match=r"0\.15 s") as caught:
        reply = caller.send(request(up.base + "/chat/completions", stream=stream, timeouts=timeouts))
        read_all(caller, reply)
    assert caught.value.kind == "timeout"


@STRAIGHT
def test_connect_has_a_clock_of_its_own(caller):
    """S6: an address where nobody answers the first packet."""
    with unconnectable() as url, pytest.raises(TransportFault, match=r"connect timeout") as caught:
        caller.send(request(url, timeouts=Timeouts(connect=0.15, first_byte=5, total=5)))
    assert caught.value.kind == "timeout"
