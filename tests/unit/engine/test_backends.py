"""What stands behind a target decides how it is asked, and nothing else does."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.unit.router.world import HI, World, deployments, entry

from litellm import CustomLLM
from litellm.engine.backends.scripted import mocked
from litellm.engine.call import Answer, Call
from litellm.engine.client import Client
from litellm.engine.drivers import run
from litellm.engine.fan_out import MAX_SPLIT_PROMPTS
from litellm.engine.route import FixedRoute
from litellm.exceptions import AuthenticationError, BadRequestError
from litellm.operations import EMBEDDINGS, MODERATIONS, TEXT
from litellm.providers.backend import Handler, Mock, Scripted, Unusable, Upstream
from litellm.providers.rekey import for_operation, with_key, with_mock
from litellm.providers.resolve import resolve, resolve_or_unusable
from litellm.providers.table import BY_NAME
from litellm.providers.target import Defaults, EndpointSpec, Target
from litellm.wire import openai_text

CHAT_CALL = Call(model="m", body={"messages": HI}, is_async=False)
KEYLESS = resolve_or_unusable(EndpointSpec(model="groq/m", environ={}))


class Refusing(CustomLLM):
    def completion(self, **_: Any) -> Any:
        raise AssertionError("nobody was to be asked")


MINE = resolve(EndpointSpec(model="mine/m"), Defaults(handlers={"mine": Refusing()}))


def asked(target: Target, call: Call = CHAT_CALL) -> Any:
    client = Client()
    return run(client.flow(call, FixedRoute(target=target)), client.sync_io)


@pytest.mark.parametrize(
    "target", [KEYLESS, MINE, resolve(EndpointSpec(model="mock/hang"))], ids=lambda each: each.model
)
def test_a_mock_stands_in_for_any_backend(target):
    """Nobody is asked, and no key is wanted; the answer names the target that it is for."""
    call = msgspec.structs.replace(CHAT_CALL, retarget=partial(mocked, Mock("said")))
    answer = asked(target, call)
    assert answer.data["choices"][0]["message"]["content"] == "said"
    assert (answer.origin.provider, answer.origin.model) == (target.provider, target.model)


@pytest.mark.parametrize(
    ("operation", "body", "where"),
    [
        (EMBEDDINGS, {"input": ["a", "b"]}, "data"),
        (MODERATIONS, {"input": ["a", "b"]}, "results"),
        (TEXT, {"prompt": ["a", "b"]}, "choices"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_mock_in_a_handlers_stead_knows_every_operation(operation, body, where):
    mocked = with_mock(MINE, Mock())
    assert len(asked(mocked, Call(model="m", body=body, operation=operation)).data[where]) == 2


def test_an_unusable_one_says_why_when_it_is_asked():
    with pytest.raises(AuthenticationError) as caught:
        asked(KEYLESS)
    assert isinstance(KEYLESS.backend, Unusable)
    assert caught.value.message == KEYLESS.backend.error.message
    assert caught.value is not KEYLESS.backend.error, "a copy, which may keep the traces of this call"


def test_a_key_makes_it_usable():
    usable = with_key(KEYLESS, "sk-mine").backend
    assert type(usable) is Upstream
    assert usable.url == KEYLESS.url


def test_a_deployments_mock_needs_no_key(monkeypatch):
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    world = World(deployments(entry("a", model="groq/m", mock_response="said")))
    client = Client()
    answer = run(client.flow(*world.plan("a")), client.sync_io)
    assert answer.data["choices"][0]["message"]["content"] == "said"


def test_what_kind_it_is_stays_at_other_operations():
    for target in (KEYLESS, MINE, with_mock(KEYLESS, Mock()), resolve(EndpointSpec(model="mock/m"))):
        assert type(for_operation(target, EMBEDDINGS).backend) is type(target.backend)
    assert for_operation(KEYLESS, EMBEDDINGS).url.endswith("/embeddings")


def test_no_backend_shows_what_it_holds():
    shown = repr([KEYLESS.backend, MINE.backend, with_mock(KEYLESS, Mock("secret")).backend])
    assert shown == "[Unusable(…), Handler(…), Scripted(…)]"


# --- prompts -------------------------------------------------------------------------------------------------------------


class Pairs(SimpleNamespace):
    """A dialect of completions that takes two prompts at a time."""

    def __init__(self) -> None:
        super().__init__(**{**vars(openai_text), "MAX_PROMPTS": 2, "request": self._noted})
        self.prompts: list[Any] = []

    def _noted(self, out: Any) -> Any:
        self.prompts.append(out.body["prompt"])
        return openai_text.request(out)


def of_pairs() -> tuple[Pairs, Target]:
    dialect = Pairs()
    backend = Scripted(url="mock://mock/v1/completions", dialect=dialect, mock=Mock("said"))
    return dialect, Target(provider=BY_NAME["mock"], model="m", operation=TEXT, backend=backend)


@pytest.mark.parametrize(
    ("prompts", "wanted"),
    [
        (["a", "b", "c", "d", "e"], [["a", "b"], ["c", "d"], ["e"]]),
        (["a", "b"], [["a", "b"]]),
        ("a", ["a"]),
        ([1, 2, 3], [[1, 2, 3]]),
    ],
    ids=repr,
)
def test_prompts_are_sent_as_many_at_a_time_as_are_taken(prompts, wanted):
    """One answer all the same, with the choices numbered through."""
    dialect, target = of_pairs()
    answer: Answer = asked(target, Call(model="m", body={"prompt": prompts}, operation=TEXT))
    assert sorted(dialect.prompts, key=repr) == sorted(wanted, key=repr)
    count = 1 if "a" == prompts or prompts == [1, 2, 3] else len(prompts)
    assert [choice["index"] for choice in answer.data["choices"]] == list(range(count))


def test_one_request_becomes_no_more_than_so_many():
    dialect, target = of_pairs()
    prompts = ["a"] * (2 * MAX_SPLIT_PROMPTS + 1)
    with pytest.raises(BadRequestError, match=f"at most {2 * MAX_SPLIT_PROMPTS} together"):
        asked(target, Call(model="m", body={"prompt": prompts}, operation=TEXT))
    assert dialect.prompts == []


def test_a_handler_takes_one():
    assert Handler(Refusing()).max_prompts == 1
