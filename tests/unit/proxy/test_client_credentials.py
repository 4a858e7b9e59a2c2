"""C16, F2: where a client's own credentials lead. No network: what is looked at are the targets."""

import os

import pytest

from litellm.exceptions import LiteLLMError
from litellm.net.guard import Guard
from litellm.net.network import Network
from litellm.operations import CHAT, MODERATIONS
from litellm.providers.custom import CustomLLM
from litellm.providers.resolve import resolve
from litellm.providers.table import ROWS
from litellm.providers.target import Defaults, EndpointSpec
from litellm.proxy.calls.client_credentials import ClientCredentials, ClientCredentialsPolicy, read_credentials
from litellm.proxy.errors import RequestError
from litellm.router.deployments import Deployment

OURS, THEIRS, ENVIRONMENT = "canary-of-the-server", "sk-canary-of-the-client", "canary-of-the-environment"
SIDE = ClientCredentialsPolicy()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    """All that a provider would look up for the server, except addresses."""
    for row in ROWS:
        for name in (*row.key, *row.bearer_env, *row.env_headers.values(), *row.version_env):
            monkeypatch.setenv(name, ENVIRONMENT)
    monkeypatch.setenv("OPENAI_ORGANIZATION", ENVIRONMENT)
    for name in ("SSL_CERTIFICATE", "SSL_VERIFY"):
        monkeypatch.delenv(name, raising=False)


def parts(target):
    """All texts of a target that could be sent."""
    return f"{target.url} {target.api_base} {target.api_key} {dict(target.headers)} {target.defaults} {target.params} {getattr(target.backend, 'version', None)}"


CHATTING = [row for row in ROWS if CHAT.dialect in row.dialects]


@pytest.mark.parametrize("row", CHATTING, ids=lambda row: row.name)
def test_a_models_home_with_the_clients_key(row):
    """C16: for each provider: nothing of the environment is in it, and it is reached as a client's places are."""
    try:
        target = SIDE.target(ClientCredentials(api_key=THEIRS), f"{row.name}/some-model", None, CHAT)
    except LiteLLMError as error:
        assert error.status_code in (400, 401), error
        assert ENVIRONMENT not in str(error)
        return
    assert ENVIRONMENT not in parts(target)
    assert THEIRS in str(dict(target.headers)) or row.name == "mock"
    assert target.network == Network(guard=SIDE.guard)


@pytest.mark.parametrize("row", CHATTING, ids=lambda row: row.name)
def test_a_clients_place(row):
    """C16: the same, where an address is given, too."""
    credentials = ClientCredentials(api_key=THEIRS, api_base="https://mine.example/v1")
    target = SIDE.target(credentials, f"{row.name}/some-model", None, CHAT)
    assert target.url.startswith("https://mine.example/v1")
    assert ENVIRONMENT not in parts(target)
    assert target.network.guard == SIDE.guard


@pytest.mark.parametrize("row", CHATTING, ids=lambda row: row.name)
def test_without_a_key_there_is_none(row):
    """C16: a version alone is no access to a model that the server does not list."""
    try:
        target = SIDE.target(ClientCredentials(api_version="v"), f"{row.name}/some-model", None, CHAT)
    except LiteLLMError as error:
        assert error.status_code in (400, 401), error
        return
    assert ENVIRONMENT not in parts(target)


def test_moderations_that_name_no_model():
    """OpenAI's, with the client's key."""
    target = SIDE.target(ClientCredentials(api_key=THEIRS), "", None, MODERATIONS)
    assert target.url == "https://api.openai.com/v1/moderations"
    assert target.headers["Authorization"] == f"Bearer {THEIRS}"
    assert SIDE.target(ClientCredentials(api_key=THEIRS), "text-moderation-stable", None, MODERATIONS).url == target.url


def template(**changes):
    """A deployment of the server's, with everything that it should keep to itself."""
    place = {
        "model": "openai/m", "api_base": "https://ours.example/v1", "api_key": OURS, "organization": f"{OURS}-org",
        "extra_headers": {"X-Ours": OURS}, "network": Network(client_cert="/ours.pem"), "params": {"api_key": OURS},
    }  # fmt: skip
    return resolve(EndpointSpec(**{**place, **changes}))


def test_a_deployment_at_the_clients_place():
    """C16: provider and model are taken from it, and nothing else: no header, certificate, organization or parameter."""
    ours = template(network=Network())
    target = SIDE.target(ClientCredentials(THEIRS, "https://mine.example/v1"), "m", ours, CHAT)
    assert (target.url, target.model) == ("https://mine.example/v1/chat/completions", "m")
    assert OURS not in parts(target)
    assert target.network == Network(guard=SIDE.guard)
    assert not target.id


def test_a_deployment_on_the_clients_account():
    """C15: the place stays what it is, certificates included; the deployment itself is not changed."""
    ours = template(network=Network())
    before = parts(ours)
    target = SIDE.target(ClientCredentials(THEIRS), "m", ours, CHAT)
    assert target.url == ours.url
    assert target.network is ours.network
    assert target.headers["Authorization"] == f"Bearer {THEIRS}"
    assert target.headers["X-Ours"] == OURS
    assert "OpenAI-Organization" not in target.headers
    assert parts(ours) == before
    assert target.others is not ours.others


def test_a_handler():
    """C16: gets the key; what takes no address is not given one."""
    handler = CustomLLM()
    ours = resolve(EndpointSpec(model="mine/x", api_key=OURS), Defaults(handlers={"mine": handler}))
    assert SIDE.target(ClientCredentials(THEIRS), "x", ours, CHAT).api_key == THEIRS
    with pytest.raises(RequestError, match="api_base"):
        SIDE.target(ClientCredentials(THEIRS, "https://mine.example"), "x", ours, CHAT)
    with pytest.raises(LiteLLMError):
        SIDE.target(ClientCredentials(THEIRS), "mine/x", None, CHAT)


@pytest.mark.parametrize("model", ["m", "", "openai/m", "azure/m"])
@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("rules", [None, ["api_base"], [{"api_base": ".*"}]])
def test_an_address_needs_its_key(model, allowed, rules):
    """C16: whatever the administrator allows."""
    ours = None if rules is None else template(network=Network(), params={"configurable_clientside_auth_params": rules})
    with pytest.raises(RequestError) as refused:
        ClientCredentialsPolicy(allowed).target(ClientCredentials(api_base="https://mine.example"), model, ours, CHAT)
    assert (refused.value.status, refused.value.param) == (400, "api_base")


def test_nothing_of_it_can_be_read_by_accident():
    """F5: neither printed nor pickled."""
    credentials = ClientCredentials(THEIRS, "https://mine.example", "v", {"model_list": [THEIRS]})
    assert THEIRS not in f"{credentials} {credentials!r} {[credentials]}"
    with pytest.raises(TypeError):
        credentials.__reduce__()
    assert credentials
    assert not ClientCredentials()


@pytest.mark.parametrize(("said", "meant"), [
    ({}, ClientCredentials()),
    ({"api_key": "", "api_base": " ", "api_version": None}, ClientCredentials()),
    ({"api_key": " k ", "api_base": " https://a/v1 "}, ClientCredentials("k", "https://a/v1")),
    ({"api_base": "https://a", "base_url": "https://b"}, ClientCredentials(api_base="https://b")),
    ({"api_base": "HTTPS://A/?api-version=1"}, ClientCredentials(api_base="HTTPS://A/?api-version=1")),
    ({"user_config": {}}, ClientCredentials(user_config={})),
])  # fmt: skip
def test_what_is_read(said, meant):
    """base_url wins; what is empty was not said."""
    assert read_credentials(said) == meant


def deployment(base, *, order=0, model="openai/x"):
    target = resolve(EndpointSpec(model=model, api_base=base, api_key=OURS))
    return Deployment(name="g", model=model, id=base + model, make=lambda _: target, target=target, order=order)


def test_the_guard_is_on_every_place():
    """F2: an administrator's list of hosts is a part of each target's network."""
    side = ClientCredentialsPolicy(guard=Guard.of("10.0.0.0/8"))
    for model in ("openai/x", "groq/x"):
        assert side.target(ClientCredentials(THEIRS), model, None, CHAT).network.guard == side.guard
    assert os.environ["OPENAI_API_KEY"] == ENVIRONMENT
