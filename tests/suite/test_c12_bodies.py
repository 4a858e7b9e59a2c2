"""Must C12: what goes over the wire is what was said, for every operation and at every door."""

from __future__ import annotations

from typing import Any

import pytest
from tests.suite.doors import HI, SUBJECTS

OPERATIONS = ("chat", "text", "embeddings", "moderations")
SUBJECT: dict[str, Any] = {"chat": HI, "text": "once", "embeddings": ["a", "b"], "moderations": "c"}
# Everything that the operation has a word for, and something that nobody has.
FULL: dict[str, dict[str, Any]] = {
    "chat": {"temperature": 0, "n": 1, "stop": ["x"], "tools": [], "seed": 1, "user": "me", "logprobs": False, "top_k": 2},
    "text": {"max_tokens": 1, "echo": False, "best_of": 1, "suffix": "", "logprobs": 0, "n": 1, "top_p": 1.0, "user": "me",
             "stop": "x", "min_p": 0.1},
    "embeddings": {"dimensions": 4, "user": "me", "input_type": "query"},
    "moderations": {"vendor": True},
}  # fmt: skip

every_operation = pytest.mark.parametrize("operation", OPERATIONS)


def golden(door_name: str, operation: str, **said: Any) -> dict[str, Any]:
    """The body that the upstream sees."""
    body = {"model": "m", SUBJECTS[operation]: SUBJECT[operation], **said}
    if door_name == "openai" and operation == "embeddings" and "encoding_format" not in said:
        body["encoding_format"] = "base64"  # what OpenAI's own client adds
    return body


@every_operation
def test_c12_nothing_is_added(door, up, operation):
    """C12: no null, no default, no empty value that nobody said."""
    door.whole(operation, SUBJECT[operation])
    assert up.requests[0].json == golden(door.name, operation)


@every_operation
def test_c12_nothing_is_lost(door, up, operation):
    """C12: zeros, false, empty values and unknown parameters are something that was said."""
    door.whole(operation, SUBJECT[operation], **FULL[operation])
    assert up.requests[0].json == golden(door.name, operation, **FULL[operation])


@every_operation
def test_c12_none_is_not_said(house, up, operation):
    """C12: an SDK parameter of None is one that was not set, as in every signature that shows it."""
    unset = dict.fromkeys([*FULL[operation], "user", "timeout", "extra_body"])
    for name in ("sdk", "asdk"):
        house.doors[name].whole(operation, SUBJECT[operation], **unset)
    assert [seen.json for seen in up.requests] == [golden(name, operation) for name in ("sdk", "asdk")]


@pytest.mark.parametrize("operation", ["chat", "text"])
def test_c12_streams(door, up, operation):
    """C12: `stream`, and at the gateway the usage that its books need."""
    door.streamed(operation, SUBJECT[operation])
    asked = {"stream_options": {"include_usage": True}} if door.remote else {}
    assert up.requests[0].json == golden(door.name, operation, stream=True, **asked)


@every_operation
def test_c12_what_steers_stays_here(door, up, operation):
    """C12: our own words never reach an upstream."""
    said = {"num_retries": 0, "timeout": 5, "metadata": {"a": 1}, "drop_params": True, "caching": True}
    door.whole(operation, SUBJECT[operation], **said)
    assert up.requests[0].json == golden(door.name, operation)
