"""What only LlamaIndex does: completions of text, programs, agents, queries beside texts."""

from __future__ import annotations

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel
from tests.clients.client import KEY, MODEL
from tests.fakes import behaviour as act
from tests.fakes.replies import ToolCall

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Town(BaseModel):
    """A town."""

    name: str


def weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


@pytest.fixture
def place(base, connections):
    blocking, awaiting = connections
    return {
        "api_base": base,
        "api_key": KEY,
        "max_retries": 0,
        "http_client": blocking,
        "async_http_client": awaiting,
    }


@pytest.fixture
def llm(place):
    return OpenAILike(**place, model=MODEL, is_chat_model=True, is_function_calling_model=True)


@pytest.mark.parametrize("chat", [True, False])
async def test_complete(place, up, chat):
    """LlamaIndex's own `complete`: by chat, or, unless told that the model can chat, by /completions."""
    llm = OpenAILike(**place, model=MODEL, is_chat_model=chat)
    assert llm.complete("Once upon").text == "Hello from upstream."
    assert (await llm.acomplete("Once upon")).text == "Hello from upstream."
    assert "".join(piece.delta for piece in llm.stream_complete("Once upon")) == "Hello from upstream."
    pieces = [piece.delta async for piece in await llm.astream_complete("Once upon")]
    assert "".join(pieces) == "Hello from upstream."
    assert len(pieces) > 3
    assert {seen.path for seen in up.requests} == {"/v1/chat/completions" if chat else "/v1/completions"}


# The agent looks at every attribute of itself, those that pydantic has deprecated too.
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")
async def test_tool_and_answer(llm, up):
    """An agent, which streams: a call of a tool, its result, and the answer to that."""
    agent = FunctionAgent(tools=[weather], llm=llm, system_prompt="Be brief.")
    up.next(act.answer(tool_calls=(ToolCall("weather", {"city": "Zürich"}),)), act.answer("Take an umbrella."))
    assert str(await agent.run("Will it rain?")) == "Take an umbrella."
    assert [seen.json["stream"] for seen in up.requests] == [True, True]
    *_, asked, result = up.requests[1].json["messages"]
    assert asked["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Zürich"}'}
    assert (result["role"], result["tool_call_id"]) == ("tool", asked["tool_calls"][0]["id"])
    assert "It rains in Zürich." in str(result["content"])


async def test_predict_and_call(llm, up):
    up.next(act.answer(tool_calls=(ToolCall("weather", {"city": "Zürich"}),)))
    tools = [FunctionTool.from_defaults(fn=weather)]
    assert llm.predict_and_call(tools, "Will it rain in Zürich?").response == "It rains in Zürich."


@pytest.mark.parametrize("by_schema", [True, False])
async def test_structured_output(llm, up, by_schema):
    """By response_format, or by a tool that has to be called."""
    said = '{"name": "Zürich"}'
    up.default = act.answer(said, tool_calls=(ToolCall("Town", said),))
    llm.should_use_structured_outputs = by_schema
    prompt = PromptTemplate("Name a town on the {river}.")
    assert llm.structured_predict(Town, prompt, river="Limmat") == Town(name="Zürich")
    assert ("response_format" in up.requests[0].json, "tools" in up.requests[0].json) == (by_schema, not by_schema)


async def test_embeddings(place, up):
    embedding = OpenAILikeEmbedding(**place, model_name=MODEL, embed_batch_size=2)
    vectors = await embedding.aget_text_embedding_batch(["one", "two", "three"])
    assert [vector[0] for vector in vectors] == [0.0, 1.0, 0.0]  # the upstream's vectors begin with the text's position
    assert embedding.get_text_embedding("four") == await embedding.aget_query_embedding("five") == vectors[0]
    *batches, fourth, fifth = (seen.json["input"] for seen in up.requests)
    assert (sorted(batches), fourth, fifth) == ([["one", "two"], ["three"]], ["four"], ["five"])
