"""Edits of a body for endpoints that differ from OpenAI's; and what errors mean. The pure part of C9, C10 and G3."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.suite.chunks import text, values
from tests.suite.examples import examples

from litellm.exceptions import ContentPolicyViolationError, ContextWindowExceededError
from litellm.wire._shared import refine
from litellm.wire.quirks import NONE, Quirks, apply, fold_system

U, D = {"role": "user", "content": "u"}, {"role": "developer", "content": "d"}

EDITS = {  # name: (quirks, before, after)
    "rename": (Quirks(rename={"a": "b"}), {"a": 1, "c": 2}, {"b": 1, "c": 2}),
    "force": (Quirks(force={"store": False}), {"store": True}, {"store": False}),
    "clamp": (Quirks(clamp={"temperature": 1.0}), {"temperature": 1.5}, {"temperature": 1.0}),
    "clamp, small enough": (Quirks(clamp={"temperature": 1.0}), {"temperature": 0.5}, {"temperature": 0.5}),
    "clamp, no number": (Quirks(clamp={"temperature": 1.0}), {"temperature": "hot"}, {"temperature": "hot"}),
    "clamp, absent": (Quirks(clamp={"temperature": 1.0}), {}, {}),
    "developer": (Quirks(developer_as_system=True), {"messages": [D, U]}, {"messages": [{**D, "role": "system"}, U]}),
    "flatten": (
        Quirks(flatten_text_parts=True),
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]},
        {"messages": [{"role": "user", "content": "ab"}]},
    ),
    "flatten, with an image": (
        Quirks(flatten_text_parts=True),
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}]},
    ),
    "fields of messages": (
        Quirks(drop_message_fields=("name",)),
        {"messages": [{**U, "name": "n"}], "name": "stays"},
        {"messages": [U], "name": "stays"},
    ),
    "none": (NONE, {"a": None, "messages": [D]}, {"a": None, "messages": [D]}),
}


@pytest.mark.parametrize("case", EDITS)
def test_quirks(case):
    """One edit each, on a copy."""
    quirks, before, after = EDITS[case]
    original = copy.deepcopy(before)
    assert apply(quirks, before) == after
    assert before == original


every_quirk = st.builds(
    Quirks,
    rename=st.just({"a": "b"}),
    force=st.just({"store": False}),
    clamp=st.just({"temperature": 1.0}),
    flatten_text_parts=st.booleans(),
    developer_as_system=st.booleans(),
    fold_system=st.booleans(),
    drop_message_fields=st.just(("name",)),
)
messages = st.lists(
    st.dictionaries(st.sampled_from(["role", "content", "name", "cache_control", "x"]), values, max_size=4)
    | st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "developer"]), "content": text | values})
    | values,
    max_size=4,
)


@examples(100)
@given(every_quirk, messages, st.dictionaries(st.sampled_from(["a", "temperature", "store", "x"]), values))
def test_quirks_change_nothing_of_the_callers(quirks, given_messages, body):
    """G2: whatever the messages look like, they are as they were, and no edit breaks on them."""
    body = {**body, "messages": given_messages}
    before = copy.deepcopy(body)
    apply(quirks, body)
    assert body == before


@examples(100)
@given(st.lists(st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": text})))
def test_folding_loses_no_word(given_messages):
    """C10: every word is still there, in the same order, and nobody is "system"."""
    folded = fold_system(given_messages)
    assert all(message["role"] != "system" for message in folded)
    words = " ".join(message["content"] for message in given_messages if message["content"])
    assert " ".join(message["content"] for message in folded if message["content"]) == words


TOO_LONG = (
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    "the request exceeds the available context size, try increasing it",
    "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",
    "Please reduce the length of the messages or completion.",
    "prompt is too long: 210000 tokens > 200000 maximum",
)


@pytest.mark.parametrize("message", TOO_LONG)
def test_a_prompt_that_is_too_long_is_known_by_its_text(message):
    """G3, decision 8: where there is no code, the text of a 400, 413 or 422 tells; of no other status."""
    for status in (400, 413, 422):
        assert refine(status, None, message) is ContextWindowExceededError
    for status in (401, 404, 429, 500, 503):
        assert refine(status, None, message) is None


@pytest.mark.parametrize(
    ("status", "code", "message", "wanted"),
    [
        (400, "context_length_exceeded", "x", ContextWindowExceededError),
        (400, "content_filter", "x", ContentPolicyViolationError),
        (400, None, "Your request was rejected as a result of our safety system.", ContentPolicyViolationError),
        (400, None, "rate limit", None),
        (400, "something_else", "x", None),
        (500, "context_length_exceeded", "x", None),
        (429, "insufficient_quota", "x", None),
    ],
)
def test_status_first_code_second_text_last(status, code, message, wanted):
    """Decision 8."""
    assert refine(status, code, message) is wanted
