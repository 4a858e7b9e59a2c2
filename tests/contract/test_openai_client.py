"""The real `openai` package as the client of a running proxy: what every application in front of us uses.

Each test runs with the sync and with the async client.
"""

import inspect

import openai
import pydantic
import pytest
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.replies import USAGE, ToolCall
from tests.fakes.upstream import Upstream
from tests.processes import Gateway

KEY = "sk-the-master-key-of-these-tests"
HI = [{"role": "user", "content": "hi"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CALLS = (ToolCall("weather", {"city": "Zürich"}), ToolCall("weather", {"city": 'a "quoted" one'}))

# The name that clients use → the name at the upstream.
MODELS = {"small": "qwen3-4b", "team/large": "meta-llama/Llama-4-70B"}


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream):
    there = f'api_base: "{upstream.base}", api_key: key-of-the-upstream'
    groups = "\n".join(
        f"- model_name: {name}\n  litellm_params: {{model: openai/{theirs}, {there}}}"
        for name, theirs in MODELS.items()
    )
    config = f"""
model_list:
{groups}
- model_name: impatient
  litellm_params: {{model: openai/any, timeout: 0.2, {there}}}
router_settings: {{num_retries: 0}}
general_settings: {{master_key: {KEY}}}
"""
    with Gateway(config, args=["--host", "127.0.0.1"]) as server:
        yield server
    assert "Traceback" not in server.stderr


@pytest.fixture
def up(upstream):
    upstream.requests.clear()
    yield upstream
    upstream.default = Behaviour()


@pytest.fixture(params=["sync", "async"])
async def client(request, gateway):
    about = {"api_key": KEY, "base_url": gateway.url + "/v1", "max_retries": 0, "timeout": 10}
    if request.param == "sync":
        with openai.OpenAI(**about) as blocking:
            yield blocking
    else:
        async with openai.AsyncOpenAI(**about) as awaiting:
            yield awaiting


async def done(value):
    """What the call gives, also if it has to be awaited."""
    return await value if inspect.isawaitable(value) else value


async def read(stream, into: list):
    if hasattr(stream, "__aiter__"):
        async for chunk in stream:
            into.append(chunk)
    else:
        for chunk in stream:
            into.append(chunk)


async def chunks_of(call):
    chunks = []
    await read(await done(call), chunks)
    return chunks


async def accumulated(manager):
    """The answer as openai's own helper puts it together from the events of a stream."""
    if hasattr(manager, "__aenter__"):
        async with manager as stream:
            return await stream.get_final_completion()
    with manager as stream:
        return stream.get_final_completion()


def text_of(chunks) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


# --- answers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
async def test_plain(client, up, model):
    answer = await done(client.chat.completions.create(model=model, messages=HI, temperature=0.5))
    assert answer.choices[0].message.content == "Hello from upstream."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.model_dump(exclude_none=True) == USAGE
    assert (answer.object, answer.model) == ("chat.completion", model)  # decision 5: the name that was asked for
    (seen,) = up.requests
    assert seen.json == {"model": MODELS[model], "messages": HI, "temperature": 0.5}
    assert seen.headers["authorization"] == "Bearer key-of-the-upstream"
    assert KEY not in str(seen.headers)


@pytest.mark.parametrize("model", MODELS)
async def test_stream(client, up, model):
    chunks = await chunks_of(client.chat.completions.create(model=model, messages=HI, stream=True))
    assert text_of(chunks) == "Hello from upstream."
    assert len(chunks) > 3  # it came in pieces
    assert {chunk.model for chunk in chunks} == {model}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert all(chunk.usage is None for chunk in chunks)  # which nobody asked for
    assert up.requests[0].json["model"] == MODELS[model]
    assert up.requests[0].json["stream"] is True


async def test_stream_with_usage(client, up):
    """Decision 7: the usage chunk has no choices."""
    chunks = await chunks_of(
        client.chat.completions.create(model="small", messages=HI, stream=True, stream_options={"include_usage": True})
    )
    *others, last = chunks
    assert last.choices == []
    assert last.usage.model_dump(exclude_none=True) == USAGE
    assert last.model == "small"
    assert text_of(others) == "Hello from upstream."
    assert all(chunk.choices and chunk.usage is None for chunk in others)
    assert up.requests[0].json["stream_options"] == {"include_usage": True}


async def test_tools(client, up):
    up.default = act.answer(tool_calls=CALLS)
    answer = await done(client.chat.completions.create(model="small", messages=HI, tools=[WEATHER]))
    (choice,) = answer.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert [call.function.arguments for call in choice.message.tool_calls] == [call.arguments_text for call in CALLS]
    assert [call.id for call in choice.message.tool_calls] == ["call_fake_1_0", "call_fake_1_1"]
    assert up.requests[0].json["tools"] == [WEATHER]


async def test_tools_streamed(client, up):
    up.default = act.answer(tool_calls=CALLS)
    manager = client.chat.completions.stream(
        model="small", messages=HI, tools=[WEATHER], stream_options={"include_usage": True}
    )
    answer = await accumulated(manager)
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert [call.id for call in choice.message.tool_calls] == ["call_fake_1_0", "call_fake_1_1"]
    assert [call.function.name for call in choice.message.tool_calls] == ["weather", "weather"]
    assert [call.function.parsed_arguments for call in choice.message.tool_calls] == [call.arguments for call in CALLS]
    assert (answer.model, answer.usage.total_tokens) == ("small", USAGE["total_tokens"])


async def test_parsed_answers(client, up):
    class Place(pydantic.BaseModel):
        city: str

    up.default = act.answer('{"city": "Zürich"}')
    answer = await done(client.chat.completions.parse(model="small", messages=HI, response_format=Place))
    assert answer.choices[0].message.parsed == Place(city="Zürich")
    asked = up.requests[0].json["response_format"]
    assert (asked["type"], asked["json_schema"]["schema"]["required"]) == ("json_schema", ["city"])


async def test_what_the_upstream_is_told(client, up):
    """Decision 10: `user` and what nobody knows pass through; `metadata` is for us."""
    await done(
        client.chat.completions.create(
            model="small", messages=HI, user="u-7", metadata={"team": "blue"}, extra_body={"top_k": 5}
        )
    )
    assert up.requests[0].json == {"model": "qwen3-4b", "messages": HI, "user": "u-7", "top_k": 5}


@pytest.mark.parametrize("stream", [False, True])
async def test_headers(client, up, stream):
    up.default = act.answer(model="qwen3-4b-instruct-2507", headers={"x-ratelimit-remaining-requests": "41"})
    raw = await done(
        client.chat.completions.with_raw_response.create(
            model="small", messages=HI, stream=stream, extra_headers={"x-litellm-call-id": "my-call"}
        )
    )
    assert raw.headers["content-type"].startswith("text/event-stream" if stream else "application/json")
    assert raw.headers["x-litellm-call-id"] == "my-call"
    assert raw.headers["x-litellm-model-group"] == "small"
    assert raw.headers["x-litellm-model-name"] == "qwen3-4b-instruct-2507"  # the upstream's own name (decision 5)
    assert raw.headers["x-litellm-model-api-base"] == up.base
    assert raw.headers["x-ratelimit-remaining-requests"] == "41"
    assert raw.headers["llm_provider-x-request-id"] == "req-fake-1"
    for name in ("x-litellm-version", "x-litellm-model-id", "x-litellm-response-duration-ms"):
        assert raw.headers[name]
    if stream:
        chunks = []
        await read(raw.parse(), chunks)
        assert {chunk.model for chunk in chunks} == {"small"}
    else:
        assert raw.parse().model == "small"


async def test_models(client):
    names = [*MODELS, "impatient"]
    assert [model.id for model in (await done(client.models.list())).data] == names
    assert (await done(client.models.retrieve("team/large"))).id == "team/large"
    with pytest.raises(openai.NotFoundError) as caught:
        await done(client.models.retrieve("nowhere"))
    assert caught.value.param == "model"


# --- errors: what an `except` clause of the openai package sees ---------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
async def test_errors_of_the_upstream(client, up, status, kind, stream):
    up.next(act.error(status, "It went wrong.", code="their_code", param="their_param", type="their_type"))
    with pytest.raises(kind) as caught:
        await done(client.chat.completions.create(model="small", messages=HI, stream=stream))
    error = caught.value
    assert type(error) is kind
    assert (error.status_code, error.code, error.param, error.type) == (
        status,
        str(status),  # the code is the status, as a text
        "their_param",
        "their_type",
    )
    assert "OpenAIException - It went wrong." in error.body["message"]
    assert error.body["code"] == str(status)
    assert error.body["provider_specific_fields"] == {"code": "their_code"}
    assert len(up.requests) == 1


async def test_a_rate_limit_says_when_to_come_back(client, up):
    up.next(act.error(429, retry_after=7))
    with pytest.raises(openai.RateLimitError) as caught:
        await done(client.chat.completions.create(model="small", messages=HI))
    assert caught.value.response.headers["retry-after"] == "7"


async def test_a_stream_that_breaks(client, up):
    """What came before the break arrives; then the client raises, instead of taking it for the end."""
    up.next(act.cut(after=3))
    chunks = []
    with pytest.raises(openai.APIError, match="closed the connection before the answer was complete") as caught:
        await read(await done(client.chat.completions.create(model="small", messages=HI, stream=True)), chunks)
    assert text_of(chunks) == "Hello from"
    assert caught.value.code == "500"


async def test_wrong_key(client, up):
    stranger = client.with_options(api_key="sk-somebody-elses-key")
    for method, fields in (
        (stranger.chat.completions.create, {"model": "small", "messages": HI}),
        (stranger.models.list, {}),
    ):
        with pytest.raises(openai.AuthenticationError) as caught:
            await done(method(**fields))
        assert (caught.value.status_code, caught.value.code, caught.value.type) == (401, "401", "auth_error")
        assert "sk-somebody" not in str(caught.value.body)
    assert up.requests == []


async def test_unknown_model(client, up):
    with pytest.raises(openai.BadRequestError) as caught:
        await done(client.chat.completions.create(model="gpt-unheard-of", messages=HI))
    assert (caught.value.code, caught.value.param, caught.value.type) == ("400", "model", "invalid_request_error")
    assert "Invalid model name passed in model=gpt-unheard-of" in caught.value.body["message"]
    assert up.requests == []


async def test_the_clients_timeout(client, up):
    """The client leaves, and the upstream learns of it: nobody pays for an answer that nobody reads."""
    up.default = act.hang()
    with pytest.raises(openai.APITimeoutError):
        await done(client.with_options(timeout=0.2).chat.completions.create(model="small", messages=HI))
    await up.async_wait_for(lambda: up.requests[0].aborted_at)


async def test_the_proxys_timeout(client, up):
    up.default = act.hang()
    with pytest.raises(openai.APIStatusError) as caught:
        await done(client.chat.completions.create(model="impatient", messages=HI))
    assert (caught.value.status_code, caught.value.code, caught.value.type) == (408, "408", "timeout_error")
    await up.async_wait_for(lambda: up.requests[0].aborted_at)
