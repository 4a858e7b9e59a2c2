"""Must R3: num_retries=n is n+1 requests at every door; what cannot get better is not tried again; waiting has limits."""

from __future__ import annotations

import time

import pytest
from tests.fakes import behaviour as act
from tests.suite.doors import Failure, ProxyRaw, request, text_of
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm.exceptions import InternalServerError, RateLimitError

RETRIED = (408, 409, 429, 500, 502, 503, 504, 529)
NEVER = (400, 401, 402, 403, 404, 405, 413, 415, 422, 451)


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_r3_exactly_n_plus_one(door, up, streamed, limit):
    """R3: at every door, streamed or not; nobody else retries as well."""
    up.default = act.error(500)
    with pytest.raises(Failure) as told:
        door.ask(streamed=streamed, num_retries=limit)
    assert told.value.status == 500
    assert len(up.requests) == limit + 1


def test_r3_two_by_default(door, up, streamed):
    """R3, decision 9: three requests when nothing was said."""
    up.default = act.error(503)
    with pytest.raises(Failure) as told:
        door.ask(streamed=streamed)
    assert told.value.status == 503
    assert len(up.requests) == 3


def test_r3_max_retries_is_another_name(door, up):
    """R3: openai's word for it means the same."""
    up.default = act.error(500)
    with pytest.raises(Failure):
        door.chat(max_retries=1)
    assert len(up.requests) == 2


@pytest.mark.parametrize("status", RETRIED)
@pytest.mark.parametrize("name", ["sdk", "asdk", "proxy"])
def test_r3_retried(house, up, name, streamed, status):
    """R3: 408, 409, 429 and every 5xx may get better."""
    up.next(act.error(status))
    assert text_of(house.doors[name].ask(streamed=streamed)) == "Hello from upstream."
    assert len(up.requests) == 2


@pytest.mark.parametrize("status", NEVER)
@pytest.mark.parametrize("name", ["sdk", "asdk", "proxy"])
def test_r3_never_retried(house, up, name, streamed, status):
    """R3: any other 4xx is final."""
    up.default = act.error(status)
    with pytest.raises(Failure) as told:
        house.doors[name].ask(streamed=streamed, num_retries=3)
    assert told.value.status == status
    assert len(up.requests) == 1


def test_r3_text_does_not_overrule_status(door, up):
    """R3, decision 8: a 400 that speaks of rate limits is still a 400, a 500 that speaks of bad requests still a 500."""
    up.next(act.error(400, "rate limit", type="invalid_request_error"))
    with pytest.raises(Failure) as told:
        door.chat()
    assert (told.value.status, len(up.requests)) == (400, 1)
    up.next(act.error(500, "invalid_request_error: bad request", type="invalid_request_error"))
    assert text_of(door.chat()) == "Hello from upstream."


def gaps(up):
    """Seconds from each request to the next."""
    times = [seen.started for seen in up.requests]
    return [later - earlier for earlier, later in zip(times, times[1:], strict=False)]


@pytest.mark.parametrize("name", ["sdk", "asdk", "proxy"])
def test_r3_the_latest_retry_after_counts(house, up, name, streamed):
    """R3: each wait is at least what the answer before it asked for; not what the first one did."""
    up.next(act.error(429), act.error(429, retry_after=0.25), act.error(503, retry_after=0.1))
    assert text_of(house.doors[name].ask(streamed=streamed, num_retries=3)) == "Hello from upstream."
    first, second, third = gaps(up)
    assert first < 0.25
    assert 0.25 <= second
    assert 0.1 <= third < second


@pytest.mark.parametrize("headers", [{"retry-after-ms": "200"}, {"Retry-After": "0.2"}])
def test_r3_retry_after_in_its_spellings(house, up, headers):
    """R3: OpenAI's own header in milliseconds, and HTTP's."""
    up.next(act.error(429, headers=headers))
    house.doors["sdk"].chat()
    assert gaps(up)[0] >= 0.2


@pytest.mark.parametrize("retry_after", [2, 30, 3600, "Fri, 31 Dec 2199 23:59:59 GMT"])
def test_r3_the_deadline_is_not_slept_over(door, up, retry_after):
    """R3: with less time left than the upstream asks for, the caller learns it at once, and from which answer."""
    up.default = act.error(429, retry_after=retry_after)
    started = time.monotonic()
    with pytest.raises(Failure) as told:
        door.chat(timeout=1)
    assert time.monotonic() - started < 1
    assert told.value.status == 429
    assert len(up.requests) == 1


def test_r3_nobody_waits_for_an_hour(door, up):
    """R3: a Retry-After beyond a minute is told to the caller instead of being waited for."""
    up.default = act.error(429, retry_after=3600)
    with pytest.raises(Failure):
        door.chat()
    assert len(up.requests) == 1


@pytest.mark.parametrize("nonsense", ["soon", "-5", "", "1e99", "NaN", "٣"])
def test_r3_nonsense_is_no_retry_after(house, up, nonsense):
    """R3: what cannot be read is not there."""
    up.next(act.error(429, headers={"retry-after": nonsense.encode().decode("latin-1")}))
    started = time.monotonic()
    assert text_of(house.doors["sdk"].chat()) == "Hello from upstream."
    assert time.monotonic() - started < 1


def test_r3_retry_after_is_passed_on(proxy_door, up):
    """R3: a client that retries by itself learns how long to wait."""
    up.default = act.error(429, retry_after=17)
    reply = request(proxy_door.proxy, "POST", "/v1/chat/completions",
                    '{"model": "m", "messages": [], "num_retries": 0}')  # fmt: skip
    assert (reply.status, reply.headers["retry-after"]) == (429, "17")


def test_r3_the_answer_says_how_often(proxy_door, up):
    """R3: how many tries it took is in a header, and in the SDK's hidden parameters."""
    up.next(act.error(500), act.error(500))
    answer = proxy_door.post(num_retries=3)
    assert [answer.headers[f"x-litellm-{what}-retries"] for what in ("attempted", "max")] == ["2", "3"]
    assert proxy_door.post(num_retries=0, stream=True).headers["x-litellm-max-retries"] == "0"
    up.next(act.error(500))
    answer = litellm.completion("openai/m", [{"role": "user", "content": "hi"}], api_base=up.base)
    assert answer._hidden_params["additional_headers"]["x-litellm-attempted-retries"] == 1


def test_r3_the_error_says_how_often(up):
    """R3: LiteLLM's words for it."""
    up.default = act.error(500)
    with pytest.raises(InternalServerError, match=r"LiteLLM Retried: 2 times, LiteLLM Max Retries: 2") as told:
        litellm.completion("openai/m", [{"role": "user", "content": "hi"}], api_base=up.base)
    assert (told.value.num_retries, told.value.max_retries) == (2, 2)


@pytest.mark.parametrize("sync", [True, False])
async def test_r3_module_setting(up, monkeypatch, sync):
    """R3: litellm.num_retries is the default, and 0 is a number."""
    monkeypatch.setattr(litellm, "num_retries", 0)
    up.default = act.error(429)
    place = {"model": "openai/m", "messages": [{"role": "user", "content": "hi"}], "api_base": up.base}
    with pytest.raises(RateLimitError):
        litellm.completion(**place) if sync else await litellm.acompletion(**place)
    assert len(up.requests) == 1


SETTINGS = {
    "litellm_settings": ({"litellm_settings": {"num_retries": 1}}, {}, 2),
    "router_settings": ({"router_settings": {"num_retries": 0}}, {}, 1),
    "router over litellm": ({"router_settings": {"num_retries": 1}, "litellm_settings": {"num_retries": 4}}, {}, 2),
    "deployment over both": ({"router_settings": {"num_retries": 4}}, {"max_retries": 0}, 1),
    "deployment, LiteLLM's other word": ({"router_settings": {"num_retries": 4}}, {"num_retries": 0}, 1),
}


@pytest.mark.parametrize("where", SETTINGS)
def test_r3_configuration(up, where):
    """R3: one layer, configured in one of several places; the client's own word stands over all."""
    settings, params, wanted = SETTINGS[where]
    up.default = act.error(500)
    config = {"model_list": [deployment("m", "openai/m", api_base=up.base, **params)], **settings}
    with ServedProxy(config) as proxy:
        with pytest.raises(Failure):
            ProxyRaw(proxy).chat()
        assert len(up.requests) == wanted
        up.requests.clear()
        with pytest.raises(Failure):
            ProxyRaw(proxy).chat(num_retries=2)
        assert len(up.requests) == 3
        up.requests.clear()
        with pytest.raises(Failure):
            ProxyRaw(proxy).chat(headers={"x-litellm-num-retries": "1"})
        assert len(up.requests) == 2


def test_r3_another_deployment_is_tried_at_once(up, streamed):
    """R3: where there are several, a retry goes to one that was not tried, without waiting."""
    models = [f"d{number}" for number in range(4)]
    up.models |= {model: act.error(429, retry_after=20) for model in models[:3]}
    config = {"model_list": [deployment("m", f"openai/{model}", api_base=up.base) for model in models]}
    started = time.monotonic()
    with ServedProxy(config) as proxy:
        for _ in range(3):
            up.requests.clear()
            assert text_of(ProxyRaw(proxy).ask(streamed=streamed, num_retries=3)) == "Hello from upstream."
            tried = [seen.fields["model"] for seen in up.requests]
            assert len(set(tried)) == len(tried)
            assert tried[-1] == "d3"
    assert time.monotonic() - started < 5
