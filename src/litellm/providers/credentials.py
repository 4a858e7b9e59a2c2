"""Which key is sent to which provider: the one passed, the settings' or the environment's."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from litellm._credentials import names_credential
from litellm.exceptions import AuthenticationError, BadRequestError
from litellm.providers.names import host_of, split_model
from litellm.providers.spec import Provider
from litellm.providers.table import ROWS
from litellm.providers.target import NO_DEFAULTS, Defaults, EndpointSpec


def first_env(names: Sequence[str], environ: Mapping[str, str]) -> str | None:
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
    home = first_env(provider.base_env, environ) or provider.base
    base = api_base or (defaults.api_base if provider.openai else None) or home
    if base is not None and provider.variables:
        base = _filled(base, provider, environ)
    if base is not None and provider.base_suffix and not urlsplit(base).path.rstrip("/").endswith(provider.base_suffix):
        base = base.rstrip("/") + provider.base_suffix
    key = api_key or None
    if key is None:
        # "" says: no key. At home that is read as "not given"; elsewhere nothing of ours is sent in its place.
        away = api_base is not None and api_base != home and (provider.key_stays_home or api_key == "")
        from_env = first_env(provider.key, environ) if named and not away else None
        if provider.openai:
            key = None if away else defaults.api_key or defaults.openai_key or from_env
        else:
            key = from_env or (None if away else defaults.api_key)
    return base, key


def _filled(base: str, provider: Provider, environ: Mapping[str, str]) -> str:
    for name, variables in provider.variables.items():
        placeholder = "{" + name + "}"
        if placeholder in base:
            value = first_env(variables, environ)
            if value is None:
                raise BadRequestError(
                    f"{provider.name} needs {' or '.join(variables)} in the environment, or api_base=…",
                    llm_provider=provider.name,
                )
            base = base.replace(placeholder, value)
    return base


def key_or_token(
    provider: Provider, spec: EndpointSpec, key: str | None
) -> tuple[str | None, str | None, Callable[[], Any] | None]:
    """A triple (key, bearer token, function that returns one) in which one is set at most. What the caller passed goes
    before the environment.

    key: the key found in the environment or the settings.
    """
    token = spec.params.get(provider.bearer_param)
    bearer = None if token else spec.params.get(f"{provider.bearer_param}_provider")
    if token or bearer is not None:
        return None, token, bearer
    return key, None if key else first_env(provider.bearer_env, spec.environ), None


def require_key(provider: Provider, base: str, model: str, spec: EndpointSpec) -> None:
    """No key: an error before any network where one is needed; own servers are called without a header."""
    if provider.login is not None:
        raise AuthenticationError(
            f"{provider.name} takes {provider.login}, which is not supported; if you have a token, pass it as api_key=…",
            provider.name,
            model,
        )
    given = spec.api_base or first_env(provider.base_env, spec.environ)
    at_home = provider.base is not None and (given is None or host_of(base) == host_of(provider.base))
    if at_home and not provider.key_optional:
        variable = f" or set {' or '.join(provider.key)}" if spec.environ else ""  # a client's place looks nothing up
        raise AuthenticationError(f"no API key for {provider.name}: pass api_key=…{variable}", provider.name, model)


def for_owner(spec: EndpointSpec, defaults: Defaults = NO_DEFAULTS) -> EndpointSpec:
    """`spec`, without its credentials if they belong to another provider than the one that its model names.

    For entries that leave the provider to the request (model: "*"): a key is one provider's. Which, is known by the
    variable that holds it (OPENAI_API_KEY); one that no provider's variable holds is OpenAI's, as bare names are.
    What goes to an address of the administrator's is for that address, and own handlers are own code.
    """
    if spec.api_base is not None:
        return spec
    provider = split_model(spec.model, spec.custom_llm_provider, None, defaults.handlers)[0]
    if provider.handler is not None or _owns(provider, spec):
        return spec
    token = provider.bearer_param
    tokens = {name: spec.params[name] for name in (token, f"{token}_provider") if name in spec.params}
    params = {name: _harmless(value) if name in _HEADERS else value for name, value in _harmless(spec.params).items()}
    headers = _harmless(spec.extra_headers)
    return msgspec.structs.replace(spec, api_key=None, organization=None, extra_headers=headers, params=params | tokens)


_HEADERS = ("headers", "extra_headers")
_ACCOUNT = frozenset({"organization", "client_id", "tenant_id", "azure_ad_token_provider"})


def _harmless(named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if not (names_credential(name) or name in _ACCOUNT)}


def _owns(provider: Provider, spec: EndpointSpec) -> bool:
    """Whether what an entry brings is for this provider."""
    if spec.api_key is None:
        return provider.openai
    variables = {name for row in ROWS for name in row.key if spec.environ.get(name) == spec.api_key}
    return not variables.isdisjoint(provider.key) if variables else provider.openai
