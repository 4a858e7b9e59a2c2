"""What openinference, opentelemetry, opik and many a test do: put a function of their own in the place of litellm.completion.
A Router calls it for each try (SURFACE, "Modules replaced from outside")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream

import litellm
from litellm import ModelResponse, RateLimitError, Router

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
