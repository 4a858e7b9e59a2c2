"""Relaying bytes with another model name in them: as right as decoding, changing and encoding, whatever the JSON."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.suite.chunks import streams, values
from tests.suite.examples import examples
from tests.unit.wire.outgoing import outgoing

from litellm.wire import openai_chat
from litellm.wire.openai_client import encoder, relabel
from litellm.wire.protocol import Chunk

names = st.one_of(
    st.sampled_from(["m", "model", '"model":"m"', "a\\", 'q"', "日本", "gpt-4o", ""]), st.text(max_size=5)
)
objects = st.recursive(
    st.dictionaries(st.sampled_from(["model", "id", "x", 'a"model":', "choices"]), values, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(["model", "x", "deep"]), inner, max_size=2),
    max_leaves=4,
)


@examples(120)
@given(
    rest=objects,
    old=names,
    new=names,
    where=st.integers(0, 3),
    indent=st.sampled_from([None, 1]),
    separators=st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]),
    ascii_only=st.booleans(),
)
def test_relabel_is_right_for_any_json(rest, old, new, where, indent, separators, ascii_only):
    """C11, decision 5: only the top-level name changes, wherever else the word or the name stand."""
    items: list[tuple[str, Any]] = [(name, value) for name, value in rest.items() if name != "model"]
    items.insert(min(where, len(items)), ("model", old))
    answer = dict(items)
    data = json.dumps(answer, indent=indent, separators=separators, ensure_ascii=ascii_only).encode()
    assert json.loads(relabel(data, old, new)) == answer | {"model": new}


@examples(120)
@example(rest={"deep": {"model": None}}, new="m")
@example(rest={"deep": {"model": "m"}}, new="x")
@given(rest=objects, new=names)
def test_relabel_where_there_was_no_name(rest, new):
    """C11: an upstream that gave no name, though the word may stand deeper in its answer."""
    answer = {name: value for name, value in rest.items() if name != "model"}
    data = json.dumps(answer, separators=(",", ":")).encode()
    assert json.loads(relabel(data, None, new)) == answer | {"model": new}


@examples(20)
@given(streams(), names)
def test_relabel_follows_a_stream(sent, new):
    """C11: one encoder serves all chunks of a stream."""
    writing = encoder(new, relays=True)
    for chunk in sent:
        data = json.dumps(chunk, ensure_ascii=False).encode()
        assert json.loads(writing.feed([Chunk(chunk, data)]).removeprefix(b"data: ")) == chunk | {"model": new}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"text"',
        b"{",
        b'{"choices": 1}',
        b'{"choices": {}}',
        b'{"choices": []}',
        b'{"id": "1", "choices": [',
        b'{"id": "1", "created": 1, "error": {"message": "no"}}',
        b'{"id": 1, "created": 1, "choices": []}',
        b'{"id": "1", "created": 1, "model": 7, "choices": []}',
        b'{"id": "1", "created": 1, "choices": []}' + b"\xff",
        b'{"id": "1", "created": 1, "choices": [{"message": {"content": "\xff"}}]}',
        b"<html></html>",
    ],
)
def test_peek_leaves_what_is_odd_to_the_decoder(data):
    """S4, C11: only what is surely an answer is relayed unread."""
    assert openai_chat.peek(data, outgoing()) is None


@examples(100)
@given(st.binary(max_size=60))
def test_peek_never_raises(data):
    """Nothing an upstream sends breaks it."""
    openai_chat.peek(data, outgoing())
    openai_chat.error(500, data)


ERRORS: dict[str, tuple[bytes, str, str | None]] = {  # body → message, code
    "OpenAI": (b'{"error": {"message": "No.", "code": "c", "type": "t", "param": "p"}}', "No.", "c"),
    "a number as code": (b'{"error": {"message": "No.", "code": 400}}', "No.", "400"),
    "error as a text": (b'{"error": "No."}', "No.", None),
    "FastAPI": (b'{"detail": "Not Found"}', "Not Found", None),
    "vLLM": (
        b'{"object": "error", "message": "No.", "type": "BadRequestError", "param": null, "code": 400}',
        "No.",
        "400",
    ),
    "TGI": (b'{"error": "Input validation error", "error_type": "validation"}', "Input validation error", None),
    "a plain text": (b"upstream connect error", "upstream connect error", None),
    "nothing": (b"", "(an empty body)", None),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_read_in_many_shapes(case):
    """G3: what the upstream wrote is what the caller reads."""
    data, message, code = ERRORS[case]
    fault = openai_chat.error(400, data)
    assert (fault.message, fault.code) == (message, code)


def test_errors_of_a_list_are_shown():
    """G3: FastAPI's list of details, and anything else that has no message, is shown as it is."""
    assert (
        "field required" in openai_chat.error(422, b'{"detail": [{"msg": "field required", "loc": ["body"]}]}').message
    )
    assert len(openai_chat.error(500, b"x" * 100_000).message) < 1000


@examples(100)
@given(st.dictionaries(st.text(max_size=5), values, max_size=4), st.text(max_size=5), st.booleans())
def test_encode_sends_what_it_was_given(body, model, stream):
    """C12: the body, the model, `stream` where there is one; nothing else."""
    before = json.dumps(body)
    sent = msgspec.json.decode(openai_chat.request(outgoing(model, body, stream=stream)).body)
    wanted = {**body, "model": model, **({"stream": True} if stream else {})}
    assert sent == wanted
    assert json.dumps(body) == before
    assert next(iter(sent)) == "model"
