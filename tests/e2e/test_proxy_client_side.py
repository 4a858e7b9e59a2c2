"""C15, C16, F2, decision 4: what clients bring of their own. Their keys go where they are meant to go and are forgotten;
nothing of the administrator's goes to a place that a client chose."""

import asyncio
import functools
import gc
import json
import logging
import subprocess
import sys
from collections.abc import Mapping

import aiohttp
import pytest
from tests.e2e.asking import ASKED, ask
from tests.e2e.talk import CHAT, HI, KEY, Talk
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.processes import Gateway
from tests.suite.inprocess import ServedProxy, deployment

import litellm

OURS = "sk-canary-of-the-server"
THEIRS = "sk-canary-of-a-client"


@pytest.fixture(scope="module")
def elsewhere():
    with Upstream() as upstream:
        yield upstream


class Handler(litellm.CustomLLM):
    """Says which key it was given, and by which other ways."""

    async def acompletion(self, *args, **kwargs):
        found = {"api_key": kwargs["api_key"], "params": kwargs["litellm_params"]["api_key"]}
        return litellm.completion("openai/x", HI, mock_response=json.dumps(found))


def config_of(up, elsewhere, **general):
    def ours(name, model, **params):
        return deployment(name, model, **{"api_base": up.base, "api_key": OURS, **params})

    extra = {
        "extra_headers": {"x-ours": "canary-header"},
        "organization": "canary-org",
        "extra_body": {"top_k": "canary-top-k"},
    }
    return {
        "model_list": [
            ours("m", "openai/m", **extra),
            ours("pair", "openai/pair-1"),
            ours("pair", "openai/pair-2", api_base=elsewhere.base),
            ours("tagged", "openai/free", tags=["free"]),
            ours("tagged", "openai/paid", api_base=up.base + "/paid", tags=["paid"]),
            ours("azure", "azure/gpt", api_version="2024-01-01"),
            ours("shouting", "openai/s", extra_headers={"authorization": "Bearer canary-of-the-header"}),
            ours("by-password", "openai/p", api_base=up.base.replace("://", "://me:canary-password@"), api_key=None),
            ours("rescue", "openai/rescue"),
            ours("wild/*", "openai/*"),
            deployment("handled", "mine/x", api_key=OURS),
        ],
        "litellm_settings": {
            "num_retries": 0, "default_fallbacks": ["rescue"], "fallbacks": [{"m": ["rescue"]}],
            "context_window_fallbacks": [{"m": ["rescue"]}], "content_policy_fallbacks": [{"m": ["rescue"]}],
        },
        "router_settings": {"enable_tag_filtering": True},
        "general_settings": {"master_key": KEY, "client_side_hosts": [f"127.0.0.1:{elsewhere.port}"], **general},
    }  # fmt: skip


@pytest.fixture(scope="module")
def surroundings():
    """What the server has in its environment, to be given to nobody."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_AD_TOKEN", "GROQ_API_KEY"):
            patch.setenv(name, "sk-canary-of-the-environment")
        patch.setenv("OPENAI_ORGANIZATION", "canary-org-of-the-environment")
        yield patch


@pytest.fixture(scope="module")
def served(module_upstream, elsewhere, surroundings):
    with ServedProxy(config_of(module_upstream, elsewhere), handlers={"mine": Handler()}) as proxy:
        yield proxy


@pytest.fixture
def place(elsewhere, up):
    """The client's own server."""
    elsewhere.requests.clear()
    elsewhere.models.clear()
    elsewhere._next.clear()
    elsewhere.default = act.Behaviour()
    return elsewhere


@pytest.fixture
def talk(served, up, place):
    return Talk(served)


# --- a key of one's own, at the server's place ---------------------------------------------------------------------------


@pytest.mark.parametrize("what", ASKED)
def test_a_key_of_ones_own(talk, up, what):
    """C15: it is sent in place of the server's, once; whose account it is goes with it. The next request has the
    server's again."""
    assert ask(talk, what, api_key=THEIRS).status == 200
    assert ask(talk, what).status == 200
    own, next_one = up.requests
    assert own.headers["authorization"] == f"Bearer {THEIRS}"
    assert "openai-organization" not in own.headers
    assert own.headers["x-ours"] == "canary-header", "the place is the server's, and its headers belong to it"
    assert OURS not in str(own)
    assert THEIRS not in own.body.decode()
    assert next_one.headers["authorization"] == f"Bearer {OURS}"
    assert next_one.headers["openai-organization"] == "canary-org"


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        ("azure", "api-key", THEIRS),
        ("shouting", "authorization", f"Bearer {THEIRS}"),
        ("by-password", "authorization", f"Bearer {THEIRS}"),
        ("wild/any", "authorization", f"Bearer {THEIRS}"),
    ],
)
def test_wherever_the_servers_credential_stood(talk, up, model, name, value):
    """C15: the provider's own header, one that the deployment sets, or the address: it is replaced, never joined."""
    assert ask(talk, model=model, api_key=THEIRS).status == 200
    (seen,) = up.requests
    assert seen.headers[name] == value
    assert [header for header, said in seen.headers.items() if THEIRS in said] == [name]
    assert not {"canary-of-the-server", "canary-of-the-header", "canary-password"} & set(str(seen).split())
    assert OURS not in str(seen)


def test_a_version_of_ones_own(talk, up):
    """Decision 4: of an API that has versions; the key is the server's still. It cannot become another path or query."""
    assert ask(talk, model="azure", api_version="2030-01-01/../x?y=1&z#").status == 200
    (seen,) = up.requests
    assert seen.path == "/v1/openai/deployments/gpt/chat/completions"
    assert seen.query == "api-version=2030-01-01%2F..%2Fx%3Fy%3D1%26z%23"
    assert seen.headers["api-key"] == OURS


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_key_says_nothing(talk, up, empty):
    """Decision 3: an empty string counts as none."""
    assert ask(talk, api_key=empty).status == 200
    assert up.requests[0].headers["authorization"] == f"Bearer {OURS}"


def test_a_handlers_client(talk):
    """C16: a handler gets the client's key instead of the server's, wherever it looks; addresses are its own business."""
    answer = ask(talk, model="handled", api_key=THEIRS)
    assert json.loads(answer.text) == {"api_key": THEIRS, "params": THEIRS}
    refused = ask(talk, model="handled", api_key=THEIRS, api_base="https://example.com")
    assert (refused.status, refused.error["param"]) == (400, "api_base")


@pytest.mark.parametrize("retries", [0, 2])
def test_a_key_goes_to_one_address(talk, up, place, retries):
    """C15: a group may have deployments of several companies. Retries with a client's key stay where the first was."""
    up.default = act.error(503, retry_after=0)
    assert ask(talk, model="pair", api_key=THEIRS, num_retries=retries).status == 503
    assert len(up.requests) == retries + 1
    assert place.requests == []


def test_tags_come_before_the_address(talk, up):
    """C15: the address is that of a deployment that the request may use."""
    assert ask(talk, model="tagged", api_key=THEIRS, tags=["paid"]).status == 200
    assert up.requests[0].path == "/v1/paid/chat/completions"


# --- a place of one's own ------------------------------------------------------------------------------------------------


def unseen(seen):
    assert "canary-of-the-server" not in str(seen)
    assert "canary-of-the-environment" not in str(seen)
    assert not {name for name in seen.headers if name in ("x-ours", "openai-organization", "cookie")}
    assert b"canary-top-k" not in seen.body
    assert KEY not in str(seen)


@pytest.mark.parametrize("name", ["api_base", "base_url"])
@pytest.mark.parametrize("model", ["m", "wild/any", "openai/unlisted", "unlisted"])
@pytest.mark.parametrize("what", ASKED)
def test_a_place_of_ones_own(talk, up, place, what, model, name):
    """C16: key, address, model; of the deployment of that name only the upstream's model and its format."""
    answer = ask(talk, what, model=model, api_key=THEIRS, **{name: place.base})
    assert answer.status == 200, answer.body
    (seen,) = place.requests
    assert seen.path == ASKED[what][0]
    assert seen.headers["authorization"] == f"Bearer {THEIRS}"
    assert seen.fields["model"] == model.removeprefix("openai/").removeprefix("wild/")
    unseen(seen)
    assert up.requests == []


@pytest.mark.parametrize("model", ["azure", "azure/gpt"])
def test_an_azure_of_ones_own(talk, up, place, model):
    """Seed 003: api_key, api_base and api_version, for a model that is Azure's."""
    mine = {"api_key": THEIRS, "api_base": place.url, "api_version": "my-version"}
    assert ask(talk, model=model, **mine).status == 200
    (seen,) = place.requests
    assert (seen.path, seen.query) == ("/openai/deployments/gpt/chat/completions", "api-version=my-version")
    assert seen.headers["api-key"] == THEIRS
    assert "authorization" not in seen.headers
    unseen(seen)


def test_moderations_without_a_model(talk, place):
    """Moderations may lack a model, also at a client's own place."""
    answer = ask(talk, "moderations", model=..., api_key=THEIRS, api_base=place.base)
    assert answer.status == 200, answer.body
    assert "model" not in place.requests[0].fields
    unseen(place.requests[0])


@pytest.mark.parametrize("fields", [
    {"model": "m"}, {"model": "azure"}, {"model": "wild/x"}, {"model": "openai/unlisted"}, {"model": "groq/unlisted"},
    {"model": "unlisted"}, {"model": "m", "api_key": None}, {"model": "m", "api_key": " "},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("what", ASKED)
def test_an_address_needs_its_key(talk, up, place, what, fields):
    """C16: 400 before anything is sent, whatever the model."""
    answer = ask(talk, what, api_base=place.base, **fields)
    assert answer.status == 400
    assert answer.error["param"] == "api_base"
    assert "api_key" in answer.error["message"]
    assert (place.requests, up.requests) == ([], [])


def test_an_address_needs_its_key_without_a_model_too(talk, place):
    """C16: for moderations, and for each of several models."""
    answer = ask(talk, "moderations", model=..., api_base=place.base)
    assert (answer.status, answer.error["param"]) == (400, "api_base")
    several = ask(talk, model="m,azure", api_base=place.base)
    assert several.status == 400
    assert [part["error"]["param"] for part in several.json()] == ["api_base", "api_base"]
    assert place.requests == []


@pytest.mark.parametrize("base", [
    "http://127.0.0.1:{up}/v1", "http://localhost:{up}/v1", "http://[::1]:{up}/v1", "http://[::ffff:127.0.0.1]:{up}/v1",
    "http://2130706433:{up}/v1", "http://0x7f.1:{up}/v1", "http://127.1:{up}/v1", "http://0.0.0.0:{up}/v1",
    "HTTP://LOCALHOST:{up}/v1", "http://127.0.0.1:{up}#@api.openai.com/v1",
    "http://169.254.169.254/latest/meta-data", "http://[fe80::1]/v1", "http://10.0.0.1/v1", "http://192.168.1.1/v1",
    "https://100.100.100.200/v1", "http://\u2460\u2461\u2466.0.0.1/v1", "http://localhost\x00.example.com/v1",
])  # fmt: skip
@pytest.mark.parametrize("model", ["m", "openai/unlisted"])
def test_addresses_that_are_not_public(talk, up, place, base, model):
    """F2: 400 at the first try, in whatever spelling; nothing is heard there. net/guard has all of the table."""
    answer = ask(talk, model=model, api_key=THEIRS, num_retries=3, api_base=base.format(up=up.port))
    assert answer.status == 400, answer.body
    assert THEIRS not in answer.body.decode()
    assert (place.requests, up.requests) == ([], [])


@pytest.mark.parametrize(
    "base",
    [
        "mock://chat",
        "file:///etc/passwd",
        "ftp://example.com",
        "//example.com",
        "my-azure-base",
        "gopher://x",
        "unix:///run/x",
    ],
)
def test_addresses_that_are_no_urls(talk, base):
    """F2: http or https."""
    answer = ask(talk, api_key=THEIRS, api_base=base)
    assert (answer.status, answer.error["param"]) == (400, "api_base")
    assert "https://" in answer.error["message"]


@pytest.mark.parametrize("name", ["api_base", "base_url"])
@pytest.mark.parametrize(
    "base",
    [
        "http://me:{key}@{host}/v1",
        "http://{key}@{host}",
        "http://{host}/v1?key={key}",
        "http://{host}/v1?api-version=1&key={key}",
    ],
)
def test_addresses_that_hold_credentials(talk, place, name, base):
    """C15: addresses are shown and remembered, keys are not; so a key in one is refused, and not repeated."""
    answer = ask(talk, **{"api_key": "sk-other", name: base.format(key=THEIRS, host=f"127.0.0.1:{place.port}")})
    assert (answer.status, answer.error["param"]) == (400, name)
    assert "api_key" in answer.error["message"]
    assert THEIRS not in answer.body.decode()
    assert place.requests == []


def test_an_address_may_name_the_version(talk, place):
    """Seed 003: as Azure's portal shows it."""
    whole = f"{place.url}/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    assert ask(talk, model="azure", api_key=THEIRS, api_base=whole).status == 200
    (seen,) = place.requests
    assert (seen.path, seen.query) == ("/openai/deployments/gpt/chat/completions", "api-version=2024-10-21")


@pytest.mark.parametrize("what", ["chat", "chat streamed"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(talk, up, place, what, status):
    """F2: an address that was admitted cannot send us on."""
    place.default = act.redirect(up.base + "/chat/completions", status)
    assert ask(talk, what, api_key=THEIRS, api_base=place.base).status >= 400
    assert len(place.requests) == 1
    assert up.requests == []


@pytest.mark.parametrize("name", ["api_key", "api_base", "base_url", "api_version"])
def test_the_environment_is_not_looked_up(talk, up, place, name):
    """F2: `os.environ/` means something in the configuration alone; in a request it is a mistake, and said so."""
    answer = ask(talk, **{"api_key": THEIRS, "api_base": place.base, name: "os.environ/OPENAI_API_KEY"})
    assert (answer.status, answer.error["param"]) == (400, name)
    assert (place.requests, up.requests) == ([], [])


@pytest.mark.parametrize("value", [1, True, ["x"], {"x": "y"}])
@pytest.mark.parametrize("name", ["api_key", "api_base", "base_url", "api_version", "user_config"])
def test_values_of_another_type(talk, up, name, value):
    """F1: 400 that names the field."""
    if name == "user_config" and isinstance(value, dict):
        value = []
    answer = ask(talk, **{name: value})
    assert (answer.status, answer.error["param"]) == (400, name)
    assert up.requests == []


@pytest.mark.parametrize("key", ["two\nlines", "漢字", "x\r\nhost: evil"])
def test_a_key_that_is_no_header(talk, up, key):
    """F1: 400, which does not repeat it."""
    answer = ask(talk, api_key=key)
    assert answer.status == 400
    assert "evil" not in answer.body.decode()
    assert "lines" not in answer.body.decode()
    assert up.requests == []


# --- fallbacks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [
    act.error(500), act.error(401), act.error(400, "This model's maximum context length is 8 tokens.", code="context_length_exceeded"),
    act.error(400, "The response was filtered", code="content_filter"),
], ids=["500", "401", "too long", "filtered"])  # fmt: skip
@pytest.mark.parametrize("own", ["a key", "a place", "a place, unlisted", "a version"])
def test_the_servers_fallbacks_are_on_its_own_account(talk, up, place, failure, own):
    """C15, R2: whoever brings an account does not go on, unasked, with the server's."""
    up.default = place.default = failure
    mine = {"api_key": THEIRS, "api_base": place.base} if "place" in own else {"api_key": THEIRS}
    mine = {"api_version": "v"} if own == "a version" else mine
    answer = ask(talk, model="openai/unlisted" if "unlisted" in own else "m", **mine)
    assert answer.status == failure.say.status
    assert len(up.requests) + len(place.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [act.error(500), act.error(400, "maximum context length", code="context_length_exceeded")],
    ids=["500", "too long"],
)
@pytest.mark.parametrize("model", ["m", "openai/unlisted"])
def test_fallbacks_that_the_client_names(talk, up, place, model, failure):
    """C15: they are the server's groups, on its account: the client's key does not go there."""
    place.default = failure
    answer = ask(talk, model=model, api_key=THEIRS, api_base=place.base, fallbacks=["rescue"])
    assert answer.status == 200, answer.body
    assert answer.headers["x-litellm-model-group"] == "rescue"
    assert answer.json()["model"] == "rescue"
    (seen,) = up.requests
    assert seen.headers["authorization"] == f"Bearer {OURS}"
    assert THEIRS not in str(seen)


def test_a_clients_wrong_key_is_not_the_deployments_fault(talk, up):
    """C14: others go on being served."""
    for _ in range(5):
        up.next(act.error(401))
        assert ask(talk, model="pair", api_key=THEIRS).status == 401
    assert {ask(talk, model="pair").status for _ in range(20)} == {200}


# --- what the administrator allows ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict(module_upstream, elsewhere, surroundings):
    """A gateway that takes nothing, but for some deployments something."""
    config = config_of(module_upstream, elsewhere, allow_client_side_credentials=False)

    def with_rules(name, rules):
        return deployment(
            name, "openai/m", api_base=module_upstream.base, api_key=OURS, configurable_clientside_auth_params=rules
        )

    config["model_list"] += [
        with_rules("key", ["api_key"]),
        with_rules("place", ["api_key", {"api_base": rf"http://127\.0\.0\.1:{elsewhere.port}/.*"}]),
        with_rules("only-place", ["api_base"]),
    ]
    with ServedProxy(config, handlers={"mine": Handler()}) as proxy:
        yield proxy


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("name", ["api_key", "api_base", "base_url", "api_version", "user_config"])
def test_all_of_it_can_be_turned_off(strict, up, place, what, name):
    """Decision 4: 400 that names the field, for groups and all else."""
    for model in ("m", "openai/unlisted"):
        answer = ask(
            Talk(strict), what, model=model, **{name: {"model_list": []} if name == "user_config" else place.base}
        )
        assert answer.status == 400
        assert answer.error["param"] in (name, "api_base")
        assert "not allowed" in answer.error["message"]
    assert (place.requests, up.requests) == ([], [])


def test_a_deployment_may_take_what_others_do_not(strict, up, place):
    """C16, configurable_clientside_auth_params: names, or names with a pattern; the rule about keys holds all the same."""
    talk = Talk(strict)
    assert ask(talk, model="key", api_key=THEIRS).status == 200
    assert up.requests[0].headers["authorization"] == f"Bearer {THEIRS}"
    up.requests.clear()
    assert ask(talk, model="place", api_key=THEIRS, api_base=place.base).status == 200
    unseen(place.requests[0])
    place.requests.clear()
    refused = [
        ask(talk, model="key", api_key=THEIRS, api_base=place.base),
        ask(talk, model="place", api_key=THEIRS, api_base="https://api.example.com/v1"),
        ask(talk, model="place", api_key=THEIRS, api_base=f"https://evil.example/?http://127.0.0.1:{place.port}/"),
        ask(talk, model="place", api_base=place.base),
        ask(talk, model="only-place", api_base=place.base),
    ]
    assert [(answer.status, answer.error["param"]) for answer in refused] == [(400, "api_base")] * 5
    answer = ask(talk, model="only-place", api_key=THEIRS, api_base=place.base)
    assert (answer.status, answer.error["param"]) == (400, "api_key")
    assert (place.requests, up.requests) == ([], [])


def test_a_pattern_holds_where_all_is_allowed_too(module_upstream, elsewhere, up, place):
    """configurable_clientside_auth_params says less than the switch, for its deployment."""
    config = config_of(module_upstream, elsewhere)
    config["model_list"][0]["litellm_params"]["configurable_clientside_auth_params"] = [{"api_base": "https://a/.*"}]
    with ServedProxy(config, handlers={"mine": Handler()}) as proxy:
        assert ask(Talk(proxy), api_key=THEIRS, api_base=place.base).status == 400
        assert ask(Talk(proxy), model="rescue", api_key=THEIRS, api_base=place.base).status == 200


# --- many at once --------------------------------------------------------------------------------------------------------

TENANTS, AT_ONCE = 50, 500


async def crowd(served, place, count):
    """Requests at once, by turns of a tenant with a key, one with a place, and somebody with neither. Each tells whose it
    is in `user`."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        served.url, connector=connector, headers={"authorization": f"Bearer {KEY}"}
    ) as http:

        async def one(number):
            tenant = f"tenant-{number % TENANTS}"
            mine = [{"api_key": f"sk-canary-{tenant}"}, {"api_key": f"sk-canary-{tenant}", "api_base": place.base}, {}]
            body = {"model": "m", "messages": HI, "stream": bool(number % 2), "user": tenant, **mine[number % 3]}
            async with http.post(CHAT, json=body) as response:
                text = await response.text()
                assert response.status == 200, text
                assert "canary-tenant" not in text + str(response.headers)

        await asyncio.gather(*(one(number) for number in range(count)))


def test_each_key_on_its_own_requests(served, up, place):
    """C15: 500 at once, of 50 tenants and of nobody; every request upstream has exactly the key of its own, and who sends
    none afterwards gets the server's."""
    asyncio.run(crowd(served, place, AT_ONCE))
    assert len(up.requests) + len(place.requests) == AT_ONCE
    for seen in (*up.requests, *place.requests):
        tenant = f"Bearer sk-canary-{seen.fields['user']}"
        assert seen.headers["authorization"] in (tenant, f"Bearer {OURS}")
    keyless = [seen for seen in up.requests if OURS in seen.headers["authorization"]]
    assert len(keyless) == len([number for number in range(AT_ONCE) if number % 3 == 2])
    assert not [seen for seen in place.requests if OURS in str(seen)]
    up.requests.clear()
    talk = Talk(served)
    assert all(ask(talk).status == 200 for _ in range(10))
    assert {seen.headers["authorization"] for seen in up.requests} == {f"Bearer {OURS}"}


@functools.cache
def held_cache():
    """One of the kind to look for."""


def held(proxy):
    """Every text that can be reached from what a gateway has built and from our caches, by way of the collector; but for
    users' configurations, which are kept on purpose."""
    caches = [
        item for item in gc.get_objects() if type(item) is type(held_cache) and item.__module__.startswith("litellm")
    ]
    seen = {
        id(proxy.user_configs),
        *(id(vars(module)) for module in [*sys.modules.values()] if hasattr(module, "__dict__")),
    }
    left = [proxy, *caches]
    while left:
        item = left.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, str | bytes | bytearray):
            yield item if isinstance(item, str) else bytes(item).decode("latin-1")
        elif not isinstance(item, type | type(gc) | logging.Logger):
            left += gc.get_referents(item)
            if isinstance(item, Mapping):
                left += [*item.keys(), *item.values()]


MISHAPS = (
    act.answer(), act.error(500, f"you sent {THEIRS}"), act.hang_up(), act.answer(checks=(act.refuse_stream_options,)), act.cut(),
)  # fmt: skip


def test_nothing_of_a_clients_stays(served, up, place, caplog):
    """C15, F5: not in what the gateway holds, nor in its log at DEBUG, nor in what others can ask it."""
    canary, talk = "sk-canary-that-must-not-stay", Talk(served)
    params = {"model": "openai/x", "api_key": canary}
    config = {"model_list": [{"model_name": "mine", "litellm_params": params}], "num_retries": 0}
    with caplog.at_level(logging.DEBUG, "LiteLLM"):
        for what in ASKED:
            for mine in ({}, {"api_base": place.base}):
                params |= {"api_base": place.base, **mine}
                for mishap in MISHAPS:
                    up.default = place.default = mishap
                    ours = ask(talk, what, api_key=canary, **mine)
                    configured = ask(talk, what, model="mine", user_config=config)
                    assert canary not in str(ours) + str(configured)
    assert canary not in caplog.text
    for path in ("/v1/models", "/v1/models/m", "/health/readiness"):
        assert "canary" not in talk.get(path).body.decode()
    up.requests.clear()
    place.requests.clear()
    gc.collect()
    texts = list(held(served.state))
    assert any(OURS in text for text in texts), "or this looks in the wrong place"
    assert not [text for text in texts if canary in text]


# --- the real process ----------------------------------------------------------------------------------------------------


def test_curl_and_the_log_at_debug(module_upstream, up, place):
    """F5, seed 003: as it is printed, by curl; a gateway that logs all that it does does not log keys."""
    config = config_of(module_upstream, place)
    del config["model_list"][-1]
    with Gateway(json.dumps(config), args=["--debug", "--host", "127.0.0.1"]) as gateway:
        for mine in ({"api_key": THEIRS}, {"api_key": THEIRS, "api_base": place.base}):
            sent = json.dumps({"model": "m", "messages": HI, **mine})
            command = ["curl", "-sS", "--fail", gateway.url + CHAT, "-H", f"Authorization: Bearer {KEY}", "-d", sent]
            told = subprocess.run(command, capture_output=True, check=True, timeout=10)
            assert json.loads(told.stdout)["choices"]
        up.default = act.error(401, f"Incorrect API key provided: {THEIRS}")
        assert THEIRS not in ask(Talk(gateway), api_key=THEIRS).body.decode()
    assert up.requests[0].headers["authorization"] == f"Bearer {THEIRS}"
    assert place.requests[0].headers["authorization"] == f"Bearer {THEIRS}"
    assert "canary" not in gateway.stderr
