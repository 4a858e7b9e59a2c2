"""Embeddings at every door: what is sent, in which encoding vectors come back, and handlers that make them."""

from __future__ import annotations

import asyncio
import json
import math
import struct
from base64 import b64decode, b64encode

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.replies import plain_json
from tests.suite.doors import Failure, ProxyRaw, request
from tests.suite.examples import examples
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm import CustomLLM, CustomLLMError
from litellm.exceptions import APIResponseValidationError, BadRequestError
from litellm.types.embedding import Embedding

INPUTS = ["one", ["one", "two"], [1, 2, 3], [[1, 2], [3]]]
VECTOR = [0.5, -1.25, 3.0]


def base64(vector):
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def answer(*vectors, **more):
    rows = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    return Behaviour(plain_json({"object": "list", "data": rows, "model": "x", **more}))


def vectors(got):
    return [row["embedding"] for row in got["data"]]


# --- what is sent, what comes back -------------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", INPUTS, ids=str)
@pytest.mark.parametrize("name", ["sdk", "asdk", "proxy"])
def test_c12_only_what_was_said_is_sent(house, up, name, texts):
    """C12: no null, no empty encoding_format, no defaults."""
    got = house.doors[name].embed(texts)
    (seen,) = up.requests
    assert seen.path == "/v1/embeddings"
    assert seen.json == {"model": "m", "input": texts}
    assert vectors(got)[0] == [0.0, 0.5, 0.5, 0.5]
    assert got["object"] == "list"
    assert got["usage"]["prompt_tokens"] == 5


def test_parameters(door, up):
    got = door.embed(["a", "b"], dimensions=2, user="me", top_k=7)
    sent = up.requests[0].json
    assert {name: sent[name] for name in ("dimensions", "user", "top_k")} == {"dimensions": 2, "user": "me", "top_k": 7}
    assert vectors(got) == [[0.0, 0.5], [1.0, 0.5]]
    assert [row["index"] for row in got["data"]] == [0, 1]


@pytest.mark.parametrize("asked", ["float", "base64", None])
@pytest.mark.parametrize("sent", ["float", "base64"])
@pytest.mark.parametrize("name", ["sdk", "asdk", "proxy"])
def test_c12_the_encoding_is_the_one_asked_for(house, up, name, asked, sent):
    """C12: whatever the upstream answers. Nothing said means floats."""
    up.next(answer(VECTOR if sent == "float" else base64(VECTOR)))
    got = house.doors[name].embed("x", **({} if asked is None else {"encoding_format": asked}))
    assert vectors(got) == [base64(VECTOR) if asked == "base64" else VECTOR]


@pytest.mark.parametrize("said", [None, ""])
def test_c12_an_encoding_that_says_nothing_is_not_sent(proxy_door, up, said):
    """C12: servers refuse it, and clients send it."""
    assert vectors(proxy_door.embed("x", encoding_format=said)) == [[0.0, 0.5, 0.5, 0.5]]
    assert "encoding_format" not in up.requests[0].fields


def test_an_encoding_of_another_kind_is_the_upstreams_to_judge(proxy_door, up):
    up.next(answer(VECTOR))
    assert vectors(proxy_door.embed("x", encoding_format=[1])) == [VECTOR]


def test_c12_an_encoding_that_nobody_knows_is_left_alone(proxy_door, up):
    """Formats of vendors pass through."""
    up.next(answer([1, -1]))
    assert vectors(proxy_door.embed("x", encoding_format="int8")) == [[1, -1]]
    assert up.requests[0].json["encoding_format"] == "int8"


def test_c12_the_openai_client_asks_for_base64(house, up):
    """Its default. An upstream that ignores it does not make vectors of a quarter of the size."""
    client = openai.OpenAI(base_url=f"{house.proxy.url}/v1", api_key="sk-any", max_retries=0)
    with client:
        for sent in (VECTOR, base64(VECTOR)):
            up.next(answer(sent))
            assert client.embeddings.create(model="m", input="x").data[0].embedding == VECTOR
    assert {seen.json["encoding_format"] for seen in up.requests} == {"base64"}


@examples(30)
@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=5), min_size=1, max_size=3)
)
def test_c12_floats_survive_the_way_there_and_back(proxy_door, up, sent):
    """C12: 32-bit floats are the same after base64, for every vector."""
    up.next(answer(*sent), answer(*map(base64, sent)))
    packed = vectors(proxy_door.embed("x", encoding_format="base64"))
    assert [list(struct.unpack(f"<{len(v)}f", b64decode(p))) for p, v in zip(packed, sent, strict=True)] == sent
    assert vectors(proxy_door.embed("x", encoding_format="float")) == sent


@pytest.mark.parametrize(
    ("broken", "asked"),
    [("not base64!", "float"), ("AAA=", "float"), (["x"], "base64"), ([10**400], "base64")],
    ids=["letters", "bytes", "texts", "numbers"],
)
def test_vectors_that_are_none(house, up, broken, asked):
    """What cannot be converted is an error that says so, not a wrong vector."""
    up.default = answer(broken)
    place = house.doors["sdk"].params("m", {})
    with pytest.raises(APIResponseValidationError):
        litellm.embedding(input="x", encoding_format=asked, num_retries=0, **place)


def test_c11_unknown_fields_stay(proxy_door, up):
    """C11: relayed as they came, nulls included, except for the name."""
    rows = [{"object": "embedding", "index": 0, "embedding": [0.1], "extra": None}]
    sent = {"object": "list", "data": rows, "model": "x", "usage": None, "meta": {"a": [1]}}
    up.next(Behaviour(plain_json(sent)))
    assert proxy_door.embed() == sent | {"model": "m"}


def test_r1_r3_retries(door, up):
    """R1, R3: as for chat."""
    up.next(act.error(503), act.hang_up())
    assert len(vectors(door.embed(num_retries=2))) == 1
    assert len(up.requests) == 3
    up.requests.clear()
    up.default = act.error(400, "Too long.")
    with pytest.raises(Failure, match="Too long") as told:
        door.embed(num_retries=2)
    assert told.value.status == 400
    assert len(up.requests) == 1


def test_r5_timeouts(door, up):
    """R5: the clocks run."""
    up.default = act.hang()
    with pytest.raises(Failure) as told:
        door.embed(timeout=0.2, num_retries=0)
    assert told.value.status == 408


def test_an_answer_without_data(door, up):
    up.default = Behaviour(plain_json({"object": "list"}))
    with pytest.raises(Failure, match="no data"):
        door.embed(num_retries=0)


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/embeddings", {}, "/embeddings: Missing required parameter: 'input'"),
        ("/v1/embeddings", {"input": {"a": 1}}, "input must be text, tokens, or a list of these, not an object"),
        ("/v1/embeddings", {"input": "x", "model": None}, "/embeddings: Missing required parameter: 'model'"),
        ("/v1/embeddings", {"input": "x", "api_key": "k", "model": 7}, "model must be a string"),
    ],
)
def test_bad_bodies(proxy_door, path, body, said):
    """As good a 400 as chat's."""
    reply = request(proxy_door.proxy, "POST", path, json.dumps({"model": "m", **body}))
    assert reply.status == 400
    assert said in reply.body.decode()


# --- the object, mocks -----------------------------------------------------------------------------------------------------


def test_the_object(house):
    """Attributes and items; completion_tokens is 0."""
    got = litellm.embedding(input=["a", "b"], **house.doors["sdk"].params("m", {}))
    assert isinstance(got, litellm.EmbeddingResponse)
    assert isinstance(got.data[0], Embedding)
    assert got.data[1]["embedding"] == got["data"][1].embedding == [1.0, 0.5, 0.5, 0.5]
    assert (got.usage.prompt_tokens, got.usage.completion_tokens) == (5, 0)
    assert got._hidden_params["custom_llm_provider"] == "openai"
    assert got.response_ms > 0


@pytest.mark.parametrize("name", ["sdk", "asdk"])
def test_mock_response(name):
    """LiteLLM's: the same vector for every text."""

    def embed(**params):
        if name == "sdk":
            return litellm.embedding("openai/e", ["a", "b"], **params)
        return asyncio.run(litellm.aembedding("openai/e", ["a", "b"], **params))

    assert vectors(embed(mock_response=[0.5, 0.25])) == [[0.5, 0.25]] * 2
    assert vectors(embed(mock_response=[0.5], encoding_format="base64")) == [base64([0.5])] * 2
    with pytest.raises(litellm.RateLimitError):
        embed(mock_response="litellm.RateLimitError", num_retries=0)
    with pytest.raises(BadRequestError, match="list of numbers"):
        embed(mock_response="words")


def test_mock_models():
    """The same text always has the same vector, of length 1, in as many dimensions as were asked for."""
    one = litellm.embedding("mock/e", ["a b", "c"], dimensions=5)
    assert vectors(one) == vectors(litellm.embedding("mock/e", ["a b", "c"], dimensions=5))
    assert vectors(one)[0] != vectors(one)[1]
    assert all(math.isclose(sum(x * x for x in vector), 1) for vector in vectors(one))
    assert one.usage.prompt_tokens == 3
    packed = litellm.embedding("mock/e", "a b", dimensions=5, encoding_format="base64").data[0].embedding
    assert struct.unpack("<5f", b64decode(packed)) == pytest.approx(vectors(one)[0])
    with pytest.raises(BadRequestError, match="dimensions"):
        litellm.embedding("mock/e", "a", dimensions=-1, num_retries=0)
    with pytest.raises(litellm.RateLimitError):
        litellm.embedding("mock/error-429", "a", num_retries=0)


# --- handlers --------------------------------------------------------------------------------------------------------------


class Sync(CustomLLM):
    """Notes what it was given, and answers as LiteLLM's documentation shows: with a list of dicts."""

    def __init__(self):
        super().__init__()
        self.given = None

    def embedding(self, **given):
        self.given = given
        response = given["model_response"]
        response.data = [
            {"object": "embedding", "index": at, "embedding": VECTOR} for at, _ in enumerate(given["input"])
        ]
        response.usage = litellm.Usage(prompt_tokens=2, total_tokens=2)
        return response


class Async(Sync):
    embedding = CustomLLM.embedding

    async def aembedding(self, **given):
        return Sync.embedding(self, **given)


@pytest.mark.parametrize("handler", [Sync, Async])
def test_c1_either_method_is_enough(handlers, handler):
    """C1: sync callers of an async handler, and the other way round."""
    got = handlers.ask(handler(), streamed=False, operation="embeddings", messages=["a", "b"])
    assert vectors(got) == [VECTOR, VECTOR]
    assert got["usage"]["prompt_tokens"] == 2
    assert got["model"] == ("m" if handlers.name == "proxy" else "x")


@pytest.mark.parametrize("handler", [Sync, Async])
def test_c12_handlers_vectors_come_as_asked_for(handlers, handler):
    got = handlers.ask(handler(), streamed=False, operation="embeddings", messages=["a"], encoding_format="base64")
    assert vectors(got) == [base64(VECTOR)]


def test_c3_what_a_handler_is_given(handlers):
    """C3: model, input, parameters and all the rest."""
    handler = Sync()
    handlers.ask(handler, streamed=False, operation="embeddings", messages=["a"], dimensions=3, top_k=1)
    given = handler.given
    assert given["model"] == "x"
    assert given["input"] == ["a"]
    assert "messages" not in given
    assert {name: given["optional_params"][name] for name in ("dimensions", "top_k")} == {"dimensions": 3, "top_k": 1}
    assert isinstance(given["model_response"], litellm.EmbeddingResponse)
    assert {"api_key", "api_base", "litellm_params", "logging_obj", "timeout", "headers"} <= given.keys()


@pytest.mark.parametrize("kind", [dict, object])
def test_c1_dicts_will_do(handlers, kind):
    """C1: also vectors that are arrays."""

    class Array(list):
        def tolist(self):
            return list(self)

    class Handler(CustomLLM):
        def embedding(self, **_):
            return {"data": [{"embedding": VECTOR if kind is dict else Array(VECTOR)}]}

    got = handlers.ask(Handler(), streamed=False, operation="embeddings", messages="a")
    assert vectors(got) == [VECTOR]
    assert got["object"] == "list"
    assert got["data"][0]["index"] == 0


@pytest.mark.parametrize("wrong", ["words", None, {"data": 1}, {"data": [{"vector": []}]}, VECTOR], ids=str)
def test_c1_the_wrong_kind_names_the_method(handlers, wrong):
    """C1: what is no answer."""

    class Handler(CustomLLM):
        def embedding(self, **_):
            return wrong

    with pytest.raises(Failure, match="EmbeddingResponse") as told:
        handlers.ask(Handler(), streamed=False, operation="embeddings", messages="a", num_retries=0)
    assert told.value.status == 500


@pytest.mark.parametrize("error", [CustomLLMError(418, "teapot"), RuntimeError("teapot")], ids=["custom", "any"])
def test_c4_errors(handlers, error):
    """C4: a status_code becomes the status, everything else 500."""

    class Handler(CustomLLM):
        def embedding(self, **_):
            raise error

    with pytest.raises(Failure, match="teapot") as told:
        handlers.ask(Handler(), streamed=False, operation="embeddings", messages="a", num_retries=0)
    assert told.value.status == getattr(error, "status_code", 500)


@pytest.mark.parametrize("operation", ["embeddings", "moderations"])
def test_c1_what_a_handler_cannot(handlers, operation):
    """C1: methods that are missing say so."""
    with pytest.raises(Failure, match=r"Not implemented yet!|no method for moderations"):
        handlers.ask(CustomLLM(), streamed=False, operation=operation, messages="a", num_retries=0)


@pytest.mark.parametrize("name", ["image_generation", "aimage_generation", "image_edit", "aimage_edit", "aembedding"])
def test_the_base_class_has_litellms_methods(name):
    with pytest.raises(CustomLLMError, match="Not implemented yet!"):
        made = getattr(CustomLLM(), name)()
        asyncio.run(made)


# --- the server's own parameters ---------------------------------------------------------------------------------------------


def test_r2_fallbacks(house, up):
    """R2: embeddings fall back like chat, and the answer says to whom."""
    bad = deployment("bad", "openai/bad", api_base=up.base, api_key="k")
    good = deployment("good", "openai/good", api_base=up.base, api_key="k", dimensions=3)
    up.models["bad"] = act.error(500)
    config = {"model_list": [bad, good], "router_settings": {"fallbacks": [{"bad": ["good"]}], "num_retries": 0}}
    with ServedProxy(config) as proxy:
        got = ProxyRaw(proxy).embed("x", model="bad")
    assert got["model"] == "good"
    assert up.requests[-1].json == {"model": "good", "input": "x", "dimensions": 3}
