"""Musts C6, C7, C8: where a call goes, under which model name, and with whose key. One resolver for all doors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.suite.doors import HI, Failure, ProxyRaw, SdkAsync, SdkSync, request, text_of
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm.exceptions import AuthenticationError, BadRequestError, NotFoundError

BASES = {  # api_base → path, query
    "{url}": ("/chat/completions", ""),
    "{url}/": ("/chat/completions", ""),
    "{url}/v1": ("/v1/chat/completions", ""),
    "{url}/v1/": ("/v1/chat/completions", ""),
    "{url}/v1//": ("/v1/chat/completions", ""),
    "{url}/a/b/v1beta/openai": ("/a/b/v1beta/openai/chat/completions", ""),
    "{url}/v1/chat/completions": ("/v1/chat/completions", ""),
    "{url}/v1/chat/completions/": ("/v1/chat/completions", ""),
    "{url}/v1?api-version=2": ("/v1/chat/completions", "api-version=2"),
    "{url}/v1/?a=1&b=%20c": ("/v1/chat/completions", "a=1&b=%20c"),
    "{url}/v1/chat/completions?a=1": ("/v1/chat/completions", "a=1"),
    "{url}/with%20space/v1": ("/with%20space/v1/chat/completions", ""),
    "{url}/v1#section": ("/v1/chat/completions", ""),
    " {url}/v1\n": ("/v1/chat/completions", ""),
}


class PlainSync(SdkSync):
    """Adds no provider, address or key of its own."""

    def params(self, model: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"model": model, **params}


class PlainAsync(PlainSync, SdkAsync):
    whole, streamed = SdkAsync.whole, SdkAsync.streamed


def sdk(name: str, params: dict[str, Any]) -> Any:
    """A call of the SDK that says nothing but `params`."""
    return (PlainSync if name == "sdk" else PlainAsync)("").chat(num_retries=0, **params)


def served(params: dict[str, Any], **config: Any) -> Any:
    """The same through a proxy that is configured so."""
    config["model_list"] = [{"model_name": "m", "litellm_params": params}]
    with ServedProxy(config) as proxy:
        return ProxyRaw(proxy).chat(num_retries=0)


def everywhere(name: str, params: dict[str, Any]) -> Any:
    return served(params) if name == "proxy" else sdk(name, params)


doors = pytest.mark.parametrize("name", ["sdk", "asdk", "proxy"])


@doors
@pytest.mark.parametrize("base", BASES)
def test_c6_joining(up, name, base):
    """C6: whatever is written as base, the path is appended once, before the query."""
    everywhere(name, {"model": "openai/m", "api_base": base.replace("{url}", up.url)})
    assert (up.requests[0].path, up.requests[0].query) == BASES[base]


@pytest.mark.parametrize(
    "base", ["localhost:8000", "ftp://x/v1", "http://", "/v1", "http://host:port/v1", "http://[::1/v1"]
)
@pytest.mark.parametrize("name", ["sdk", "asdk"])
def test_c6_what_is_no_url(name, base):
    """C6: is a 400 that names api_base, without any network."""
    with pytest.raises(Failure, match="api_base") as told:
        sdk(name, {"model": "openai/m", "api_base": base})
    assert told.value.status == 400


@pytest.mark.parametrize("name", ["sdk", "asdk", "proxy"])
def test_c6_a_404_says_what_was_called(name, streamed):
    """C6: and which base would have had a /v1."""
    with Upstream(prefix="/v1") as strict:
        with pytest.raises(Failure) as told:
            everywhere(name, {"model": "openai/m", "api_base": strict.url, "api_key": "k"})
        assert told.value.status == 404
        assert f"POST {strict.url}/chat/completions answered 404" in told.value.message
        assert f"did you mean api_base={strict.url}/v1?" in told.value.message
    with Upstream(prefix="/other") as other:
        with pytest.raises(Failure) as told:
            everywhere(name, {"model": "openai/m", "api_base": f"{other.url}/v1?key=hidden", "api_key": "k"})
        assert f"{other.url}/v1/chat/completions" in told.value.message
        assert "did you mean" not in told.value.message
        assert "hidden" not in told.value.message
    assert not told.value.kind or told.value.kind is NotFoundError


def test_c6_a_missing_model_is_no_missing_address(up):
    """C6: an upstream that says which model it lacks needs no advice about addresses."""
    up.next(act.error(404, "The model `m` does not exist", code="model_not_found"))
    with pytest.raises(Failure) as told:
        sdk("sdk", {"model": "openai/m", "api_base": up.url})
    assert "api_base=" not in told.value.message


def test_c6_redirects_are_not_followed(up):
    """C6, F2: the error says where to; the key does not go there."""
    up.default = act.redirect("http://elsewhere.invalid/v1/chat/completions?token=hidden")
    with pytest.raises(Failure, match="redirects to http://elsewhere.invalid/v1/chat/completions") as told:
        sdk("sdk", {"model": "openai/m", "api_base": up.base})
    assert "hidden" not in told.value.message
    assert len(up.requests) == 1


MODELS = {  # model, provider → the name that the upstream sees
    ("mistral", None): "mistral",
    ("openai/mistral", None): "mistral",
    ("openai/meta-llama/X", None): "meta-llama/X",
    ("meta-llama/X", None): "meta-llama/X",
    ("openai/openai/x", None): "openai/x",
    ("openai/groq/x", None): "groq/x",
    ("hosted_vllm/facebook/opt", None): "facebook/opt",
    ("litellm_proxy/anthropic/claude", None): "anthropic/claude",
    ("gpt-4o", None): "gpt-4o",
    ("x:latest", None): "x:latest",
    ("a/b/c/d", None): "a/b/c/d",
    ("command-nightly", "openai"): "command-nightly",
    ("openai/x", "openai"): "x",
    ("groq/x", "openai"): "groq/x",
    ("openai/x", "hosted_vllm"): "openai/x",
    ("custom_openai/x", None): "x",
    ("/models/x.gguf", None): "/models/x.gguf",
}


@doors
@pytest.mark.parametrize("pair", MODELS, ids=str)
def test_c7_names(up, name, pair):
    """C7: only the first known prefix is taken off; an unknown name with an api_base is OpenAI-compatible."""
    model, provider = pair
    params = {"model": model, "api_base": up.base} | ({"custom_llm_provider": provider} if provider else {})
    everywhere(name, params)
    assert up.requests[0].fields["model"] == MODELS[pair]
    found, known_provider, _, _ = litellm.get_llm_provider(model, provider, up.base)
    assert found == MODELS[pair]
    assert known_provider == (provider or known_provider)


@pytest.mark.parametrize("word", ["api_base", "base_url"])
@doors
def test_c7_two_words_for_the_base(up, name, word):
    """C7: base_url is api_base."""
    everywhere(name, {"model": "x", word: up.base})
    assert up.requests[0].fields["model"] == "x"


@pytest.mark.parametrize("model", ["some-model", "some/model", "nobody/some/model"])
@pytest.mark.parametrize("name", ["sdk", "asdk"])
def test_c7_nobody_is_meant(name, model):
    """C7: without an address, the error says what to write instead."""
    with pytest.raises(Failure, match="LLM Provider NOT provided") as told:
        sdk(name, {"model": model})
    assert told.value.kind is BadRequestError
    assert f"openai/{model}" in told.value.message


def test_c7_aliases(up, monkeypatch):
    """C7: litellm.model_alias_map comes first."""
    monkeypatch.setattr(litellm, "model_alias_map", {"mine": "openai/theirs"})
    sdk("sdk", {"model": "mine", "api_base": up.base})
    assert up.requests[0].fields["model"] == "theirs"


ENV = {"OPENAI_API_KEY": "sk-env-openai", "GROQ_API_KEY": "gsk-env-groq", "NADIR_API_KEY": "nadir-env"}
KEYS: dict[
    str, tuple[dict[str, Any], dict[str, str], str | None]
] = {  # the call, the environment, the key that is sent
    "said": ({"model": "openai/m", "api_key": "sk-said"}, ENV, "sk-said"),
    "said, provider guessed": ({"model": "m", "api_key": "sk-said"}, ENV, "sk-said"),
    "from the environment": ({"model": "openai/m"}, ENV, "sk-env-openai"),
    "from the environment, provider said": ({"model": "m", "custom_llm_provider": "openai"}, ENV, "sk-env-openai"),
    "provider guessed": ({"model": "m"}, ENV, None),
    "provider guessed, path": ({"model": "meta-llama/X"}, ENV, None),
    "empty": ({"model": "openai/m", "api_key": ""}, ENV, None),
    "none anywhere": ({"model": "openai/m"}, {}, None),
    "empty, none anywhere": ({"model": "openai/m", "api_key": ""}, {}, None),
    "another provider's": ({"model": "groq/m"}, ENV, "gsk-env-groq"),
    "another provider without a key": ({"model": "groq/m"}, {"OPENAI_API_KEY": "sk-env-openai"}, None),
    "a server of one's own": ({"model": "hosted_vllm/m"}, ENV, None),
    "a key that stays at home": ({"model": "nadir/m"}, ENV, None),
    "a key that stays at home, said": ({"model": "nadir/m", "api_key": "said"}, ENV, "said"),
    "empty in the environment": ({"model": "openai/m"}, {"OPENAI_API_KEY": ""}, None),
}


@doors
@pytest.mark.parametrize("case", KEYS)
def test_c8_whose_key_goes_along(up, monkeypatch, name, case):
    """C8, decision 3: at an address of one's own no key is needed, and none goes that was not meant for it."""
    params, env, wanted = KEYS[case]
    for variable, value in env.items():
        monkeypatch.setenv(variable, value)
    everywhere(name, {**params, "api_base": up.base})
    sent = up.requests[0].headers.get("authorization")
    assert sent == (None if wanted is None else f"Bearer {wanted}")


@pytest.mark.parametrize("key", [None, ""])
@pytest.mark.parametrize("name", ["sdk", "asdk"])
def test_c8_at_home_a_key_is_needed(name, key):
    """C8, decision 3: for the official address it is missed before any network."""
    with pytest.raises(Failure, match="OPENAI_API_KEY") as told:
        sdk(name, {"model": "openai/m", "api_key": key})
    assert told.value.kind is AuthenticationError


@doors
def test_c8_a_base_from_the_environment_is_home(up, monkeypatch, name):
    """C8: with OPENAI_BASE_URL the environment's key goes there, and "" counts as none said."""
    monkeypatch.setenv("OPENAI_BASE_URL", up.base)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env-openai")
    for params in ({}, {"api_key": ""}):
        everywhere(name, {"model": "openai/m", **params})
    assert [seen.headers.get("authorization") for seen in up.requests] == ["Bearer sk-env-openai"] * 2


def test_c8_module_settings(up, monkeypatch):
    """C8: litellm.api_key and litellm.api_base are meant for each other."""
    monkeypatch.setattr(litellm, "api_base", up.base)
    monkeypatch.setattr(litellm, "api_key", "sk-module")
    litellm.completion("openai/m", HI)
    assert up.requests[0].headers["authorization"] == "Bearer sk-module"


def test_c8_the_clients_key_stays_at_the_proxy(up):
    """C8, F1: what a client shows to the proxy is for the proxy; nor are its other headers passed on."""
    headers = {"authorization": "Bearer sk-master-key-of-this-test", "x-api-key": "x", "cookie": "c=1", "x-other": "1"}
    with ServedProxy({"model_list": [deployment("m", "openai/m", api_base=up.base)]},
                     master_key="sk-master-key-of-this-test") as proxy:  # fmt: skip
        assert text_of(ProxyRaw(proxy, headers).chat())
        assert request(proxy, "POST", "/v1/chat/completions", "{}").status == 401
    assert up.requests[0].headers.keys() & headers.keys() == set()


def test_c8_an_error_does_not_repeat_the_key(up):
    """C8, F5: an upstream that repeats our key in its error is not quoted in full."""
    up.default = act.error(401, "Incorrect API key provided: sk-abcdefghijklmnopqrstuv.")
    with pytest.raises(Failure) as told:
        sdk("sdk", {"model": "openai/m", "api_base": up.base, "api_key": "sk-abcdefghijklmnopqrstuv"})
    assert "sk-abcdefghij" not in told.value.message
