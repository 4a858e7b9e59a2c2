"""F5: whatever of ours is printed, formatted, pickled or logged by accident shows no credential."""

import io
import logging
import pickle
import traceback

import msgspec
import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.unit.router.world import targets_of

import litellm
from litellm import _log, exceptions
from litellm.engine.call import Answer
from litellm.engine.client import Client
from litellm.engine.opened import Opened, Source
from litellm.engine.outgoing import outgoing
from litellm.engine.route import FixedRoute
from litellm.net.messages import Request, Script, Timeouts
from litellm.net.network import DIRECT
from litellm.net.steps import Ask, Read, Send
from litellm.net.sync_io import SyncTransport
from litellm.providers.resolve import resolve
from litellm.providers.target import Defaults, EndpointSpec
from litellm.proxy.auth.authenticator import Authenticator
from litellm.proxy.config import load_config
from litellm.proxy.state import build
from litellm.sdk import _call, _settings
from litellm.wire import openai_chat
from litellm.wire.decoding import EventDecoder

# Such as no pattern finds.
KEY = "canary.api.key.aaaa"
TOKEN = "canary.token.bbbb"
PASSWORD = "canary.password.cccc"
QUERY = "canary.query.dddd"
MASTER = "canary.master.key.0123456789"
BASE = f"http://user:{PASSWORD}@127.0.0.1:1/v1?key={QUERY}"
HI = [{"role": "user", "content": "hi"}]


def place():
    return EndpointSpec(
        model="openai/m", api_base=BASE, api_key=KEY, extra_headers={"x-token": TOKEN}, organization="canary.org",
        params={"api_key": KEY, "client_secret": TOKEN, "api_base": BASE},
    )  # fmt: skip


def target():
    return resolve(place())


def request():
    made = target()
    return Request(url=made.url, headers=made.headers, body=b"{}", timeouts=Timeouts(), network=DIRECT)


def route():
    return FixedRoute(target=target())


def answer():
    return Answer(origin=target(), requested_model="m", headers={"x": "y"}, raw=b"{}")


def opened():
    step = Read(SyncTransport().send(msgspec.structs.replace(request(), script=Script(200, ()), stream=True)))
    source = Source(step, lambda: None, lambda: None)
    out = outgoing("m", {})
    decoder = EventDecoder(openai_chat.framing(), openai_chat.rules(out))
    return Opened(origin=target(), requested_model="m", headers={}, source=source, decoder=decoder, first=[])


def settings():
    before = {name: getattr(litellm, name) for name in ("api_key", "openai_key", "api_base", "headers")}
    litellm.api_key, litellm.openai_key, litellm.api_base, litellm.headers = KEY, KEY, BASE, {"x-token": TOKEN}
    try:
        return _settings.read_settings()
    finally:
        for name, value in before.items():
            setattr(litellm, name, value)


def made_plan():
    return _call.make_call("openai/m", HI, None, {"api_key": KEY, "api_base": BASE, "headers": {"x-token": TOKEN}})


INTERNALS = {
    "EndpointSpec": place,
    "Target": target,
    "Defaults": lambda: Defaults(KEY, KEY, BASE, "canary.org"),
    "Request": request,
    "Send": lambda: Send(request()),
    "Read": lambda: opened().source.step,
    "Ask": lambda: Ask(lambda: None, None, ()),
    "FixedRoute": route,
    "a Plan of the SDK": made_plan,
    "its Call": lambda: made_plan().call,
    "its Target": lambda: made_plan().route.choose([]).target,
    "Answer": answer,
    "Opened": opened,
    "Settings": settings,
    "Client": Client,
    "Authenticator": lambda: Authenticator(MASTER),
    "Caller": lambda: Authenticator(MASTER).admit({b"x-api-key": MASTER.encode()}),
}


def shown(value):
    """All that a value says of itself, unasked."""
    yield repr(value)
    yield str(value)
    yield f"{value}"
    yield repr([value])
    yield repr({"it": value})
    yield logged(value)


def logged(value):
    """As a log line at DEBUG, also by way of the arguments, and with a traceback."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    level = _log.log.level
    _log.log.addHandler(handler)
    _log.log.setLevel(logging.DEBUG)
    try:
        _log.log.debug("%s and %r", value, value)
        _log.log.debug(value)
        if isinstance(value, BaseException):
            _log.log.error("it failed", exc_info=value)
    finally:
        _log.log.removeHandler(handler)
        _log.log.setLevel(level)
    return stream.getvalue()


@pytest.mark.parametrize("make", INTERNALS.values(), ids=INTERNALS)
def test_internals(make):
    """F5: what calls are made of."""
    for text in shown(make()):
        assert "canary" not in text, text


@pytest.mark.parametrize("make", INTERNALS.values(), ids=INTERNALS)
def test_pickled_internals(make):
    """F5: refused, or without credentials: a pickle ends up on disks and in queues."""
    value = make()
    try:
        data = pickle.dumps(value)
    except (TypeError, pickle.PicklingError, AttributeError):
        return
    assert b"canary" not in data


CONFIG = f"""
model_list:
  - model_name: m
    litellm_params:
      model: openai/m
      api_key: {KEY}
      api_base: http://127.0.0.1:1/v1
      extra_headers: {{x-token: {TOKEN}}}
      client_secret: {TOKEN}
      extra_body: {{password: {PASSWORD}}}
general_settings: {{master_key: {MASTER}}}
environment_variables: {{SOME_TOKEN: {TOKEN}}}
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    return load_config(tmp_path / "config.yaml")


def test_configs(config):
    """F5: whole, by section, as JSON, and what is built of them."""
    deployment = config.model_list[0]
    values = [
        config, config.general_settings, config.litellm_settings, deployment, deployment.litellm_params,
        config.environment_variables, deployment.litellm_params.extra_headers, deployment.litellm_params.model_extra,
    ]  # fmt: skip
    proxy = build(config)
    group = proxy.pool.find("m")
    assert targets_of(group)[0].api_key == KEY, "it is there, to be used"
    values += [
        proxy,
        proxy.authenticator,
        proxy.pool,
        group,
        targets_of(group)[0],
        proxy.routing,
        *group.members,
        *targets_of(group),
    ]
    for value in values:
        for text in shown(value):
            assert "canary" not in text, (type(value), text)
    for section in (config.general_settings, deployment, deployment.litellm_params):
        assert "canary" not in section.model_dump_json()
        assert "canary" not in str(section.model_dump())
        with pytest.raises((TypeError, pickle.PicklingError)):
            pickle.dumps(section)


def raised(do):
    with pytest.raises(exceptions.LiteLLMError) as caught:
        do()
    return caught.value


def ask(**params):
    place_ = {"api_key": KEY, "extra_headers": {"x-token": TOKEN}, "num_retries": 0}
    return lambda: litellm.completion("openai/m", HI, **{**place_, **params})


def of_upstream(behaviour, **params):
    with Upstream() as up:
        up.default = behaviour
        base = up.base.replace("://", f"://user:{PASSWORD}@") + f"?key={QUERY}"
        return raised(lambda: list(ask(api_base=base, **params)()))


ECHO = f"you sent {KEY}, {TOKEN}, {PASSWORD} and {QUERY}"
ERRORS = {
    "refused connection": lambda: raised(ask(api_base=BASE)),
    "no such host": lambda: raised(ask(api_base=BASE.replace("127.0.0.1:1", "nobody.invalid"))),
    "no URL": lambda: raised(ask(api_base=BASE.removeprefix("http://"))),
    "another scheme": lambda: raised(ask(api_base=BASE.replace("http:", "ftp:"))),
    "no provider": lambda: raised(lambda: litellm.completion("nobody/m", HI, api_key=KEY)),
    "wrong CA file": lambda: raised(ask(api_base=BASE.replace("http:", "https:"), ssl_verify="/nowhere.pem")),
    "wrong timeout": lambda: raised(ask(api_base=BASE, timeout="soon")),
    "timeout": lambda: of_upstream(act.hang(), timeout=0.1),
    "reset": lambda: of_upstream(act.reset()),
    "cut stream": lambda: of_upstream(act.cut(2), stream=True),
    "malformed": lambda: of_upstream(act.malformed_head()),
    "bad JSON": lambda: of_upstream(act.bad_json()),
    "redirect": lambda: of_upstream(act.redirect(BASE)),
    "an echo": lambda: of_upstream(act.error(401, ECHO)),
    "an echo, bad request": lambda: of_upstream(act.error(400, ECHO)),
    "an echo in HTML": lambda: of_upstream(act.verbatim(502, f"<p>{ECHO}</p>")),
    "an echo that is no answer": lambda: of_upstream(act.verbatim(200, f"<p>{ECHO}</p>")),
}


@pytest.mark.parametrize("make", ERRORS.values(), ids=ERRORS)
def test_exceptions(make):
    """F5: what they say, what of them is pickled, what a traceback shows of them and of all that caused them."""
    error = make()
    for text in shown(error):
        assert "canary" not in text, text
    assert "canary" not in error.message
    assert "canary" not in "".join(traceback.format_exception(error)), "with its causes"
    revived = pickle.loads(pickle.dumps(error))
    assert type(revived) is type(error)
    assert str(revived) == str(error)
    assert b"canary" not in pickle.dumps(error)


@pytest.mark.parametrize("stream", [False, True])
def test_answers(stream):
    """F5: answers, chunks and streams, with what hides in them."""
    with Upstream() as up:
        base = up.base.replace("://", f"://user:{PASSWORD}@") + f"?key={QUERY}"
        got = ask(api_base=base, stream=stream)()
        for value in [got, *(got if stream else ())]:
            for text in shown(value):
                assert "canary" not in text
            assert "canary" not in str(value._hidden_params)
            assert "canary" not in repr(vars(value).get("_hidden_params"))


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-abcdefghijklmnop.", "gsk_abcdefghijklmnopqrst", "Bearer abcdefghijklmnopqrst",
        "AIzaSyA1234567890abcdef", "hf_abcdefghijklmnopqrst", "sk-proj-abc_def-ghijklmnop", "xai-abcdefghijklmnop",
        "key=sk-ant-api03-abcdefghijklmnop&x=1", '{"api_key": "sk-abcdefghijklmnop"}',
    ],
)  # fmt: skip
def test_what_looks_like_a_key(text):
    """F5: in texts that we did not write."""
    masked = _log.mask(text)
    assert "**********" in masked
    assert "abcdefghijkl" not in masked
    assert "1234567890abcdef" not in masked


@pytest.mark.parametrize(
    "text", ["ask-me-anything-you-like-today", "task-force-of-the-moment", "a risk-averse approach"]
)
def test_what_only_resembles_one(text):
    assert _log.mask(text) == text
