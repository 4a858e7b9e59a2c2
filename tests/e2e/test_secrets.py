"""F5: a canary in the place of every credential, every class of error provoked while everything is logged; then stdout,
stderr, answers and their headers are searched. There is no allowed hit."""

import itertools
import json

import pytest
from click.testing import CliRunner
from tests.e2e.talk import HI, Talk
from tests.fakes import behaviour as act
from tests.fakes.forward_proxy import ForwardProxy
from tests.fakes.replies import Plain, Stream, plain_json
from tests.fakes.tls import ServerTLS
from tests.fakes.upstream import Upstream
from tests.processes import Gateway, run_command

from litellm.cli.run import main

# None of them looks like a key, so that no pattern finds them: they have to be known.
MASTER = "canary.master.0123456789abcdef"
API_KEY = "canary.api.key.aaaaaaaa"
ORGANIZATION = "canary.organization.bbbbbbbb"
TOKEN = "canary.token.cccccccc"
USER, PASSWORD, QUERY = "canary.user.dddddddd", "canary.password.eeeeeeee", "canary.query.ffffffff"
PROXY_PASSWORD = "canary.proxy.gggggggg"
EXPORTED = "canary.exported.hhhhhhhh"
WRONG = "canary.wrong.iiiiiiii"

HANDLER = """
from litellm import CustomLLM, CustomLLMError

class Careless(CustomLLM):
    def completion(self, *, api_key, litellm_params, messages, **kwargs):
        if messages[-1]["content"] == "bug":
            raise KeyError(f"no {api_key} in {litellm_params['client_secret']}")
        raise CustomLLMError(status_code=403, message=f"{api_key} and {litellm_params['client_secret']} are not accepted")

    def streaming(self, *, api_key, **kwargs):
        yield {"text": "one ", "is_finished": False, "finish_reason": None, "index": 0, "tool_use": None, "usage": None}
        raise ValueError(api_key)

careless = Careless()
"""


class Echo(Upstream):
    """As some servers do, its errors repeat what it was sent, headers, URL and all."""

    def reply(self, seen, behaviour):
        said = super().reply(seen, behaviour)
        text = json.dumps([seen.headers, seen.query, seen.path]).replace('"', "'")
        echo = {"message": f"what is {text}?", "type": "echo", "code": API_KEY, "param": TOKEN}
        if isinstance(said, Plain) and said.status >= 400:
            return plain_json({"error": echo}, said.status)
        if behaviour.headers.get("x-do") == "in-band":
            return Stream([{"error": echo}]) if seen.fields.get("stream") else plain_json({"error": echo})
        if behaviour.headers.get("x-do") == "mid-stream" and seen.fields.get("stream"):
            first = {"id": "1", "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]}
            return Stream([first, {"error": echo}])
        if behaviour.headers.get("x-do") == "nonsense":
            return Plain(200, text.encode(), {"content-type": "text/html"})
        if behaviour.headers.get("x-do") == "no choices":
            return plain_json({"echo": text})
        return said


BEHAVIOURS = {
    **{
        str(status): act.error(status)
        for status in (400, 401, 402, 403, 404, 408, 409, 413, 418, 422, 429, 500, 502, 503)
    },
    "context": act.error(400, code="context_length_exceeded"),
    "in-band": act.answer(headers={"x-do": "in-band"}),
    "mid-stream": act.answer(headers={"x-do": "mid-stream"}),
    "nonsense": act.answer(headers={"x-do": "nonsense"}),
    "no choices": act.answer(headers={"x-do": "no choices"}),
    "redirect": act.redirect(f"https://{USER}:{PASSWORD}@elsewhere.example/v1?key={QUERY}"),
    "hang": act.hang(),
    "hang up": act.hang_up(),
    "reset": act.reset(),
    "cut": act.cut(1),
    "stall": act.stall(3),
    "bad JSON": act.bad_json(),
    "malformed": act.malformed_head(),
    "fine": act.answer(),
}


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory):
    """The gateway, with everything in it, and what it has said at the end."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "careless.py").write_text(HANDLER)
    with Echo() as up, Upstream(tls=ServerTLS(folder)) as strange, ForwardProxy(auth=("user", "another")) as proxy:
        base = up.base.replace("://", f"://{USER}:{PASSWORD}@") + f"?key={QUERY}"
        common = {"api_key": API_KEY, "organization": ORGANIZATION, "extra_headers": {"x-token": TOKEN}, "timeout": 0.2}
        hosts = {
            "m": up.base,
            "url": base,
            "refused": f"http://{USER}:{PASSWORD}@127.0.0.1:1/v1?key={QUERY}",
            "tls": strange.base,
            "dns": f"http://{USER}:{PASSWORD}@nobody.invalid/v1?key={QUERY}",
            "tunnel": f"https://{USER}:{PASSWORD}@far.example/v1?key={QUERY}",
        }
        models = [
            {"model_name": name, "litellm_params": {"model": "openai/x", "api_base": base, **common}}
            for name, base in hosts.items()
        ]
        models += [
            {"model_name": "backed", "litellm_params": {"model": "openai/x", "api_base": hosts["m"], **common}},
            {
                "model_name": "careless",
                "litellm_params": {"model": "careless/x", "api_key": API_KEY, "client_secret": TOKEN},
            },
        ]
        config = {
            "model_list": models,
            "litellm_settings": {
                "custom_provider_map": [{"provider": "careless", "custom_handler": "careless.careless"}],
                "fallbacks": [{"backed": ["url", "refused"]}],
            },
            "router_settings": {"num_retries": 0},
            "general_settings": {"master_key": MASTER},
            "environment_variables": {"SOME_TOKEN": EXPORTED},
        }
        env = {
            "HTTPS_PROXY": proxy.url.replace("://", f"://user:{PROXY_PASSWORD}@"),
            "NO_PROXY": "127.0.0.1,localhost",
        }
        with Gateway(json.dumps(config), args=["--debug", "--host", "127.0.0.1"], cwd=folder, env=env) as gateway:
            yield gateway, up


@pytest.fixture
def gateway(surroundings):
    gateway, up = surroundings
    up.requests.clear()
    up._next.clear()
    return gateway


@pytest.fixture
def up(surroundings, gateway):
    return surroundings[1]


def clean(answer):
    for sink in (answer.body.decode("utf-8", "replace"), str(answer.headers)):
        assert "canary" not in sink, sink
    return True


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_upstreams_that_fail(gateway, up, name, stream):
    """F5: 28 ways of failing, with a server that repeats what it was sent."""
    up.default = BEHAVIOURS[name]
    for model in ("m", "url", "backed"):
        assert clean(Talk(gateway, MASTER).chat(model=model, stream=stream))
    assert up.requests[0].headers["x-token"] == TOKEN, "the canaries were really sent"
    assert up.requests[0].headers["openai-organization"] == ORGANIZATION
    assert any(seen.query == f"key={QUERY}" for seen in up.requests)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("model", ["refused", "tls", "dns", "tunnel"])
def test_upstreams_that_are_not_there(gateway, model, stream):
    """F5: nobody listens, no such name, a certificate that nobody vouches for, a proxy that refuses."""
    answer = Talk(gateway, MASTER).chat(model=model, stream=stream)
    assert answer.status >= 400
    assert clean(answer)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("text", ["error", "bug"])
def test_handlers_that_tell(gateway, text, stream):
    """F5: a handler's error repeats the key and the secret that it was given."""
    messages = [{"role": "user", "content": text}]
    assert clean(Talk(gateway, MASTER).chat(model="careless", messages=messages, stream=stream))


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "api-key", "x-litellm-api-key"])
@pytest.mark.parametrize("value", [WRONG, f"Bearer {WRONG}", f"Basic {WRONG}", f"Bearer {MASTER}x", MASTER[:-1]])
def test_keys_that_are_refused(gateway, header, value):
    answer = Talk(gateway, None).chat(headers={header: value})
    assert answer.status == 401
    assert clean(answer)


def test_requests_that_are_wrong(gateway):
    """F5: a client's own credentials, wherever it put them, are not repeated either."""
    talk = Talk(gateway, MASTER)
    for fields in (
        {"api_key": WRONG},
        {"user_config": {"model_list": [{"litellm_params": {"api_key": WRONG}}]}},
        {"fallbacks": [{"model": "m", "api_key": WRONG}]},
        {"metadata": {"api_key": WRONG}, "model": "m", "messages": "x"},
        {"extra_body": {"api_key": WRONG}},
        {"headers_": {"authorization": WRONG}, "messages": 1},
    ):
        assert clean(talk.post(json.dumps({"model": "m", "messages": HI, **fields})))
    assert clean(talk.post(b'{"model": "m", "api_key": "' + WRONG.encode() + b'", }'))
    assert clean(talk.get(f"/v1/models/{'x'}?key={WRONG}"))
    assert clean(talk.get("/v1/models"))


def test_what_was_logged(surroundings):
    """F5: at the end of all this, at DEBUG. (The last test of this file, on purpose.)"""
    gateway, _ = surroundings
    gateway.stop()
    for number, line in enumerate(itertools.chain(gateway.stdout.splitlines(), gateway.stderr.splitlines()), 1):
        assert "canary" not in line, f"line {number}: {line}"
    assert "Traceback" not in gateway.stderr, "nothing of this was a bug"
    assert "DEBUG" in gateway.stderr, "it really was at --debug"


# --- before it serves ----------------------------------------------------------------------------------------------------

START = {
    "a base without a scheme": {"api_base": f"{USER}:{PASSWORD}@host/v1?key={QUERY}", "api_key": API_KEY},
    "another scheme": {"api_base": f"ftp://{USER}:{PASSWORD}@host/v1?key={QUERY}", "api_key": API_KEY},
    "no host": {"api_base": f"http:///v1?key={QUERY}", "api_key": API_KEY},
    "a bad port": {"api_base": f"http://{USER}:{PASSWORD}@host:port/v1?key={QUERY}", "api_key": API_KEY},
    "no such provider": {"model": "nobody/x", "api_key": API_KEY, "extra_headers": {"x": TOKEN}},
    "a wrong type": {"api_key": [API_KEY], "rpm": API_KEY, "timeout": TOKEN, "extra_headers": API_KEY},
    "more wrong types": {"api_key": API_KEY, "ssl_verify": [TOKEN], "organization": {"x": ORGANIZATION}},
}


@pytest.mark.parametrize("params", START.values(), ids=START)
def test_configs_that_are_refused(tmp_path, params):
    """F5, O1: the report names the place and never the value."""
    file = config_of(tmp_path, params)
    ended = CliRunner().invoke(main, ["check", str(file)])  # the command, without a process for each of them
    assert ended.exit_code == 1
    assert str(file) in ended.output
    assert "canary" not in ended.output


@pytest.mark.parametrize("name", ["a base without a scheme", "no such provider"])
def test_starts_that_are_refused(tmp_path, name):
    """F5, O1: the real process says no more, also at --debug."""
    file = config_of(tmp_path, START[name])
    ended = run_command("-c", str(file), "--port", "0", "--host", "127.0.0.1", "--debug", timeout=10)
    assert ended.returncode == 1
    assert "canary" not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def config_of(folder, params):
    entry = {"model_name": "m", "litellm_params": {"model": "openai/x", **params}}
    file = folder / "config.yaml"
    file.write_text(json.dumps({"model_list": [entry], "general_settings": {"master_key": MASTER}}))
    return file
