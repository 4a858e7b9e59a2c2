"""Server-sent events from bytes: however they are cut, what they cost, and how much of them waits."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm.wire.framing import sse
from litellm.wire.framing.sse import Parser, event

LINES = st.sampled_from(
    [b"data: a", b"data:b", b"data", b": heartbeat", b"event: x", b"id: 1", b"", b"", b"data: " + b"c" * 40]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.lists(st.tuples(LINES, ENDS), max_size=20).map(lambda lines: b"".join(line + end for line, end in lines))


def fed(pieces):
    parser = Parser()
    payloads = [payload for piece in pieces for payload in parser.feed(piece)]
    return payloads + parser.end()


@given(STREAMS, st.lists(st.integers(0, 400), max_size=30))
def test_it_does_not_matter_how_a_stream_is_cut(stream, cuts):
    """S1: also between CR and LF."""
    at = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    assert fed(stream[start:end] for start, end in zip(at, at[1:], strict=False)) == fed([stream])


def seconds(size):
    data = event(b"x" * size)
    pieces = [data[at : at + 1400] for at in range(0, len(data), 1400)]
    start = time.process_time()
    assert fed(pieces) == [b"x" * size]
    return time.process_time() - start


@pytest.mark.alone
def test_an_event_costs_no_more_than_its_length():
    """P5: thirty-two times as much takes about thirty-two times as long, not 1 024. The bound is between the two."""
    cheap = max(min(seconds(1 << 18) for _ in range(3)), 0.00025)
    assert min(seconds(1 << 23) for _ in range(3)) < 180 * cheap


ENDLESS = {
    "a line": b"x" * 999,
    "lines of one event": b"data: x\n" * 99,
    "lines, cut": b"data: x\ndata: y",
}


@pytest.mark.parametrize("piece", ENDLESS.values(), ids=ENDLESS)
def test_an_event_without_end_is_refused(monkeypatch, piece):
    """P5."""
    monkeypatch.setattr(sse, "MAX_EVENT", 100_000)
    parser = Parser()
    parser.feed(b"data: ")
    with pytest.raises(ValueError, match="longer than"):
        for _ in range(100_000 // len(piece) + 1):
            assert parser.feed(piece) == []


@pytest.mark.parametrize(
    "piece", [b"\ndata: xx\n", b"x\n\ndata: x", b": heartbeat\n\n", b"\n\nid: 1\n: heart", b"\r\n\r\ndata: x\r"]
)
def test_a_stream_without_end_is_not(monkeypatch, piece):
    """P5: what is limited is one event, wherever its bytes are cut."""
    monkeypatch.setattr(sse, "MAX_EVENT", 1000)
    parser = Parser()
    parser.feed(b"data: x")
    for _ in range(1000):
        parser.feed(piece)
