"""What holds for every client: it cannot tell the gateway from the upstream, nor can the upstream tell who is asking.

Each test runs with openai, LangChain and LlamaIndex, blocking and awaiting.
"""

from __future__ import annotations

import openai
import pytest
from pydantic import BaseModel
from tests.clients.client import KEY, THEIRS, UPSTREAM_KEY
from tests.fakes import behaviour as act
from tests.fakes.replies import USAGE, ToolCall

# LangChain keeps one pool of connections for all models of a process, so that all tests have to share a loop.
pytestmark = pytest.mark.asyncio(loop_scope="session")

HI = [{"role": "user", "content": "hi"}]
CALLED = {"id": "call_1", "type": "function", "function": {"name": "Weather", "arguments": '{"city": "Zürich"}'}}
CONVERSATIONS = {
    "a question": HI,
    "several turns": [
        {"role": "system", "content": "You are brief.\nYou are polite."},
        {"role": "user", "content": "What is 2 + 2?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "And 3 + 3 – „wie viel“?"},
    ],
    "the result of a tool": [
        {"role": "user", "content": "Will it rain in Zürich?"},
        {"role": "assistant", "content": "", "tool_calls": [CALLED]},
        {"role": "tool", "tool_call_id": "call_1", "content": "It rains."},
    ],
    "an image": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/gif;base64,R0lGODlhAQABAAAAACw=", "detail": "low"},
                },
            ],
        }
    ],
}
WAYS = ["whole", "streamed"]


class Weather(BaseModel):
    """The weather in a city."""

    city: str


def ask(client, way, messages=HI, **params):
    return getattr(client, way)(messages, **params)


def heard(up):
    """What the upstream heard through the gateway, and afterwards from the same client without one."""
    through, directly = (seen.json for seen in up.requests)
    if directly.get("stream") is False:  # which says nothing; the gateway does not repeat it
        del directly["stream"]
    assert through == directly
    return through


# --- answers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("messages", CONVERSATIONS.values(), ids=CONVERSATIONS)
async def test_conversations(client, direct, up, messages, way):
    said = await ask(client, way, messages)
    assert (said.text, said.calls, said.usage) == ("Hello from upstream.", [], tuple(USAGE.values()))
    assert said.pieces > 3 or way == "whole"
    assert said == await ask(direct, way, messages)
    through = heard(up)
    assert (through["model"], len(through["messages"])) == (THEIRS, len(messages))
    assert up.requests[0].headers["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert KEY not in str(up.requests[0].headers)


@pytest.mark.parametrize("way", WAYS)
async def test_tools(client, direct, up, way):
    calls = (ToolCall("Weather", {"city": "Zürich"}), ToolCall("Weather", {"city": 'a "quoted" one'}))
    up.default = act.answer(tool_calls=calls)
    said = await ask(client, way, tools=[Weather])
    assert said.calls == [(call.name, call.arguments) for call in calls]
    assert said == await ask(direct, way, tools=[Weather])
    through = heard(up)
    assert through["tools"][0]["function"]["name"] == "Weather"


async def test_answers_that_follow_a_schema(client, direct, up):
    up.default = act.answer('{"city": "Zürich"}')
    assert await client.parse(HI, Weather) == await direct.parse(HI, Weather) == Weather(city="Zürich")
    through = heard(up)
    assert through["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_for_the_gateway_and_what_is_not(client, up, way):
    """Decision 10: metadata stays here, `user` and what nobody knows pass through."""
    await ask(client, way, extra_body={"metadata": {"team": "blue"}, "top_k": 5}, user="u-7")
    asked = up.requests[0].json
    assert (asked["top_k"], asked["user"]) == (5, "u-7")
    assert "metadata" not in asked


async def test_embeddings(client, direct, up):
    """Whatever a client sends, texts or token ids, and whatever it asks for, numbers or base64."""
    texts = ["Grüezi", "How do you do?"]
    vectors = await client.embed(texts)
    assert len(vectors) == len(texts)
    assert all(isinstance(number, float) for vector in vectors for number in vector)
    assert vectors == await direct.embed(texts)
    assert len(heard(up)["input"]) == len(texts)


# --- errors: all these clients raise what the openai package raises -----------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_wrong_key(stranger, up, way):
    with pytest.raises(openai.AuthenticationError) as caught:
        await ask(stranger, way)
    assert (caught.value.status_code, caught.value.code, caught.value.type) == (401, "401", "auth_error")
    assert "sk-somebody" not in str(caught.value)
    assert up.requests == []


@pytest.mark.parametrize("way", WAYS)
async def test_unknown_model(client, up, way):
    with pytest.raises(openai.BadRequestError, match="Invalid model name passed in model=unheard-of") as caught:
        await ask(client, way, model="unheard-of")
    assert (caught.value.code, caught.value.param) == ("400", "model")
    assert up.requests == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, openai.BadRequestError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (503, openai.InternalServerError),
    ],
)
async def test_errors_of_the_upstream(client, up, status, raised, way):
    up.next(act.error(status, "It went wrong.", retry_after=7))
    with pytest.raises(raised, match=r"It went wrong\.") as caught:
        await ask(client, way)
    assert (caught.value.status_code, caught.value.code) == (status, str(status))
    if status == 429:
        assert caught.value.response.headers["retry-after"] == "7"
    assert len(up.requests) == 1


async def test_a_prompt_that_is_too_long(client, up):
    """The words by which frameworks recognise it arrive."""
    words = "This model's maximum context length is 8 tokens."
    up.next(act.error(400, words, code="context_length_exceeded", param="messages"))
    with pytest.raises(openai.BadRequestError, match="maximum context length is 8 tokens") as caught:
        await client.whole(HI)
    assert caught.value.body["message"].count(words) == 1


async def test_a_stream_that_breaks(client, up):
    """No client takes the break for the end."""
    up.next(act.cut(after=3))
    with pytest.raises(openai.APIError, match="closed the connection before the answer was complete"):
        await client.streamed(HI)


async def test_wrong_key_for_embeddings(stranger, up):
    with pytest.raises(openai.AuthenticationError):
        await stranger.embed(["hi"])
    assert up.requests == []
