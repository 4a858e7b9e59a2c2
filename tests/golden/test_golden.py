"""Dialects, by example: a folder is a case, its files say what goes in and what comes out.

ours.json, theirs.json: a body, and what the upstream is sent for "m". reply.json, answer.json, client.json: what it answers,
that in our shape, and what a client gets who asked for "asked". stream.txt, chunks.jsonl, client.txt: the same of a stream;
broken.json: how it breaks after these chunks. refused.json: that the body cannot be said. error.json: an error's answer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.wire.outgoing import outgoing

from litellm.wire.bridge import ChatOverText, TextOverChat
from litellm.wire.decoding import EventDecoder
from litellm.wire.dialects import client_dialect, upstream_dialect
from litellm.wire.protocol import Broken, Chunk, Outgoing, StreamFault, Unsuitable

HERE = Path(__file__).parent
CASES = sorted(path for path in HERE.glob("*/*") if path.is_dir() and "__" not in path.name)
BRIDGES = {"text-over-chat": (TextOverChat, "openai_chat"), "chat-over-text": (ChatOverText, "openai_text")}


class Case:
    """One folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        name = path.parent.name
        bridge, inner = BRIDGES.get(name, (None, name))
        self.dialect = upstream_dialect(inner) if bridge is None else bridge(upstream_dialect(inner))
        self.client = client_dialect(inner)

    def has(self, *names: str) -> bool:
        return all((self.path / name).exists() for name in names)

    def text(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def json(self, name: str) -> Any:
        return json.loads(self.text(name))

    @property
    def out(self) -> Outgoing:
        body, streamed = self.json("ours.json"), self.has("stream.txt")
        return outgoing("m", body, stream=streamed, show_usage=bool(body.get("stream_options")))


def cases(*names: str) -> Any:
    found = [path for path in CASES if Case(path).has(*names)]
    return pytest.mark.parametrize(
        "case", [Case(path) for path in found], ids=[f"{p.parent.name}: {p.name}" for p in found]
    )


@cases("ours.json", "theirs.json")
def test_what_is_sent(case: Case) -> None:
    assert json.loads(case.dialect.request(case.out).body) == case.json("theirs.json")


@cases("refused.json")
def test_what_cannot_be_said_is_refused_by_name(case: Case) -> None:
    with pytest.raises(Unsuitable, match=case.json("refused.json")["says"]):
        case.dialect.request(case.out)


@cases("reply.json", "answer.json")
def test_answers(case: Case) -> None:
    """Twice, since neither the clock nor chance has a say in it."""
    reply, wanted = case.text("reply.json").encode(), case.json("answer.json")
    assert [case.dialect.decode(reply, case.out) for _ in range(2)] == [wanted, wanted]


@cases("answer.json", "client.json")
def test_answers_for_clients(case: Case) -> None:
    """The same, whether it is written anew or relayed under another name."""
    answer, reply, wanted = case.json("answer.json"), case.text("reply.json").encode(), case.json("client.json")
    assert json.loads(case.client.present(answer, "asked")) == wanted
    summary = case.dialect.peek(reply, case.out)
    assert summary is not None
    assert json.loads(case.client.relabel(reply, summary.model, "asked")) == wanted


def items_of(case: Case) -> list[Chunk | Broken]:
    decoder = EventDecoder(case.dialect.framing(), case.dialect.rules(case.out))
    items = decoder.feed(case.text("stream.txt").encode())
    return items if items and isinstance(items[-1], Broken) else [*items, *decoder.end(), *decoder.rules.end()]


@cases("stream.txt", "chunks.jsonl")
def test_streams(case: Case) -> None:
    """The chunks in order, and after them what broke it."""
    *_, last = items = items_of(case)
    wanted = [json.loads(line) for line in case.text("chunks.jsonl").splitlines()]
    assert [item.value for item in items if isinstance(item, Chunk)] == wanted
    assert isinstance(last, Broken) == case.has("broken.json")
    if isinstance(last, Broken):
        assert isinstance(last.error, StreamFault)
        told = {"status": last.error.status, "message": last.error.fault.message}
        assert told == case.json("broken.json")


@cases("stream.txt", "client.txt")
def test_streams_for_clients(case: Case) -> None:
    encoder = case.client.encoder("asked", relays=case.client.NAME == case.dialect.NAME)
    chunks = [item for item in items_of(case) if isinstance(item, Chunk)]
    sent = encoder.feed(chunks) + encoder.end()
    wanted = case.text("client.txt").split("\n\n")
    assert [_value(event) for event in sent.decode().split("\n\n")] == [_value(event) for event in wanted]


def _value(event: str) -> Any:
    payload = event.removeprefix("data: ")
    return json.loads(payload) if payload.startswith("{") else payload


@cases("error.json")
def test_errors(case: Case) -> None:
    said = case.json("error.json")
    fault = case.dialect.error(said["status"], json.dumps(said["reply"]).encode())
    assert (fault.message, fault.code) == (said["message"], said["code"])
    assert fault.kind is not None
    assert fault.kind.__name__ == said["kind"]
    assert json.loads(case.client.present_error(said["status"], said["reply"])) == said["reply"]
