"""Must S5: one id, created and model per stream; tool calls with stable indices; honest finish reasons."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.endpoints import chat_chunks, chat_completion
from tests.fakes.replies import Answer, Stream, ToolCall, plain_json

import litellm

TOOLS = [{"type": "function", "function": {"name": name}} for name in ("f", "g")]
HEAD = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def calls(*deltas: dict[str, Any], finish: str = "tool_calls") -> Behaviour:
    """A stream of tool-call deltas, one to a chunk."""
    return Behaviour(
        Stream(
            [
                chunk({"role": "assistant", "content": None}),
                *({"tool_calls": [d]} and chunk({"tool_calls": [d]}) for d in deltas),
                chunk({}, finish),
            ]
        )
    )


def call(
    index: int | None = None, call_id: str | None = None, name: str | None = None, arguments: Any = None
) -> dict[str, Any]:
    """A tool-call delta with just these fields."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    delta: dict[str, Any] = {"function": function}
    delta |= {key: value for key, value in (("index", index), ("id", call_id)) if value is not None}
    return delta


def test_s5_identity_that_changes_is_kept(door, up):
    """S5: an upstream that gives each chunk an id and a time of its own has one id and time when we pass it on."""
    chunks = [
        {**c, "id": f"id-{at}", "created": 100 + at, "model": f"model-{at}"}
        for at, c in enumerate(chat_chunks(Answer()))
    ]
    up.next(Behaviour(Stream(chunks)))
    got = door.stream()
    assert {c["id"] for c in got} == {"id-0"}
    assert {c["created"] for c in got} == {100}
    assert {c["model"] for c in got} == {"m" if door.remote else "model-0"}


@pytest.mark.parametrize("absent", ["id", "created", "model"])
@pytest.mark.parametrize("how", ["missing", "null"])
def test_s5_identity_that_is_absent(door, up, streamed, absent, how):
    """S5: what the upstream leaves out is made up once, not once per chunk."""

    def without(value: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in value.items() if k != absent} if how == "missing" else value | {absent: None}

    whole = Behaviour(plain_json(without(chat_completion(Answer()))))
    up.next(Behaviour(Stream([without(c) for c in chat_chunks(Answer())])) if streamed else whole)
    answer = door.ask(streamed=streamed)
    for name in ("id", "created", "model"):
        found = {c.get(name) for c in answer} if streamed else {answer.get(name)}
        assert len(found) == 1
        assert name == "model" and not door.remote or found != {None}, f"there is no {name}"


def test_s5_identity_that_comes_late(door, up):
    """S5: an empty id on the first chunk (Azure) is not the stream's id."""
    first, *rest = chat_chunks(Answer())
    up.next(Behaviour(Stream([{**first, "id": "", "created": 0, "model": "", "choices": []}, *rest])))
    assert {c["id"] for c in door.stream() if c["choices"]} == {"chatcmpl-fake-1"}


def gathered(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tool calls of a stream put together as OpenAI's documentation does it: by index."""
    found: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            for part in choice["delta"].get("tool_calls") or ():
                made = found.setdefault(part["index"], {"ids": [], "names": [], "arguments": ""})
                made["ids"] += [part["id"]] if part.get("id") else []
                made["names"] += [part["function"]["name"]] if part["function"].get("name") else []
                fragment = part["function"].get("arguments") or ""
                assert isinstance(fragment, str)
                made["arguments"] += fragment
    assert sorted(found) == list(range(len(found)))
    return [found[index] for index in sorted(found)]


F1 = {"ids": ["c1"], "names": ["f"], "arguments": '{"a": 1}'}
G2 = {"ids": ["c2"], "names": ["g"], "arguments": '{"b": 2}'}
STREAMS: dict[str, tuple[Behaviour, list[dict[str, Any]]]] = {
    "as OpenAI does": (
        calls(
            call(0, "c1", "f", ""), call(0, arguments='{"a"'), call(0, arguments=": 1}"), call(1, "c2", "g", '{"b": 2}')
        ),
        [F1, G2],
    ),
    "id and name on each delta": (
        calls(
            call(0, "c1", "f", '{"a"'),
            call(0, "c1", "f", ": 1}"),
            call(1, "c2", "g", '{"b": '),
            call(1, "c2", "g", "2}"),
        ),
        [F1, G2],
    ),
    "a new id on each delta of an index": (
        calls(call(0, "c1", "f", '{"a"'), call(0, "c9", arguments=": 1}")),
        [F1],
    ),
    "all with index 0": (calls(call(0, "c1", "f", '{"a": 1}'), call(0, "c2", "g", '{"b": 2}')), [F1, G2]),
    "no index, whole calls": (calls(call(None, "c1", "f", '{"a": 1}'), call(None, "c2", "g", '{"b": 2}')), [F1, G2]),
    "no index, in fragments": (
        calls(call(None, "c1", "f", '{"a"'), call(None, arguments=": 1}"), call(None, "c2", "g", '{"b": 2}')),
        [F1, G2],
    ),
    "no index, id repeated": (
        calls(call(None, "c1", "f", '{"a"'), call(None, "c1", arguments=": 1}"), call(None, "c2", "g", '{"b": 2}')),
        [F1, G2],
    ),
    "arguments as an object": (calls(call(0, "c1", "f", {"a": 1})), [{**F1, "arguments": '{"a":1}'}]),
    "empty id and name on later deltas": (
        calls(call(0, "c1", "f", '{"a"'), {**call(0, arguments=": 1}"), "id": "", "type": "function"}),
        [F1],
    ),
}


@pytest.mark.parametrize("case", STREAMS)
def test_s5_tool_calls_can_be_put_together(door, up, case):
    """S5: id and name once, on the first delta of an index; stable indices from 0; arguments always a string."""
    behaviour, wanted = STREAMS[case]
    up.next(behaviour)
    chunks = door.stream(tools=TOOLS)
    assert gathered(chunks) == wanted
    built = litellm.stream_chunk_builder(chunks).choices[0].message.tool_calls
    assert [(c.id, c.function.name, c.function.arguments) for c in built] == [
        (w["ids"][0], w["names"][0], w["arguments"]) for w in wanted
    ]


def test_s5_indices_are_per_choice(door, up):
    """S5: two choices that call tools at the same time do not mix theirs."""

    def both(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
        deltas = [{"tool_calls": [first]}, {"tool_calls": [second]}]
        return {**HEAD, "choices": [{"index": i, "delta": d, "finish_reason": None} for i, d in enumerate(deltas)]}

    end = {**HEAD, "choices": [{"index": i, "delta": {}, "finish_reason": "tool_calls"} for i in range(2)]}
    up.next(
        Behaviour(
            Stream(
                [
                    both(call(0, "c1", "f", ""), call(0, "c2", "g", "")),
                    both(call(0, arguments="{}"), call(0, arguments="[]")),
                    end,
                ]
            )
        )
    )
    built = litellm.stream_chunk_builder(door.stream(tools=TOOLS, n=2))
    assert [c.message.tool_calls[0].function.arguments for c in built.choices] == ["{}", "[]"]


@pytest.mark.parametrize("arguments", [{"a": 1}, {}, [1], None])
def test_s5_arguments_are_a_string_in_whole_answers(door, up, arguments):
    """S5, S2: also when not streamed, some servers send an object there."""
    answer = chat_completion(Answer(tool_calls=(ToolCall("f"),)))
    answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = arguments
    up.next(Behaviour(plain_json(answer)))
    got = door.chat(tools=TOOLS)["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    if arguments is None:
        assert got in (None, "", "{}")
    else:
        assert isinstance(got, str)
        assert json.loads(got) == arguments


def finishes(answer: Any) -> list[str]:
    """The finish reasons of the first choice, whole or streamed, as they came."""
    found = (
        [c["choices"][0].get("finish_reason") for c in answer if c["choices"]]
        if isinstance(answer, list)
        else [answer["choices"][0]["finish_reason"]]
    )
    return [reason for reason in found if reason]


def test_s5_finish_reason_comes_last(door, up):
    """S5: null until the end, and then once."""
    chunks = door.stream()
    assert [c["choices"][0].get("finish_reason") for c in chunks] == [None] * (len(chunks) - 1) + ["stop"]


@pytest.mark.parametrize("theirs", ["stop", "tool_calls"])
def test_s5_tool_calls_finish_as_tool_calls(door, up, streamed, theirs):
    """S5: who got tool calls is told so, though some upstreams finish them with "stop"."""
    up.next(act.answer(tool_calls=(ToolCall("f", {"a": 1}),), finish_reason=theirs))
    assert finishes(door.ask(streamed=streamed, tools=TOOLS)) == ["tool_calls"]


@pytest.mark.parametrize("theirs", ["length", "content_filter", "stop"])
def test_s5_other_reasons_stay(door, up, streamed, theirs):
    """S5: nothing else is rewritten, and "length" not even when a tool call was cut off by it."""
    up.next(act.answer(finish_reason=theirs))
    assert finishes(door.ask(streamed=streamed)) == [theirs]
    if theirs != "stop":
        up.next(act.answer(tool_calls=(ToolCall("f", '{"a'),), finish_reason=theirs))
        assert finishes(door.ask(streamed=streamed, tools=TOOLS)) == [theirs]
