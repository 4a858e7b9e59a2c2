"""The table of providers: what holds for every row, and a row of each kind in use."""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.upstream import Upstream

import litellm
from litellm.engine.outgoing import outgoing
from litellm.exceptions import AuthenticationError, BadRequestError
from litellm.operations import CHAT, OPERATIONS
from litellm.providers.resolve import resolve
from litellm.providers.spec import Provider
from litellm.providers.table import BY_NAME, NOT_YET, ROWS
from litellm.providers.target import EndpointSpec
from litellm.wire.protocol import ChunkRules, ClientDialect, Dialect, StreamDialect

DATA = Path(__file__).parents[2] / "data" / "providers.json"
LISTED = [fact["provider"] for fact in json.loads(DATA.read_text(encoding="utf-8"))]
HI = [{"role": "user", "content": "hi"}]
KEY = "key-of-the-test"

# Where the address is not base + /chat/completions, as the list's notes say.
PATHS = {
    "docker_model_runner": "/v1/chat/completions",
    "datarobot": "/genai/llmgw/chat/completions",
    "gradient_ai": "/v1/chat/completions",
    "heroku": "/v1/chat/completions",
    "huggingface": "/v1/chat/completions",
    "snowflake": "/cortex/v1/chat/completions",
}
PLACEHOLDERS = {"snowflake": {"SNOWFLAKE_ACCOUNT_ID": "acme"}, "bedrock_mantle": {"AWS_REGION": "eu-west-1"}}
# Those with addresses of their own kind, and the mock, have tests of their own.
SERVING = [row for row in ROWS if row.address is None and row.name != "mock" and CHAT.dialect in row.dialects]


def kind(row: Provider) -> Any:
    """What a row has besides names: rows that are equal in this go the same way through the same code."""
    return (
        row.base is None, bool(row.key), row.key_optional, bool(row.base_env), row.prefix, row.base_suffix, row.auth,
        row.quirks, bool(row.by_model), bool(row.variables), bool(row.env_headers), row.openai, bool(row.login),
        row.dialects,
    )  # fmt: skip


KINDS: list[Provider] = []
for _row in SERVING:
    if not any(kind(_row) == kind(known) for known in KINDS):
        KINDS.append(_row)

each_kind = pytest.mark.parametrize("row", KINDS, ids=lambda row: row.name)


@pytest.fixture(scope="module")
def up():
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in ROWS:
        for name in (*row.key, *row.base_env, *row.env_headers):
            monkeypatch.delenv(name, raising=False)


# --- all rows --------------------------------------------------------------------------------------------------------


def test_the_known_providers_are_served():
    """Those that were gathered from vendors' documentation are there, under those names; more may be."""
    assert set(LISTED) <= BY_NAME.keys()
    assert {row.name for row in ROWS} <= set(litellm.provider_list)


def test_rows_are_in_alphabetical_order():
    """So that one can find one, and two people can add theirs without meeting."""
    names = [row.name for row in ROWS]
    assert names == sorted(names)


def test_rows_do_not_claim_the_same_name():
    """A bare model name or an alias means one provider."""
    patterns = [pattern for row in ROWS for pattern in row.names]
    assert len(patterns) == len(set(patterns))
    taken = [name for row in ROWS for name in (row.name, *row.aliases)]
    assert len(taken) == len(set(taken))
    assert not NOT_YET & set(taken)


def test_rows_resolve_at_home(monkeypatch):
    """With the key's variable set, the row's own address; without, an error that names it, unless no key is needed."""
    for row in SERVING:
        with monkeypatch.context() as patched:
            for name, value in PLACEHOLDERS.get(row.name, {}).items():
                patched.setenv(name, value)
            _resolves_at_home(row, patched)


def _resolves_at_home(row: Provider, patched: pytest.MonkeyPatch) -> None:
    place = EndpointSpec(model=f"{row.name}/the-model")
    if row.base is None:
        with pytest.raises(BadRequestError, match="api_base"):
            resolve(place)
        return
    if row.login is None and not row.key_optional:
        with pytest.raises(AuthenticationError, match=row.key[0]):
            resolve(place)
    for variable in row.key:
        with patched.context() as deeper:
            deeper.setenv(variable, KEY)
            target = resolve(place)
        assert target.headers["Authorization"] == f"Bearer {KEY}", row
        assert "{" not in target.url, row
        assert target.url.startswith("https://" if not row.key_optional else "http"), row
        assert target.url.endswith("/chat/completions"), row
        assert "//" not in target.url.partition("://")[2], row


# --- the wires -------------------------------------------------------------------------------------------------------


def _public(protocol: type) -> set[str]:
    bases = [base for base in protocol.__mro__ if base.__module__ == protocol.__module__]
    names = [name for base in bases for name in (*vars(base), *base.__annotations__)]
    return {name for name in names if not name.startswith("_")}


WIRES = sorted({(operation, wire) for operation in OPERATIONS for wire in operation.dialects}, key=lambda pair: pair[1])


def test_rows_name_dialects_of_operations():
    """What no operation is spoken in could never be asked for."""
    assert {name for row in ROWS for name in row.dialects} <= {wire for _, wire in WIRES}


@pytest.mark.parametrize(("operation", "wire"), WIRES)
def test_rows_name_wires_that_are_wires(operation, wire):
    """Every dialect of an operation can be imported and has all that the Protocol asks for, with its parameters; the first
    one is also spoken with clients."""
    module = importlib.import_module(f"litellm.wire.{wire}")
    assert module.NAME == wire
    for protocol in (StreamDialect if operation.streams else Dialect, ClientDialect):
        for name in _public(protocol) if protocol is not ClientDialect or wire == operation.dialect else ():
            found, wanted = getattr(module, name), getattr(protocol, name, None)
            if inspect.isfunction(wanted) and inspect.isfunction(found):
                assert list(inspect.signature(found).parameters) == list(inspect.signature(wanted).parameters)[1:]
    for name in _public(ChunkRules) if operation.streams else ():
        assert hasattr(module.rules(outgoing("m", {})), name)


# --- a row of each kind in use --------------------------------------------------------------------------------------------


def _call(row: Provider, base: str, *, sync: bool, **params: Any) -> Any:
    params = {"model": f"{row.name}/vendor/the-model", "messages": HI, "api_base": base, "num_retries": 0, **params}
    return litellm.completion(**params) if sync else litellm.acompletion(**params)


@each_kind
@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
async def test_rows_chat(up, row, sync):
    """A chat arrives at the row's path, with its key in the row's headers, under the model's name without our prefix."""
    up.requests.clear()
    params = {"api_key": KEY, "max_completion_tokens": 5, "vendor_option": [1]}
    answer = _call(row, up.url, sync=sync, **params)
    answer = answer if sync else await answer
    assert answer.choices[0].message.content == "Hello from upstream."
    seen = up.requests[0]
    assert seen.path == row.base_suffix + PATHS.get(row.name, "/chat/completions")
    _assert_key(row, seen.headers)
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["user-agent"].startswith("litellm/")
    assert seen.fields["model"] == "vendor/the-model"
    assert seen.fields["messages"] == HI
    assert seen.fields["vendor_option"] == [1]
    renamed = row.quirks.rename.get("max_completion_tokens", "max_completion_tokens")
    assert seen.fields[renamed] == 5
    wanted = {"model", "messages", "vendor_option", renamed, *row.quirks.force}
    assert set(seen.fields) == wanted, "nothing that nobody said (C12)"


def _assert_key(row: Provider, headers: dict[str, str]) -> None:
    assert headers["authorization"] == f"Bearer {KEY}"
    if row.name == "sarvam":
        assert headers["api-subscription-key"] == KEY
    if row.name == "snowflake":
        assert headers["x-snowflake-authorization-token-type"] == "KEYPAIR_JWT"


@each_kind
def test_rows_stream(up, row):
    """A stream too, and the same text."""
    up.requests.clear()
    stream = _call(row, up.url, sync=True, stream=True, api_key=KEY, stream_options={"include_usage": True})
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hello from upstream."
    assert chunks[-1].usage.total_tokens == 13
    assert up.requests[0].fields["stream"] is True


@each_kind
def test_rows_take_a_base_from_the_environment(up, row, monkeypatch):
    """Each of the row's variables for the base is read, and the key's variable goes there too."""
    for variable in row.base_env:
        up.requests.clear()
        with monkeypatch.context() as patched:
            patched.setenv(variable, up.base)
            if row.key:
                patched.setenv(row.key[0], KEY)
            params = {} if row.key else {"api_key": KEY}
            litellm.completion(f"{row.name}/vendor/m", HI, **params)
        _assert_key(row, up.requests[0].headers)


def test_rows_by_model():
    """Models that live elsewhere, or under another name, as the notes say."""

    def at_home(model: str) -> tuple[str, str]:
        target = resolve(EndpointSpec(model=model, api_key=KEY))
        return target.url, target.model

    assert at_home("baseten/abcd1234")[0] == (
        "https://model-abcd1234.api.baseten.co/environments/production/sync/v1/chat/completions"
    )
    assert at_home("baseten/vendor/model")[0] == "https://inference.baseten.co/v1/chat/completions"
    assert at_home("fireworks_ai/llama")[1] == "accounts/fireworks/models/llama"
    assert at_home("fireworks_ai/accounts/me/models/x")[1] == "accounts/me/models/x"
    ragflow = resolve(EndpointSpec(model="ragflow/chat/7/name", api_base="http://host:9380"))
    assert (ragflow.url, ragflow.model) == ("http://host:9380/api/v1/chats_openai/7/chat/completions", "name")
    azure = resolve(EndpointSpec(model="azure_ai/m", api_base="https://x.services.ai.azure.com/models", api_key=KEY))
    assert (azure.headers["api-key"], azure.headers.get("Authorization")) == (KEY, None)


@pytest.mark.parametrize("name", sorted(NOT_YET))
def test_rows_that_do_not_exist_yet(name):
    """LiteLLM's other providers are a clear error, never a wrong guess."""
    with pytest.raises(BadRequestError, match=f"{name} is not supported yet"):
        litellm.completion(f"{name}/m", HI, api_base="http://127.0.0.1:1")
