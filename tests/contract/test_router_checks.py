"""Router's checks before a call, and routing strategies of one's own, by what reaches the upstream."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from pydantic import BaseModel
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.suite.inprocess import deployment

from litellm.exceptions import BadRequestError, UnsupportedParamsError
from litellm.router import Router
from litellm.types.router import CustomRoutingStrategyBase

HI = [{"role": "user", "content": "hi"}]


def entry(up: Upstream, model: str, info: Any = None, **params: Any) -> dict[str, Any]:
    made = deployment("m", f"openai/{model}", api_base=up.base, api_key="k", **params)
    return made | {"model_info": info} if info else made


# --- regions -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
def test_a_call_stays_in_its_region(up, is_async):
    """And neither word reaches the upstream."""
    router = Router(
        model_list=[entry(up, "a", region_name="eastus"), entry(up, "b", region_name="francecentral"), entry(up, "c")]
    )
    words = {"allowed_model_region": "eu"}
    for _ in range(6):
        answer = asyncio.run(router.acompletion("m", HI, **words)) if is_async else router.completion("m", HI, **words)
        assert answer.model == "b"
    assert all(request.fields.keys() == {"model", "messages"} for request in up.requests)
    found = router.get_available_deployment("m", HI, request_kwargs={"allowed_model_region": "us"})
    assert found["litellm_params"]["region_name"] == "eastus"


def test_retries_and_fallbacks_stay_there(up):
    """A failure is no reason to leave."""
    up.models["a"] = act.error(500)
    elsewhere = deployment("other", "openai/other", api_base=up.base, api_key="k")
    entries = [entry(up, "a", region_name="eu"), entry(up, "b", region_name="us"), elsewhere]
    router = Router(model_list=entries, num_retries=0, fallbacks=[{"m": ["other"]}])
    with pytest.raises(Exception, match="InternalServerError|no deployment of other is in the region 'eu'"):
        router.completion("m", HI, allowed_model_region="eu")
    assert [request.fields["model"] for request in up.requests] == ["a"]


def test_a_fallback_may_name_a_region(up):
    """In its table; but it cannot take a call out of the caller's own."""
    up.models["first"] = act.error(500)
    first = deployment("first", "openai/first", api_base=up.base, api_key="k", region_name="us")
    entries = [first, entry(up, "a", region_name="eu"), entry(up, "b", region_name="us"), entry(up, "c")]
    to = [{"first": [{"model": "m", "allowed_model_region": "eu"}]}]
    router = Router(model_list=entries, num_retries=0, fallbacks=to)
    assert {router.completion("first", HI).model for _ in range(8)} == {"a"}
    assert {router.completion("first", HI, allowed_model_region="us").model for _ in range(8)} == {"b"}
    up.models.clear()


@pytest.mark.parametrize("region", ["mars", "", 5, ["eu"]], ids=repr)
def test_no_such_region(up, region):
    """O1."""
    router = Router(model_list=[entry(up, "a", region_name="eu")])
    with pytest.raises(BadRequestError, match='allowed_model_region must be "eu" or "us", not ') as raised:
        router.completion("m", HI, allowed_model_region=region)
    assert raised.value.param == "allowed_model_region"
    assert not up.requests


# --- answers by a schema -------------------------------------------------------------------------------------------------


class Weather(BaseModel):
    city: str


@pytest.mark.parametrize("wanted", [Weather, {"type": "json_schema", "json_schema": {"name": "w", "schema": {}}}])
def test_a_schema_goes_to_who_can(up, wanted):
    """Also as a pydantic class. What is left is sent as it was."""
    entries = [entry(up, "a", {"supports_response_schema": False}), entry(up, "gpt-audio"), entry(up, "gpt-4o")]
    router = Router(model_list=entries, enable_pre_call_checks=True)
    assert {router.completion("m", HI, response_format=wanted).model for _ in range(8)} == {"gpt-4o"}
    assert all(request.fields["response_format"]["type"] == "json_schema" for request in up.requests)
    assert "enable_pre_call_checks" not in up.requests[0].fields
    found = router.get_available_deployment("m", HI, request_kwargs={"response_format": wanted})
    assert found["litellm_params"]["model"] == "openai/gpt-4o"


def test_a_schema_that_nobody_follows(up):
    """O1."""
    router = Router(model_list=[entry(up, "a", {"supports_response_schema": False})], enable_pre_call_checks=True)
    with pytest.raises(UnsupportedParamsError, match="no deployment of m answers by a JSON schema"):
        router.completion("m", HI, response_format=Weather)
    assert not up.requests


# --- a strategy of one's own ---------------------------------------------------------------------------------------------


class Remembered(CustomRoutingStrategyBase):
    """Takes the deployment whose model it is told; the awaited method says so when `goes_on` is set."""

    def __init__(self, router: Router, model: str) -> None:
        self.router, self.wanted = router, f"openai/{model}"
        self.goes_on: asyncio.Event | None = None
        self.seen: list[Any] = []

    async def async_get_available_deployment(self, model: str, *args: Any, **kwargs: Any) -> Any:
        self.seen.append((threading.get_ident(), kwargs["messages"], kwargs["request_kwargs"].get("temperature")))
        if self.goes_on is not None:
            await self.goes_on.wait()
        return next(
            each for each in self.router.get_model_list(model) if each["litellm_params"]["model"] == self.wanted
        )


def test_an_async_strategy_does_not_stop_the_loop(up):
    """It waits for something on the caller's own loop, which goes on meanwhile."""
    router = Router(model_list=[entry(up, "a"), entry(up, "b")])
    strategy = Remembered(router, "b")
    router.set_custom_routing_strategy(strategy)

    async def ask() -> str:
        strategy.goes_on = asyncio.Event()
        call = asyncio.ensure_future(router.acompletion("m", HI, temperature=0.5))
        while not strategy.seen:
            await asyncio.sleep(0)
        strategy.goes_on.set()  # which could not be reached, if the call held the loop
        return (await asyncio.wait_for(call, 30)).model

    assert asyncio.run(ask()) == "b"
    assert strategy.seen == [(threading.get_ident(), HI, 0.5)]


def test_an_async_strategy_can_be_cancelled(up):
    """O9: the caller goes away while it waits; nothing is sent, and nothing stays taken."""
    router = Router(model_list=[entry(up, "a", max_parallel_requests=1)])
    strategy = Remembered(router, "a")
    router.set_custom_routing_strategy(strategy)

    async def go_away() -> None:
        strategy.goes_on = asyncio.Event()
        call = asyncio.ensure_future(router.acompletion("m", HI))
        while not strategy.seen:
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(go_away())
    assert not up.requests
    strategy.goes_on = None
    assert router.completion("m", HI).model == "a"


class Both(CustomRoutingStrategyBase):
    """Has an answer in one world, or in both."""

    def __init__(self, router: Router, sync: int | None, awaited: int | None) -> None:
        self.router, self.sync, self.awaited = router, sync, awaited

    def get_available_deployment(self, model: str, *args: Any, **kwargs: Any) -> Any:
        return None if self.sync is None else self.router.get_model_list(model)[self.sync]

    async def async_get_available_deployment(self, model: str, *args: Any, **kwargs: Any) -> Any:
        return None if self.awaited is None else self.router.get_model_list(model)[self.awaited]


@pytest.mark.parametrize(
    ("sync", "awaited", "wanted"),
    [(0, 1, ("a", "b")), (0, None, ("a", "a")), (None, 1, ("b", "b"))],
)
def test_which_of_the_two_methods_is_asked(up, sync, awaited, wanted):
    """The one of the call's world; the other one where that leaves the choice."""
    router = Router(model_list=[entry(up, name) for name in "abc"])
    router.set_custom_routing_strategy(Both(router, sync, awaited))
    found = router.completion("m", HI).model, asyncio.run(router.acompletion("m", HI)).model
    assert found == wanted
    first = (
        router.get_available_deployment("m", HI),
        asyncio.run(router.async_get_available_deployment("m", messages=HI)),
    )
    assert tuple(each["litellm_params"]["model"].removeprefix("openai/") for each in first) == wanted


def test_a_strategy_that_decides_nothing(up):
    """Leaves it to routing_strategy; and what it raises, the caller gets."""
    router = Router(model_list=[entry(up, "a", weight=1), entry(up, "b", weight=0)])
    router.set_custom_routing_strategy(Both(router, None, None))
    assert router.completion("m", HI).model == asyncio.run(router.acompletion("m", HI)).model == "a"
    router.set_custom_routing_strategy(Both(router, 5, 5))
    with pytest.raises(IndexError):
        asyncio.run(router.acompletion("m", HI))
    with pytest.raises(IndexError):
        router.completion("m", HI)


@pytest.mark.parametrize("stop", [asyncio.CancelledError, SystemExit])
def test_a_strategy_that_stops_everything(up, stop):
    """What it raises is raised in a call that is not async, too, whatever it is."""

    class Stops(CustomRoutingStrategyBase):
        async def async_get_available_deployment(self, model: str, *args: Any, **kwargs: Any) -> Any:
            raise stop

    router = Router(model_list=[entry(up, "a")])
    router.set_custom_routing_strategy(Stops())
    with pytest.raises(stop):
        router.completion("m", HI)
    assert up.requests == []


def test_a_strategy_cannot_lead_out_of_the_region(up, caplog):
    """It chooses among those that the call may use."""
    router = Router(model_list=[entry(up, "a", region_name="us"), entry(up, "b", region_name="eu")])
    router.set_custom_routing_strategy(Both(router, 0, 0))
    assert router.completion("m", HI).model == "a"
    assert router.completion("m", HI, allowed_model_region="eu").model == "b"
    assert "which is no deployment of m that this call may use" in caplog.text


def test_a_strategy_is_asked_for_the_fallbacks_too(up):
    """Once for each group that the call goes to."""
    up.models["a"] = act.error(500)
    other = deployment("other", "openai/b", api_base=up.base, api_key="k")
    router = Router(model_list=[entry(up, "a"), other], num_retries=1, retry_after=0, fallbacks=[{"m": ["other"]}])
    asked: list[str] = []

    class Asked(CustomRoutingStrategyBase):
        async def async_get_available_deployment(self, model: str, *args: Any, **kwargs: Any) -> Any:
            asked.append(model)

    router.set_custom_routing_strategy(Asked())
    assert asyncio.run(router.acompletion("m", HI)).model == "b"
    assert asked == ["m", "other"]
