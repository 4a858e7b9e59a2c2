"""A traceback that is shown with its local variables, as Sentry, rich and `pytest -l` do, shows no credential."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream

import litellm

KEY = "canary.of.the.key"
TOKEN = "canary.of.a.token"
HI = [{"role": "user", "content": "hi"}]
ACCESS = {"api_key": KEY, "extra_headers": {"X-Token": TOKEN}, "num_retries": 0}
FAULTS: dict[str, tuple[act.Behaviour | None, dict[str, Any]]] = {
    "refused": (act.error(401, "no"), {}),
    "cut": (act.hang_up(), {}),
    "no answer": (act.verbatim(200, "<p>"), {}),
    "too late": (act.hang(), {"timeout": 0.1}),
    "an unknown provider": (None, {"custom_llm_provider": "nobody"}),
    "a wrong timeout": (None, {"timeout": "soon"}),
    "a wrong address": (None, {"api_base": "nowhere"}),
    "a header that cannot be sent": (None, {"extra_headers": {"X-Token": TOKEN + "\n"}}),
}


def shown(error: BaseException, here: str) -> Iterator[tuple[str, str, str]]:
    """The local variables of our frames above the network: file, function and what they show."""
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if "/litellm/" in code.co_filename and "/litellm/net/" not in code.co_filename and here not in code.co_filename:
            yield code.co_filename.rpartition("/litellm/")[2], code.co_name, repr(dict(step.tb_frame.f_locals))
        step = step.tb_next


def chat(stream: bool, **params: Any) -> None:
    list(litellm.completion("openai/m", HI, stream=stream, **params))


def achat(stream: bool, **params: Any) -> None:
    async def ask() -> None:
        answer = await litellm.acompletion("openai/m", HI, stream=stream, **params)
        if stream:
            [_ async for _ in answer]

    asyncio.run(ask())


def others(call: str) -> Callable[..., None]:
    def ask(stream: bool, **params: Any) -> None:
        getattr(litellm, call)(model="openai/m", **{_SUBJECTS[call]: "hi"}, **params)

    return ask


_SUBJECTS = {"text_completion": "prompt", "embedding": "input", "moderation": "input"}
DOORS = {"completion": chat, "acompletion": achat, **{name: others(name) for name in _SUBJECTS}}


def test_a_fallback_can_be_made_again():
    """What is said for it is kept, though nothing is left of it where a call is made."""
    with Upstream() as up:
        up.default = act.error(500, "no")
        for _ in range(2):
            with pytest.raises(litellm.exceptions.LiteLLMError):
                spare = {"model": "openai/spare", "api_key": TOKEN, "api_base": up.base}
                litellm.completion("openai/m", HI, **ACCESS, api_base=up.base, fallbacks=[spare])
        assert [seen.headers["authorization"] for seen in up.requests] == [f"Bearer {KEY}", f"Bearer {TOKEN}"] * 2
        assert spare["api_key"] == TOKEN, "nothing that was passed is modified"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize(("behaviour", "params"), FAULTS.values(), ids=FAULTS)
def test_no_local_of_the_sdk_shows_a_credential(door, behaviour, params, stream):
    with Upstream() as up:
        up.default = behaviour or up.default
        with pytest.raises(litellm.exceptions.LiteLLMError) as raised:
            door(stream, **{"api_base": up.base, **ACCESS, **params})
    found = set()
    error: BaseException | None = raised.value
    while error is not None:
        found |= {(file, name) for file, name, text in shown(error, "tests/") if KEY in text or TOKEN in text}
        error = error.__cause__ or error.__context__
    assert found == set()
