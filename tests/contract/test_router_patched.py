"""What openinference, opentelemetry, opik and many a test do: put a function of their own in the place of litellm.completion.
A Router calls it for each try (SURFACE, "Modules replaced from outside")."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream

import litellm
from litellm import AuthenticationError, InternalServerError, ModelResponse, RateLimitError, Router

HI = [{"role": "user", "content": "hi"}]


class Wrapped:
    """A function around another one, as instrumentation has it: it notes what it is called with, and what comes out."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.seen: list[dict[str, Any]] = []
        self.answers: list[Any] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        assert not args
        self.seen.append(kwargs)
        answer = self.function(**kwargs)
        self.answers.append(answer)
        return answer


def wrapped(name: str, monkeypatch: pytest.MonkeyPatch) -> Wrapped:
    wrapper = Wrapped(getattr(litellm, name))
    if name.startswith("a"):  # a coroutine function, as the one that it stands for

        async def function(**kwargs: Any) -> Any:
            return await wrapper(**kwargs)

        monkeypatch.setattr(litellm, name, function)
    else:
        monkeypatch.setattr(litellm, name, wrapper)
    return wrapper


def router_of(up: Upstream, *names: str, **settings: Any) -> Router:
    access = {"api_base": up.base, "api_key": "sk-upstream", "temperature": 0.5, "rpm": 1000}
    entries = [{"model_name": name, "litellm_params": {"model": f"openai/{name}", **access}} for name in names]
    return Router(model_list=entries, **settings)


def asked(router: Router, model: str, *, is_async: bool, **params: Any) -> Any:
    if not is_async:
        answer = router.completion(model, HI, **params)
        return list(answer) if params.get("stream") else answer

    async def ask() -> Any:
        answer = await router.acompletion(model, HI, **params)
        return [chunk async for chunk in answer] if params.get("stream") else answer

    return asyncio.run(ask())


both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both
def test_it_is_called(up, monkeypatch, is_async):
    """With the deployment's own words, and the answer is the same as without it."""
    router = router_of(up, "m")
    plain = asked(router, "m", is_async=is_async, top_p=0.5, metadata={"a": 1})
    wrapper = wrapped("acompletion" if is_async else "completion", monkeypatch)
    answer = asked(router, "m", is_async=is_async, top_p=0.5, metadata={"a": 1})
    (seen,) = wrapper.seen
    assert seen["model"] == "openai/m"
    assert (seen["api_base"], seen["api_key"]) == (up.base, "sk-upstream")
    assert (seen["messages"], seen["temperature"], seen["top_p"], seen["metadata"]) == (HI, 0.5, 0.5, {"a": 1})
    first, second = up.requests
    assert first.fields == second.fields
    assert first.headers["authorization"] == second.headers["authorization"]
    assert answer.choices == plain.choices
    assert answer.usage == plain.usage
    hidden = answer._hidden_params
    assert hidden["model_id"] == plain._hidden_params["model_id"]
    assert hidden["additional_headers"]["x-litellm-model-group"] == "m"


@both
def test_streams(up, monkeypatch, is_async):
    """Chunk for chunk."""
    router = router_of(up, "m")
    plain = asked(router, "m", is_async=is_async, stream=True)
    wrapper = wrapped("acompletion" if is_async else "completion", monkeypatch)
    chunks = asked(router, "m", is_async=is_async, stream=True)
    assert len(wrapper.seen) == 1
    assert [chunk.choices[0].delta for chunk in chunks] == [chunk.choices[0].delta for chunk in plain]


@both
def test_each_try_is_seen(up, monkeypatch, is_async):
    """R3: retries and fallbacks are the Router's, one call of the function for each."""
    router = router_of(up, "a", "b", fallbacks=[{"a": ["b"]}], num_retries=1)
    wrapper = wrapped("acompletion" if is_async else "completion", monkeypatch)
    up.next(act.error(500), act.error(500))
    assert asked(router, "a", is_async=is_async).choices[0].message.content
    assert [seen["model"] for seen in wrapper.seen] == ["openai/a", "openai/a", "openai/b"]
    assert len(up.requests) == 3


@both
def test_what_it_raises_and_gives_counts(up, monkeypatch, is_async):
    """As tests do that never send anything."""
    made = ModelResponse(model="m", choices=[{"message": {"role": "assistant", "content": "mine"}}])
    results: list[Any] = [RateLimitError("no", "openai", "m"), made]

    def instead(**_: Any) -> Any:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    async def ainstead(**_: Any) -> Any:
        return instead()

    monkeypatch.setattr(litellm, "acompletion" if is_async else "completion", ainstead if is_async else instead)
    answer = asked(router_of(up, "m", num_retries=1), "m", is_async=is_async)
    assert answer.choices[0].message.content == "mine"
    assert up.requests == []


def test_embeddings(up, monkeypatch):
    """The same for litellm.embedding."""
    wrapper = wrapped("embedding", monkeypatch)
    assert router_of(up, "m").embedding("m", ["a", "b"]).data[1]["embedding"]
    assert [seen["input"] for seen in wrapper.seen] == [["a", "b"]]


def test_callbacks_are_told_once(up, monkeypatch):
    """O14: of the Router's call, and not of what is called on its way as well."""
    told: list[Any] = []
    monkeypatch.setattr(litellm, "success_callback", [lambda kwargs, *_: told.append(kwargs["model"])])
    wrapped("completion", monkeypatch)
    router_of(up, "m").completion("m", HI)
    from litellm.hooks.dispatch import default_dispatcher

    default_dispatcher().flush(5)
    assert len(told) == 1


def test_the_other_one_is_not_called(up, monkeypatch):
    """acompletion is not completion."""
    wrapper = wrapped("completion", monkeypatch)
    asked(router_of(up, "m"), "m", is_async=True)
    assert wrapper.seen == []


ALWAYS_ELSEWHERE = ("host", "connection", "content-length")
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("mine", "theirs")]

# (litellm_params, what the call says): what is sent must be the same, replaced or not. A {} in a base is the host.
ALIKE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "tools of both": ({"model": "openai/m", "tools": TOOLS[:1]}, {"tools": TOOLS[1:]}),
    "dropped": ({"model": "groq/m"}, {"logprobs": True, "drop_params": True}),
    "dropped by the deployment": ({"model": "groq/m", "drop_params": True}, {"logprobs": True}),
    "allowed": ({"model": "groq/m"}, {"logprobs": True, "allowed_openai_params": ["logprobs"]}),
    "dropped besides": (
        {"model": "openai/m", "seed": 1, "additional_drop_params": ["seed"]},
        {"top_p": 0.5, "additional_drop_params": ["top_p"]},
    ),
    "userinfo": ({"model": "openai/m", "api_base": "http://me:secret@{}/v1", "api_key": None}, {}),
    "headers": (
        {"model": "openai/m", "headers": {"x-a": "1"}, "extra_headers": {"x-b": "2"}, "organization": "org"},
        {},
    ),
    "the caller's access": (
        {"model": "openai/m", "extra_headers": {"x-a": "1"}},
        {"api_key": "sk-theirs", "extra_headers": {"x-b": "2"}},
    ),
    "a path in the model": ({"model": "ragflow/chat/42/name", "api_base": "http://{}"}, {}),
    "a version": ({"model": "azure/m", "api_base": "http://{}", "api_version": "2024-10-21"}, {}),
    "a wildcard": ({"model": "openai/*"}, {}),
    "a body of one's own": (
        {"model": "openai/m", "extra_body": {"metadata": {"of": "theirs"}, "top_k": 1, "fallbacks": 2}},
        {"extra_body": {"top_k": 3, "tags": ["x"], "stop": None}, "metadata": {"not": "sent"}},
    ),
    "no system messages": ({"model": "openai/m", "supports_system_message": False}, {}),
}


@both
@pytest.mark.parametrize("case", ALIKE)
def test_it_sends_what_is_sent_without_it(up, monkeypatch, case, is_async):
    """The deployment's words and the call's mean what they mean otherwise."""
    said, told = ALIKE[case]
    host = up.url.removeprefix("http://")
    params = {"api_base": "http://{}/v1", "api_key": "sk-upstream", **said}
    params["api_base"] = params["api_base"].format(host)
    name = "*" if "*" in params["model"] else "m"
    router = Router(model_list=[{"model_name": name, "litellm_params": params}], num_retries=0)
    asked(router, "m", is_async=is_async, **told)
    wrapped("acompletion" if is_async else "completion", monkeypatch)
    asked(router, "m", is_async=is_async, **told)
    plain, other = up.requests
    assert other.path == plain.path
    assert other.query == plain.query
    assert other.fields == plain.fields
    without = [{k: v for k, v in seen.headers.items() if k not in ALWAYS_ELSEWHERE} for seen in (plain, other)]
    assert without[0] == without[1]


def test_wildcards_and_keys_of_ones_own(up, monkeypatch):
    """The function is told the name that was asked for."""
    wrapper = wrapped("completion", monkeypatch)
    params = {"model": "openai/*", "api_base": up.base, "api_key": "k"}
    Router(model_list=[{"model_name": "*", "litellm_params": params}]).completion("gpt-x", HI)
    assert wrapper.seen[0]["model"] == "openai/gpt-x"


@both
@pytest.mark.parametrize("asks", [False, True])
def test_streams_tell_callbacks_what_they_used(up, monkeypatch, is_async, asks):
    """O14: the usage is known, and shown to those who asked for it."""
    told: list[Any] = []
    monkeypatch.setattr(litellm, "success_callback", [lambda _kwargs, answer, *_: told.append(answer.usage)])
    wrapper = wrapped("acompletion" if is_async else "completion", monkeypatch)
    options = {"stream_options": {"include_usage": True}} if asks else {}
    chunks = asked(router_of(up, "m"), "m", is_async=is_async, stream=True, **options)
    from litellm.hooks.dispatch import default_dispatcher

    default_dispatcher().flush(5)
    assert wrapper.seen[0]["stream_options"] == {"include_usage": True}
    assert [usage.total_tokens > 0 for usage in told] == [True]
    assert sum(getattr(chunk, "usage", None) is not None for chunk in chunks) == asks


@both
def test_streams_that_nobody_watches(up, monkeypatch, is_async):
    """Are asked for as the caller says."""
    wrapper = wrapped("acompletion" if is_async else "completion", monkeypatch)
    asked(router_of(up, "m"), "m", is_async=is_async, stream=True)
    assert "stream_options" not in wrapper.seen[0]


@both
def test_settings_that_cannot_be_copied(up, monkeypatch, is_async):
    """C9: an SSLContext, as of a company's own authority."""
    context = ssl.create_default_context()
    params = {"model": "openai/m", "api_base": up.base, "api_key": "k", "ssl_verify": context}
    wrapper = wrapped("acompletion" if is_async else "completion", monkeypatch)
    asked(Router(model_list=[{"model_name": "m", "litellm_params": params}]), "m", is_async=is_async)
    assert wrapper.seen[0]["ssl_verify"] is context


@both
def test_what_it_is_given_is_its_own(up, monkeypatch, is_async):
    """G2: a function that scribbles on its arguments harms neither the deployment nor the caller."""
    messages: list[Any] = [{"role": "user", "content": "hi"}]

    def scribble(**words: Any) -> Any:
        words["tags"].append("scribbled")
        words["stop"].append("scribbled")
        words["messages"].clear()
        return ModelResponse(choices=[{"message": {"content": "mine"}}])

    async def ascribble(**words: Any) -> Any:
        return scribble(**words)

    monkeypatch.setattr(litellm, "acompletion" if is_async else "completion", ascribble if is_async else scribble)
    params = {"model": "openai/m", "api_base": up.base, "api_key": "k", "tags": ["a"], "stop": ["x"]}
    router = Router(model_list=[{"model_name": "m", "litellm_params": params}])
    before = router.get_model_list()
    if is_async:
        asyncio.run(router.acompletion("m", messages))
    else:
        router.completion("m", messages)
    assert messages == HI
    assert router.get_model_list() == before
    assert params["tags"] == ["a"]


@both
def test_token_providers_are_asked_once_for_a_try(up, monkeypatch, is_async):
    """By whoever sends."""
    numbers = count()
    params = {"model": "azure/m", "api_base": up.url, "azure_ad_token_provider": lambda: f"t{next(numbers)}"}
    router = Router(model_list=[{"model_name": "m", "litellm_params": params}])
    wrapped("acompletion" if is_async else "completion", monkeypatch)
    asked(router, "m", is_async=is_async)
    assert [seen.headers["authorization"] for seen in up.requests] == ["Bearer t0"]
    assert next(numbers) == 1


@both
def test_it_needs_no_key(monkeypatch, is_async):
    """As tests have it, which send nothing; without it, the error is the one about the key."""
    router = Router(model_list=[{"model_name": "m", "litellm_params": {"model": "openai/m"}}], num_retries=0)
    with monkeypatch.context() as patch:
        wrapped("acompletion" if is_async else "completion", patch)
        with pytest.raises(AuthenticationError, match="no API key for openai"):
            asked(router, "m", is_async=is_async)
    made = ModelResponse(choices=[{"message": {"content": "mine"}}])

    async def amade(**_: Any) -> Any:
        return made

    monkeypatch.setattr(litellm, "acompletion" if is_async else "completion", amade if is_async else lambda **_: made)
    assert asked(router, "m", is_async=is_async).choices[0].message.content == "mine"


@both
@pytest.mark.parametrize("of_the_call", [False, True])
def test_mocks_are_not_passed(up, monkeypatch, is_async, of_the_call):
    """What is known beforehand needs nobody."""
    wrapper = wrapped("acompletion" if is_async else "completion", monkeypatch)
    mocked = {"mock_response": "known"}
    params = {"model": "openai/m", "api_base": up.base, "api_key": "k"} | ({} if of_the_call else mocked)
    router = Router(model_list=[{"model_name": "m", "litellm_params": params}])
    answer = asked(router, "m", is_async=is_async, **(mocked if of_the_call else {}))
    assert answer.choices[0].message.content == "known"
    assert wrapper.seen == up.requests == []


@both
def test_what_it_calls_falls_back_on_nothing(up, monkeypatch, is_async):
    """R3: litellm.fallbacks are of calls that name no Router."""
    monkeypatch.setattr(litellm, "fallbacks", ["mock/echo"])
    wrapped("acompletion" if is_async else "completion", monkeypatch)
    up.next(act.error(500))
    with pytest.raises(InternalServerError):
        asked(router_of(up, "m", num_retries=0), "m", is_async=is_async)


def test_the_clocks_are_the_same(up, monkeypatch):
    """S6: a call's stream_timeout goes before the deployment's."""
    wrapper = wrapped("completion", monkeypatch)
    params = {"model": "openai/m", "api_base": up.base, "api_key": "k", "stream_timeout": 50, "timeout": 100}
    router = Router(model_list=[{"model_name": "m", "litellm_params": params}])
    list(router.completion("m", HI, stream=True))
    list(router.completion("m", HI, stream=True, stream_timeout=20, timeout=40))
    assert [(seen["timeout"], seen["stream_timeout"]) for seen in wrapper.seen] == [(100, 50), (40, 20)]
