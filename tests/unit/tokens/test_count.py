"""token_counter against what OpenAI publishes and what LiteLLM answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.suite.examples import examples

from litellm.tokens.count import decode, encode, longest, token_counter
from litellm.types.chat import Message

PARTS = st.fixed_dictionaries({"type": st.just("text"), "text": st.text()})
USER = {"role": "user", "content": "Hello world"}

# The two examples of OpenAI's cookbook, "How to count tokens with tiktoken", with what the API said about them.
JARGON = [
    {
        "role": "system",
        "content": "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
    },
    {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
    {"role": "system", "name": "example_assistant", "content": "Things working well together will increase revenue."},
    {
        "role": "system",
        "name": "example_user",
        "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    },
    {
        "role": "system",
        "name": "example_assistant",
        "content": "Let's talk later when we're less busy about how to do better.",
    },
    {
        "role": "user",
        "content": "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    },
]
WEATHER = [
    {"role": "system", "content": "You are a helpful assistant that can answer to questions about the weather."},
    {"role": "user", "content": "What's the weather like in San Francisco?"},
]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Get the current weather in a given location",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {
                    "type": "string",
                    "description": "The unit of temperature to return",
                    "enum": ["celsius", "fahrenheit"],
                },
            },
            "required": ["location"],
        },
    },
}


@pytest.mark.parametrize(
    ("model", "jargon", "weather"), [("gpt-4o", 124, 101), ("gpt-4", 129, 105), ("gpt-3.5-turbo", 129, 105)]
)
def test_the_cookbooks_examples(model: str, jargon: int, weather: int) -> None:
    assert token_counter(model, messages=JARGON) == jargon
    assert token_counter(model, messages=WEATHER, tools=[TOOL]) == weather


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-3.5-turbo", "claude-sonnet-4-5", ""])
def test_hello_world(model: str) -> None:
    """As LiteLLM 1.106.2 counts it."""
    assert token_counter(model=model, text="Hello world") == 2
    assert token_counter(model=model, messages=[USER]) == 9


def count(*messages: dict, **params: object) -> int:
    """What is there besides the beginning of an answer."""
    return token_counter("gpt-4o", messages=list(messages), **params) - 3


PNG = (  # 1 × 1
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HELLO = {"type": "text", "text": "Hello world"}


@pytest.mark.parametrize(
    ("message", "more"),  # more than an empty message of a user
    [
        ({"content": "Hello world"}, 2),
        ({"content": None}, 0),
        ({}, 0),
        ({"content": "", "name": "Ann"}, 2),
        ({"content": [HELLO, HELLO]}, 4),
        ({"content": ["Hello world"]}, 2),
        ({"content": [{"type": "thinking", "thinking": "Hello world", "signature": "x" * 99}]}, 2),
        ({"content": [{"type": "tool_result", "tool_use_id": "1", "content": [HELLO]}]}, 2),
        ({"content": [{"type": "tool_use", "id": "1", "name": "hello", "input": {}}]}, 2),
        ({"content": [{"type": "input_audio", "input_audio": {"data": "A" * 999, "format": "wav"}}]}, 0),
        ({"content": [{"type": "image_url", "image_url": {"url": PNG}}]}, 255),
        ({"content": [{"type": "image_url", "image_url": PNG}]}, 255),
        ({"content": [{"type": "image_url", "image_url": {"url": PNG, "detail": "high"}}]}, 255),
        ({"content": [{"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}]}, 85),
        ({"content": [{"type": "input_image", "image_url": PNG, "detail": "low"}]}, 85),
        ({"content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}, 250),
        ({"tool_calls": [{"id": "1", "type": "function", "function": {"name": "hello", "arguments": "{}"}}]}, 5),
        ({"function_call": {"name": "hello", "arguments": "{}"}}, 5),
        ({"tool_calls": None, "function_call": None, "provider_specific_fields": None}, 0),
    ],
)
def test_parts_of_messages(message: dict, more: int) -> None:
    empty = count({"role": "user"})
    assert empty == 4
    assert count({"role": "user", **message}) - empty == more


def test_pictures_all_alike() -> None:
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}]}
    assert count(picture, use_default_image_token_count=True) == 4 + 250


def test_objects_are_read_like_dicts() -> None:
    said = Message(content="Hello world", tool_calls=[{"id": "1", "function": {"name": "hello", "arguments": "{}"}}])
    assert count(said) == count(said.model_dump())


def test_an_answer_is_followed_by_no_other() -> None:
    answer = [{"role": "assistant", "content": "Hello world"}]
    assert token_counter("gpt-4o", messages=answer, count_response_tokens=True) == 6
    assert token_counter("gpt-4o", text="Hello world", count_response_tokens=True) == 2
    assert token_counter("gpt-4o", messages=[]) == 3


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "role": st.sampled_from(["user", "assistant", "tool"]),
                "content": st.text() | st.lists(PARTS, max_size=3),
            },
            optional={"name": st.text()},
        )
    )
)
@examples(100)
@pytest.mark.parametrize("model", ["gpt-4", "gpt-4o"])
def test_no_prompt_is_longer_than_the_longest(model: str, messages: list[dict]) -> None:
    assert token_counter(model, messages=messages) <= longest(messages)


def test_several_texts() -> None:
    assert token_counter("gpt-4o", text=["Hello world", "Hello world"]) == 4
    assert token_counter("gpt-4o", text="") == 0


# --- tools --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "more"),
    [
        (None, 0),
        ("auto", 0),
        ("required", 0),
        ("none", 1),
        ({"type": "function", "function": {"name": "hello"}}, 5),
        ({"type": "tool", "name": "hello"}, 5),
    ],
)
def test_tool_choice(choice: object, more: int) -> None:
    assert count(USER, tools=[TOOL], tool_choice=choice) - count(USER, tools=[TOOL]) == more
    assert count(USER, tool_choice=choice) == count(USER)


def test_tools_of_other_shapes() -> None:
    """Responses API and Anthropic say it without the "function"; properties may be nested, or missing."""
    function = TOOL["function"]
    anthropic = {**function, "input_schema": function["parameters"]}
    del anthropic["parameters"]
    assert count(USER, tools=[{"type": "function", **function}]) == count(USER, tools=[TOOL])
    assert count(USER, tools=[anthropic]) == count(USER, tools=[TOOL])
    assert count(USER, tools=[{"type": "web_search"}]) == count(USER) + 7 + 12 + 1
    bare = count(USER, tools=[{"type": "function", "function": {"name": "hello"}}])
    assert bare == count(USER) + 7 + 12 + 2
    parts = {"parts": {"type": "array", "items": {"type": "object", "properties": {"size": {"type": "string"}}}}}
    nested = {"name": "hello", "parameters": {"type": "object", "properties": parts}}
    assert count(USER, tools=[{"type": "function", "function": nested}]) > bare + 2 * 6


# --- tokenizers of your own ---------------------------------------------------------------------------------------------


class Letters:
    """A token for each letter."""

    def encode(self, text: str) -> list[int]:
        return list(map(ord, text))

    def decode(self, tokens: list[int]) -> str:
        return "".join(map(chr, tokens))


class Encoding:
    """As Hugging Face's tokenizers answer."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids


class Wrapped(Letters):
    def encode(self, text: str) -> Encoding:
        return Encoding(super().encode(text))


@pytest.mark.parametrize("tokenizer", [Letters(), Wrapped(), {"type": "huggingface_tokenizer", "tokenizer": Wrapped()}])
def test_a_tokenizer_of_your_own(tokenizer: object) -> None:
    assert token_counter("gpt-4o", text="Hello", custom_tokenizer=tokenizer) == 5
    assert token_counter("gpt-4o", messages=[USER], custom_tokenizer=tokenizer) == 3 + 4 + 11 + 3
    assert encode("gpt-4o", "Hi", custom_tokenizer=tokenizer) == [72, 105]
    assert decode("gpt-4o", [72, 105], custom_tokenizer=tokenizer) == "Hi"


def test_encode_and_decode() -> None:
    assert encode(model="gpt-4o", text="Hello world") == [13225, 2375]
    assert decode(model="gpt-4o", tokens=[13225, 2375]) == "Hello world"


# --- what cannot be counted ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"text": "a", "messages": []}])
def test_text_or_messages(params: dict) -> None:
    with pytest.raises(ValueError, match="text or messages"):
        token_counter("gpt-4o", **params)


@pytest.mark.parametrize(
    "message", ["hello", None, 7, {"role": "user", "content": 7}, {"role": "user", "content": [7]}]
)
def test_messages_that_are_none(message: object) -> None:
    with pytest.raises(ValueError, match="cannot count"):
        token_counter("gpt-4o", messages=[message])
    assert token_counter("gpt-4o", messages=[message], default_token_count=11) == 11
    assert token_counter("gpt-4o", messages=[USER], default_token_count=11) == 9


def test_messages_that_are_nested_too_deeply() -> None:
    part: dict = {"type": "text", "text": "a"}
    for _ in range(2000):
        part = {"type": "tool_result", "content": [part]}
    with pytest.raises(ValueError, match="cannot count what is nested so deeply"):
        token_counter("gpt-4o", messages=[{"role": "user", "content": [part]}])
    assert token_counter("gpt-4o", messages=[{"role": "user", "content": [part]}], default_token_count=5) == 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "text", "image_url", "url", "detail", "input", "content", "function", "name", "properties",
                         "enum", "items", "parameters", "description", "arguments"]), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip
PART = st.dictionaries(st.sampled_from(["text", "image_url", "content", "name", "input"]), JSON).flatmap(
    lambda part: st.sampled_from(["text", "image_url", "tool_use", "tool_result", "?"]).map(
        lambda kind: {**part, "type": kind}
    )
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"role": JSON}, optional={"content": JSON | st.lists(PART), "name": JSON, "tool_calls": JSON}
        )
    ),
    st.lists(JSON, max_size=2),
    JSON,
)
def test_any_json_is_counted_or_refused_in_words(messages: list, tools: list, choice: object) -> None:
    """Requests come from outside: what is no message is a ValueError, and never another error."""
    try:
        assert token_counter("gpt-4o", messages=messages, tools=tools, tool_choice=choice) >= 3
    except ValueError as error:
        assert "cannot count" in str(error)


@given(st.lists(st.text()))
def test_a_longer_conversation_is_never_shorter(texts: list[str]) -> None:
    counts = [count(*({"role": "user", "content": text} for text in texts[:end])) for end in range(len(texts) + 1)]
    assert counts == sorted(set(counts))
