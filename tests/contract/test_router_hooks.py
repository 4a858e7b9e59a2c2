"""The methods of loggers that stand on the way of a call to a deployment, by what reaches the upstream and the caller."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.suite.inprocess import deployment

import litellm
from litellm.exceptions import BadRequestError, PermissionDeniedError, RateLimitError
from litellm.integrations.custom_logger import CustomLogger
from litellm.router import Router
from litellm.types.router import PreRoutingHookResponse

HI = [{"role": "user", "content": "hi"}]
OTHER = [{"role": "user", "content": "other"}]


class Refusal(Exception):
    """Like fastapi's HTTPException."""

    def __init__(self, status_code: int, detail: Any) -> None:
        super().__init__(detail)
        self.status_code, self.detail, self.headers = status_code, detail, {"Retry-After": 1}


def entry(up: Upstream, model: str, group: str = "m") -> dict[str, Any]:
    made = deployment(group, f"openai/{model}", api_base=up.base, api_key="sk-k")
    return made | {"model_info": {"id": f"id-{model}", "tier": model}}


def routed(up: Upstream, *models: str, **words: Any) -> Router:
    return Router(model_list=[entry(up, each) for each in models], **{"num_retries": 0, **words})


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def ask(request):
    """A call of a Router, made in either way."""

    def asked(router: Router, model: str = "m", **words: Any) -> Any:
        if request.param:
            return asyncio.run(router.acompletion(model, HI, **words))
        return router.completion(model, HI, **words)

    asked.is_async = request.param
    return asked


@pytest.fixture
def logs(monkeypatch):
    """Makes these loggers the callbacks."""
    return lambda *loggers: monkeypatch.setattr(litellm, "callbacks", list(loggers))


def sent(up: Upstream) -> list[str]:
    return [request.fields["model"] for request in up.requests]


# --- async_filter_deployments --------------------------------------------------------------------------------------------


class Filter(CustomLogger):
    """Leaves the deployments of these models."""

    def __init__(self, *models: str) -> None:
        super().__init__()
        self.models = models
        self.seen: list[Any] = []

    async def async_filter_deployments(
        self, model, healthy_deployments, messages, request_kwargs=None, parent_otel_span=None
    ):
        tiers = [each["model_info"]["tier"] for each in healthy_deployments]
        self.seen.append((model, tiers, messages, request_kwargs["metadata"].get("who"), request_kwargs["top_p"]))
        return [each for each in healthy_deployments if each["model_info"]["tier"] in self.models]


def test_a_filter(up, logs, ask):
    """It sees what the group has and what is asked; several filter one after the other."""
    first, second = Filter("a", "b"), Filter("b", "c")
    logs(first, second)
    router = routed(up, "a", "b", "c")
    for _ in range(6):
        assert ask(router, top_p=0.5, metadata={"who": "ada"}).model == "b"
    assert set(sent(up)) == {"b"}
    assert up.requests[0].fields == {"model": "b", "messages": HI, "top_p": 0.5}
    assert first.seen[0] == ("m", ["a", "b", "c"], HI, "ada", 0.5)
    assert second.seen[0] == ("m", ["a", "b"], HI, "ada", 0.5)
    assert len(first.seen) == 6


def test_retries_stay_within_a_filter(up, logs, ask):
    """And the filter is asked once for a group."""
    up.models["a"] = act.error(500)
    seen = Filter("a")
    logs(seen)
    with pytest.raises(litellm.InternalServerError):
        ask(routed(up, "a", "b", num_retries=2, cooldown_time=0), top_p=1)
    assert sent(up) == ["a"] * 3
    assert len(seen.seen) == 1


def test_a_filter_is_asked_for_fallbacks_too(up, logs, ask):
    """Nobody comes to a deployment that it leaves out by another way."""
    up.models["a"] = act.error(500)
    seen = Filter("a", "y")
    logs(seen)
    entries = [entry(up, "a"), entry(up, "x", "other"), entry(up, "y", "other")]
    for _ in range(4):
        router = Router(model_list=entries, num_retries=0, fallbacks=[{"m": ["other"]}])
        assert ask(router, top_p=1).model == "y"
    assert [model for model, *_ in seen.seen] == ["m", "other"] * 4


def test_those_that_rest_are_not_shown(up, logs, ask):
    """R4."""
    up.models["a"] = act.error(429)
    seen = Filter("a", "b")
    logs(seen)
    router = routed(up, "a", "b", cooldown_time=60, num_retries=1)
    while "a" not in sent(up):
        ask(router, top_p=1)
    ask(router, top_p=1)
    assert seen.seen[-1][1] == ["b"]


def test_a_filter_that_leaves_none(up, logs, ask):
    """O1."""
    logs(Filter())
    with pytest.raises(BadRequestError, match="no deployment of m may be used for this request"):
        ask(routed(up, "a", "b"), top_p=1)
    assert not up.requests


def test_a_filter_that_raises(up, logs, ask):
    """A status counts; what has none is raised as it is."""

    class Raises(CustomLogger):
        def __init__(self, error):
            super().__init__()
            self.error = error

        async def async_filter_deployments(self, *_, **__):
            raise self.error

    for error, kind in ((Refusal(403, {"error": "not you"}), PermissionDeniedError), (KeyError("bug"), KeyError)):
        logs(Raises(error))
        with pytest.raises(kind, match="not you|bug") as raised:
            ask(routed(up, "a"))
        assert getattr(raised.value, "response_headers", {}) == ({"retry-after": "1"} if kind is not KeyError else {})
    assert not up.requests


def test_a_filter_that_gives_no_list(up, logs, ask):
    """O1: that is somebody's mistake, and not leave to use all of them."""

    class Forgets(CustomLogger):
        async def async_filter_deployments(self, *_, **__):
            pass

    logs(Forgets())
    with pytest.raises(TypeError, match="Forgets.async_filter_deployments gave NoneType, but must give a list"):
        ask(routed(up, "a"))


def test_who_asks_for_a_deployment_asks_the_filter(up, logs):
    """get_available_deployment and its async twin."""
    logs(Filter("b"))
    router, words = routed(up, "a", "b"), {"top_p": 1}
    for _ in range(4):
        assert router.get_available_deployment("m", HI, request_kwargs=words)["model_info"]["id"] == "id-b"
        found = asyncio.run(router.async_get_available_deployment("m", words, HI))
        assert found["model_info"]["id"] == "id-b"


# --- pre_call_check and async_pre_call_check -----------------------------------------------------------------------------


class Check(CustomLogger):
    """Refuses the deployment of one model, in the method for the kind of call."""

    def __init__(self, error: Exception, model: str = "a") -> None:
        super().__init__()
        self.error, self.model = error, model
        self.seen: list[Any] = []

    def refuse(self, kind: str, deployment: dict[str, Any]) -> None:
        self.seen.append((kind, deployment["model_name"], deployment["model_info"]["id"], threading.get_ident()))
        if deployment["litellm_params"]["model"] == f"openai/{self.model}":
            raise self.error

    def pre_call_check(self, deployment):
        self.refuse("sync", deployment)

    async def async_pre_call_check(self, deployment, parent_otel_span=None):
        self.refuse("async", deployment)


@pytest.mark.parametrize("error", [Refusal(429, "full"), RateLimitError("full", "openai", "a"), Refusal(503, "shut")])
def test_a_refused_deployment(up, logs, ask, error):
    """Is a try that has failed: another deployment is asked instead."""
    check = Check(error)
    logs(check)
    while ("async" if ask.is_async else "sync", "m", "id-a", threading.get_ident()) not in check.seen:
        assert ask(routed(up, "a", "b", num_retries=1)).model == "b"
    assert set(sent(up)) == {"b"}


def test_a_refusal_for_good(up, logs, ask):
    """What would be so anywhere is not tried again; nor is what has no status."""
    for error, kind in ((Refusal(400, "never"), BadRequestError), (ValueError("never"), ValueError)):
        check = Check(error)
        logs(check)
        with pytest.raises(kind, match="never"):
            ask(routed(up, "a", num_retries=2))
        assert len(check.seen) == 1
    assert not up.requests


def test_a_refused_deployment_gives_its_place_back(up, logs, ask):
    """G2: a refusal without a status, too."""
    router = Router(model_list=[entry(up, "a") | {"rpm": None}], num_retries=0, default_max_parallel_requests=1)
    for error in (ValueError("no"), Refusal(400, "no")):
        logs(Check(error))
        with pytest.raises((ValueError, BadRequestError), match="no"):
            ask(router)
    logs()
    assert ask(router).model == "a"


# --- around a try --------------------------------------------------------------------------------------------------------


class Around(CustomLogger):
    """Changes what is asked, and what is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    async def async_pre_call_deployment_hook(self, kwargs, call_type=None):
        self.seen.append((call_type, kwargs["model"], kwargs.get("model_info", {}).get("id")))
        kwargs["messages"][0]["content"] += "!"
        return {**kwargs, "top_p": 0.25, "api_base": "http://127.0.0.1:9/v1"}

    async def async_post_call_success_deployment_hook(self, request_data, response, call_type=None):
        self.seen.append((call_type, request_data["top_p"], type(response).__name__))
        response.choices[0].message.content = "edited"


def test_before_and_after_a_try(up, logs, ask):
    """F4: they change body and answer; the caller's own messages stay as they are, and no hook leads elsewhere."""
    around = Around()
    logs(around)
    answer = ask(routed(up, "a"))
    assert answer.choices[0].message.content == "edited"
    assert isinstance(answer, litellm.ModelResponse)
    assert up.requests[0].fields == {
        "model": "a", "messages": [{"role": "user", "content": "hi!"}], "top_p": 0.25
    }  # fmt: skip
    assert HI == [{"role": "user", "content": "hi"}]
    kind = "acompletion" if ask.is_async else "completion"
    assert around.seen == [(kind, "a", "id-a"), (kind, 0.25, "ModelResponse")]
    assert answer._hidden_params["model_id"] == "id-a"


def test_each_try_begins_anew(up, logs, ask):
    """What was changed for one deployment is not there for the next."""
    up.models["a"] = act.error(500)
    logs(Around())
    while "a" not in sent(up):
        up.requests.clear()
        ask(routed(up, "a", "b", num_retries=1))
    assert [request.fields["messages"][0]["content"] for request in up.requests] == ["hi!", "hi!"]


def test_streams_are_asked_otherwise_and_not_edited(up, logs):
    """An answer is only there when it has ended."""
    around = Around()
    logs(around)
    for chunk in routed(up, "a").completion("m", HI, stream=True):
        assert "edited" not in repr(chunk)
    assert up.requests[0].fields["top_p"] == 0.25
    assert len(around.seen) == 1


def test_without_a_router(up, logs):
    """There is no deployment to choose or to refuse, but a try there is."""
    around, asked = Around(), Check(ValueError("never"), "m")
    filtering, routing = Filter(), Route({"model": "b"})
    logs(around, asked, filtering, routing)
    answer = litellm.completion("openai/m", HI, api_base=up.base, api_key="sk-k")
    assert answer.choices[0].message.content == "edited"
    assert [first for first, *_ in around.seen] == ["completion"] * 2
    assert asked.seen == filtering.seen == routing.seen == []


# --- async_pre_routing_hook ----------------------------------------------------------------------------------------------


class Route(CustomLogger):
    def __init__(self, says: Any) -> None:
        super().__init__()
        self.says = says
        self.seen: list[Any] = []

    async def async_pre_routing_hook(self, model, request_kwargs, messages=None, **_):
        self.seen.append((model, messages, request_kwargs["metadata"]))
        return self.says


@pytest.mark.parametrize("says", [PreRoutingHookResponse(model="n", messages=OTHER), {"model": "n", "messages": OTHER}])
@pytest.mark.parametrize("name", ["m", "a name that nobody serves"])
def test_a_call_is_sent_elsewhere(up, logs, ask, says, name):
    """With other messages, and with the fallbacks and retries of where it goes."""
    up.models["b"] = act.error(500)
    route = Route(says)
    logs(route)
    entries = [entry(up, "a"), entry(up, "b", "n"), entry(up, "c", "last")]
    router = Router(model_list=entries, num_retries=1, fallbacks=[{"n": ["last"]}])
    assert ask(router, name, metadata={"who": "ada"}).model == "c"
    assert sent(up) == ["b", "b", "c"]
    assert all(request.fields["messages"] == OTHER for request in up.requests)
    assert route.seen == [(name, HI, {"who": "ada"})]


def test_none_changes_nothing(up, logs, ask):
    route = Route(None)
    logs(route)
    assert ask(routed(up, "a")).model == "a"
    with pytest.raises(BadRequestError, match="no healthy deployments for this model"):
        ask(routed(up, "a"), "nobody")
    assert len(route.seen) == 2


def test_sent_to_nobody(up, logs, ask):
    """O1."""
    logs(Route({"model": "nobody"}))
    with pytest.raises(BadRequestError, match="You passed in model=nobody"):
        ask(routed(up, "a"))


def test_own_access_stays_where_it_was_meant_for(up, logs, ask):
    """F5: a key that the caller brings for one group is not shown to another."""
    logs(Route({"model": "n"}))
    router = Router(model_list=[entry(up, "a"), entry(up, "b", "n")])
    with pytest.raises(BadRequestError, match="brings its own access"):
        ask(router, api_key="sk-own")
    assert not up.requests
