"""Through the proxy: the region that a request or a key is held to, and response_format."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.suite.doors import HI, Reply, request
from tests.suite.inprocess import ServedProxy, deployment

CHAT = "/v1/chat/completions"
SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}


def ask(proxy: ServedProxy, **fields: Any) -> Reply:
    return request(proxy, "POST", CHAT, json.dumps({"model": "m", "messages": HI, **fields}))


def error(reply: Reply) -> Any:
    return json.loads(reply.body)["error"]


def served(up: Any, *places: str | None, info: Any = ({}, {}, {}), general: Any = None, **settings: Any) -> ServedProxy:
    """A group "m" of m0, m1, … in these regions."""
    entries = []
    for at, place in enumerate(places):
        params = {} if place is None else {"region_name": place}
        made = deployment("m", f"openai/m{at}", api_base=up.base, api_key="k", **params)
        entries.append(made | {"model_info": info[at]})
    config = {"model_list": entries, "router_settings": {"num_retries": 0, **settings}}
    return ServedProxy(config | ({"general_settings": general} if general else {}))


@pytest.mark.parametrize("checks", [False, True])
def test_a_request_stays_in_its_region(up, checks):
    """As a field of the body; the upstream sees nothing of it."""
    with served(up, "swedencentral", "us-east-1", None, enable_pre_call_checks=checks) as proxy:
        for region, model in (("eu", "m0"), ("us", "m1")):
            for _ in range(5):
                assert ask(proxy, allowed_model_region=region).headers["x-litellm-model-name"] == model
        assert ask(proxy, allowed_model_region=None).status == 200
    assert all(seen.fields.keys() == {"model", "messages"} for seen in up.requests)


def test_what_is_wrong_with_a_region(up):
    """O1: a 400 that says so, before anything is sent."""
    with served(up, None) as proxy:
        for region, said in (
            ("eu", "no deployment of m is in the region 'eu' (allowed_model_region)"),
            ("mars", 'allowed_model_region must be "eu" or "us", not \'mars\''),
            ({"a": 1}, 'allowed_model_region must be "eu" or "us", not dict'),
        ):
            reply = ask(proxy, allowed_model_region=region)
            assert (reply.status, error(reply)["param"]) == (400, "allowed_model_region")
            assert said in error(reply)["message"]
    assert not up.requests


def test_a_place_of_ones_own_is_in_no_region(up):
    """C13: nobody can say where a client's address is. Its key alone changes no place."""
    general = {"allow_client_side_credentials": True, "client_side_hosts": ["127.0.0.1"]}
    with served(up, "us", "eu", general=general) as proxy:
        reply = ask(proxy, allowed_model_region="eu", api_base=up.base, api_key="mine")
        assert (reply.status, error(reply)["param"]) == (400, "api_base")
        assert not up.requests
        assert ask(proxy, allowed_model_region="eu", api_key="mine").headers["x-litellm-model-name"] == "m1"
    assert up.requests[0].headers["authorization"] == "Bearer mine"


FIRST, SECOND = "m0", "m1"
LIMITS = {  # what keeps a request from the first deployment of the group → the models' info, the settings, the request
    "no room for the prompt": (({"max_input_tokens": 1}, {}), {"enable_pre_call_checks": True}, {}),
    "no answers by a schema": (
        ({"supports_response_schema": False}, {}), {"enable_pre_call_checks": True}, {"response_format": SCHEMA},
    ),
    "elsewhere": (({}, {}), {}, {"allowed_model_region": "eu"}),
    "both": (({"max_input_tokens": 1}, {}), {"enable_pre_call_checks": True}, {"allowed_model_region": "eu"}),
    "another tag": (({}, {}), {"enable_tag_filtering": True}, {"tags": ["second"]}),
}  # fmt: skip


@pytest.mark.parametrize("key", [{}, {"api_key": "mine"}], ids=["the server's key", "a client's key"])
@pytest.mark.parametrize("limit", LIMITS)
def test_a_key_of_ones_own_goes_where_the_checks_let_the_request(up, limit, key):
    """The one address that it is meant for is that of a deployment that may be used."""
    info, settings, fields = LIMITS[limit]
    entries = [
        deployment(
            "m", f"openai/m{at}", api_base=f"{up.base}/{at}", api_key="k", region_name=("us", "eu")[at],
            tags=["first", "second"][at:at + 1],
        ) | {"model_info": info[at]}
        for at in range(2)
    ]  # fmt: skip
    with ServedProxy({"model_list": entries, "router_settings": {"num_retries": 0, **settings}}) as proxy:
        for _ in range(3):
            reply = ask(proxy, **fields, **key)
            assert (reply.status, reply.headers.get("x-litellm-model-name")) == (200, SECOND), reply.body
    assert {seen.headers["authorization"] for seen in up.requests} == {f"Bearer {key.get('api_key', 'k')}"}


def test_schemas(up):
    """enable_pre_call_checks, and what model_info says."""
    no, yes = {"supports_response_schema": False}, {"supports_response_schema": True}
    with served(up, None, None, info=(no, yes), enable_pre_call_checks=True) as proxy:
        assert {ask(proxy, response_format=SCHEMA).headers["x-litellm-model-name"] for _ in range(8)} == {"m1"}
    up.requests.clear()
    with served(up, None, info=(no,), enable_pre_call_checks=True) as proxy:
        reply = ask(proxy, response_format=SCHEMA)
        assert (reply.status, error(reply)["param"]) == (400, "response_format")
        assert "no deployment of m answers by a JSON schema" in error(reply)["message"]
        assert ask(proxy, response_format={"type": "json_object"}).status == 200
    assert [seen.fields["response_format"] for seen in up.requests] == [{"type": "json_object"}]
