"""Azure OpenAI: addresses, keys and tokens, and what its answers have that OpenAI's do not.

Sources: https://learn.microsoft.com/azure/ai-foundry/openai/reference,
https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from itertools import count

import pytest
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.endpoints import chat_chunks
from tests.fakes.replies import Answer, Stream, plain_json
from tests.fakes.upstream import Upstream

import litellm
from litellm.exceptions import (
    AuthenticationError,
    BadRequestError,
    ContentPolicyViolationError,
    NotFoundError,
    Timeout,
)
from litellm.operations import of_name
from litellm.providers import azure
from litellm.providers.resolve import resolve
from litellm.providers.target import EndpointSpec

HI = [{"role": "user", "content": "hi"}]
HOST = "https://me.openai.azure.com"
CHAT = "/chat/completions"
OLD = f"{HOST}/openai/deployments/gpt/chat/completions?api-version="

ADDRESSES = {  # (base, api_version) → URL of the deployment "gpt"
    (HOST, None): OLD + azure.VERSION,
    (f"{HOST}/", "2024-10-21"): OLD + "2024-10-21",
    (f"{HOST}/openai", "2024-10-21"): OLD + "2024-10-21",
    (f"{HOST}/openai/", None): OLD + azure.VERSION,
    (f"{HOST}?api-version=2023-05-15", None): OLD + "2023-05-15",
    (f"{HOST}?api-version=2023-05-15", "2024-10-21"): OLD + "2024-10-21",
    (f"{HOST}/openai/deployments/gpt", "2024-10-21"): OLD + "2024-10-21",
    (f"{HOST}/openai/deployments/gpt/chat/completions?api-version=2024-10-21", None): OLD + "2024-10-21",
    (f"{HOST}/openai/v1", None): f"{HOST}/openai/v1/chat/completions",
    (f"{HOST}/openai/v1/", "2024-10-21"): f"{HOST}/openai/v1/chat/completions",
    (f"{HOST}/openai/v1/chat/completions", None): f"{HOST}/openai/v1/chat/completions",
    (HOST, "v1"): f"{HOST}/openai/v1/chat/completions",
    (f"{HOST}/openai", "latest"): f"{HOST}/openai/v1/chat/completions",
    (f"{HOST}/openai/v1/", "preview"): f"{HOST}/openai/v1/chat/completions?api-version=preview",
    (
        "http://gateway/team/azure",
        "1",
    ): "http://gateway/team/azure/openai/deployments/gpt/chat/completions?api-version=1",
}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "API_BASE", "API_VERSION", "AD_TOKEN", "OPENAI_API_KEY", "OPENAI_ENDPOINT"):
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    monkeypatch.delenv("OPENAI_API_VERSION", raising=False)


@pytest.fixture
def up() -> Iterator[Upstream]:
    with Upstream(prefix=None) as upstream:
        yield upstream


@pytest.mark.parametrize(("base", "version"), ADDRESSES)
def test_c6_addresses(base, version):
    """C6: every form in which the portal and people write a base."""
    place = EndpointSpec(model="azure/gpt", api_base=base, api_key="k", api_version=version)
    assert resolve(place).url == ADDRESSES[base, version]


@pytest.mark.parametrize(
    ("operation", "provider", "path"),
    [
        ("chat", "azure", CHAT), ("embeddings", "azure", "/embeddings"), ("text", "azure", CHAT),
        ("text", "azure_text", "/completions"), ("chat", "azure_text", "/completions"),
    ],
)  # fmt: skip
def test_c6_operations(operation, provider, path):
    """C6: `azure/` completes texts by its chat, as its models do; `azure_text/` is for those few that complete."""
    place = EndpointSpec(
        model=f"{provider}/d", api_base=HOST, api_key="k", api_version="1", operation=of_name(operation)
    )
    assert resolve(place).url == f"{HOST}/openai/deployments/d{path}?api-version=1"


@pytest.mark.parametrize(("name", "quoted"), [("a b", "a%20b"), ("x/../y", "x%2F..%2Fy"), ("é?#", "%C3%A9%3F%23")])
def test_c6_odd_names_are_quoted(name, quoted):
    """C6: a name never changes the path."""
    url = resolve(EndpointSpec(model=f"azure/{name}", api_base=HOST, api_key="k")).url
    assert url.startswith(f"{HOST}/openai/deployments/{quoted}/chat/completions?")


def test_it_needs_an_address():
    with pytest.raises(BadRequestError, match="set AZURE_API_BASE"):
        litellm.completion("azure/gpt", HI, api_key="k")


def ask(name, up, model="azure/gpt", **params):
    params = {"api_base": up.url, "num_retries": 0, **params}
    if name == "sdk":
        return litellm.completion(model, HI, **params)
    return asyncio.run(litellm.acompletion(model, HI, **params))


both = pytest.mark.parametrize("name", ["sdk", "asdk"])


@both
def test_keys_and_versions(up, name, monkeypatch):
    """From the call, or the environment; the key has a header of its own."""
    ask(name, up, api_key="k1", api_version="1")
    monkeypatch.setenv("AZURE_API_KEY", "k2")
    monkeypatch.setenv("AZURE_API_VERSION", "2")
    monkeypatch.setenv("AZURE_API_BASE", up.url)
    ask(name, up, api_base=None)
    assert [seen.headers["api-key"] for seen in up.requests] == ["k1", "k2"]
    assert [seen.query for seen in up.requests] == ["api-version=1", "api-version=2"]
    assert all("authorization" not in seen.headers for seen in up.requests)
    assert {seen.path for seen in up.requests} == {"/openai/deployments/gpt/chat/completions"}


@both
def test_tokens(up, name, monkeypatch):
    """Of Entra ID: from the call, from the environment; a key goes first."""
    ask(name, up, azure_ad_token="t1")
    monkeypatch.setenv("AZURE_AD_TOKEN", "t2")
    ask(name, up)
    ask(name, up, api_key="k")
    assert [seen.headers.get("authorization") for seen in up.requests] == ["Bearer t1", "Bearer t2", None]
    assert [seen.headers.get("api-key") for seen in up.requests] == [None, None, "k"]
    assert all("azure_ad_token" not in seen.fields for seen in up.requests)


@both
def test_token_providers_are_asked_for_each_call(up, name):
    """Tokens expire."""
    numbers = count()
    for _ in range(2):
        ask(name, up, azure_ad_token_provider=lambda: f"t{next(numbers)}")
    assert [seen.headers["authorization"] for seen in up.requests] == ["Bearer t0", "Bearer t1"]


@both
def test_a_token_provider_may_be_a_coroutine_function(up, name):
    """It is awaited, or waited for; and one that blocks is asked in a thread, where it delays nobody else."""
    threads = set()

    async def slow() -> str:
        await asyncio.sleep(0)
        return "t1"

    def blocking() -> str:
        threads.add(threading.current_thread())
        return "t2"

    ask(name, up, azure_ad_token_provider=slow)
    ask(name, up, azure_ad_token_provider=blocking)
    assert [seen.headers["authorization"] for seen in up.requests] == ["Bearer t1", "Bearer t2"]
    assert (threads == {threading.current_thread()}) == (name == "sdk")


@both
@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        (lambda: None, AuthenticationError, "no token: the function for it must return text, not NoneType"),
        (lambda: 1 / 0, AuthenticationError, "no token: ZeroDivisionError"),
        (lambda: "t\nx", BadRequestError, "the value for the header Authorization cannot be sent"),
    ],
)
def test_a_token_provider_that_gives_none(up, name, given, kind, told):
    """O1: an error that says so, and nothing is sent."""
    with pytest.raises(kind, match=told):
        ask(name, up, azure_ad_token_provider=given, num_retries=0)
    assert up.requests == []


def _too_late() -> str:
    raise TimeoutError("the metadata service is silent")


async def _never() -> str:
    await asyncio.Event().wait()
    return "t"


@pytest.mark.parametrize(("name", "given"), [("sdk", _too_late), ("asdk", _too_late), ("asdk", _never)])
def test_a_token_provider_that_is_late(up, name, given):
    """S6: is a Timeout, which is retried, and not a refusal, for which a deployment rests."""
    with pytest.raises(Timeout) as raised:
        ask(name, up, azure_ad_token_provider=given, timeout=0.05)
    assert "no token in time" in str(raised.value)
    assert raised.value.llm_provider == "azure"
    assert up.requests == []


@both
def test_late_tokens_are_asked_for_again(up, name):
    """R3: as whatever else times out."""
    numbers = count()

    def second_time() -> str:
        return _too_late() if next(numbers) == 0 else "t"

    assert ask(name, up, azure_ad_token_provider=second_time, num_retries=1).choices


@both
def test_the_time_for_a_token_is_the_calls(up, name):
    """S6: a timeout is for both, the token and the exchange."""

    def slow() -> str:
        time.sleep(0.8)
        return "t"

    up.default = act.hang()
    started = time.monotonic()
    with pytest.raises(Timeout):
        ask(name, up, azure_ad_token_provider=slow, timeout=1)
    assert 0.8 < time.monotonic() - started < 1.6


@both
def test_what_a_token_provider_raises_is_masked(up, name):
    """G4: our credentials are not repeated."""

    def telling() -> str:
        raise ValueError("the secret is hush-hush-hush")

    with pytest.raises(AuthenticationError) as raised:
        ask(name, up, azure_ad_token_provider=telling, client_secret="hush-hush-hush")
    assert "ValueError" in str(raised.value)
    assert "hush-hush-hush" not in str(raised.value)


@both
def test_mocks_need_no_token(up, name):
    """Nothing is sent that it could be for."""
    asked = []
    answer = ask(name, up, azure_ad_token_provider=lambda: asked.append(1), mock_response="known")
    assert answer.choices[0].message.content == "known"
    params = {"model": "azure/d", "api_base": up.url, "azure_ad_token_provider": lambda: asked.append(1)}
    entry = {"model_name": "m", "litellm_params": params | {"mock_response": "known"}}
    assert litellm.Router(model_list=[entry]).completion("m", HI).choices[0].message.content == "known"
    assert asked == []


@both
def test_what_is_said_goes_before_the_environment(up, name, monkeypatch):
    """A key, a token, a function for one, in this order; then the environment's."""
    monkeypatch.setenv("AZURE_AD_TOKEN", "env")
    ask(name, up, azure_ad_token_provider=lambda: "t1")
    monkeypatch.setenv("AZURE_API_KEY", "env-key")
    ask(name, up, azure_ad_token_provider=lambda: "t2")
    ask(name, up, azure_ad_token_provider=lambda: "t3", azure_ad_token="t4")
    ask(name, up, azure_ad_token_provider=lambda: "t5", api_key="k")
    ask(name, up)
    sent = [(seen.headers.get("authorization"), seen.headers.get("api-key")) for seen in up.requests]
    assert sent == [("Bearer t1", None), ("Bearer t2", None), ("Bearer t4", None), (None, "k"), (None, "env-key")]


@pytest.mark.parametrize("word", ["_provider", ""])
def test_others_have_no_token_providers(up, word):
    """A word that only looks like the name of one is the caller's own."""
    place = EndpointSpec(model="openai/m", api_base=up.base, params={word: lambda: "t"})
    assert resolve(place).backend.auth is None
    assert "Authorization" not in resolve(place).headers


def test_token_providers_of_a_router(up):
    """A deployment's is asked for each try; a caller's own key goes first, and the token never meets it."""
    numbers = count()
    params = {"model": "azure/d", "api_base": up.url, "azure_ad_token_provider": lambda: f"token-{next(numbers)}"}
    router = litellm.Router(model_list=[{"model_name": "m", "litellm_params": params}])
    up.next(act.error(500, message="token-0 is no good"))
    with pytest.raises(litellm.InternalServerError) as raised:
        router.completion("m", HI, num_retries=0)
    assert "token-0" not in str(raised.value)
    assert router.completion("m", HI).choices[0].message.content
    assert router.embedding("m", "x").data
    router.completion("m", HI, api_key="theirs")
    sent = [(seen.headers.get("authorization"), seen.headers.get("api-key")) for seen in up.requests]
    assert sent == [(f"Bearer token-{at}", None) for at in range(3)] + [(None, "theirs")]


def test_a_token_provider_does_not_change_an_id(up):
    """R4: what is known of a deployment holds after a restart, with the same function somewhere else in memory."""

    def ids(api_base: str) -> list[str]:
        params = {
            "model": "azure/d", "api_base": api_base, "azure_ad_token_provider": lambda: "t",
            "ssl_verify": ssl.create_default_context(),
        }  # fmt: skip
        return litellm.Router(model_list=[{"model_name": "m", "litellm_params": params}]).get_model_ids()

    assert ids(up.url) == ids(up.url)
    assert ids(up.url) != ids(up.base)


@both
def test_deployment_id_means_azure(up, name):
    """LiteLLM's other way to name one; a fallback is not that deployment."""
    ask(name, up, model="gpt-4o", deployment_id="mine", api_key="k")
    up.next(act.error(500))
    answer = ask(name, up, model="gpt-4o", deployment_id="mine", api_key="k", fallbacks=["mock/echo"])
    assert answer.choices[0].message.content == "hi"
    assert {seen.path for seen in up.requests} == {"/openai/deployments/mine/chat/completions"}


def test_embeddings_and_texts(up):
    got = litellm.embedding("azure/ada", ["a"], api_base=up.url, api_key="k")
    assert got.data[0].embedding == [0.0, 0.5, 0.5, 0.5]
    text = litellm.text_completion("x", "azure_text/d", api_base=up.url, api_key="k")
    assert text.choices[0].text == "Hello from upstream."
    assert [seen.path.rpartition("/")[2] for seen in up.requests] == ["embeddings", "completions"]


@both
def test_content_filters(up, name):
    """A refused prompt is a class of its own, with what the filter found."""
    found = {"code": "ResponsibleAIPolicyViolation",
             "content_filter_result": {"hate": {"filtered": True, "severity": "high"}}}  # fmt: skip
    body = {"error": {"message": "The response was filtered.", "type": None, "param": "prompt", "code": "content_filter",
                      "status": 400, "innererror": found}}  # fmt: skip
    up.default = Behaviour(plain_json(body, 400))
    with pytest.raises(ContentPolicyViolationError) as told:
        ask(name, up, api_key="k")
    assert told.value.code == "content_filter"
    assert told.value.body["error"]["innererror"] == found
    assert told.value.llm_provider == "azure"


@both
def test_unknown_deployments(up, name):
    body = {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}}
    up.default = Behaviour(plain_json(body, 404))
    with pytest.raises(NotFoundError, match="does not exist") as told:
        ask(name, up, api_key="k")
    assert told.value.code == "DeploymentNotFound"


def test_streams_that_begin_with_the_filters_word(up):
    """A first chunk without choices, id and model: it comes through, and the stream keeps one id."""
    filtered = {"choices": [], "created": 0, "id": "", "model": "", "object": "",
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}  # fmt: skip
    up.next(Behaviour(Stream([filtered, *chat_chunks(Answer("one two"))])))
    first, *others = ask("sdk", up, api_key="k", stream=True)
    assert first.choices == []
    assert first.prompt_filter_results[0]["prompt_index"] == 0
    assert "".join(chunk.choices[0].delta.content or "" for chunk in others) == "one two"
    assert len({chunk.id for chunk in others}) == 1
