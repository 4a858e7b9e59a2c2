"""R2: fallbacks for every operation, streamed or not, configured or asked for, by the Router and by the proxy; and the
checks that a direct call has to pass hold for them too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.suite.doors import HI, KEY, request
from tests.suite.inprocess import ServedProxy, deployment

from litellm.exceptions import LiteLLMError
from litellm.router import Router

SUBJECTS: dict[str, dict[str, Any]] = {
    "chat/completions": {"messages": HI}, "completions": {"prompt": "hi"}, "embeddings": {"input": ["hi"]}
}  # fmt: skip
CASES = [(path, stream) for path in SUBJECTS for stream in (False, True) if not (stream and path == "embeddings")]
METHODS = {"chat/completions": "completion", "completions": "text_completion", "embeddings": "embedding"}


class Way:
    """A router or a proxy, asked for model "a": the model that answered, or the status of the error."""

    def ask(self, path: str, *, stream: bool, **params: Any) -> str | int:
        raise NotImplementedError


class ByRouter(Way):
    def __init__(self, config: dict[str, Any]) -> None:
        self.router = Router(model_list=config["model_list"], **config["router_settings"])

    def ask(self, path: str, *, stream: bool, **params: Any) -> str | int:
        method = getattr(self.router, METHODS[path])
        try:
            answer = method(model="a", **SUBJECTS[path], **({"stream": True} if stream else {}), **params)
            models = [chunk.model for chunk in answer] if stream else [answer.model]
        except LiteLLMError as error:
            return error.status_code or 0
        assert len(set(models)) == 1
        return models[0].removeprefix("openai/")


class ByProxy(Way):
    def __init__(self, proxy: ServedProxy) -> None:
        self.proxy = proxy

    def ask(self, path: str, *, stream: bool, **params: Any) -> str | int:
        body = {"model": "a", **SUBJECTS[path], **({"stream": True} if stream else {}), **params}
        reply = request(self.proxy, "POST", f"/v1/{path}", json.dumps(body))
        if reply.status != 200:
            return reply.status
        assert b'"a"' not in reply.body, "the name of the group that answered, not of the one that failed"
        return reply.headers["x-litellm-model-group"]


@pytest.fixture(scope="module")
def upstreams() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


CONFIGURED = {"num_retries": 0, "fallbacks": [{"a": ["b", "c"]}]}
PLAIN = {"num_retries": 0}


@pytest.fixture(scope="module", params=["router", "proxy"])
def ways(request: pytest.FixtureRequest, upstreams: Upstream) -> Iterator[dict[str, Way]]:
    """With fallbacks configured, and without."""
    entries = [deployment(name, f"openai/{name}", api_base=upstreams.base, api_key=KEY) for name in "abcd"]
    configs = {
        name: {"model_list": entries, "router_settings": settings}
        for name, settings in (("configured", CONFIGURED), ("plain", PLAIN))
    }
    if request.param == "router":
        yield {name: ByRouter(config) for name, config in configs.items()}
    else:
        with ServedProxy(configs["configured"]) as one, ServedProxy(configs["plain"]) as other:
            yield {"configured": ByProxy(one), "plain": ByProxy(other)}


@pytest.fixture
def failing(upstreams: Upstream) -> Upstream:
    """The upstream, at which model a fails."""
    upstreams.requests.clear()
    upstreams.models.clear()
    upstreams.models["a"] = act.error(500, retry_after=0)
    return upstreams


def asked(up: Upstream) -> str:
    return "".join(request.fields["model"] for request in up.requests)


@pytest.mark.parametrize(("path", "stream"), CASES)
@pytest.mark.parametrize("fault", [act.error(500), act.error(429), act.hang_up(), act.bad_json(), act.empty()],
                         ids=["500", "429", "closed", "no JSON", "empty"])  # fmt: skip
def test_configured_fallbacks(ways, failing, path, stream, fault):
    """R1, R2: whatever goes wrong before the first word."""
    failing.models["a"] = fault
    assert ways["configured"].ask(path, stream=stream) == "b"
    assert asked(failing) == "ab"


@pytest.mark.parametrize(("path", "stream"), CASES)
@pytest.mark.parametrize("which", ["configured", "plain"])
def test_fallbacks_of_a_request(ways, failing, path, stream, which):
    """R2: in place of those that are configured, where there are any."""
    assert ways[which].ask(path, stream=stream, fallbacks=["d"]) == "d"
    assert asked(failing) == "ad"


@pytest.mark.parametrize(("path", "stream"), CASES)
def test_no_fallbacks(ways, failing, path, stream):
    """R2, C3: neither where there are none, nor where the request wants none."""
    assert ways["plain"].ask(path, stream=stream) == 500
    assert ways["configured"].ask(path, stream=stream, disable_fallbacks=True) == 500
    assert asked(failing) == "aa"


@pytest.mark.parametrize(("path", "stream"), CASES)
def test_the_second_fallback(ways, failing, path, stream):
    """R2: in order, each once."""
    failing.models["b"] = act.error(503, retry_after=0)
    assert ways["configured"].ask(path, stream=stream) == "c"
    failing.models["c"] = act.error(429)
    assert ways["configured"].ask(path, stream=stream) == 429
    assert asked(failing) == "abcabc"


LIMITED = """
model_list:
- {model_name: a, litellm_params: {model: openai/a, api_base: BASE, api_key: k}}
- {model_name: b, litellm_params: {model: openai/b, api_base: BASE, api_key: k, rpm: 1}}
router_settings: {num_retries: 0, fallbacks: [{a: [b]}]}
"""


def test_a_fallback_keeps_the_limits_of_its_target(failing):
    """R2: what a direct call may not do, a fallback may not either; the answer says when to come back."""
    with ServedProxy(LIMITED.replace("BASE", failing.base)) as proxy:
        way = ByProxy(proxy)
        assert way.ask("chat/completions", stream=False) == "b"
        reply = request(proxy, "POST", "/v1/chat/completions", json.dumps({"model": "a", "messages": HI}))
        assert (reply.status, 1 <= int(reply.headers["retry-after"]) <= 60) == (429, True)
        told = json.loads(reply.body)["error"]
        assert "all fallbacks failed too: a: InternalServerError, b: GroupExhaustedError" in told["message"]
    assert asked(failing) == "aba"
