"""From "groq/llama3", an API base, the environment to where to send. The one resolver, for the SDK and the proxy."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from litellm._log import log
from litellm._version import version
from litellm.exceptions import AuthenticationError, BadRequestError
from litellm.net.network import DIRECT
from litellm.net.tls import ssl_context
from litellm.net.url import join, split, without_userinfo
from litellm.operations import Operation, of_name
from litellm.providers.secrets import added, registered
from litellm.providers.spec import Provider
from litellm.providers.table import BY_NAME, NOT_YET, ROWS
from litellm.providers.target import NO_DEFAULTS, Defaults, Edit, Place, Target
from litellm.wire import quirks as body_quirks
from litellm.wire.bridge import BRIDGES
from litellm.wire.protocol import StreamWire
from litellm.wire.quirks import Quirks

USER_AGENT = f"litellm/{version}"
_ALWAYS_SENT = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}


def split_model(
    model: str, custom_llm_provider: str | None, api_base: str | None, handlers: Mapping[str, Any] = {}
) -> tuple[Provider, str, bool]:
    """Who is meant, the model's name there, and whether the provider was named (or only guessed from an API base).

    Order: an explicit provider, your own handlers, the first path segment, the host of api_base, a bare model name,
    any api_base at all. Raises BadRequestError "LLM Provider NOT provided" when nothing fits.
    """
    if not model and not custom_llm_provider:
        raise _nameless(model)
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


def _nameless(model: Any) -> BadRequestError:
    return BadRequestError(f"model must be a name such as 'openai/gpt-4o', not {model!r}", model=None)


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


def _first_env(names: Sequence[str], environ: Mapping[str, str]) -> str | None:
    for name in names:
        value = environ.get(name)
        if value:
            return value
    return None


def credentials(
    provider: Provider,
    api_base: str | None,
    api_key: str | None,
    *,
    named: bool,
    defaults: Defaults = NO_DEFAULTS,
    environ: Mapping[str, str] = os.environ,
) -> tuple[str | None, str | None]:
    """The API base and the key to use: what was passed, else module settings, else the environment, else the row.

    A key from the environment goes only to a provider that was named. An empty key counts as none.
    """
    home = _first_env(provider.base_env, environ) or provider.base
    base = api_base or (defaults.api_base if provider.openai else None) or home
    if base is not None and provider.variables:
        base = _filled(base, provider, environ)
    if base is not None and provider.base_suffix and not urlsplit(base).path.rstrip("/").endswith(provider.base_suffix):
        base = base.rstrip("/") + provider.base_suffix
    key = api_key or None
    if key is None:
        # "" says: no key. At home that is read as "not given"; elsewhere nothing of ours is sent in its place.
        away = api_base is not None and api_base != home and (provider.key_stays_home or api_key == "")
        from_env = _first_env(provider.key, environ) if named and not away else None
        if provider.openai:
            key = None if away else defaults.api_key or defaults.openai_key or from_env
        else:
            key = from_env or (None if away else defaults.api_key)
    return base, key


def _filled(base: str, provider: Provider, environ: Mapping[str, str]) -> str:
    for name, variables in provider.variables.items():
        placeholder = "{" + name + "}"
        if placeholder in base:
            value = _first_env(variables, environ)
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
    if not model and not place.operation.model_optional:
        raise _nameless(model)
    if provider.handler is not None:
        return Target(
            provider=provider, model=model, handler=provider.handler, api_base=place.api_base, api_key=place.api_key,
            headers=place.extra_headers, network=place.network, params=place.params, policy=place.policy,
            **registered(place, place.api_key, {}, place.extra_headers, place.api_base or ""),
        )  # fmt: skip
    environ = place.environ
    base, key = credentials(
        provider, place.api_base, place.api_key, named=named, defaults=defaults, environ=environ
    )  # fmt: skip
    if base is None:
        variable = f" or set {provider.base_env[0]}" if provider.base_env and environ else ""
        raise BadRequestError(
            f"{provider.name} has no address of its own: pass api_base=…{variable}", model, provider.name
        )
    base, model, prefix = _by_model(provider, base, model, at_home=place.api_base is None)
    api_version = place.api_version or _first_env(provider.version_env, environ)
    wire = _wire(provider, model, place.operation)
    try:
        address = base
        split(address)
        base, userinfo = without_userinfo(address)
        url = _url(provider, base, prefix, wire, model, api_version)
    except ValueError as error:
        raise BadRequestError(str(error), model, provider.name, param="api_base") from None
    if place.network is not DIRECT and url.startswith("https:"):
        try:
            ssl_context(place.network)
        except ValueError as error:
            raise BadRequestError(str(error), model, provider.name, param="ssl_verify") from None
    token = bearer = None
    if provider.bearer_param and not place.api_key:
        key, token, bearer = _key_or_token(provider, place, key)
    if key is None and userinfo is None and token is None and bearer is None:
        _require_key(provider, base, model, place)
    signed: Mapping[str, str] = {}
    if key is not None:
        signed = provider.auth.sign(key, url)
    elif token is not None or userinfo is not None:
        signed = {"Authorization": f"Bearer {token}" if token is not None else userinfo or ""}
    more: dict[str, str] = {}
    for header, variable in provider.env_headers.items():
        if value := environ.get(variable):
            more[header] = value
    organization = place.organization or defaults.organization or environ.get("OPENAI_ORGANIZATION")
    if provider.openai and organization:
        more["OpenAI-Organization"] = organization
    more.update(place.extra_headers)
    headers = {**_ALWAYS_SENT, **signed, **more}
    _check_headers(headers, model, provider)
    return Target(
        provider=provider, model=model, url=url, api_base=base, api_key=key, headers=headers,
        network=place.network, wire=wire, operation=place.operation, version=api_version, prefix=prefix,
        edits=_edits(place, provider) if place.operation.generates else (), policy=place.policy, params=place.params,
        bearer=bearer, **registered(place, key or token, signed, more, address),
    )  # fmt: skip


def _key_or_token(
    provider: Provider, place: Place, key: str | None
) -> tuple[str | None, str | None, Callable[[], Any] | None]:
    """The key, the token or the function for one: one of them, or none. What was said goes before the environment.

    key: what there is without having been said.
    """
    token = place.params.get(provider.bearer_param)
    bearer = None if token else place.params.get(f"{provider.bearer_param}_provider")
    if token or bearer is not None:
        return None, token, bearer
    return key, None if key else _first_env(provider.bearer_env, place.environ), None


def resolve_or_say_why(place: Place, defaults: Defaults = NO_DEFAULTS) -> Target:
    """`resolve`, but where only the key is missing: a target that is complete except for it, and raises the error when it
    is called. Whoever brings a key of their own (see `with_key`) can use it."""
    try:
        return resolve(place, defaults)
    except AuthenticationError as error:
        place = msgspec.structs.replace(place, api_key="-")
        return msgspec.structs.replace(without_key(resolve(place, defaults)), unusable=error)


def without_key(target: Target) -> Target:
    """`target` without our credential, and without what says on whose account the call is."""
    signed = target.provider.auth.sign("", target.url)
    account = {"authorization", "openai-organization", *(name.lower() for name in signed)}
    headers = {name: value for name, value in target.headers.items() if name.lower() not in account}
    return msgspec.structs.replace(target, api_key=None, headers=headers, bearer=None, lasting=False, others={})


def with_bearer(target: Target, token: str) -> Target:
    """`target`, to be called with this token, once."""
    headers = {**target.headers, "Authorization": f"Bearer {token}"}
    _check_headers(headers, target.model, target.provider)
    return msgspec.structs.replace(
        target, headers=headers, bearer=None, lasting=False, others={}, **added(target, token)
    )


def with_key(target: Target, key: str) -> Target:
    """`target`, to be called with another key: the place stays the same, its account does not."""
    if target.handler is not None:  # its headers are what the administrator set; the key is an argument of its own
        return msgspec.structs.replace(target, api_key=key, lasting=False, others={}, **added(target, key))
    bare = without_key(target)
    signed = target.provider.auth.sign(key, target.url)
    headers = {**bare.headers, **signed}
    _check_headers(headers, target.model, target.provider)
    secrets = added(target, key, *signed.values())
    return msgspec.structs.replace(bare, api_key=key, headers=headers, unusable=None, **secrets)


def with_version(target: Target, version: str) -> Target:
    """`target`, to be called by another API version. Changes nothing for providers that have none."""
    changed = msgspec.structs.replace(target, version=version, others={})
    return _elsewhere(changed, target.operation)


def at(target: Target, operation: Operation) -> Target:
    """The same place, for another operation."""
    other = target.others.get(operation)
    if other is None:
        other = target.others[operation] = _elsewhere(target, operation)
    return other


def _elsewhere(target: Target, operation: Operation) -> Target:
    if target.handler is not None or not target.url:
        return msgspec.structs.replace(target, operation=operation, others={})
    wire = _wire(target.provider, target.model, operation)
    base = target.api_base or ""
    url = _url(target.provider, base, target.prefix, wire, target.model, target.version)
    edits = target.edits if operation.generates else ()
    return msgspec.structs.replace(target, operation=operation, wire=wire, url=url, edits=edits, others={})


def _by_model(provider: Provider, base: str, model: str, *, at_home: bool) -> tuple[str, str, str]:
    """Base, model and prefix; some models of a provider live at an address of their own."""
    for other in provider.by_model:
        match = re.fullmatch(other.pattern, model)
        if match is not None:
            base = match.expand(other.base) if other.base and at_home else base
            prefix = match.expand(other.prefix) if other.prefix else provider.prefix
            return base, match.expand(other.model) if other.model else model, prefix
    return base, model, provider.prefix


def _url(provider: Provider, base: str, prefix: str, wire: StreamWire, model: str, version: str | None) -> str:
    if provider.address is not None:
        return provider.address(base, wire.PATH, model, version)
    return join(base, prefix + wire.PATH)


def _check_headers(headers: Mapping[str, Any], model: str, provider: Provider) -> None:
    """What cannot be a header is told before it is sent, and without repeating it: it may be a key."""
    for name, value in headers.items():
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


def _wire(provider: Provider, model: str, operation: Operation) -> StreamWire:
    wire = way(operation, provider.dialects)
    if wire is None:
        raise BadRequestError(f"{provider.name} does not serve {operation.label}", model, provider.name)
    return wire


@lru_cache(maxsize=256)
def way(operation: Operation, dialects: tuple[str, ...]) -> StreamWire | None:
    """How to ask for an operation where these formats are spoken: in one of its own, or by a bridge to one of another's."""
    mine = next((name for name in operation.dialects if name in dialects), None)
    if mine is not None:
        return wire_named(mine)
    if not operation.via:
        return None
    theirs = next((name for name in of_name(operation.via).dialects if name in dialects), None)
    bridge = BRIDGES.get((operation.dialect, of_name(operation.via).dialect))
    return None if theirs is None or bridge is None else bridge(wire_named(theirs))


@lru_cache(maxsize=64)
def wire_named(name: str) -> StreamWire:
    """Wires are named by string and imported on first use; a test imports them all."""
    return cast("StreamWire", importlib.import_module(f"litellm.wire.{name}"))


def _require_key(provider: Provider, base: str, model: str, place: Place) -> None:
    """No key: an error before any network where one is needed; own servers are called without a header."""
    if provider.login is not None:
        raise AuthenticationError(
            f"{provider.name} takes {provider.login}, which is not supported; if you have a token, pass it as api_key=…",
            provider.name,
            model,
        )
    given = place.api_base or _first_env(provider.base_env, place.environ)
    at_home = provider.base is not None and (given is None or _host(base) == _host(provider.base))
    if at_home and not provider.key_optional:
        variable = f" or set {' or '.join(provider.key)}" if place.environ else ""  # a client's place looks nothing up
        raise AuthenticationError(f"no API key for {provider.name}: pass api_key=…{variable}", provider.name, model)


def _edits(place: Place, provider: Provider) -> tuple[Edit, ...]:
    """The functions that a body goes through; none at all for the common case."""
    edits: list[Edit] = []
    quirks = provider.quirks
    if not place.supports_system_message:
        quirks = msgspec.structs.replace(quirks, fold_system=True, developer_as_system=False)
    if quirks != Quirks():
        edits.append(lambda body: body_quirks.apply(quirks, body))
    return tuple(edits)
