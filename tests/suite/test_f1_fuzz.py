"""F1, F2: wherever a client puts a word that belongs to the administrator, what goes out keeps its host, path and key, or
nothing goes out and the answer is an error. First every word in every place, then what chance comes up with."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.behaviour import Behaviour
from tests.fakes.upstream import Upstream
from tests.suite.doors import HI, PATIENCE
from tests.suite.inprocess import ServedProxy, deployment

from litellm.proxy.config.schema import LitellmParams
from litellm.types.params import OWNED

OURS, EVIL_KEY = "sk-of-the-server", "sk-evil"
BODIES: Mapping[str, Mapping[str, Any]] = {
    "/chat/completions": {"messages": HI}, "/completions": {"prompt": "hi"}, "/embeddings": {"input": "hi"},
    "/moderations": {"input": "hi"},
}  # fmt: skip
STREAMED = [(path, streamed) for path in BODIES for streamed in (False, True) if not streamed or "completions" in path]

# What LiteLLM and its relatives have read from requests at one time or another, besides what we know ourselves.
ELSEWHERE = """
azure_ad_token azure_endpoint azure_api_key aws_access_key_id aws_secret_access_key aws_session_token aws_region_name
aws_role_name aws_bedrock_runtime_endpoint vertex_project vertex_location vertex_credentials vertex_ai_credentials
langfuse_host langfuse_public_key langfuse_secret_key langsmith_api_key langsmith_base_url gcs_bucket_name hf_token
callbacks success_callback failure_callback input_callback dynamic_callback_params litellm_params litellm_credential_name
proxy_server_request secret_fields router_settings general_settings litellm_settings environment_variables include
default_headers default_query http_client transport proxies proxy proxy_url host hostname url endpoint endpoints target
server authorization Authorization openai_api_base openai_api_key OPENAI_API_BASE OPENAI_API_KEY openai_organization
apiBase apiKey API_BASE API_KEY api-base api_base_url baseUrl BASE_URL base-url model_name deployment deployment_name
""".split()
SPELLINGS = [
    "api_base ",
    " api_base",
    "api_base\x00",
    "api_base\n",
    "ａpi_base",
    "api_bаse",
    "api_base[0]",
    "litellm_params.api_base",
]
WORDS = sorted({*OWNED, *LitellmParams.model_fields, *ELSEWHERE, *SPELLINGS, "user_config", "extra_query"} - {"model"})
HEADERS = """
api-base api_base x-api-base x-litellm-api-base base-url x-base-url x-litellm-base-url x-upstream-url x-target-url host
x-forwarded-host x-forwarded-for x-original-url x-rewrite-url forwarded openai-organization openai-project api-version
x-litellm-api-version x-litellm-model x-litellm-model-id x-litellm-tags x-litellm-credentials x-litellm-user-config
x-litellm-mock-response x-litellm-extra-headers azure-ad-token x-amz-security-token proxy-authorization cookie
""".split()


KINDS = 12  # of values that would lead somewhere, if they were understood


class House(NamedTuple):
    up: Upstream
    trap: Upstream
    proxy: ServedProxy

    @property
    def evil(self) -> list[Any]:
        """One value of each kind."""
        base = f"{self.trap.url}/v1"
        there = {"api_base": base, "base_url": base, "api_key": EVIL_KEY}
        entry = {"model_name": "m", "litellm_params": {"model": "openai/m", **there}}
        return [
            base, EVIL_KEY, "os.environ/OPENAI_API_KEY", f"localhost:{self.trap.port}", there, [base], [there], [entry],
            {"model_list": [entry]}, {"authorization": f"Bearer {EVIL_KEY}", "host": f"127.0.0.1:{self.trap.port}"}, True, 1,
        ]  # fmt: skip


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with Upstream() as up, Upstream() as trap:
        place = {"api_base": up.base, "api_key": OURS}
        models = [deployment(name, model, **place) for name, model in (
            ("m", "openai/m"), ("wild/*", "openai/*"), ("azure", "azure/gpt"), ("azure/*", "azure/*"),
        )]  # fmt: skip
        with ServedProxy({"model_list": models, "router_settings": {"num_retries": 0}}) as proxy:
            yield House(up, trap, proxy)


def answered(house: House, path: str, body: Any, headers: Mapping[str, str] = {}) -> int:
    """The status of a request; and what the upstreams heard of it has to be right."""
    house.up.requests.clear()
    house.up.default = Behaviour()
    line = http.client.HTTPConnection("127.0.0.1", house.proxy.port, timeout=PATIENCE)
    try:
        line.request("POST", "/v1" + path, json.dumps(body), {"content-type": "application/json", **headers})
        response = line.getresponse()
        said = response.read().decode()
    finally:
        line.close()
    assert response.status in (200, 400, 401, 403), (response.status, said, body)
    assert OURS not in said, body
    assert house.trap.requests == [], body
    heard = house.up.requests
    assert len(heard) == (response.status == 200), (response.status, said, body)
    key = {**body, **_extra(body)}.get("api_key") or OURS  # a client's own is a word that it may say
    for seen in heard:
        assert seen.path == "/v1" + path.partition("?")[0]
        assert seen.query == ""
        assert seen.headers["host"] == f"127.0.0.1:{house.up.port}"
        assert seen.headers["authorization"] == f"Bearer {key}"
        usual = {"host", "authorization", "content-type", "content-length", "user-agent", "accept", "accept-encoding"}
        assert seen.headers.keys() <= {*usual, "connection"}
        assert seen.fields.get("model") == "m"
    return response.status


def _extra(body: Mapping[str, Any]) -> Mapping[str, Any]:
    extra = body.get("extra_body")
    return extra if isinstance(extra, dict) else {}


def request_of(path: str, *, streamed: bool) -> dict[str, Any]:
    return {"model": "m", **BODIES[path], **({"stream": True} if streamed else {})}


# --- every word in every place -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", [False, True], ids=["in the body", "in extra_body"])
@pytest.mark.parametrize("value", range(KINDS))
def test_at_the_top(house: House, value: int, extra: bool) -> None:
    """F1: every word, with a value of each kind."""
    path, streamed = STREAMED[0]
    for word in WORDS:
        said = {word: house.evil[value]}
        answered(house, path, {**request_of(path, streamed=streamed), **({"extra_body": said} if extra else said)})


def test_every_operation_reads_alike(house: House) -> None:
    """F1: all of them have one reader, so that a few words show it: those that name a place or a key."""
    for path, streamed in STREAMED[1:]:
        for word in (
            "api_base",
            "base_url",
            "api_key",
            "extra_headers",
            "user_config",
            "custom_llm_provider",
            "fallbacks",
        ):
            said = {word: house.evil[0]}
            answered(house, path, {**request_of(path, streamed=streamed), **said})
            answered(house, path, {**request_of(path, streamed=streamed), "extra_body": said})
        assert answered(house, f"{path}?api_base={house.evil[0]}", request_of(path, streamed=streamed)) == 200
        assert answered(house, path, request_of(path, streamed=streamed), {"api-base": house.evil[0]}) == 200


PLACES = {
    "metadata": lambda evil: {"metadata": evil},
    "metadata, deep": lambda evil: {"metadata": {"a": [{"b": evil}], "litellm_params": evil, "requester_metadata": evil}},
    "litellm_metadata": lambda evil: {"litellm_metadata": evil},
    "messages": lambda evil: {"messages": [{"role": "user", "content": "hi", **evil}]},
    "a message's content": lambda evil: {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi", **evil}]}]},
    "tools": lambda evil: {"tools": [{"type": "function", **evil, "function": {"name": "f", "parameters": {}}}]},
    "functions of tools": lambda evil: {"tools": [{"type": "function", "function": {"name": "f", "parameters": evil, **evil}}]},
    "tool_choice": lambda evil: {"tool_choice": {"type": "function", "function": {"name": "f", **evil}, **evil}},
    "response_format": lambda evil: {"response_format": {"type": "json_schema", "json_schema": evil, **evil}},
    "stream_options": lambda evil: {"stream": True, "stream_options": evil},
    "extra_body, twice": lambda evil: {"extra_body": {"extra_body": evil}},
    "extra_body, deep": lambda evil: {"extra_body": {"metadata": evil, "unheard_of": evil, "tools": [evil]}},
    "unknown": lambda evil: {"unheard_of": evil, "kwargs": evil, "params": evil, "litellm": evil, "config": [evil]},
    "logit_bias": lambda evil: {"logit_bias": evil},
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_further_down(house: House, place: str) -> None:
    """F1: they mean nothing there, all at once."""
    for value in house.evil:
        evil = dict.fromkeys((word for word in WORDS if word not in ("role", "content")), value)
        assert answered(house, "/chat/completions", {"model": "m", "messages": HI, **PLACES[place](evil)}) == 200


@pytest.mark.parametrize("value", range(3))
def test_in_the_query(house: House, value: int) -> None:
    """F1: nothing of it is read, thirty words at a time."""
    path, streamed = STREAMED[0]
    for at in range(0, len(WORDS), 30):
        query = urlencode({**dict.fromkeys(WORDS[at : at + 30], house.evil[value]), "model": "other"})
        assert answered(house, f"{path}?{query}", request_of(path, streamed=streamed)) == 200


@pytest.mark.parametrize("name", HEADERS)
def test_in_headers(house: House, name: str) -> None:
    """F1: none of a client's goes on."""
    path, streamed = STREAMED[0]
    for value in (house.evil[0], house.evil[1], f"127.0.0.1:{house.trap.port}", "evil.example"):
        wanted = (200, 400, 403) if name == "host" else (200,)  # without a key, no foreign host is answered
        assert answered(house, path, request_of(path, streamed=streamed), {name: value}) in wanted


@pytest.mark.parametrize("value", range(KINDS))
def test_in_a_fallback(house: House, value: int) -> None:
    """F1: whether or not it is needed; a word that is nobody's is a parameter."""
    for word in filter(str.isprintable, WORDS):
        body = request_of("/chat/completions", streamed=False)
        answered(house, "/chat/completions", {**body, "fallbacks": [{"model": "m", word: house.evil[value]}]})


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "..",
        "../../admin",
        "..%2f..%2fadmin",
        "x?api-version=1#",
        "x/../../../y",
        "@evil.example/",
        "\\..\\x",
        "x\r\nHost: evil",
        "%00",
        "ü",
    ],
)
def test_in_a_models_name(house: House, name: str) -> None:
    """F1: a wildcard makes a URL of it only for Azure, and there it stays one segment of the path."""
    for prefix in ("wild/", "azure/"):
        house.up.requests.clear()
        line = http.client.HTTPConnection("127.0.0.1", house.proxy.port, timeout=PATIENCE)
        line.request("POST", "/v1/chat/completions", json.dumps({"model": prefix + name, "messages": HI}))
        assert line.getresponse().status in (200, 400)
        line.close()
        for seen in house.up.requests:
            if prefix == "wild/":
                assert seen.path == "/v1/chat/completions"
                assert seen.fields["model"] == name
            else:
                start, _, rest = seen.path.partition("/openai/deployments/")
                segment, _, end = rest.partition("/")
                assert (start, end) == ("/v1", "chat/completions")
                assert segment not in ("", ".", "..")
                assert seen.query.startswith("api-version=")
                assert "&" not in seen.query
            assert seen.headers["host"] == f"127.0.0.1:{house.up.port}"
    assert house.trap.requests == []


# --- chance --------------------------------------------------------------------------------------------------------------


def respelt(word: str) -> st.SearchStrategy[str]:
    """A word in another guise."""
    camel = word.split("_", maxsplit=1)[0] + "".join(part.title() for part in word.split("_")[1:])
    return st.sampled_from(
        [
            word,
            word.upper(),
            word.title(),
            camel,
            word.replace("_", "-"),
            f" {word}",
            f"{word} ",
            f"{word}\t",
            f"litellm_{word}",
            f"{word}[]",
            f"$.{word}",
            f"__{word}__",
        ]
    )


names = st.sampled_from(WORDS).flatmap(respelt)
numbers = st.integers(0, KINDS - 1)
# Where a word stands: keys and list positions on the way down to it.
ways = st.lists(
    st.one_of(names, st.sampled_from(["metadata", "extra_body", "unheard_of", "user_config", "fallbacks"]), st.just(0)),
    max_size=4,
)


def nested(way: list[Any], evil: Any) -> Any:
    for step in reversed(way):
        evil = [evil] if step == 0 else {step: evil}
    return evil


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from(STREAMED), top=names, way=ways, word=names, value=numbers,
    more=st.dictionaries(names, numbers, max_size=3), merged=st.booleans(),
)  # fmt: skip
def test_anything_anywhere(
    house: House,
    where: tuple[str, bool],
    top: str,
    way: list[Any],
    word: str,
    value: int,
    more: dict[str, int],
    merged: bool,
) -> None:
    """F1: several words at once, at some depth, in some spelling."""
    path, streamed = where
    said = {top: nested(way, {word: house.evil[value]}), **{name: house.evil[number] for name, number in more.items()}}
    answered(house, path, {**request_of(path, streamed=streamed), **({"extra_body": said} if merged else said)})
