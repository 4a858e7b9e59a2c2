"""C13, C14, seed 003: a client's whole configuration in a request. It works as printed there, reaches nothing of the
server's, and leaves nothing behind."""

import asyncio
import gc
import json
import socket

import aiohttp
import openai
import pytest
from tests.e2e.asking import ASKED, ask
from tests.e2e.talk import CHAT, HI, KEY, Talk
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.processes import Gateway
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm.router.routing import Routing
from litellm.types.router import RouterConfig

AZURE, OPENAI = "canary-of-the-clients-azure", "sk-canary-of-the-clients-openai"
OURS = "sk-canary-of-the-server"


@pytest.fixture(scope="module")
def azure():
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def second():
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def place(azure, second, up):
    """The client's Azure and its OpenAI, as good as new."""
    for each in (azure, second):
        each.requests.clear()
        each.models.clear()
        each._next.clear()
        each.default = act.Behaviour()
    return azure, second


def config_of(up, *hosts, **general):
    return {
        "model_list": [
            deployment("m", "openai/m", api_base=up.base, api_key=OURS),
            deployment("gpt-3.5-turbo", "openai/m", api_base=up.base, api_key=OURS),
            deployment("handled", "mine/x", api_key=OURS),
        ],
        "litellm_settings": {"default_fallbacks": ["m"]},
        "general_settings": {
            "master_key": KEY, "client_side_hosts": [f"127.0.0.1:{host.port}" for host in hosts], **general
        },
    }  # fmt: skip


class Handler(litellm.CustomLLM):
    """The server's own code, which no client's configuration reaches."""


@pytest.fixture(scope="module")
def surroundings():
    """What the server has in its environment, to be given to nobody."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_AD_TOKEN", "GROQ_API_KEY", "HOSTED_VLLM_API_KEY"):
            patch.setenv(name, "sk-canary-of-the-environment")
        yield


@pytest.fixture(scope="module")
def served(module_upstream, azure, second, surroundings):
    with ServedProxy(config_of(module_upstream, azure, second), handlers={"mine": Handler()}) as proxy:
        yield proxy


@pytest.fixture
def talk(served, place):
    return Talk(served)


def as_printed(azure, second, environ):
    """The configuration of the seed, with an address for its second model, too."""
    return {
        "model_list": [
            {
                "model_name": "user-azure-instance",
                "litellm_params": {
                    "model": "azure/chatgpt-v-2",
                    "api_key": environ.get("AZURE_API_KEY"),
                    "api_version": environ.get("AZURE_API_VERSION"),
                    "api_base": environ.get("AZURE_API_BASE"),
                    "timeout": 10,
                },
                "tpm": 240000,
                "rpm": 1800,
            },
            {
                "model_name": "user-openai-instance",
                "litellm_params": {
                    "model": "gpt-3.5-turbo",
                    "api_key": environ.get("OPENAI_API_KEY"),
                    "api_base": second.base,
                    "timeout": 10,
                },
                "tpm": 240000,
                "rpm": 1800,
            },
        ],
        "num_retries": 2,
        "allowed_fails": 3,
        "fallbacks": [{"user-azure-instance": ["user-openai-instance"]}],
    }


def environ_of(azure):
    """What the client, and nobody else, has in its environment."""
    return {
        "AZURE_API_KEY": AZURE, "AZURE_API_VERSION": "2023-07-01-preview", "AZURE_API_BASE": azure.url,
        "OPENAI_API_KEY": OPENAI,
    }  # fmt: skip


@pytest.fixture
def printed(place):
    return as_printed(*place, environ_of(place[0]))


def place_config(upstream, **params):
    """A configuration of one model at the client's place."""
    params = {"model": "openai/x", "api_base": upstream.base, "api_key": OPENAI, **params}
    return {"model_list": [{"model_name": "mine", "litellm_params": params}], "num_retries": 0}


def test_a_key_that_is_missing_is_asked_for_where_it_belongs(talk):
    """F5: a client is not told to set something in the server's environment."""
    config = {"model_list": [{"model_name": "mine", "litellm_params": {"model": "groq/llama"}}]}
    answer = talk.chat(model="mine", user_config=config)
    assert answer.status == 401
    assert "no API key for groq: pass api_key=…" in answer.error["message"]
    assert "GROQ_API_KEY" not in answer.body.decode()


@pytest.mark.parametrize("what", ASKED)
def test_a_model_that_is_not_in_it(talk, place, what):
    """It says which ones are."""
    answer = ask(talk, what, model="other", user_config=place_config(place[0]))
    assert answer.status == 400
    assert answer.error["param"] == "model"
    assert "model=other is not in the user_config, which has mine" in answer.error["message"]


# --- as printed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ASKED)
def test_as_printed(talk, up, place, printed, what):
    """Seed 003: to Azure, as Azure wants it; every operation, streamed and not."""
    model = "user-openai-instance" if what == "moderations" else "user-azure-instance"
    answer = ask(talk, what, model=model, user_config=printed)
    assert answer.status == 200, answer.body
    azure, second = place
    if what == "moderations":
        assert second.requests[0].headers["authorization"] == f"Bearer {OPENAI}"
        return
    (seen,) = azure.requests
    operation = "/embeddings" if what == "embeddings" else "/chat/completions"  # text goes there too, translated
    assert seen.path == "/openai/deployments/chatgpt-v-2" + operation
    assert seen.query == "api-version=2023-07-01-preview"
    assert seen.headers["api-key"] == AZURE
    assert "authorization" not in seen.headers
    assert "user_config" not in seen.fields
    assert OPENAI not in str(seen)
    models = {event["model"] for event in answer.events} if "streamed" in what else {answer.json()["model"]}
    assert models == {"user-azure-instance"}, "decision 5"
    assert (second.requests, up.requests) == ([], [])


def test_as_a_router_config(talk, place, printed):
    """Seed 003: "You can pass a litellm.RouterConfig as user_config", with the nulls of all that it does not say."""
    config = RouterConfig(**printed).model_dump()
    assert config["retry_after"] is config["model_list"][0]["model_info"]["mode"] is None
    answer = ask(talk, model="user-azure-instance", user_config=config)
    assert answer.status == 200, answer.body
    (seen,) = place[0].requests
    assert seen.headers["api-key"] == AZURE


@pytest.mark.parametrize("what", [what for what in ASKED if what != "moderations"])
def test_failing_over_to_the_clients_own_fallback(talk, up, place, printed, what):
    """Seed 003: the second model of the list takes over, with its own key; the server's groups have no part in it."""
    azure, second = place
    azure.default = act.error(503, retry_after=0)
    answer = ask(talk, what, model="user-azure-instance", user_config=printed | {"num_retries": 0})
    assert answer.status == 200, answer.body
    assert answer.headers["x-litellm-model-group"] == "user-openai-instance"
    assert [seen.headers["authorization"] for seen in second.requests] == [f"Bearer {OPENAI}"]
    assert AZURE not in str(second.requests)
    second.default = act.error(500, retry_after=0)
    failed = ask(talk, what, model="user-azure-instance", user_config=printed | {"num_retries": 0})
    assert failed.status == 500
    assert up.requests == [], "the server's default_fallbacks are not the client's"


def test_openais_client_with_the_real_process(module_upstream, up, place, printed):
    """Seed 003: as it is printed, by the client that it is printed for, and a server that has no AZURE_* variables."""
    azure, _ = place
    config = config_of(module_upstream, *place)
    del config["model_list"][-1]
    with Gateway(json.dumps(config), args=["--debug", "--host", "127.0.0.1"]) as gateway:
        with openai.OpenAI(api_key=KEY, base_url=gateway.url) as client:
            response = client.chat.completions.create(
                model="user-azure-instance",
                messages=[{"role": "user", "content": "this is a test request, write a short poem"}],
                extra_body={"user_config": printed},
            )
            assert response.model == "user-azure-instance"
            assert response.choices[0].message.content == "Hello from upstream."
            azure.default = act.error(500, retry_after=0)
            chunks = client.chat.completions.create(
                model="user-azure-instance",
                messages=HI,
                stream=True,
                extra_body={"user_config": printed | {"num_retries": 0}},
            )
            assert {chunk.model for chunk in chunks} == {"user-openai-instance"}
            vectors = client.embeddings.create(
                model="user-openai-instance", input=["hi"], extra_body={"user_config": printed}
            )
            assert len(vectors.data[0].embedding) == 4
    assert "canary" not in gateway.stderr, "F5"
    assert "Traceback" not in gateway.stderr


# --- what it must not reach ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unset", ["AZURE_API_KEY", "AZURE_API_BASE", "OPENAI_API_KEY"])
def test_variables_that_the_client_has_not_set(talk, up, place, unset):
    """Seed 003, C13: os.getenv gave None: 400 or 401 that says what is missing; the server's own takes no one's place."""
    azure, second = place
    environ = environ_of(azure)
    del environ[unset]
    model = "user-openai-instance" if "OPENAI" in unset else "user-azure-instance"
    config = as_printed(azure, second, environ) | {"fallbacks": []}
    answer = ask(talk, model=model, user_config=config)
    assert answer.status in (400, 401)
    assert "api_base" in answer.error["message"] or "api_key" in answer.error["message"]
    assert (azure.requests, second.requests, up.requests) == ([], [], [])


@pytest.mark.parametrize(
    "model", ["gpt-3.5-turbo", "openai/x", "azure/x", "groq/x", "hosted_vllm/x", "text-embedding-ada-002"]
)
@pytest.mark.parametrize("key", [..., None, ""])
def test_a_model_without_a_key(talk, up, place, model, key):
    """C13: the server's environment has one for it, and keeps it."""
    params = {"model": model} | ({} if key is ... else {"api_key": key})
    answer = ask(talk, model="mine", user_config={"model_list": [{"model_name": "mine", "litellm_params": params}]})
    assert answer.status in (400, 401), answer.body
    assert "canary" not in answer.body.decode()
    assert [upstream.requests for upstream in (*place, up)] == [[], [], []]


@pytest.mark.parametrize("params", [
    {"api_key": None}, {"api_key": ""}, {"model": "azure/x", "api_key": None}, {"model": "hosted_vllm/x", "api_key": None},
], ids=str)  # fmt: skip
def test_an_address_needs_its_key(talk, place, params):
    """C16, also in here."""
    assert ask(talk, model="mine", user_config=place_config(place[1], **params)).status == 400
    assert place[1].requests == []


@pytest.mark.parametrize(
    "base",
    [
        "http://127.0.0.1:{up}/v1",
        "http://localhost:{up}/v1",
        "http://169.254.169.254/v1",
        "http://0x7f.1:{up}/v1",
        "http://10.0.0.1",
    ],
)
def test_addresses_that_are_not_public(talk, up, place, base):
    """F2, also in here."""
    answer = ask(talk, model="mine", user_config=place_config(up, api_base=base.format(up=up.port)))
    assert answer.status == 400, answer.body
    assert up.requests == []


def test_redirects_are_not_followed(talk, up, place):
    """F2, also in here."""
    place[1].default = act.redirect(up.base + "/chat/completions")
    assert ask(talk, model="mine", user_config=place_config(place[1])).status >= 400
    assert up.requests == []


@pytest.mark.parametrize("model", ["m", "gpt-3.5-turbo", "handled", "openai/x", "user-azure"])
def test_the_servers_names_are_not_in_it(talk, up, place, model):
    """C13: what is asked for has to be in the list that came with it, also as a fallback."""
    answer = ask(talk, model=model, user_config=place_config(place[1]))
    assert answer.status in (200, 400)
    assert answer.status == 400 or model == "openai/x", "the model of the client's own deployment"
    place[1].default = act.error(500)
    assert ask(talk, model="mine", user_config=place_config(place[1]), fallbacks=["m"]).status == 400
    assert up.requests == []


FORBIDDEN = {
    "litellm_params": {
        "mock_response": "x", "mock_delay": 1, "extra_headers": {"a": "b"}, "headers": {"a": "b"}, "extra_body": {}, "ssl_verify": False,
        "ssl_certificate": "/etc/passwd", "client": {}, "azure_ad_token": "x", "aws_access_key_id": "x", "vertex_credentials": "/etc/passwd",
        "langfuse_host": "http://x", "use_litellm_proxy": True, "litellm_credential_name": "x", "model_list": [], "unheard_of": 1,
        "configurable_clientside_auth_params": ["api_base"], "api_key_file": "/etc/passwd",
    },
    "entry": {"unheard_of": 1, "user_config": {}, "callbacks": []},
    "model_info": {"unheard_of": 1, "path": "/etc/passwd"},
    "config": {
        "redis_host": "x", "redis_url": "redis://x", "cache_responses": True, "cache_kwargs": {}, "client_ttl": 1, "polling_interval": 1,
        "set_verbose": True, "debug_level": "DEBUG", "assistants_config": {}, "alerting_config": {}, "default_litellm_params": {},
        "router_general_settings": {}, "optional_pre_call_checks": [], "provider_budget_config": {}, "callbacks": ["x"],
        "success_callback": ["langfuse"], "include": ["/etc/passwd"], "environment_variables": {"OPENAI_API_KEY": "x"},
        "general_settings": {}, "litellm_settings": {}, "custom_provider_map": [], "user_config": {}, "unheard_of": 1,
        "model_group_retry_policy": {"m": {}},
    },
}  # fmt: skip


@pytest.mark.parametrize(("where", "name"), [(where, name) for where, names in FORBIDDEN.items() for name in names])
def test_what_it_cannot_say(talk, up, place, where, name):
    """C13: a strict schema. No files, callbacks, caches, Redis, headers or certificates; 400 that names the word."""
    config = place_config(place[1])
    entry = config["model_list"][0]
    part = {"litellm_params": entry["litellm_params"], "entry": entry, "config": config}
    part.get(where, entry.setdefault("model_info", {}))[name] = FORBIDDEN[where][name]
    answer = ask(talk, model="mine", user_config=config)
    assert (answer.status, answer.error["param"]) == (400, "user_config")
    assert name in answer.error["message"]
    assert "canary" not in answer.error["message"]
    assert place[1].requests == []


@pytest.mark.parametrize("path", [("api_key",), ("api_base",), ("model",), ("organization",), ("stop",), ("tools", 0)])
def test_the_environment_is_not_looked_up(talk, place, path):
    """F2: at no depth, under no name."""
    value = "os.environ/OPENAI_API_KEY" if len(path) == 1 else ["os.environ/OPENAI_API_KEY"]
    answer = ask(talk, model="mine", user_config=place_config(place[1], **{path[0]: value}))
    assert (answer.status, answer.error["param"]) == (400, "user_config")
    assert "os.environ/" in answer.error["message"]
    assert place[1].requests == []


@pytest.mark.parametrize("config", [
    {}, {"model_list": None}, {"model_list": []}, {"model_list": {}}, {"model_list": ["m"]}, {"model_list": [{}]},
    {"model_list": [{"model_name": "mine"}]}, {"model_list": [{"model_name": "mine", "litellm_params": {}}]},
    {"model_list": [{"model_name": "mine", "litellm_params": {"model": "mine/x", "api_key": "k"}}]},
    {"model_list": [{"model_name": "mine", "litellm_params": {"model": "no-such-provider/x", "api_key": "k"}}]},
    {"model_list": [{"model_name": "mine", "litellm_params": {"model": "groq/x", "api_key": "k"}}], "num_retries": 10**9},
    {"model_list": [{"model_name": "mine", "litellm_params": {"model": "groq/x", "api_key": "k"}}], "num_retries": "2"},
    {"model_list": [{"model_name": "mine", "litellm_params": {"model": "groq/x", "api_key": "k"}}], "fallbacks": [{"mine": ["m"]}]},
    {"model_list": [{"model_name": "mine", "litellm_params": {"model": "groq/x", "api_key": "k"}}] * 1000},
    {"model_list": [{"model_name": "mine", "litellm_params": {"model": "groq/x", "api_key": "k", "user": "x" * 200_000}}]},
], ids=lambda config: str(config)[:60])  # fmt: skip
def test_what_makes_no_sense(talk, up, config):
    """C13: 400 that says where; the server's handlers and groups are unknown here."""
    answer = ask(talk, model="mine", user_config=config)
    assert answer.status == 400, answer.body
    assert answer.error["param"] == "user_config"
    assert up.requests == []


@pytest.mark.parametrize("depth", [100, 700, 900, 950, 975, 990])
def test_what_is_nested_deeply(talk, place, depth):
    """C13: is read, or refused; our own limits are no error of ours."""
    nested = "[" * depth + "]" * depth
    config = json.dumps(place_config(place[1], tools=["deep"])).replace('"deep"', nested)
    answer = talk.post(f'{{"model": "mine", "messages": {json.dumps(HI)}, "user_config": {config}}}')
    assert answer.status in (200, 400), answer.body
    assert answer.status == 200 or answer.error["param"] in ("user_config", "request_body")


def test_patterns_that_take_forever(talk, place):
    """C13: names with many stars are compared in exponential time, on the loop that serves everybody. One star will do."""
    config = place_config(place[1])
    config["model_list"][0]["model_name"] = "*a*a*a*a*a*b"
    answer = ask(talk, model="mine", user_config=config)
    assert (answer.status, answer.error["param"]) == (400, "user_config")
    config["model_list"][0]["model_name"] = "my-*"
    assert ask(talk, model="my-own", user_config=config).status == 200


@pytest.mark.parametrize("name", ["api_key", "api_base", "base_url", "api_version"])
def test_other_credentials_beside_it(talk, place, name):
    """C16: it is not guessed which of the two is meant."""
    value = place[1].base if "base" in name else "sk-x"
    answer = ask(talk, model="mine", user_config=place_config(place[1]), **{name: value})
    assert (answer.status, answer.error["param"]) == (400, "user_config")
    assert place[1].requests == []


def test_a_gateway_of_one_model(module_upstream, up, place, surroundings):
    """`litellm --model` answers to every name, but not to those of a client's own configuration."""
    config = config_of(module_upstream, *place, completion_model="m")
    with ServedProxy(config, handlers={"mine": Handler()}) as proxy:
        assert ask(Talk(proxy), model="whatever").status == 200
        assert len(up.requests) == 1
        assert ask(Talk(proxy), model="mine", user_config=place_config(place[1])).status == 200
        assert ask(Talk(proxy), model="m", user_config=place_config(place[1])).status == 400
    assert (len(up.requests), len(place[1].requests)) == (1, 1)


# --- several callers -----------------------------------------------------------------------------------------------------


def admits_two(tmp_path):
    """A gateway whose callers have keys of their own."""
    (tmp_path / "who.py").write_text(
        "from litellm.proxy._types import UserAPIKeyAuth\n\n\n"
        "async def custom_auth(request, api_key):\n"
        "    return UserAPIKeyAuth(api_key=api_key, models=['m'] if api_key == 'sk-limited' else [])\n",
        encoding="utf-8",
    )
    return tmp_path


@pytest.fixture
def with_callers(module_upstream, place, surroundings, tmp_path):
    config = config_of(module_upstream, *place, custom_auth="who.custom_auth")
    with ServedProxy(config, handlers={"mine": Handler()}, folder=admits_two(tmp_path)) as proxy:
        yield proxy


def test_callers_do_not_see_each_other(with_callers, place):
    """C14: the same configuration of two callers; what rests for one is there for the other."""
    _, second = place
    config = place_config(second, model="openai/bad")
    config["model_list"].append({"model_name": "mine", "litellm_params": {
        "model": "openai/good", "api_base": second.base, "api_key": OPENAI, "order": 2,
    }})  # fmt: skip
    config |= {"cooldown_time": 600, "allowed_fails": 0}
    second.models["bad"] = act.error(500, retry_after=0)
    one, two = Talk(with_callers, "sk-one"), Talk(with_callers, "sk-two")

    def asked(talk):
        second.requests.clear()
        ask(talk, model="mine", user_config=config)
        return [seen.fields["model"] for seen in second.requests]

    assert asked(one) == ["bad"]
    assert asked(one) == ["good"], "the bad one rests for him"
    assert asked(two) == ["bad"], "and not for her"
    assert asked(one) == ["good"]


def test_limits_of_callers_are_their_own(with_callers, place):
    """C14: one a minute each, not one a minute for both."""
    config = place_config(place[1])
    config["model_list"][0]["rpm"] = 1
    one, two = Talk(with_callers, "sk-one"), Talk(with_callers, "sk-two")
    assert [ask(talk, model="mine", user_config=config).status for talk in (one, one, two, two)] == [200, 429, 200, 429]


def test_a_callers_list_of_models_is_about_the_servers(with_callers, place):
    """R2: what a key may ask of the server says nothing about names in the client's own configuration."""
    limited = Talk(with_callers, "sk-limited")
    assert ask(limited, model="gpt-3.5-turbo").status == 403
    config = place_config(place[1])
    config["model_list"].append({**config["model_list"][0], "model_name": "other"})
    assert ask(limited, model="mine", user_config=config).status == 200
    place[1].next(act.error(500))
    answer = ask(limited, model="mine", user_config=config, fallbacks=["other"])
    assert answer.headers["x-litellm-model-group"] == "other"


# --- many ----------------------------------------------------------------------------------------------------------------

MANY = 1500  # more are in tests/unit/proxy/test_user_configs.py, without a gateway around them
SAMPLES = 500  # of them, before memory is looked at for the first time


async def flood(served, first, last):
    """Configurations that differ in a number."""
    async with aiohttp.ClientSession(served.url, headers={"authorization": f"Bearer {KEY}"}) as http:

        async def some(numbers):
            for number in numbers:
                params = {"model": "mock/chat", "api_key": f"sk-tenant-{number}", "seed": number}
                config = {"model_list": [{"model_name": "mine", "litellm_params": params}]}
                async with http.post(CHAT, json={"model": "mine", "messages": HI, "user_config": config}) as response:
                    assert response.status == 200, await response.text()

        await asyncio.gather(*(some(range(first + turn, last, 8)) for turn in range(8)))


def alive():
    """How many objects there are, and how many of them are routings."""
    gc.collect()
    objects = gc.get_objects()
    return len(objects), sum(1 for each in objects if type(each) is Routing)


def test_memory_stays_flat(served, up, place):
    """C13: whatever is sent, nothing of it piles up: configurations that are all different."""
    asyncio.run(flood(served, 0, SAMPLES))
    objects, routings = alive()
    asyncio.run(flood(served, SAMPLES, MANY))
    objects_then, routings_then = alive()
    assert routings_then == routings
    assert objects_then <= objects + 500


@pytest.mark.parametrize(
    "text", ["a\r\nSet-Cookie: b=1", "a\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK", "a\nX-B: 1", "a\rb", "a\0b"]
)
def test_no_text_in_it_leaves_its_line_of_a_header(served, place, text):
    """Whichever of its texts are told to the client in headers of the answer."""
    azure, _ = place
    params = {"model": "openai/x" + text, "api_base": f"{azure.base}/{text}", "api_key": "k"}
    entry = {"model_name": "mine" + text, "litellm_params": params, "model_info": {"id": "id" + text}}
    body = json.dumps({"model": "mine" + text, "messages": HI, "user_config": {"model_list": [entry]}}).encode()
    top = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client:
        client.sendall(top.encode() + body)
        answer = client.makefile("rb").read()
    head = answer.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
    assert head.startswith(b"HTTP/1.1 200 ")
    assert not {b"set-cookie", b"x-b"} & set(names)
    assert names.count(b"content-length") == 1
    assert not {b"\n", b"\r", b"\0"} & {head.replace(b"\r\n", b"")[at : at + 1] for at in range(len(head))}
