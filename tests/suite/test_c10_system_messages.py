"""Must C10: supports_system_message=False folds system text into the conversation. And G2: nothing of the caller's changes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import behaviour as act
from tests.suite.chunks import text, values
from tests.suite.doors import ProxyRaw, text_of
from tests.suite.examples import examples
from tests.suite.inprocess import ServedProxy, deployment


def s(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "system", "content": content, **more}


def u(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


def a(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def t(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


MARK = {"cache_control": {"type": "ephemeral"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
FOLDED: dict[str, tuple[list[Any], list[Any]]] = {
    "strings": ([s("S"), u("U")], [u("S U")]),
    "parts before a string": ([s([t("S")]), u("U")], [u([t("S"), t("U")])]),
    "a string before parts": ([s("S"), u([t("U"), IMAGE])], [u([t("S"), t("U"), IMAGE])]),
    "parts before parts": ([s([t("S"), t("T")]), u([t("U")])], [u([t("S"), t("T"), t("U")])]),
    "several": ([s("S"), s("T"), u("U")], [u("S T U")]),
    "several, mixed": ([s("S"), s([t("T")]), u("U")], [u([t("S"), t("T"), t("U")])]),
    "developer": ([{"role": "developer", "content": "D"}, u("U")], [u("D U")]),
    "in the middle": ([u("U"), a("A"), s("S"), u("V")], [u("U"), a("A"), u("S V")]),
    "before an answer": ([s("S"), a("A"), u("U")], [u("S"), a("A"), u("U")]),
    "at the end": ([u("U"), a("A"), s("S")], [u("U"), a("A"), u("S")]),
    "alone": ([s("S")], [u("S")]),
    "several, alone": ([s("S"), s("T")], [u("S T")]),
    "none": ([u("U"), a("A")], [u("U"), a("A")]),
    "empty": ([s(""), u("U")], [u("U")]),
    "nothing at all": ([s(None), u("U")], [u("U")]),
    "before an empty one": ([s("S"), u("")], [u("S")]),
    "a mark on a part": ([s([t("S", **MARK)]), u("U")], [u([t("S", **MARK), t("U")])]),
    "a mark on the message": ([s("S", **MARK), u("U")], [u([t("S", **MARK), t("U")])]),
    "a mark on a message of parts": ([s([t("S"), t("T")], **MARK), u("U")], [u([t("S"), t("T", **MARK), t("U")])]),
    "a mark, alone": ([s("S", **MARK)], [u([t("S", **MARK)])]),
    "a mark on the user's": ([s("S"), u("U", **MARK)], [u("S U", **MARK)]),
    "marks on both": ([s("S", **MARK), u([t("U", **MARK)])], [u([t("S", **MARK), t("U", **MARK)])]),
    "names stay": ([s("S"), u("U", name="n", vendor=1)], [u("S U", name="n", vendor=1)]),
    "tools in between": (
        [s("S"), u("U"), {"role": "tool", "tool_call_id": "c", "content": "T"}],
        [u("S U"), {"role": "tool", "tool_call_id": "c", "content": "T"}],
    ),
}


@pytest.mark.parametrize("case", FOLDED)
@pytest.mark.parametrize("name", ["sdk", "asdk"])
def test_c10_folded(house, up, name, case):
    """C10: the words go before the next user message, with every mark of theirs; a system message alone is a user's."""
    messages, wanted = copy.deepcopy(FOLDED[case])
    up.default = act.answer(checks=(act.refuse_system_messages,))
    house.doors[name].chat(messages, supports_system_message=False)
    assert up.requests[0].fields["messages"] == wanted
    assert messages == FOLDED[case][0], "the caller's list is as it was"


@pytest.fixture(scope="module")
def systemless(house):
    config = {"model_list": [deployment("m", "openai/m", api_base=house.up.base, supports_system_message=False)]}
    with ServedProxy(config) as proxy:
        yield ProxyRaw(proxy)


@pytest.mark.parametrize("case", FOLDED)
def test_c10_folded_by_the_proxy(systemless, up, case):
    """C10: the same, by a deployment's setting."""
    up.default = act.answer(checks=(act.refuse_system_messages,))
    assert text_of(systemless.chat(FOLDED[case][0])) == "Hello from upstream."
    assert up.requests[0].fields["messages"] == FOLDED[case][1]


@pytest.mark.parametrize("off", [False, "false", "False", 0, "0"], ids=repr)
def test_c10_ways_to_say_no(house, up, off):
    """C9, C10: false in all the ways people write it."""
    house.doors["sdk"].chat([s("S"), u("U")], supports_system_message=off)
    assert up.requests[0].fields["messages"] == [u("S U")]


@pytest.mark.parametrize("on", [True, "true", 1, None])
def test_c10_left_alone(house, up, on):
    """C10: otherwise messages are sent as they are."""
    house.doors["sdk"].chat([s("S"), u("U")], supports_system_message=on)
    assert up.requests[0].fields["messages"] == [s("S"), u("U")]


contents = (
    st.none()
    | text
    | st.lists(st.builds(t, text) | st.just(IMAGE) | st.builds(lambda w: t(w, **MARK), text), max_size=3)
)
messages_of = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool"]), "content": contents},
        optional={"name": text, "cache_control": st.just({"type": "ephemeral"}), "vendor": values},
    ),
    max_size=4,
)
parameters = st.fixed_dictionaries(
    {},
    optional={
        "tools": st.just([{"type": "function", "function": {"name": "f", "strict": True}}]),
        "stop": st.lists(text, max_size=3),
        "temperature": st.floats(0, 2),
        "max_completion_tokens": st.integers(1, 9),
        "seed": st.integers(0, 9),
        "logit_bias": st.just({"1": 1}),
        "logprobs": st.booleans(),
        "extra_body": st.dictionaries(st.sampled_from(["top_k", "deep", "model"]), values),
        "extra_headers": st.just({"x-team": "blue"}),
        "metadata": st.dictionaries(text, values, max_size=2),
        "response_format": st.just({"type": "json_schema", "json_schema": {"strict": True}}),
        "stream_options": st.just({"include_usage": True}),
        "vendor": values,
        "additional_drop_params": st.just(["tools[*].function.strict", "stop"]),
        "allowed_openai_params": st.just(["logprobs"]),
        "fallbacks": st.just([{"model": "openai/other", "temperature": 1}]),
        "supports_system_message": st.booleans(),
    },
)


@examples(40)
@given(
    messages=messages_of,
    params=parameters,
    model=st.sampled_from(["openai/m", "groq/m", "deepseek/m", "mistral/m", "moonshot/m", "publicai/m", "parasail/m"]),
    stream=st.booleans(),
    fails=st.booleans(),
)
@pytest.mark.parametrize("name", ["sdk", "asdk"])
def test_g2_inputs_are_as_they_were(house, up, monkeypatch, name, messages, params, model, stream, fails):
    """G2: whatever is asked, of whichever provider, streamed or not, with fallbacks or not: no argument is changed."""
    monkeypatch.setenv("OPENAI_BASE_URL", up.base)  # for the fallback, which inherits no place from another provider
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    given_before = copy.deepcopy((messages, params))
    up.next(*[act.error(500)] * fails)
    retries = 0 if "fallbacks" in params else 1
    house.doors[name].ask(messages, streamed=stream, model=model, drop_params=True, num_retries=retries, **params)
    assert (messages, params) == given_before
