"""Bodies while they arrive: what they take of the room that there is, and what JSON makes of them."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from litellm import _json
from litellm.server.buffers import HIGH_WATER, Body, Buffers, Discarded, Reservation, Stream
from litellm.server.limits import Limits
from litellm.server.refusal import Refusal

MILLION = 1_000_000


def body(limits: Limits | None = None) -> tuple[Body, Buffers]:
    buffers = Buffers()
    return Body(buffers, limits or Limits()), buffers


def status(call) -> int:
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value.status


@pytest.mark.parametrize("pieces", [[b"hello"], [b"he", b"l", b"lo"], []])
def test_a_body_is_what_has_come(pieces):
    """However it was cut; and it takes as many bytes until it is released."""
    made, buffers = body()
    for piece in pieces:
        made.take(piece)
    assert made.end() == b"".join(pieces)
    assert buffers.buffered_bytes == len(b"".join(pieces))
    made.release()
    made.release()
    assert buffers.buffered_bytes == 0


def test_room_is_taken_for_all_that_a_known_caller_announces():
    """Who is let in can finish, though others come in between."""
    made, buffers = body(Limits(buffer_limit=100))
    made.expect(100, authenticated=True)
    assert buffers.buffered_bytes == 100
    other = Reservation(buffers, Limits(buffer_limit=100))
    assert status(lambda: other.grow(1)) == 503
    made.take(b"x" * 60)
    made.take(b"x" * 40)
    assert buffers.buffered_bytes == 100


def test_for_a_stranger_only_for_what_has_come():
    """And only in the part that strangers have, however short it is."""
    limits = Limits(buffer_limit=100, unauthenticated_limit=30)
    made, buffers = body(limits)
    made.expect(90, authenticated=False)
    made.take(b"x" * 30)
    assert (buffers.buffered_bytes, buffers.unauthenticated_bytes) == (30, 30)
    assert status(lambda: made.take(b"x")) == 503
    other = Body(buffers, limits)
    other.take(b"x" * 70)
    made.end()
    assert (buffers.buffered_bytes, buffers.unauthenticated_bytes) == (100, 0)


@pytest.mark.parametrize("kind", [Body, Stream])
async def test_a_body_that_is_too_long(kind):
    """It is refused at the first byte too many."""
    extra = (lambda: None,) if kind is Stream else ()
    made = kind(Buffers(), Limits(max_body=10), *extra)
    made.take(b"x" * 10)
    assert status(lambda: made.take(b"x")) == 413


def test_what_nobody_wants_takes_no_room():
    """The body of a request that has been refused is thrown away as it comes."""
    buffers = Buffers()
    made = Discarded(buffers, Limits())
    made.take(b"x" * 1000)
    assert made.end() == b""
    assert buffers.buffered_bytes == 0


# --- streams --------------------------------------------------------------------------------------------------------------


async def test_a_stream_takes_room_until_it_is_read():
    """And says when it is full, and when it is not any more."""
    buffers, resumed = Buffers(), []
    made = Stream(buffers, Limits(), lambda: resumed.append(made.full))
    while not made.full:
        made.take(b"x" * 10_000)
    assert buffers.buffered_bytes > HIGH_WATER
    made.end()
    read = [piece async for piece in made.pieces()]
    assert b"".join(read) == b"x" * made.received
    assert resumed[-1] is False
    assert buffers.buffered_bytes == 0


async def test_who_reads_a_stream_waits_for_more():
    """Piece by piece, until the end, or until it breaks off."""
    made = Stream(Buffers(), Limits(), lambda: None)
    pieces = made.pieces()
    first = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    assert not first.done()
    made.take(b"one")
    assert await first == b"one"
    made.take(b"two")
    made.fail(Refusal(400, "no chunk"))
    assert await anext(pieces) == b"two"
    with pytest.raises(Refusal):
        await anext(pieces)


# --- what JSON makes of it -------------------------------------------------------------------------------------------------

SHAPES = {
    "text": lambda n: b'"' + b"x" * n + b'"',
    "empty objects": lambda n: b"[" + b",".join([b"{}"] * (n // 3)) + b"]",
    "empty lists": lambda n: b"[" + b",".join([b"[]"] * (n // 3)) + b"]",
    "objects": lambda n: b"[" + b",".join([b'{"a":1}'] * (n // 8)) + b"]",
    "lists in lists": lambda n: b"[" + b",".join([b"[[[[1]]]]"] * (n // 10)) + b"]",
    "objects in objects": lambda n: b"[" + b",".join([b'{"a":{"b":{}}}'] * (n // 15)) + b"]",
    "numbers": lambda n: b"[" + b",".join([b"1000"] * (n // 5)) + b"]",
    "fractions": lambda n: b"[" + b",".join([b"1.5"] * (n // 4)) + b"]",
    "texts": lambda n: b"[" + b",".join([b'"abc"'] * (n // 6)) + b"]",
    "names": lambda n: b"{" + b",".join([b'"%x":0' % i for i in range(n // 9)]) + b"}",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_counted_byte_takes_four_at_the_most(shape):
    """Whatever values a body is made of: the bytes and what is parsed of them, against what was counted."""
    data = SHAPES[shape](MILLION)
    made, buffers = body()
    made.take(data)
    tracemalloc.start()
    parsed = _json.decode(data)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert parsed
    assert len(data) + taken <= 4 * buffers.buffered_bytes


def test_ordinary_words_cost_little():
    """A conversation counts for no more than half as much again as it has bytes."""
    words = "One of them, as ever, was late; nobody minded it much, and the rest of the day went by in the usual way. "
    data = _json.encode({"model": "m", "messages": [{"role": "user", "content": words * 20} for _ in range(50)]})
    made, buffers = body()
    made.take(data)
    assert buffers.buffered_bytes < 1.75 * len(data)


def test_values_for_which_there_never_will_be_room():
    """They are refused for good; those for which there is none now, for a while."""
    limits = Limits(buffer_limit=MILLION, max_body=MILLION)
    made, buffers = body(limits)
    assert status(lambda: made.take(b"[" * 100_000)) == 413
    other = Body(buffers, limits)
    other.take(b"x" * 900_000)
    assert status(lambda: made.take(b"[" * 10_000)) == 503
