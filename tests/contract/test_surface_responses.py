"""The objects that calls return, as programs written for LiteLLM read, copy, store and build them."""

import copy
import io
import json
import pickle
import warnings

import pydantic
import pytest

import litellm
from litellm.types.utils import (
    ChatCompletionDeltaToolCall,
    Delta,
    Function,
    ModelResponseBase,
    PromptTokensDetailsWrapper,
    StreamingChoices,
)

HI = [{"role": "user", "content": "hi"}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rom"}'}}
WHOLE = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
}


def answered(**message) -> litellm.ModelResponse:
    """The answer to a call, whose message is this."""
    choice = {**WHOLE["choices"][0], "message": {"role": "assistant", "content": "Hello.", **message}}
    return litellm.completion("openai/gpt-4o", HI, mock_response={**WHOLE, "choices": [choice]})


def streamed(**params) -> list[litellm.ModelResponseStream]:
    return list(litellm.completion("openai/gpt-4o", HI, mock_response="Hello.", stream=True, **params))


# --- reading ------------------------------------------------------------------------------------------------------------


def test_attributes_items_get_and_in():
    """terminal-bench, harbor, crewai, google-adk and knowledge-storm read answers as mappings."""
    answer = answered(tool_calls=[CALL])
    assert answer["choices"][0]["message"]["content"] == answer.choices[0].message.content == "Hello."
    assert answer["usage"]["prompt_tokens"] == answer.usage.prompt_tokens == answer.usage.get("prompt_tokens") == 9
    assert answer.choices[0].message.get("tool_calls")[0]["function"]["name"] == "weather"
    assert answer.get("no_such_field", "default") == "default"
    assert answer.get("no_such_field") is None
    assert "usage" in answer
    assert "no_such_field" not in answer
    for read in (lambda: answer["no_such_field"], lambda: answer.no_such_field, lambda: answer.usage["no_such_field"]):
        with pytest.raises(AttributeError):  # and not KeyError
            read()
    with pytest.raises(TypeError):
        answer["id"] = "mine"


def test_usage_is_no_declared_field():
    """crewai reads response.model_extra.get("usage")."""
    answer = answered()
    assert list(litellm.ModelResponse.model_fields) == [
        "id", "created", "model", "object", "system_fingerprint", "choices",
    ]  # fmt: skip
    assert answer.model_extra.get("usage") is answer.usage
    assert isinstance(answer.usage, litellm.Usage)
    assert isinstance(answer, ModelResponseBase)
    assert isinstance(answer, pydantic.BaseModel)


def test_which_fields_of_a_message_exist():
    """agno and strands branch on hasattr."""
    message = answered().choices[0].message
    for name in ("reasoning_content", "thinking_blocks", "audio", "images", "annotations"):
        assert not hasattr(message, name)
        assert name not in message
    for name in ("tool_calls", "function_call", "provider_specific_fields"):
        assert hasattr(message, name)
        assert message[name] is None
    assert answered(reasoning_content="Hm.").choices[0].message.reasoning_content == "Hm."
    assert not hasattr(answered(reasoning_content=None).choices[0].message, "reasoning_content")


def test_which_fields_of_a_delta_exist():
    delta = streamed()[0].choices[0].delta
    for name in ("content", "role", "function_call", "tool_calls", "audio"):
        assert hasattr(delta, name)
    for name in ("reasoning_content", "thinking_blocks"):
        assert not hasattr(delta, name)
    assert delta.get("content") == "Hel"


def test_what_nobody_knows_is_kept():
    answer = litellm.completion("openai/gpt-4o", HI, mock_response={**WHOLE, "service_tier": "flex", "x_new": {"a": 1}})
    assert (answer.service_tier, answer["x_new"]) == ("flex", {"a": 1})
    assert answer.model_dump()["x_new"] == {"a": 1}
    assert answered(refusal="No.", x_mood="good").choices[0].message.x_mood == "good"


@pytest.mark.parametrize("stream", [False, True])
def test_hidden_params(stream):
    """dspy, mlflow, harbor and langchain-litellm read them."""
    answer = litellm.completion("openai/gpt-4o", HI, mock_response="Hello.", stream=stream)
    for holder in [answer, next(iter(answer))] if stream else [answer]:
        hidden = holder._hidden_params
        assert type(hidden) is dict
        assert (hidden["custom_llm_provider"], hidden["litellm_model_name"]) == ("openai", "gpt-4o")
        assert {"response_cost", "model_id", "api_base", "litellm_call_id"} <= hidden.keys()
        assert hidden["additional_headers"]["x-litellm-attempted-retries"] == 0
        assert hidden["_response_ms"] >= 0
    if not stream:
        assert answer._response_ms == answer.response_ms == hidden["_response_ms"]  # decision 13


# --- dumping, copying, storing ------------------------------------------------------------------------------------------


def test_dumps():
    """opik and graphrag-llm rebuild their own types from model_dump(): names and their order show through."""
    answer = answered()
    dumped = answer.model_dump()
    assert list(dumped) == ["id", "created", "model", "object", "system_fingerprint", "choices", "usage"]
    assert list(dumped["choices"][0]) == ["finish_reason", "index", "message"]
    assert list(dumped["choices"][0]["message"]) == ["content", "role", "tool_calls", "function_call"]
    assert type(dumped["usage"]) is dict
    assert answer.json() == answer.dict() == answer.to_dict() == dumped  # json() is a dict, not a text
    assert json.loads(answer.model_dump_json()) == answer.model_dump(mode="json") == dumped
    assert answer.model_dump(exclude_none=True) == WHOLE


def test_a_message_on_its_own_dumps_all_its_fields():
    assert list(answered().choices[0].message.model_dump()) == [
        "content", "role", "tool_calls", "function_call", "provider_specific_fields",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "odd",
    [
        {"created": "1700000000"},
        {"created": 1699290237.408061},
        {"model": None, "system_fingerprint": 7, "object": None},
        {"usage": {"prompt_tokens": 1.0, "completion_tokens": None, "total_tokens": "3"}},
        {"choices": [{"index": "0", "message": {"content": [{"type": "text", "text": "Hi"}], "role": None}}]},
        {"choices": [{"finish_reason": 3, "message": {"content": 5, "tool_calls": [CALL], "audio": {"id": "a"}}}]},
    ],
)
def test_odd_answers_dump_without_warnings(odd):
    """What an upstream wrote with another type is kept, and pydantic does not complain about it afterwards."""
    answer = litellm.completion("openai/gpt-4o", HI, mock_response={**WHOLE, **odd})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dumped = answer.model_dump()
        answer.model_dump_json()
        answer.choices[0].message.model_dump()
    for name, value in odd.items():
        if name in ("created", "system_fingerprint"):
            assert dumped[name] == value


def test_copies_are_equal_and_keep_the_hidden_params():
    """dspy stores answers with pickle and hands out deep copies of them."""
    answer = answered(tool_calls=[CALL], x_mood="good")
    for other in (copy.deepcopy(answer), copy.copy(answer), answer.model_copy(), pickle.loads(pickle.dumps(answer))):
        assert type(other) is litellm.ModelResponse
        assert other == answer
        assert other is not answer
        assert other._hidden_params == answer._hidden_params
        assert other.choices[0].message.tool_calls[0].function.name == "weather"
        assert other.usage.total_tokens == 13
    deep = copy.deepcopy(answer)
    deep.choices[0].message.content = "Changed."
    deep._hidden_params["cache_hit"] = True
    assert deep != answer
    assert answer.choices[0].message.content == "Hello."
    assert "cache_hit" not in answer._hidden_params


def test_answers_can_be_marked():
    """dspy does both to an answer from its cache."""
    answer = answered()
    answer.usage = {}
    object.__setattr__(answer, "cache_hit", True)
    assert (answer.usage, answer.cache_hit) == ({}, True)


@pytest.mark.parametrize("value", [answered, lambda: streamed()[0], lambda: answered(tool_calls=[CALL])])
def test_pickles_name_only_our_types(value):
    """dspy's restricted unpickler admits litellm.types.* and openai.types.*"""
    named = set()

    class Noting(pickle.Unpickler):
        def find_class(self, module, name):
            named.add(module)
            return super().find_class(module, name)

    Noting(io.BytesIO(pickle.dumps(value()))).load()
    assert named
    assert all(module.startswith("litellm.types.") for module in named), named


def test_models_live_under_litellm_types():
    for cls in (
        litellm.ModelResponse, litellm.ModelResponseStream, litellm.Choices, litellm.StreamingChoices, litellm.Message,
        litellm.Usage, litellm.ChatCompletionMessageToolCall, ChatCompletionDeltaToolCall, Delta, Function,
    ):  # fmt: skip
        assert cls.__module__.startswith("litellm.types.")


# --- building -----------------------------------------------------------------------------------------------------------


def test_building_answers():
    """Everybody's tests do."""
    empty = litellm.ModelResponse()
    assert (len(empty.choices), empty.choices[0].message.role, empty.choices[0].message.content) == (
        1,
        "assistant",
        None,
    )
    assert empty.id.startswith("chatcmpl-")
    assert empty.object == "chat.completion"
    assert isinstance(empty.created, int)
    assert not hasattr(litellm.ModelResponse(stream=True), "stream")
    message = litellm.Message(content="Hi", role="assistant")
    for choice in (litellm.Choices(finish_reason="stop", index=0, message=message), {"message": {"content": "Hi"}}):
        for usage in (litellm.Usage(prompt_tokens=1, total_tokens=3), {"prompt_tokens": 1, "total_tokens": 3}):
            built = litellm.ModelResponse(id="1", model="m", created=2, object="o", choices=[choice], usage=usage)
            assert (built.id, built.model, built.created, built.object) == ("1", "m", 2, "o")
            assert built.choices[0].message.content == "Hi"
            assert isinstance(built.choices[0], litellm.Choices)
            assert isinstance(built.usage, litellm.Usage)
            assert built.usage.total_tokens == 3


def test_building_messages():
    message = litellm.Message(content=None, role="assistant", tool_calls=[CALL], name="n", tool_call_id="t")
    (call,) = message.tool_calls
    assert isinstance(call, litellm.ChatCompletionMessageToolCall)
    assert isinstance(call.function, Function)
    assert (call.function.name, call["id"], message.name, message.tool_call_id) == ("weather", "call_1", "n", "t")
    by_hand = litellm.ChatCompletionMessageToolCall(
        function=Function(name="f", arguments="{}"), id="x", type="function", index=0
    )
    assert (by_hand.function.name, by_hand.index) == ("f", 0)
    assert litellm.Message("Hi").content == "Hi"  # positional


def test_building_usage():
    usage = litellm.Usage(
        prompt_tokens=10,
        completion_tokens=5,
        total_tokens=15,
        prompt_tokens_details={"cached_tokens": 3},
        completion_tokens_details={"reasoning_tokens": 2},
        cache_read_input_tokens=3,
        cost=0.5,
    )
    assert isinstance(usage.prompt_tokens_details, PromptTokensDetailsWrapper)
    assert usage.prompt_tokens_details.cached_tokens == 3
    assert usage.completion_tokens_details["reasoning_tokens"] == 2
    assert (usage.cache_read_input_tokens, usage.cost) == (3, 0.5)
    assert getattr(litellm.Usage(), "cache_creation_input_tokens", None) is None


def test_building_chunks():
    """crewai, google-adk and openhands-sdk build them in their tests."""
    call = ChatCompletionDeltaToolCall(function=Function(name="f", arguments=""), index=1)
    delta = Delta(content="a", reasoning_content="b", tool_calls=[call])
    chunk = litellm.ModelResponseStream(id="1", choices=[StreamingChoices(index=0, delta=delta)])
    assert chunk.object == "chat.completion.chunk"
    assert chunk["choices"][0]["delta"]["content"] == "a"
    assert chunk.choices[0].delta.reasoning_content == "b"
    assert chunk.choices[0].delta.tool_calls[0].index == 1
    assert not hasattr(chunk, "usage")


# --- streams ------------------------------------------------------------------------------------------------------------


def test_chunks_of_a_stream():
    chunks = streamed()
    assert all(isinstance(chunk, litellm.ModelResponseStream) for chunk in chunks)
    assert all(isinstance(chunk.choices[0].delta, Delta) for chunk in chunks)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["Hel", "lo.", None]  # in pieces of three letters
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, "stop"]
    assert [chunk.choices[0].delta.role for chunk in chunks] == ["assistant", None, None]
    for chunk in chunks:
        assert not hasattr(chunk, "usage")
        assert "usage" not in chunk
        assert chunk.model_extra.get("usage") is None


def test_the_usage_chunk():
    """Decision 7: as OpenAI sends it, without choices."""
    *others, last = streamed(stream_options={"include_usage": True})
    assert last.choices == []
    assert isinstance(last.usage, litellm.Usage)
    assert last.model_extra.get("usage") is last.usage
    assert not any("usage" in chunk for chunk in others)


def test_a_stream_put_together_again():
    """openhands-sdk and dspy: the same id, the same usage."""
    chunks = streamed(stream_options={"include_usage": True})
    whole = litellm.stream_chunk_builder(chunks, messages=HI)
    assert type(whole) is litellm.ModelResponse
    assert (whole.id, whole.object, whole.model) == (chunks[0].id, "chat.completion", chunks[0].model)
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == ("Hello.", "stop")
    assert whole.usage == chunks[-1].usage


async def test_both_kinds_of_stream_are_the_same_class():
    """google-adk, guardrails, harbor and opik test with isinstance."""
    sync = litellm.completion("mock/echo", HI, stream=True)
    later = await litellm.acompletion("mock/echo", HI, stream=True)
    assert type(sync) is type(later) is litellm.CustomStreamWrapper
    assert hasattr(sync, "__iter__")
    assert hasattr(sync, "__aiter__")
    assert [chunk.model_dump() for chunk in sync] == [chunk.model_dump() async for chunk in later]
    with pytest.raises(StopIteration):
        next(sync)


async def test_iteration_can_be_wrapped_on_the_class(monkeypatch):
    """opik replaces the methods of the class, to see each chunk."""
    seen = []
    following, afollowing = litellm.CustomStreamWrapper.__next__, litellm.CustomStreamWrapper.__anext__

    def watched(self):
        seen.append(chunk := following(self))
        return chunk

    async def awatched(self):
        seen.append(chunk := await afollowing(self))
        return chunk

    monkeypatch.setattr(litellm.CustomStreamWrapper, "__next__", watched)
    monkeypatch.setattr(litellm.CustomStreamWrapper, "__anext__", awatched)
    chunks = list(litellm.completion("mock/echo", HI, stream=True))
    chunks += [chunk async for chunk in await litellm.acompletion("mock/echo", HI, stream=True)]
    assert seen == chunks
