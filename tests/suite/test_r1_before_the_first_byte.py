"""Must R1: until the first content is out, any failure can be made good by a retry or a fallback, streamed or not."""

from __future__ import annotations

import json

import pytest
from tests.fakes import behaviour as act
from tests.fakes.behaviour import Behaviour
from tests.fakes.endpoints import chat_chunks
from tests.fakes.replies import SSE, Answer, Stream
from tests.fakes.upstream import Upstream
from tests.suite.doors import HI, KEY, Failure, ProxyRaw, text_of
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm import exceptions as errors

ROLE = chat_chunks(Answer())[0]
NO_DONE = SSE(done=False)
BOOM = json.loads('{"error": {"message": "Overloaded", "type": "overloaded_error", "code": 503}}')

WHOLE = {
    "status 500": act.error(500),
    "status 503": act.error(503),
    "status 429": act.error(429),
    "status 408": act.error(408),
    "status 409": act.error(409),
    "hang up": act.hang_up(),
    "reset": act.reset(),
    "cut in the head": act.raw(b"HTTP/1.1 200 OK\r\ncontent-le"),
    "no HTTP": act.malformed_head(),
    "HTML": act.html(),
    "bad JSON": act.bad_json(),
    "empty body": act.empty(),
    "half a body": act.cut(1),
    "error in a 200": act.verbatim(200, json.dumps(BOOM), {"content-type": "application/json"}),
    "stall": act.hang(),
}
STREAMED = {
    **WHOLE,
    "first event is an error": act.events([BOOM]),
    "error after the role": act.events([ROLE, BOOM]),
    "first event is broken": act.events(['{"choices": [{']),
    "ends before it began": act.events([], sse=NO_DONE),
    "ends after the role": act.events([ROLE], sse=NO_DONE),
    "cut after the head": act.cut(0),
    "cut after the role": act.cut(1),
    "reset after the role": act.reset(1),
    "only comments, then cut": Behaviour(Stream([b": ping\n\n", b": ping\n\n"]), fault="close", after=2),
    "stall after the head": act.stall(0),
    "stall after the role": act.stall(1),
}
CASES = [pytest.param(False, name, id=f"whole-{name}") for name in WHOLE]
CASES += [pytest.param(True, name, id=f"streamed-{name}") for name in STREAMED]
all_cases = pytest.mark.parametrize(("streamed", "case"), CASES)
GOOD = "Hello from upstream."


def behaviour(streamed: bool, case: str) -> Behaviour:
    return (STREAMED if streamed else WHOLE)[case]


def allowed(case: str) -> float:
    """Seconds for one try: few where they will be waited for."""
    return 0.15 if "stall" in case else 10.0


# Not those that stall: they use up all the time that the caller gave, and nothing is left for another try.
RETRIED = [param for param in CASES if "stall" not in param.values[1]]


@pytest.mark.parametrize("name", ["sdk", "asdk", "proxy"])
@pytest.mark.parametrize(("streamed", "case"), RETRIED)
def test_r1_retry(house, up, name, streamed, case):
    """R1: the next try makes it good."""
    up.next(behaviour(streamed, case))
    answer = house.doors[name].ask(streamed=streamed, num_retries=1)
    assert text_of(answer) == GOOD
    assert len(up.requests) == 2


@pytest.mark.parametrize("name", ["sdk", "asdk", "proxy"])
@all_cases
def test_r1_fallbacks_of_the_call(house, up, name, streamed, case):
    """R1: `fallbacks=` of the call; the answer is the other model's alone."""
    up.models["m"] = behaviour(streamed, case)
    other = "other" if name == "proxy" else "openai/other"
    answer = house.doors[name].ask(streamed=streamed, num_retries=0, fallbacks=[other], timeout=allowed(case))
    assert text_of(answer) == GOOD
    assert [seen.fields["model"] for seen in up.requests] == ["m", "other"]
    if name == "proxy":
        named = {chunk["model"] for chunk in answer} if streamed else {answer["model"]}
        assert named == {"other"}, "decision 5: the name of the group that answered"


@pytest.fixture(scope="module")
def fallback_proxy(house):
    config = {
        "model_list": [
            deployment("m", "openai/m", api_base=house.up.base, api_key=KEY),
            deployment("slow", "openai/m", api_base=house.up.base, api_key=KEY, timeout=0.15),
            deployment("second", "openai/second", api_base=house.up.base, api_key=KEY),
            deployment("last", "openai/last", api_base=house.up.base, api_key=KEY),
            deployment("big", "openai/big", api_base=house.up.base, api_key=KEY),
            deployment("lonely", "openai/lonely", api_base=house.up.base, api_key=KEY),
        ],
        "litellm_settings": {
            "num_retries": 0,
            "fallbacks": [{"m": ["second", "last"]}, {"slow": ["second"]}],
            "context_window_fallbacks": [{"m": ["big"]}],
        },
        "router_settings": {"default_fallbacks": ["last"]},
    }
    with ServedProxy(config) as proxy:
        yield ProxyRaw(proxy)


@all_cases
def test_r1_fallbacks_of_the_configuration(fallback_proxy, up, streamed, case):
    """R1: the proxy's own fallbacks, streamed or not."""
    up.models["m"] = behaviour(streamed, case)
    model = "slow" if "stall" in case else "m"
    reply = fallback_proxy.post(model=model, stream=streamed)
    assert b" upstream" in reply.body
    assert b"error" not in reply.body
    assert reply.headers["x-litellm-attempted-fallbacks"] == "1"
    assert reply.headers["x-litellm-model-group"] == "second"
    assert [seen.fields["model"] for seen in up.requests] == ["m", "second"]


def test_r1_next_fallback_in_order(fallback_proxy, up, streamed):
    """R1: when the first fallback fails too, the next one is asked."""
    up.models |= {"m": act.error(500), "second": act.error(401)}
    assert text_of(fallback_proxy.ask(streamed=streamed)) == GOOD
    assert [seen.fields["model"] for seen in up.requests] == ["m", "second", "last"]


def test_r1_fallbacks_for_a_client_error(fallback_proxy, up, streamed):
    """R1, R3: a 4xx is not tried again, but another model may take the request."""
    up.models["m"] = act.error(404)
    assert text_of(fallback_proxy.ask(streamed=streamed)) == GOOD
    assert [seen.fields["model"] for seen in up.requests] == ["m", "second"]


def test_r1_default_fallbacks(fallback_proxy, up, streamed):
    """R1: for a group without fallbacks of its own."""
    up.models["lonely"] = act.error(500)
    assert text_of(fallback_proxy.ask(streamed=streamed, model="lonely")) == GOOD
    assert [seen.fields["model"] for seen in up.requests] == ["lonely", "last"]


def test_r1_a_prompt_too_long_goes_to_a_bigger_model(fallback_proxy, up, streamed):
    """R1: context_window_fallbacks come before the general ones."""
    up.models["m"] = act.error(400, "This model's maximum context length is 8 tokens.", code="context_length_exceeded")
    assert text_of(fallback_proxy.ask(streamed=streamed)) == GOOD
    assert [seen.fields["model"] for seen in up.requests] == ["m", "big"]


def test_r1_context_window_fallback_dict(house, up, streamed):
    """R1: the SDK's word for it."""
    up.models["m"] = act.error(400, "prompt is too long", code="context_length_exceeded")
    answer = house.doors["sdk"].ask(
        streamed=streamed, context_window_fallback_dict={"m": "openai/big", "openai/m": "openai/big"}
    )
    assert text_of(answer) == GOOD
    assert [seen.fields["model"] for seen in up.requests] == ["m", "big"]


def test_r1_disable_fallbacks(fallback_proxy, up, streamed):
    """R1: a client that wants none gets the error."""
    up.models["m"] = act.error(500)
    with pytest.raises(Failure):
        fallback_proxy.ask(streamed=streamed, disable_fallbacks=True)
    assert len(up.requests) == 1


def test_r1_all_fail(fallback_proxy, up, streamed):
    """R1: the last error, with a word on what was tried."""
    up.default = act.error(503, "Nobody at home.")
    with pytest.raises(Failure, match="Nobody at home") as told:
        fallback_proxy.ask(streamed=streamed)
    assert told.value.status == 503
    assert [seen.fields["model"] for seen in up.requests] == ["m", "second", "last"]


def test_r1_the_conversation_is_the_same(house, up, streamed):
    """R1: the fallback gets the caller's words, unedited, and nothing of the half answer."""
    up.models["m"] = act.events([ROLE, BOOM]) if streamed else act.error(500)
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    house.doors["sdk"].ask(messages, streamed=streamed, num_retries=0, fallbacks=["openai/other"], temperature=0.5)
    first, second = up.requests
    assert {**first.fields, "model": ""} == {**second.fields, "model": ""}
    assert second.fields["messages"] == messages


def test_r1_after_the_first_content_there_is_no_fallback(house, up):
    """R1: what has been said cannot be unsaid; the error is told instead."""
    up.models["m"] = act.cut(3)
    for name in ("sdk", "asdk", "proxy"):
        up.requests.clear()
        with pytest.raises(Failure):
            house.doors[name].stream(fallbacks=["other" if name == "proxy" else "openai/other"])
        assert len(up.requests) == 1


def test_r1_a_key_stays_with_its_provider(up, streamed, monkeypatch):
    """R1, C8: a fallback to another provider takes neither the key nor the address of the first."""
    with Upstream() as groq:
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-groq")
        monkeypatch.setenv("GROQ_API_BASE", groq.base)
        up.models["m"] = act.error(500)
        answer = litellm.completion(
            "openai/m", [{"role": "user", "content": "hi"}], api_base=up.base, api_key=KEY, num_retries=0,
            fallbacks=["groq/llama"], stream=streamed,
        )  # fmt: skip
        chunks = [chunk.model_dump() for chunk in answer] if streamed else answer.model_dump()
        assert text_of(chunks) == GOOD
        assert groq.requests[0].headers["authorization"] == "Bearer gsk-of-groq"


def test_c8_a_fallback_elsewhere_gets_no_header_of_the_firsts(up, streamed, monkeypatch):
    """C8: what was passed for one provider is not another's: no key, no address, no header."""
    with Upstream() as groq:
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-groq")
        monkeypatch.setenv("GROQ_API_BASE", groq.base)
        up.models["m"] = act.error(500)
        litellm.completion(
            "openai/m", HI, api_base=up.base, extra_headers={"Authorization": "Bearer of-the-first", "X-Mine": "1"},
            num_retries=0, fallbacks=["groq/llama"], stream=streamed,
        )  # fmt: skip
        (seen,) = groq.requests
    assert seen.headers["authorization"] == "Bearer gsk-of-groq"
    assert "x-mine" not in seen.headers


def test_r1_fallback_with_its_own_place(up, streamed):
    """R1: a fallback may be a dict that overrides what it needs."""
    with Upstream() as other:
        up.models["m"] = act.error(500)
        fallback = {"model": "openai/z", "api_base": other.base, "api_key": "sk-other"}
        answer = litellm.completion(
            "openai/m", [{"role": "user", "content": "hi"}], api_base=up.base, api_key=KEY, num_retries=0,
            fallbacks=[fallback], stream=streamed,
        )  # fmt: skip
        chunks = [chunk.model_dump() for chunk in answer] if streamed else answer.model_dump()
        assert text_of(chunks) == GOOD
        assert (other.requests[0].fields["model"], other.requests[0].headers["authorization"]) == (
            "z",
            "Bearer sk-other",
        )
    assert fallback == {"model": "openai/z", "api_base": other.base, "api_key": "sk-other"}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("context_length_exceeded", errors.ContextWindowExceededError),
        ("rate_limit_exceeded", errors.RateLimitError),
        ("model_not_found", errors.NotFoundError),
        ("content_policy_violation", errors.ContentPolicyViolationError),
    ],
)
def test_r1_an_error_without_a_status_is_known_by_its_code(house, up, streamed, code, kind):
    """R1, decision 8: status first, the vendor's code second. Inside a 200 there is no status but the code."""
    told = {"error": {"message": "No.", "code": code}}
    up.next(
        act.events([told]) if streamed else act.verbatim(200, json.dumps(told), {"content-type": "application/json"})
    )
    with pytest.raises(Failure) as failed:
        house.doors["sdk"].ask(streamed=streamed, num_retries=0)
    assert failed.value.kind is kind
