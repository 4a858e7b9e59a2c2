"""`general_settings.custom_auth`, a function of the administrator's that says who is calling."""

import asyncio
import contextlib
import hashlib
import json
import socket
import sys
import threading

import msgspec
import pytest
from fastapi import HTTPException
from tests.e2e.talk import HI, KEY, Talk
from tests.fakes import behaviour as act
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm.proxy._types import ProxyException
from litellm.proxy.auth.authenticator import is_guarded
from litellm.proxy.config import ConfigError

AUTH = """
from fastapi import Request
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import UserAPIKeyAuth

does = {}


async def asynchronous(request: Request, api_key: str) -> UserAPIKeyAuth:
    answer = does["auth"](request, api_key)
    return await answer if hasattr(answer, "__await__") else answer


def synchronous(request: Request, api_key: str) -> UserAPIKeyAuth:
    return does["auth"](request, api_key)


class Callable:
    async def __call__(self, request, api_key):
        return does["auth"](request, api_key)


class Watcher(CustomLogger):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        does["watch"](user_api_key_dict)


instance, watcher, text = Callable(), Watcher(), "a text"
"""


def serve(folder, up, function="asynchronous", mode="on", key=KEY, clients=False, **sections):
    (folder / "my_auth.py").write_text(AUTH, encoding="utf-8")
    config = {
        "model_list": [deployment(name, f"openai/{name}", api_base=up.base) for name in ("m", "n", "other", "team/*")],
        "litellm_settings": {"num_retries": 0, "fallbacks": [{"m": ["other", "n"]}], **sections},
        "general_settings": {"custom_auth": f"my_auth.{function}", "custom_auth_settings": {"mode": mode}},
    }
    if clients:
        config["general_settings"] |= {"allow_client_side_credentials": True, "client_side_hosts": ["127.0.0.1"]}
    return ServedProxy(config, folder=folder, master_key=key)


@pytest.fixture(scope="module")
def gateway(module_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("auth")
    with serve(folder, module_upstream, callbacks=["my_auth.watcher"]) as proxy:
        proxy.does = sys.modules["my_auth"].does  # other configurations of this module bring a my_auth of their own
        yield proxy


@pytest.fixture(scope="module")
def gateways(module_upstream, tmp_path_factory):
    """One for each kind of function, and what its function does."""
    with contextlib.ExitStack() as served:
        kept = {}

        def of(function):
            if function not in kept:
                folder = tmp_path_factory.mktemp("auth")
                proxy = served.enter_context(serve(folder, module_upstream, function))
                kept[function] = proxy, sys.modules["my_auth"].does
            return kept[function]

        yield of


@contextlib.contextmanager
def leaving(proxy):
    """A request under way; call what it gives to be gone."""
    with socket.create_connection(("127.0.0.1", proxy.port)) as line:
        body = json.dumps({"model": "m", "messages": HI}).encode()
        line.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        yield line.close


@pytest.fixture
def does(gateway):
    gateway.does.clear()
    gateway.does["watch"] = lambda caller: None
    return gateway.does


@pytest.fixture
def talk(gateway, up):
    return Talk(gateway, "sk-of-ada")


def known(**fields):
    from litellm.proxy._types import UserAPIKeyAuth

    return UserAPIKeyAuth(**fields)


def raising(error):
    def auth(request, api_key):
        raise error

    return auth


# --- who may come in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["asynchronous", "synchronous", "instance"])
def test_functions_of_each_kind(up, tmp_path, function):
    with serve(tmp_path, up, function) as proxy:
        does = sys.modules["my_auth"].does
        does["auth"] = lambda request, api_key: known(user_id=api_key)
        assert Talk(proxy, "sk-of-ada").chat().status == 200
        does["auth"] = raising(Exception("not you"))
        answer = Talk(proxy, "sk-of-ada").chat()
        assert (answer.status, answer.error["message"]) == (401, "Authentication Error, not you")


@pytest.mark.parametrize("said", [known(user_id="ada"), {"user_id": "ada"}, known(), {}])
def test_who_is_let_in(talk, does, said):
    does["auth"] = lambda request, api_key: said
    assert talk.chat().status == 200
    assert talk.get("/v1/models").status == 200


@pytest.mark.parametrize(("said", "status"), [(KEY, 200), ("sk-wrong", 401), ("", 401)])
def test_a_text_is_a_key(talk, does, said, status):
    """It is looked at like one that a client shows."""
    does["auth"] = lambda request, api_key: said
    assert talk.chat().status == status


@pytest.mark.parametrize("said", [None, True, 7, ["ada"], {"models": 7, "user_id": "the secret value"}, b"sk-1"])
def test_what_says_nothing_keeps_out(talk, up, does, said, caplog):
    does["auth"] = lambda request, api_key: said
    answer = talk.chat()
    assert answer.status == 401
    assert "no usable answer" in answer.error["message"]
    assert "custom_auth: " in caplog.text
    assert "secret value" not in caplog.text
    assert up.requests == []


class Likeness(Exception):
    """As a ProxyException: its attributes are all that is known of it."""

    def __init__(self, code):
        self.message, self.type, self.param, self.code = "go away", "my_error", "None", code


REFUSALS = {
    "plain": (Exception("no key of ours"), 401, "no key of ours", "auth_error"),
    "HTTPException": (HTTPException(403, "not today"), 403, "not today", "permission_error"),
    "its detail a dict": (HTTPException(402, {"error": "pay first"}), 402, "pay first", "billing_error"),
    "ProxyException": (ProxyException("go away", "my_error", None, 429), 429, "go away", "my_error"),
    "what is like it": (Likeness(429), 429, "go away", "my_error"),
    "its code a text": (Likeness("403"), 403, "go away", "my_error"),
    "a secret in it": (Exception("no sk-abcdefghijklmnopqrstuvwxyz"), 401, "no **********", "auth_error"),
}


@pytest.mark.parametrize(("error", "status", "message", "kind"), REFUSALS.values(), ids=REFUSALS)
def test_refusing(talk, up, does, error, status, message, kind):
    does["auth"] = raising(error)
    answer = talk.chat()
    assert (answer.status, answer.error["message"]) == (status, f"Authentication Error, {message}")
    assert answer.error["type"] == kind
    assert talk.get("/v1/models").status == status
    assert up.requests == []


class OfALibrary(Exception):
    """What a driver of a database makes of its own troubles."""


INSIDES = "postgres://admin:pw@db.internal:5432/keys"
FAILURES = {
    "ConnectionError": ConnectionError(INSIDES),
    "ValueError": ValueError(INSIDES),
    "KeyError": KeyError(INSIDES),
    "PermissionError": PermissionError(13, "denied", INSIDES),
    "AssertionError": AssertionError(INSIDES),
    "RuntimeError": RuntimeError(INSIDES),
    "a library's": OfALibrary(INSIDES),
    "an HTTPException that refuses nothing": HTTPException(200, INSIDES),
    "an upstream's": litellm.APIConnectionError(INSIDES, "openai", "m"),
    "StopIteration": StopIteration(INSIDES),
    "a group": ExceptionGroup("several", [OSError(INSIDES)]),
    "sys.exit": SystemExit(INSIDES),
    "KeyboardInterrupt": KeyboardInterrupt(INSIDES),
    "GeneratorExit": GeneratorExit(INSIDES),
    "CancelledError": asyncio.CancelledError(INSIDES),
    "BaseException": BaseException(INSIDES),
    "a group of those": BaseExceptionGroup("several", [SystemExit(INSIDES)]),
}


@pytest.mark.parametrize("error", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("function", ["asynchronous", "synchronous"])
def test_a_failing_function_tells_a_stranger_nothing(gateways, up, function, error, caplog):
    """Whatever it raises that was not made to refuse: the caller is kept out, the cause is in the log, the server lives."""
    proxy, does = gateways(function)
    does["auth"] = raising(error)
    for answer in (Talk(proxy, "sk-of-ada").chat(), Talk(proxy, "sk-of-ada").get("/v1/models")):
        assert (answer.status, answer.error["message"]) == (
            401, "Authentication Error, the server's custom_auth failed; its log has the details"
        )  # fmt: skip
        assert "internal" not in answer.body.decode() + repr(answer.headers)
    assert "custom_auth failed: " in caplog.text
    assert type(error).__name__ in caplog.text
    assert up.requests == []
    does["auth"] = lambda request, api_key: known()
    assert Talk(proxy, "sk-of-ada").chat().status == 200


def test_a_failing_function_leaves_the_master_key_its_way_in(up, tmp_path):
    with serve(tmp_path, up, mode="auto") as proxy:
        sys.modules["my_auth"].does["auth"] = raising(SystemExit(1))
        assert Talk(proxy, KEY).chat().status == 200
        assert Talk(proxy, "sk-wrong").chat().status == 401


def test_a_client_that_leaves_cancels_the_function(gateway, does):
    """Its own end is one thing, the end of the request another: the function is told when nobody waits any more."""
    began, ended = threading.Event(), threading.Event()

    async def auth(request, api_key):
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    does["auth"] = auth
    with leaving(gateway) as leave:
        assert began.wait(10)
        leave()
        assert ended.wait(10)


def test_a_blocked_key(talk, does):
    does["auth"] = lambda request, api_key: known(blocked=True)
    assert talk.chat().status == 401


def test_probes_need_no_key(talk, does):
    does["auth"] = raising(Exception("nobody"))
    assert talk.get("/health/liveliness").status == 200


@pytest.mark.parametrize(
    ("mode", "key", "auth", "shown", "status"),
    [
        ("on", KEY, raising(Exception("no")), KEY, 401),
        ("auto", KEY, raising(Exception("no")), KEY, 200),
        ("auto", KEY, raising(Exception("no")), "sk-wrong", 401),
        ("auto", KEY, lambda request, api_key: known(), "sk-wrong", 200),
        ("auto", None, raising(Exception("no")), "sk-any", 401),
        ("on", None, lambda request, api_key: api_key, "sk-any", 401),
        ("on", None, lambda request, api_key: known(), "sk-any", 200),
        ("off", KEY, lambda request, api_key: known(), "sk-any", 401),
        ("off", KEY, raising(Exception("no")), KEY, 200),
    ],
)
def test_modes(up, tmp_path, mode, key, auth, shown, status):
    """Where there is no master key, nobody gets in by showing one."""
    with serve(tmp_path, up, mode=mode, key=key) as proxy:
        sys.modules["my_auth"].does["auth"] = auth
        assert Talk(proxy, shown).chat().status == status


# --- what the function is given -------------------------------------------------------------------------------------------


def test_the_request(talk, does):
    """Starlette's, as fastapi's functions know it; its body can be read, and is still there for us."""
    seen = {}

    async def auth(request, api_key):
        seen.update(
            key=api_key, path=request.url.path, method=request.method, team=request.headers.get("X-Team"),
            query=request.query_params.get("colour"), body=await request.json(), again=await request.json(),
            host=request.client.host,
        )  # fmt: skip
        return known()

    does["auth"] = auth
    answer = talk.chat(path="/v1/chat/completions?colour=dark%20blue", headers={"X-Team": "a"})
    assert answer.text == "Hello from upstream."
    assert seen == {
        "key": "sk-of-ada", "path": "/v1/chat/completions", "method": "POST", "team": "a", "query": "dark blue",
        "body": {"model": "m", "messages": HI}, "again": {"model": "m", "messages": HI}, "host": "127.0.0.1",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["x-litellm-api-key", "api-key", "x-api-key"])
def test_the_key_of_any_header(talk, does, name):
    does["auth"] = lambda request, api_key: known() if api_key == "sk-another" else None
    assert talk.chat(headers={name: "sk-another", "authorization": None}).status == 200


def test_no_key(talk, does):
    seen = []
    does["auth"] = lambda request, api_key: seen.append(api_key) or known()
    assert talk.chat(headers={"authorization": None}).status == 200
    assert seen == [""]


@pytest.mark.parametrize("chunked", [False, True])
def test_large_bodies(talk, does, chunked):
    """The function may want the body, so it is read first; who is refused then is told so."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 2_000_000}]}).encode()

    def send():
        given = [body[:1_000_000], body[1_000_000:]] if chunked else body
        return talk.send("POST", "/v1/chat/completions", given, chunked=chunked)

    does["auth"] = raising(HTTPException(403, "not you"))
    assert send().status == 403
    does["auth"] = lambda request, api_key: known()
    assert send().status == 200


# --- what a caller may do -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("models", "asked", "status"),
    [
        ([], "m", 200),
        (["m"], "m", 200),
        (["m"], "n", 403),
        (["team/*"], "team/a", 200),
        (["team/*"], "m", 403),
        (["all-proxy-models"], "n", 200),
        (["m"], "unknown", 403),
    ],
)
def test_models_of_a_caller(talk, up, does, models, asked, status):
    does["auth"] = lambda request, api_key: known(models=models)
    answer = talk.chat(model=asked)
    assert answer.status == status
    if status == 403:
        assert answer.error["type"] == "key_model_access_denied"
        assert up.requests == []


def test_fallbacks_of_a_caller(talk, up, does):
    """R2: a group that the caller may not use is passed over."""
    does["auth"] = lambda request, api_key: known(models=["m", "n"])
    up.models["m"] = act.error(500)
    answer = talk.chat()
    assert answer.headers["x-litellm-model-group"] == "n"
    assert [seen.fields["model"] for seen in up.requests] == ["m", "n"]


def test_fallbacks_that_a_caller_asks_for(talk, up, does):
    does["auth"] = lambda request, api_key: known(models=["m"])
    up.models["m"] = act.error(500)
    assert talk.chat(fallbacks=["other"]).status == 500
    assert [seen.fields["model"] for seen in up.requests] == ["m"]


def test_several_models_of_which_one_is_not_for_the_caller(talk, up, does):
    does["auth"] = lambda request, api_key: known(models=["m"])
    m, n = talk.chat(model="m,n").json()
    assert m["choices"]
    assert n["error"]["code"] == "403"
    assert [seen.fields["model"] for seen in up.requests] == ["m"]


def test_the_list_of_models(talk, does):
    does["auth"] = lambda request, api_key: known(models=["m", "team/*"])
    assert [model["id"] for model in talk.get("/v1/models").json()["data"]] == ["m", "team/*"]
    assert talk.get("/v1/models/m").status == 200
    assert talk.get("/v1/models/n").status == 404


NAMED = {
    "model_list": [
        {"model_name": "premium", "litellm_params": {"model": "openai/premium-up"}, "model_info": {"id": "the-best"}},
        {"model_name": "free", "litellm_params": {"model": "openai/free-up"}, "model_info": {"id": "openai/by-id"}},
        {"model_name": "vast/*", "litellm_params": {"model": "openai/vast-up"}, "model_info": {"id": "vast-id"}},
        {"model_name": "words", "litellm_params": {"model": "text-completion-openai/words-up"}},
    ],
    "router_settings": {"model_group_alias": {"quick": "free", "dear": "premium", "behind": "the-best"}},
}
RIGHTS = [  # a key's models, the name that is asked, whether it may: the name that is asked leads to a group, whose name counts
    (["openai/*"], "openai/premium-up", False),
    (["openai/*"], "openai/free-up", False),
    (["openai/*"], "openai/by-id", False),
    (["text-completion-openai/*"], "text-completion-openai/words-up", False),
    (["the-best"], "the-best", False),
    (["vast-id"], "vast-id", False),
    (["premium"], "openai/premium-up", True),
    (["premium"], "the-best", True),
    (["vast/*"], "vast-id", True),
    (["vast/*"], "vast/any", True),
    (["vast/a"], "vast/b", False),
    (["quick"], "quick", True),
    (["quick"], "free", False),
    (["free"], "quick", False),
    (["premium"], "dear", False),
    (["dear"], "the-best", False),
    (["behind"], "behind", True),
    (["all-proxy-models"], "openai/premium-up", True),
    ([], "the-best", True),
]


@pytest.fixture(scope="module")
def named(module_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("named")
    (folder / "my_auth.py").write_text(AUTH, encoding="utf-8")
    entries = [
        {**entry, "litellm_params": {**entry["litellm_params"], "api_base": module_upstream.base, "api_key": "k"}}
        for entry in NAMED["model_list"]
    ]
    general = {"custom_auth": "my_auth.asynchronous", "client_side_hosts": ["127.0.0.1"]}
    config = {**NAMED, "model_list": entries, "litellm_settings": {"num_retries": 0}, "general_settings": general}
    with ServedProxy(config, folder=folder, master_key=KEY) as proxy:
        proxy.does = sys.modules["my_auth"].does
        yield proxy


@pytest.mark.parametrize(("models", "asked", "may"), RIGHTS)
def test_what_a_key_may_ask_is_decided_by_the_group_that_is_found(named, up, models, asked, may):
    """At every door, and the list of models agrees with them."""
    named.does["auth"] = lambda request, api_key: known(models=models)
    talk = Talk(named, "sk-of-ada")
    answers = [
        talk.chat(model=asked),
        talk.chat(model=asked, path="/v1/completions", prompt="hi"),
        talk.chat(model=asked, path="/v1/embeddings", input="hi"),
        talk.chat(model=..., path=f"/openai/deployments/{asked}/chat/completions"),
        talk.chat(model=asked, api_key="of-the-client"),
    ]
    assert [answer.status == 403 for answer in answers] == [not may] * len(answers), [a.body for a in answers]
    assert (talk.get(f"/v1/models/{asked}").status == 200) is may
    assert (talk.chat(model=f"{asked},{asked}").status == 403) is not may
    if not may:
        assert up.requests == []
        assert all("premium'" not in answer.error["message"] for answer in answers), "what it leads to is not told"


@pytest.mark.parametrize("fallback", ["openai/free-up", "openai/by-id", "quick", "free"])
@pytest.mark.parametrize("form", ["a name", "a map", "a table"])
def test_a_fallback_that_a_client_names_is_decided_by_its_group(named, up, fallback, form):
    named.does["auth"] = lambda request, api_key: known(models=["premium", "openai/*"])
    up.models["premium-up"] = act.error(500)
    entry = {"a name": fallback, "a map": {"model": fallback}, "a table": {"premium": [fallback]}}[form]
    assert Talk(named, "sk-of-ada").chat(model="premium", fallbacks=[entry]).status == 500
    assert {seen.fields["model"] for seen in up.requests} == {"premium-up"}


def test_callers_stay_in_their_region(up, tmp_path):
    """The region of a key holds for whatever it asks, and no request leads out of it."""
    places = {"m": "westeurope", "n": "us"}
    with serve(tmp_path, up) as proxy:
        does = sys.modules["my_auth"].does
        does["auth"] = lambda request, api_key: known(allowed_model_region="eu")
        talk = Talk(proxy, "sk-of-ada")
        answer = talk.chat()
        assert (answer.status, answer.error["param"]) == (400, "allowed_model_region")
        proxy.state.routing.replace(
            msgspec.structs.replace(each, params={**each.params, "region_name": places.get(each.name, "us")})
            for each in list(proxy.state.pool.by_id.values())
        )
        assert talk.chat().status == talk.chat(allowed_model_region="eu").status == 200
        answer = talk.chat(allowed_model_region="us")
        assert (answer.status, answer.error["message"]) == (403, "This key may only use the region 'eu'")
        assert talk.chat(model="n").status == 400
        does["auth"] = lambda request, api_key: known(allowed_model_region="mars")
        assert talk.chat().status == 401
    assert [seen.fields["model"] for seen in up.requests] == ["m", "m"]


def test_a_region_is_not_left_by_a_configuration_of_ones_own(up, tmp_path):
    """C13: its region_name is the client's word, and not the administrator's."""
    with serve(tmp_path, up, clients=True) as proxy:
        sys.modules["my_auth"].does["auth"] = lambda request, api_key: known(allowed_model_region="eu")
        params = {"model": "openai/m", "api_base": up.base, "api_key": "mine", "region_name": "eu"}
        mine = {"model_list": [{"model_name": "mine", "litellm_params": params}]}
        answer = Talk(proxy, "sk-of-ada").chat(model="mine", user_config=mine)
        assert (answer.status, answer.error["param"]) == (403, "user_config")
        sys.modules["my_auth"].does["auth"] = lambda request, api_key: known()
        assert Talk(proxy, "sk-of-ada").chat(model="mine", user_config=mine, allowed_model_region="eu").status == 200
        assert Talk(proxy, "sk-of-ada").chat(model="mine", user_config=mine, allowed_model_region="us").status == 400
    assert len(up.requests) == 1


def test_limits_that_are_not_enforced(talk, does, caplog):
    """The log says so, once."""
    does["auth"] = lambda request, api_key: known(max_budget=1.0, rpm_limit=10)
    talk.chat()
    talk.chat()
    lines = [line.message for line in caplog.records if "not enforce" in line.message]
    assert lines == ["custom_auth set max_budget, rpm_limit, which this release does not enforce"]


@pytest.mark.parametrize("shown", ["sk-of-ada", "no-key-by-its-looks"])
def test_hooks_are_told_who_it_is(gateway, up, does, shown):
    """F5: and not the key, of whatever form."""
    seen = []
    does["auth"] = lambda request, api_key: known(api_key=api_key, user_id="ada", team_id="blue")
    does["watch"] = seen.append
    assert Talk(gateway, shown).chat().status == 200
    (caller,) = seen
    assert (caller.user_id, caller.team_id) == ("ada", "blue")
    assert caller.api_key == caller.token == hashlib.sha256(shown.encode()).hexdigest()
    assert shown not in caller.model_dump_json()


# --- the configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("no_file.auth", "no_file.py not found"),
        ("my_auth.asynchronos", "has no attribute asynchronos (did you mean asynchronous?)"),
        ("my_auth.text", "not a function"),
        ("my_auth.Watcher", "Watcher is a class"),
        ("my_auth", "should be module.instance"),
    ],
)
def test_a_configuration_that_names_no_function(module_upstream, tmp_path, reference, words):
    (tmp_path / "my_auth.py").write_text(AUTH, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        ServedProxy({"general_settings": {"custom_auth": reference}}, folder=tmp_path)
    assert words in str(caught.value)
    assert "general_settings.custom_auth" in str(caught.value)


def test_without_starlette(up, tmp_path, monkeypatch):
    """Told at the start, and how to get it."""
    monkeypatch.setitem(sys.modules, "starlette.requests", None)
    (tmp_path / "plain_auth.py").write_text("def auth(request, key): return key\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"general_settings.custom_auth: .*pip install 'litellm\[proxy\]'"):
        ServedProxy({"general_settings": {"custom_auth": "plain_auth.auth"}}, folder=tmp_path)


@pytest.mark.parametrize(
    ("key", "custom_auth", "guarded"),
    [
        (None, False, False),
        ("sk-1234", False, False),
        (KEY, False, True),
        (None, True, True),
        ("", True, True),
        ("sk-1234", True, False),
        (KEY, True, True),
    ],
)
def test_custom_auth_guards_a_server(key, custom_auth, guarded):
    """F4: unless a well-known master key stands beside it."""
    assert is_guarded(key, custom_auth=custom_auth) is guarded


@pytest.mark.parametrize(("key", "status"), [(None, 200), ("sk-1234", 403)])
def test_pages_of_other_hosts(up, tmp_path, key, status):
    with serve(tmp_path, up, key=key) as proxy:
        sys.modules["my_auth"].does["auth"] = lambda request, api_key: known()
        assert Talk(proxy, "sk-any").chat(headers={"origin": "https://elsewhere.example"}).status == status
