"""What only LangChain does: messages as objects, batches, models of text, and token ids where others send texts."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel
from tests.clients.client import KEY, MODEL
from tests.fakes import behaviour as act
from tests.fakes.replies import ToolCall

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Town(BaseModel):
    """A town."""

    name: str


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


@pytest.fixture
def place(base, connections):
    blocking, awaiting = connections
    return {
        "base_url": base,
        "api_key": KEY,
        "model": MODEL,
        "max_retries": 0,
        "http_client": blocking,
        "http_async_client": awaiting,
    }


@pytest.mark.parametrize("streamed", [False, True])
async def test_tool_and_answer(place, up, streamed):
    """A call of a tool, its result, and the answer to that, the way an agent goes about it."""
    model = ChatOpenAI(**place, streaming=streamed).bind_tools([weather])
    up.next(act.answer(tool_calls=(ToolCall("weather", {"city": "Zürich"}),)), act.answer("Take an umbrella."))
    messages = [SystemMessage("Be brief."), HumanMessage("Will it rain?")]
    messages.append(model.invoke(messages))
    messages += [weather.invoke(call) for call in messages[-1].tool_calls]
    assert isinstance(messages[-1], ToolMessage)
    assert (await model.ainvoke(messages)).text == "Take an umbrella."
    *_, asked, result = up.requests[1].json["messages"]
    assert asked["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Zürich"}'}
    assert result == {"role": "tool", "content": "It rains in Zürich.", "tool_call_id": asked["tool_calls"][0]["id"]}


async def test_about_an_answer(place, up):
    answer = ChatOpenAI(**place, include_response_headers=True).invoke("hi")
    about = answer.response_metadata
    assert (about["model_name"], about["finish_reason"]) == (MODEL, "stop")  # decision 5
    assert about["headers"]["x-litellm-model-group"] == MODEL
    assert answer.id


async def test_batches(place, up):
    model = ChatPromptTemplate.from_template("Translate {word}.") | ChatOpenAI(**place)
    words = [{"word": word} for word in ("un", "deux", "trois")]
    answers = [*model.batch(words), *await model.abatch(words)]
    assert [answer.text for answer in answers] == ["Hello from upstream."] * 6
    asked = [seen.json["messages"][0]["content"] for seen in up.requests]
    assert sorted(asked) == sorted(f"Translate {each['word']}." for each in words * 2)


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
async def test_structured_output(place, up, method):
    said = '{"name": "Zürich"}'
    up.default = act.answer(said, tool_calls=(ToolCall("Town", said),))
    assert ChatOpenAI(**place).with_structured_output(Town, method=method).invoke("Which JSON?") == Town(name="Zürich")
    assert ("tools" in up.requests[0].json) == (method == "function_calling")
    assert ("response_format" in up.requests[0].json) == (method != "function_calling")


async def test_extra_body_of_a_model(place, up):
    """Said once for all calls of a model; metadata is for the gateway (decision 10)."""
    model = ChatOpenAI(**place, extra_body={"metadata": {"team": "blue"}, "num_retries": 1, "top_k": 5})
    up.next(act.error(503))
    assert model.invoke("hi").text == "Hello from upstream."
    assert len(up.requests) == 2
    asked = up.requests[1].json
    assert asked["top_k"] == 5
    assert not {"metadata", "num_retries"} & asked.keys()


async def test_models_of_text(place, up):
    """LangChain's OpenAI, which uses /completions, always with several prompts."""
    model = OpenAI(**place)
    prompts = ["Once upon", "a time"]
    assert model.batch(prompts) == ["Hello from upstream."] * 2
    assert await model.ainvoke("Once upon") == "Hello from upstream."
    pieces = list(model.stream("Once upon"))
    assert "".join(pieces) == "Hello from upstream."
    assert len(pieces) > 3
    assert [seen.path for seen in up.requests] == ["/v1/completions"] * 3
    assert up.requests[0].json["prompt"] == prompts


@pytest.mark.parametrize("counts", [True, False])
async def test_embeddings(place, up, counts):
    """LangChain counts tokens and sends their ids; told not to, it sends the texts."""
    embeddings = OpenAIEmbeddings(**place, check_embedding_ctx_length=counts)
    first, second = embeddings.embed_documents(["Hello world", "Hi"])
    assert (first[0], second[0]) == (0.0, 1.0)  # the upstream's vectors begin with the text's position
    assert await embeddings.aembed_query("Hello world") == embeddings.embed_query("Hi") == first
    sent = [[9906, 1917], [13347]] if counts else ["Hello world", "Hi"]  # cl100k_base
    assert [seen.json["input"] for seen in up.requests] == [sent, sent[:1], sent[1:]]
