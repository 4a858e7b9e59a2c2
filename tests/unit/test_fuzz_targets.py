"""What scripts/fuzz looks for in a minute, for the seeds it begins with: so that its checks stay true of the parsers."""

import random

import pytest
from tests.fuzz.__main__ import changed, places
from tests.fuzz.targets import TARGETS

from litellm.wire.framing.sse import Parser


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_hold_however_they_are_cut(name):
    target, dice = TARGETS[name], random.Random(0)
    for seed in target.seeds:
        target.check(seed, range(len(seed)))
        for _ in range(20):
            target.check(seed, places(bytes(dice.randrange(256) for _ in range(4))))


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_that_were_changed_hold(name):
    target, dice = TARGETS[name], random.Random(1)
    for _ in range(200):
        target.check(changed(dice, list(target.seeds)), [dice.randrange(100) for _ in range(3)])


def test_a_parser_that_loses_a_byte_between_pieces_is_found(monkeypatch):
    feed = Parser.feed
    monkeypatch.setattr(Parser, "feed", lambda parser, data: feed(parser, data[:-1] if data.endswith(b"a") else data))
    with pytest.raises(AssertionError):
        TARGETS["sse"].check(b"data: banana\n\n", [8])
