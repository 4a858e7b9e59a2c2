"""From "groq/llama3", an API base, the environment to where to send. The one resolver, for the SDK and the proxy."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec

from litellm._log import log
from litellm._version import version
from litellm.exceptions import AuthenticationError, BadRequestError, LiteLLMError
from litellm.net.guarded import Guarded
from litellm.net.messages import Timeouts
from litellm.net.tls import DIRECT, Network, ssl_context
from litellm.net.url import join, shown, split, without_userinfo
from litellm.providers.policy import KEEP_ALL, Policy
from litellm.providers.spec import Provider
from litellm.providers.table import BY_NAME, NOT_YET, ROWS
from litellm.wire import quirks as body_quirks
from litellm.wire.protocol import Body, ChatWire
from litellm.wire.quirks import Quirks

SHORTEST_SECRET = 3  # characters; shorter ones stand in ordinary words
_CREDENTIAL = re.compile(r"(key|token|secret|password|credentials?)$", re.IGNORECASE)
USER_AGENT = f"litellm/{version}"
Edit = Callable[[Body], Body]


class Mock(msgspec.Struct, frozen=True):
    """An answer that is known beforehand (mock_response and its relatives)."""

    response: Any = None
    tool_calls: list[Any] | None = None
    timeout: bool = False
    delay: float = 0.0


class Place(Guarded, msgspec.Struct, kw_only=True, frozen=True):
    """What a user says about where a call goes: LiteLLM's words, gathered. None means: not said."""

    model: str
    custom_llm_provider: str | None = None
    api_base: str | None = None
    api_key: str | None = None
    organization: str | None = None
    extra_headers: Mapping[str, str] = {}
    network: Network = DIRECT
    policy: Policy = KEEP_ALL
    supports_system_message: bool = True
    params: Mapping[str, Any] = {}


class Target(Guarded, msgspec.Struct, kw_only=True, eq=False):
    """A place to send to, ready: everything that does not change from call to call is made here, once.

    defaults: parameters that the deployment sets and a call may overrule. edits: what is done to each body.
    id, group: the deployment and the public name it serves, where there are such. clocks, stream_clocks: or
    None for the call's.
    unusable: why it cannot be called, for a deployment that is served all the same until somebody asks for it.
    secrets: what must not be seen in a message, should an upstream or a handler repeat it.
    """

    provider: Provider
    model: str
    url: str = ""
    api_base: str | None = None
    api_key: str | None = None
    headers: Mapping[str, str] = {}
    network: Network = DIRECT
    wire: ChatWire | None = None
    handler: Any = None
    edits: tuple[Edit, ...] = ()
    defaults: Body = {}
    params: Mapping[str, Any] = {}
    id: str = ""
    group: str = ""
    clocks: Timeouts | None = None
    stream_clocks: Timeouts | None = None
    policy: Policy = KEEP_ALL
    mock: Mock | None = None
    max_retries: int | None = None
    unusable: LiteLLMError | None = None
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Target({self.provider.name}/{self.model} at {shown(self.url)})"


class Defaults(Guarded, msgspec.Struct, frozen=True):
    """What module settings say where a call does not: litellm.api_key, litellm.openai_key, litellm.api_base."""

    api_key: str | None = None
    openai_key: str | None = None
    api_base: str | None = None
    organization: str | None = None
    handlers: Mapping[str, Any] = {}


NO_DEFAULTS = Defaults()


def split_model(
    model: str, custom_llm_provider: str | None, api_base: str | None, handlers: Mapping[str, Any] = {}
) -> tuple[Provider, str, bool]:
    """Who is meant, the model's name there, and whether the provider was named (or only guessed from an API base).

    Order: an explicit provider, your own handlers, the first path segment, the host of api_base, a bare model name,
    any api_base at all. Raises BadRequestError "LLM Provider NOT provided" when nothing fits.
    """
    if not model:
        raise BadRequestError(f"model must be a name such as 'openai/gpt-4o', not {model!r}", model=None)
    prefix, _, rest = model.partition("/")
    if custom_llm_provider:
        provider = _named(custom_llm_provider, handlers, model)
        mine = prefix in (custom_llm_provider, provider.name)
        return provider, rest if rest and mine else model, True
    if rest and (prefix in handlers or prefix in BY_NAME or prefix in NOT_YET):
        return _named(prefix, handlers, model), rest, True
    if api_base:
        provider_at = _by_host().get(_host(api_base))
        if provider_at is not None:
            return provider_at, model, False
    bare = _by_bare_name(model)
    if bare is not None:
        return bare, model, True
    if api_base or model == "*":
        return BY_NAME["openai"], model, False
    raise BadRequestError(
        f"LLM Provider NOT provided. You passed model={model}. Put the provider in front, as in 'openai/{model}' or "
        f"'groq/{model}', or pass api_base=… for an OpenAI-compatible server",
        model=model,
    )


def _named(name: str, handlers: Mapping[str, Any], model: str) -> Provider:
    if name in handlers:
        if name in BY_NAME:
            log.warning("custom_provider_map: %r shadows the built-in provider of that name", name)
        return Provider(name=name, handler=handlers[name])
    provider = BY_NAME.get(name)
    if provider is not None:
        return provider
    if name in NOT_YET:
        raise BadRequestError(f"the provider {name} is not supported yet", model=model, llm_provider=name)
    raise BadRequestError(
        f"LLM Provider NOT provided: there is no provider {name!r}. Use a name from litellm.provider_list, or register "
        "a handler of yours in litellm.custom_provider_map",
        model=model,
        llm_provider=name,
    )


@lru_cache(maxsize=1)
def _by_host() -> dict[str, Provider]:
    hosts: dict[str, Provider] = {}
    for row in ROWS:
        host = _host(row.base or "")
        if host and "{" not in host and host not in ("localhost", "127.0.0.1"):
            hosts.setdefault(host, row)
    hosts["api.openai.com"] = BY_NAME["openai"]
    return hosts


def _host(base: str) -> str:
    try:
        return urlsplit(base).hostname or ""
    except ValueError:
        return ""


@lru_cache(maxsize=1024)
def _by_bare_name(model: str) -> Provider | None:
    for row in ROWS:
        if any(fnmatchcase(model, pattern) for pattern in row.names):
            return row
    return None


def _first_env(names: Sequence[str]) -> str | None:
    for name in names:
        value = os.environ.get(name)
        if value:
            return value
    return None


def credentials(
    provider: Provider, api_base: str | None, api_key: str | None, *, named: bool, defaults: Defaults = NO_DEFAULTS
) -> tuple[str | None, str | None]:
    """The API base and the key to use: what was passed, else module settings, else the environment, else the row.

    A key from the environment goes only to a provider that was named. An empty key counts as none.
    """
    home = _first_env(provider.base_env) or provider.base
    base = api_base or (defaults.api_base if provider.openai else None) or home
    if base is not None and provider.variables:
        base = _filled(base, provider)
    if base is not None and provider.base_suffix and not urlsplit(base).path.rstrip("/").endswith(provider.base_suffix):
        base = base.rstrip("/") + provider.base_suffix
    key = api_key or None
    if key is None:
        # "" says: no key. At home that is read as "not given"; elsewhere nothing of ours is sent in its place.
        away = api_base is not None and api_base != home and (provider.key_stays_home or api_key == "")
        from_env = _first_env(provider.key) if named and not away else None
        if provider.openai:
            key = None if away else defaults.api_key or defaults.openai_key or from_env
        else:
            key = from_env or (None if away else defaults.api_key)
    return base, key


def _filled(base: str, provider: Provider) -> str:
    for name, variables in provider.variables.items():
        placeholder = "{" + name + "}"
        if placeholder in base:
            value = _first_env(variables)
            if value is None:
                raise BadRequestError(
                    f"{provider.name} needs {' or '.join(variables)} in the environment, or api_base=…",
                    llm_provider=provider.name,
                )
            base = base.replace(placeholder, value)
    return base


def resolve(place: Place, defaults: Defaults = NO_DEFAULTS) -> Target:
    """Everything that sending there needs. No network.

    Raises BadRequestError (no such provider, no API base, no URL), AuthenticationError (the provider wants a key).

    >>> resolve(Place(model="openai/mistral", api_base="http://localhost:4000", api_key="sk-1")).url
    'http://localhost:4000/chat/completions'
    """
    provider, model, named = split_model(place.model, place.custom_llm_provider, place.api_base, defaults.handlers)
    if provider.handler is not None:
        return Target(
            provider=provider, model=model, handler=provider.handler, api_base=place.api_base, api_key=place.api_key,
            headers=place.extra_headers, network=place.network, params=place.params, policy=place.policy,
            secrets=_secrets(place, place.api_key, place.api_base or ""),
        )  # fmt: skip
    base, key = credentials(provider, place.api_base, place.api_key, named=named, defaults=defaults)
    if base is None:
        variable = f" or set {provider.base_env[0]}" if provider.base_env else ""
        raise BadRequestError(
            f"{provider.name} has no address of its own: pass api_base=…{variable}", model, provider.name
        )
    wire = _wire(provider, model)
    path = provider.path or wire.PATH
    for elsewhere in provider.by_model:
        match = re.fullmatch(elsewhere.pattern, model)
        if match is not None:
            at_home = place.api_base is None
            base = match.expand(elsewhere.base) if elsewhere.base and at_home else base
            path = match.expand(elsewhere.path) if elsewhere.path else path
            model = match.expand(elsewhere.model) if elsewhere.model else model
            break
    try:
        split(base)
        base, userinfo = without_userinfo(base)
        url = join(base, path)
    except ValueError as error:
        raise BadRequestError(str(error), model, provider.name, param="api_base") from None
    if place.network is not DIRECT and url.startswith("https:"):
        try:
            ssl_context(place.network)
        except ValueError as error:
            raise BadRequestError(str(error), model, provider.name, param="ssl_verify") from None
    if key is None and userinfo is None:
        _require_key(provider, base, model, place.api_base)
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
    if key is not None:
        headers |= provider.auth.sign(key, url)
    elif userinfo is not None:
        headers["Authorization"] = userinfo
    for header, variable in provider.env_headers.items():
        if value := os.environ.get(variable):
            headers[header] = value
    organization = place.organization or defaults.organization
    if provider.openai and (organization or os.environ.get("OPENAI_ORGANIZATION")):
        headers["OpenAI-Organization"] = organization or os.environ["OPENAI_ORGANIZATION"]
    headers.update(place.extra_headers)
    for header, value in headers.items():
        _check_header(header, value, model, provider)
    return Target(
        provider=provider, model=model, url=url, api_base=base, api_key=key, headers=headers,
        network=place.network, wire=wire, edits=_edits(place, provider), policy=place.policy,
        params=place.params, secrets=_secrets(place, key, place.api_base or base),
    )  # fmt: skip


def _check_header(name: str, value: Any, model: str, provider: Provider) -> None:
    """What cannot be a header is told before it is sent, and without repeating it: it may be a key."""
    try:
        usable = value.isprintable() and name.isascii() and bool(value.encode("latin-1") or True)
    except (AttributeError, UnicodeEncodeError):
        usable = False
    if not usable:
        raise BadRequestError(
            f"the value for the header {name} cannot be sent: it must be one line of Latin-1 text"
            + (" (it comes from api_key)" if name.lower() == "authorization" else ""),
            model,
            provider.name,
        )


def _secrets(place: Place, key: str | None, base: str) -> tuple[str, ...]:
    """What is secret about a place: its key, what stands in its URL beside the address, headers, and named credentials."""
    found = [key, place.organization, *place.extra_headers.values()]
    if "@" in base or "?" in base:
        parts = urlsplit(base)
        found += [parts.username, parts.password, *(value for _, value in parse_qsl(parts.query))]
    found += [value for name, value in place.params.items() if isinstance(value, str) and _CREDENTIAL.search(name)]
    return tuple({text for text in found if text and len(text) > SHORTEST_SECRET})


def _wire(provider: Provider, model: str) -> ChatWire:
    name = provider.wires.get("chat")
    if name is None:
        raise BadRequestError(f"{provider.name} does not serve chat completions", model, provider.name)
    return wire_named(name)


@lru_cache(maxsize=64)
def wire_named(name: str) -> ChatWire:
    """Wires are named by string and imported on first use; a test imports them all."""
    return cast("ChatWire", importlib.import_module(f"litellm.wire.{name}"))


def _require_key(provider: Provider, base: str, model: str, given: str | None) -> None:
    """No key: an error before any network where one is needed; own servers are called without a header."""
    if provider.login is not None:
        raise AuthenticationError(
            f"{provider.name} takes {provider.login}, which is not supported; if you have a token, pass it as api_key=…",
            provider.name,
            model,
        )
    elsewhere = given or _first_env(provider.base_env)
    at_home = provider.base is not None and (elsewhere is None or _host(base) == _host(provider.base))
    if at_home and not provider.key_optional:
        raise AuthenticationError(
            f"no API key for {provider.name}: pass api_key=… or set {' or '.join(provider.key)}", provider.name, model
        )


def _edits(place: Place, provider: Provider) -> tuple[Edit, ...]:
    """The functions that a body goes through; none at all for the common case."""
    edits: list[Edit] = []
    quirks = provider.quirks
    if not place.supports_system_message:
        quirks = msgspec.structs.replace(quirks, fold_system=True, developer_as_system=False)
    if quirks != Quirks():
        edits.append(lambda body: body_quirks.apply(quirks, body))
    return tuple(edits)
