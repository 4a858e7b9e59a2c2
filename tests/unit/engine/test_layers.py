"""The engine without a network: drivers, fallbacks, what a Client remembers, and chunks put together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import litellm
from litellm import stream_chunk_builder
from litellm.engine.backends.upstream import MAX_REMEMBERED, Upstreams
from litellm.engine.call import Answer, Call
from litellm.engine.drivers import arun, run
from litellm.engine.fallbacks import falling_back
from litellm.engine.faults import transport_error
from litellm.engine.route import FixedRoute, Plan
from litellm.exceptions import (
    APIError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
)
from litellm.net.async_io import AsyncTransport
from litellm.net.faults import TransportFault
from litellm.net.steps import Ask, Sleep
from litellm.net.sync_io import SyncTransport
from litellm.providers.backend import Handler, Upstream
from litellm.providers.table import BY_NAME
from litellm.providers.target import Target
from litellm.wire.dialects import upstream_dialect

# --- drivers ---------------------------------------------------------------------------------------------------------


def both(flow: Any) -> list[Any]:
    """What a flow gives, driven in both ways."""
    return [run(flow(), SyncTransport()), asyncio.run(arun(flow(), AsyncTransport()))]


def test_drivers_perform_the_same_steps():
    """A flow is written once; handlers of either kind answer in both worlds."""

    async def double(value: int) -> int:
        await asyncio.sleep(0)
        return 2 * value

    def flow() -> Any:
        yield Sleep(0)
        first = yield Ask(lambda value: value + 1, None, (1,))
        second = yield Ask(None, double, (first,))
        return (yield Ask(lambda value: ("sync", value), _tell, (second,)))

    async def _tell(value: int) -> Any:
        return "async", value

    assert both(flow) == [("sync", 4), ("async", 4)]


def test_drivers_hand_errors_to_the_flow():
    """What a step raises is raised where the flow asked for it; it may go on."""

    def flow() -> Any:
        try:
            yield Ask(lambda: 1 / 0, None)
        except ZeroDivisionError:
            return (yield Ask(lambda: "went on", None))

    assert both(flow) == ["went on", "went on"]


def test_drivers_close_the_flow():
    """However it ends, also by Ctrl-C, every `finally` of the flow has run."""
    closed: list[str] = []

    def interrupted() -> None:
        raise KeyboardInterrupt

    def flow() -> Any:
        try:
            yield Ask(interrupted, None)
        finally:
            closed.append("closed")

    with pytest.raises(KeyboardInterrupt):
        run(flow(), SyncTransport())
    assert closed == ["closed"]


# --- fallbacks -------------------------------------------------------------------------------------------------------


def plan(name: str, **fallbacks: Any) -> Plan:
    target = Target(provider=BY_NAME["openai"], model=name, backend=Handler(None))
    return Plan(Call(model=name, body={}), FixedRoute(target=target, plans=fallbacks, falls_back=bool(fallbacks)))  # type: ignore[arg-type]


def fall(first: Plan, **outcomes: Exception | None) -> tuple[Any, list[str]]:
    """How it ends, and who was asked. outcomes: model → the error that it raises, or None when it answers."""
    asked: list[str] = []

    def retrying(made: Call, route: Any) -> Any:
        asked.append(made.model)
        error = outcomes[made.model]
        if error is not None:
            raise error
        return Answer(origin=route.choose([]).target, requested_model=made.model, headers={})
        yield

    try:
        return run(falling_back(first.call, first.route, retrying), SyncTransport()), asked
    except litellm.exceptions.LiteLLMError as error:
        return error, asked


BOOM = InternalServerError("boom", "openai", "m")
GENERAL = (lambda: plan("b"), lambda: plan("c"))


def test_fallbacks_are_not_touched_when_all_is_well():
    """R1: they are not even made."""
    ended, asked = fall(plan("a", fallbacks=(lambda: 1 / 0,)), a=None)  # type: ignore[arg-type]
    assert (asked, ended.fallbacks) == (["a"], 0)


def test_fallbacks_in_order():
    """R1: the next one, until one answers; the answer says which it was."""
    ended, asked = fall(plan("a", fallbacks=GENERAL), a=BOOM, b=NotFoundError("gone", "b", "openai"), c=None)
    assert (asked, ended.requested_model, ended.fallbacks) == (["a", "b", "c"], "c", 2)


def test_fallbacks_that_all_fail():
    """R1: the last error, which names what was tried and remembers the one before it."""
    ended, asked = fall(plan("a", fallbacks=GENERAL), a=BOOM, b=BOOM, c=NotFoundError("gone", "c", "openai"))
    assert asked == ["a", "b", "c"]
    assert isinstance(ended, NotFoundError)
    assert "a: InternalServerError" in str(ended)
    assert ended.__cause__ is not None
    assert ended.__cause__.__context__ is BOOM


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (ContextWindowExceededError("too long", "a", "openai"), "long"),
        (ContentPolicyViolationError("no", "a", "openai"), "safe"),
        (BOOM, "b"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_fallbacks_for_the_occasion(error, wanted):
    """R1: a prompt that is too long, or refused, goes to those for that; without them, to the general ones."""
    plans = {"context_window_fallbacks": (lambda: plan("long"),), "content_policy_fallbacks": (lambda: plan("safe"),)}
    answers = {"long": None, "safe": None, "b": None}
    assert fall(plan("a", fallbacks=GENERAL, **plans), a=error, **answers)[1] == ["a", wanted]
    assert fall(plan("a", fallbacks=GENERAL), a=error, **answers)[1] == ["a", "b"]


# --- memory ----------------------------------------------------------------------------------------------------------


def test_memory_is_bounded():
    """S3, P5: which places refuse stream_options is remembered for so many, and the oldest is forgotten."""
    upstreams = Upstreams()
    there = Upstream(url="http://x", dialect=upstream_dialect("openai_chat"))
    models = [f"m{n}" for n in range(10 * MAX_REMEMBERED)]
    targets = [Target(provider=BY_NAME["openai"], model=model, backend=there) for model in models]
    for target in targets:
        assert upstreams.takes_stream_options(target)
        upstreams.refuses_stream_options(target)
    remembered = [target for target in targets if not upstreams.takes_stream_options(target)]
    assert remembered == targets[-MAX_REMEMBERED:]


# --- stream_chunk_builder --------------------------------------------------------------------------------------------


def chunk(delta: dict[str, Any], index: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": "1", "created": 1, "model": "m", "choices": [{"index": index, "delta": delta, **more}]}


def built(*chunks: Any) -> Any:
    made = stream_chunk_builder(chunks)
    assert made is not None
    return made


def test_builder_joins_what_grows_and_keeps_what_does_not():
    """S2: text and arguments are fragments; roles, ids, names and types are not."""
    call_of = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a'}}
    made = built(
        chunk({"role": "assistant", "content": "Hel", "reasoning_content": "h"}),
        chunk({"role": "assistant", "content": "lo", "reasoning_content": "m", "vendor": "x"}),
        chunk({"tool_calls": [call_of]}),
        chunk({"tool_calls": [{"index": 0, "type": "function", "function": {"name": "f", "arguments": '": 1}'}}]}),
        chunk({}, finish_reason="tool_calls"),
    ).choices[0]
    assert (made.message.role, made.message.content, made.message.reasoning_content) == ("assistant", "Hello", "hm")
    assert made.message.vendor == "x"
    (tool,) = made.message.tool_calls
    assert (tool.id, tool.type, tool.function.name, tool.function.arguments) == ("c1", "function", "f", '{"a": 1}')
    assert made.finish_reason == "tool_calls"


def test_builder_adds_up_log_probabilities():
    """S2: lists are appended to each other."""
    made = built(
        chunk({"content": "a"}, logprobs={"content": [{"token": "a", "logprob": -1}], "refusal": None}),
        chunk({"content": "b"}, logprobs={"content": [{"token": "b", "logprob": -2}], "refusal": None}),
        chunk({}, finish_reason="stop", logprobs=None),
    )
    assert [entry["token"] for entry in made.model_dump()["choices"][0]["logprobs"]["content"]] == ["a", "b"]


def test_builder_takes_the_last_usage():
    """S2: numbers that grew while it streamed are not added up."""
    numbers = [{"prompt_tokens": 1, "completion_tokens": n, "total_tokens": 1 + n} for n in (1, 2)]
    made = built({**chunk({"content": "a"}), "usage": numbers[0]}, {**chunk({}), "usage": numbers[1]})
    assert made.usage.completion_tokens == 2


def test_builder_does_not_touch_the_chunks():
    """G2: building twice gives the same."""
    chunks = [chunk({"content": "a", "tool_calls": [{"index": 0, "id": "c", "function": {"arguments": "x"}}]})] * 2
    first, second = built(*chunks), built(*chunks)
    assert first.model_dump() == second.model_dump()
    assert chunks[0] == chunk({"content": "a", "tool_calls": [{"index": 0, "id": "c", "function": {"arguments": "x"}}]})


@pytest.mark.parametrize("wrong", ["text", 7, {"no": "choices"}, {"choices": None}])
def test_builder_refuses_what_is_no_chunk(wrong):
    """S2: and says what it is."""
    with pytest.raises(APIError, match="stream_chunk_builder"):
        stream_chunk_builder([wrong])


def test_no_room_for_an_answer_is_a_503():
    """It is ours to say that it can be tried again."""
    error = transport_error(
        TransportFault("busy", "there is no room"), Target(provider=BY_NAME["openai"], model="m", backend=Handler(None))
    )
    assert (type(error).__name__, error.status_code) == ("ServiceUnavailableError", 503)
