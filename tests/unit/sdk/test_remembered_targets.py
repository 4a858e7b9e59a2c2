"""Where a call goes is found out once, and again as soon as anything has changed that it depends on."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

import litellm
from litellm.providers.backend import Unusable
from litellm.providers.target import Target
from litellm.sdk import _call
from litellm.sdk._call import make_call

HI = [{"role": "user", "content": "hi"}]
BASE = "http://localhost:9/v1"


def target_of(model: str = "openai/m", **params: Any) -> Target:
    return make_call(model, HI, False, params).route.choose(()).target


def resolutions(call: Any) -> int:
    """How often a place is resolved while `call` runs."""
    counted = 0

    def note(frame: Any, event: str, _: object) -> None:
        nonlocal counted
        counted += event == "call" and frame.f_code.co_name == "resolve"

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return counted


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_ORGANIZATION"):
        monkeypatch.delenv(name, raising=False)
    _call._RESOLVED.clear()


def test_the_same_place_is_resolved_once():
    """Whatever else the calls say: a timeout, tags, a price."""
    assert resolutions(lambda: target_of(api_base=BASE, api_key="sk-one", timeout=3)) == 1
    assert resolutions(lambda: target_of(api_base=BASE, api_key="sk-one", timeout=4, tags=["a"])) == 0
    assert resolutions(lambda: target_of(api_base=BASE, api_key="sk-one", input_cost_per_token=1)) == 0


def test_each_call_has_its_own_words():
    """What a handler or the price of a call goes by is never that of a call before."""
    first = target_of(api_base=BASE, api_key="sk-one", input_cost_per_token=1)
    second = target_of(api_base=BASE, api_key="sk-one")
    assert first.params["input_cost_per_token"] == 1
    assert "input_cost_per_token" not in second.params


@pytest.mark.parametrize(("changed", "header", "value"), [
    ({"api_key": "sk-two"}, "Authorization", "Bearer sk-two"),
    ({"organization": "org-2"}, "OpenAI-Organization", "org-2"),
    ({"extra_headers": {"x-team": "b"}}, "x-team", "b"),
    ({"headers": {"x-team": "c"}}, "x-team", "c"),
])  # fmt: skip
def test_what_a_call_says_counts(changed, header, value):
    """For it and for no other."""
    said = {"api_base": BASE, "api_key": "sk-one"}
    before = target_of(**said).headers
    assert target_of(**said | changed).headers[header] == value
    assert target_of(**said).headers == before


def test_another_address_is_another_place():
    """Also when it comes in between."""
    said = {"api_key": "sk-one"}
    urls = [target_of(api_base=f"http://localhost:{port}/v1", **said).url for port in (9, 10, 9)]
    assert urls == [f"http://localhost:{port}/v1/chat/completions" for port in (9, 10, 9)]


def test_headers_that_are_changed_in_place_count():
    """The dict is the caller's own."""
    headers = {"x-team": "a"}
    assert target_of(api_base=BASE, api_key="sk-one", extra_headers=headers).headers["x-team"] == "a"
    headers["x-team"] = "b"
    assert target_of(api_base=BASE, api_key="sk-one", extra_headers=headers).headers["x-team"] == "b"


def test_a_key_in_the_environment_counts_as_it_is(monkeypatch):
    """Set, changed, and gone again."""
    for value in ("sk-first", "sk-second"):
        monkeypatch.setenv("OPENAI_API_KEY", value)
        assert target_of().api_key == value
    monkeypatch.delenv("OPENAI_API_KEY")
    assert isinstance(target_of().backend, Unusable)


@pytest.mark.parametrize(("variable", "field", "values"), [
    ("OPENAI_BASE_URL", lambda target: target.api_base, ("http://localhost:1/v1", "http://localhost:2/v1")),
    ("OPENAI_ORGANIZATION", lambda target: target.headers.get("OpenAI-Organization"), ("org-1", "org-2")),
])  # fmt: skip
def test_the_environment_counts_as_it_is(monkeypatch, variable, field, values):
    """The rest of it as well."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    unset = field(target_of())
    for value in values:
        monkeypatch.setenv(variable, value)
        assert field(target_of()) == value
    monkeypatch.delenv(variable)
    assert field(target_of()) == unset


def test_a_key_that_was_missing_is_looked_for_again(monkeypatch):
    """A target that cannot be called is not remembered."""
    assert isinstance(target_of().backend, Unusable)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-late")
    assert target_of().api_key == "sk-late"


@pytest.mark.parametrize(("name", "value", "field", "seen"), [
    ("openai_key", "sk-set", lambda target: target.api_key, "sk-set"),
    ("api_base", "http://localhost:3/v1", lambda target: target.api_base, "http://localhost:3/v1"),
    ("organization", "org-set", lambda target: target.headers.get("OpenAI-Organization"), "org-set"),
    ("headers", {"x-team": "set"}, lambda target: target.headers.get("x-team"), "set"),
])  # fmt: skip
def test_module_settings_count_as_they_are(monkeypatch, name, value, field, seen):
    """Before, during and after."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    before = field(target_of())
    with monkeypatch.context() as patched:
        patched.setattr(litellm, name, value)
        assert field(target_of()) == seen
    assert field(target_of()) == before


def test_one_key_is_kept_for_a_place():
    """The one that was used there last; and no more places than there may be."""
    for number in range(3 * _call.MAX_RESOLVED):
        target_of(api_base=BASE, api_key=f"sk-{number}")
    assert len(_call._RESOLVED) == 1
    for number in range(3 * _call.MAX_RESOLVED):
        target_of(f"openai/m{number}", api_base=BASE, api_key="sk-one")
    assert len(_call._RESOLVED) == _call.MAX_RESOLVED
    assert "sk-one" not in repr([*_call._RESOLVED.values()])


@pytest.mark.parametrize("word", ["aws_secret_access_key", "vertex_credentials", "langfuse_secret"])
def test_credentials_of_others_are_not_kept(word):
    """They belong to their call, in whose errors they are masked."""
    target = target_of(api_base=BASE, api_key="sk-one", **{word: "not-to-be-kept"})
    assert "not-to-be-kept" in target.secrets
    assert not _call._RESOLVED


def test_threads_get_what_they_asked_for():
    """However they take turns at one place."""
    wrong: list[str] = []

    def call(key: str) -> None:
        for _ in range(200):
            if target_of(api_base=BASE, api_key=key).headers["Authorization"] != f"Bearer {key}":
                wrong.append(key)

    threads = [threading.Thread(target=call, args=(f"sk-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
