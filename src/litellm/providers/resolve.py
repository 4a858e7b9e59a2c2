"""From "groq/llama3", an API base and the environment to a target. The one resolver, for the SDK and the proxy."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from litellm._version import version
from litellm.exceptions import AuthenticationError, BadRequestError
from litellm.net.network import DIRECT
from litellm.net.tls import ssl_context
from litellm.net.url import split, without_userinfo
from litellm.providers.auth.flow import TokenAuth
from litellm.providers.backend import Handler, Scripted, Unusable, Upstream, converted
from litellm.providers.credentials import credentials, first_env, key_or_token, require_key
from litellm.providers.endpoint import by_model, check_headers, dialect_for, url_of
from litellm.providers.names import invalid_model_name, split_model
from litellm.providers.rekey import without_key
from litellm.providers.secrets import registered
from litellm.providers.spec import Provider
from litellm.providers.target import NO_DEFAULTS, Defaults, Edit, EndpointSpec, Target
from litellm.wire import quirks as body_quirks
from litellm.wire.quirks import Quirks

PLAYED = "mock:"  # the beginning of addresses at which nobody lives
USER_AGENT = f"litellm/{version}"
_ALWAYS_SENT = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}


def resolve(spec: EndpointSpec, defaults: Defaults = NO_DEFAULTS) -> Target:
    """The target that `spec` describes: its address, headers, credentials and backend. Nothing is connected to.

    Raises BadRequestError (no such provider, no API base, no URL), AuthenticationError (the provider wants a key).

    >>> resolve(EndpointSpec(model="openai/mistral", api_base="http://localhost:4000", api_key="sk-1")).url
    'http://localhost:4000/chat/completions'
    """
    provider, model, named = split_model(spec.model, spec.custom_llm_provider, spec.api_base, defaults.handlers)
    if not model and not spec.operation.model_optional:
        raise invalid_model_name(model)
    if provider.handler is not None:
        return Target(
            provider=provider, model=model, backend=Handler(provider.handler), api_base=spec.api_base,
            api_key=spec.api_key, headers=spec.extra_headers, network=spec.network, params=spec.params,
            policy=spec.policy,
            **registered(spec, spec.api_key, {}, spec.extra_headers, spec.api_base or ""),
        )  # fmt: skip
    environ = spec.environ
    base, key = credentials(
        provider, spec.api_base, spec.api_key, named=named, defaults=defaults, environ=environ
    )  # fmt: skip
    if base is None:
        variable = f" or set {provider.base_env[0]}" if provider.base_env and environ else ""
        raise BadRequestError(
            f"{provider.name} has no address of its own: pass api_base=…{variable}", model, provider.name
        )
    base, model, prefix = by_model(provider, base, model, at_home=spec.api_base is None)
    api_version = spec.api_version or first_env(provider.version_env, environ)
    dialect = dialect_for(provider, model, spec.operation)
    try:
        address = base
        split(address)
        base, userinfo = without_userinfo(address)
        url = url_of(provider, base, prefix, dialect.PATH, model, api_version)
    except ValueError as error:
        raise BadRequestError(str(error), model, provider.name, param="api_base") from None
    if spec.network is not DIRECT and url.startswith("https:"):
        try:
            ssl_context(spec.network)
        except ValueError as error:
            raise BadRequestError(str(error), model, provider.name, param="ssl_verify") from None
    token = bearer = None
    if provider.bearer_param and not spec.api_key:
        key, token, bearer = key_or_token(provider, spec, key)
    if key is None and userinfo is None and token is None and bearer is None:
        require_key(provider, base, model, spec)
    signed: Mapping[str, str] = {}
    if key is not None:
        signed = provider.auth.sign(key, url)
    elif token is not None or userinfo is not None:
        signed = {"Authorization": f"Bearer {token}" if token is not None else userinfo or ""}
    more: dict[str, str] = {}
    for header, variable in provider.env_headers.items():
        if value := environ.get(variable):
            more[header] = value
    organization = spec.organization or defaults.organization or environ.get("OPENAI_ORGANIZATION")
    if provider.openai and organization:
        more["OpenAI-Organization"] = organization
    more.update(spec.extra_headers)
    headers = {**_ALWAYS_SENT, **signed, **more}
    check_headers(headers, model, provider)
    kind = Scripted if url.startswith(PLAYED) else Upstream
    backend = kind(
        url=url, dialect=dialect, prefix=prefix, version=api_version, auth=None if bearer is None else TokenAuth(bearer)
    )
    return Target(
        provider=provider, model=model, backend=backend, api_base=base, api_key=key, headers=headers,
        network=spec.network, operation=spec.operation, policy=spec.policy, params=spec.params,
        edits=_edits(spec, provider) if spec.operation.generates else (),
        **registered(spec, key or token, signed, more, address),
    )  # fmt: skip


def resolve_or_unusable(spec: EndpointSpec, defaults: Defaults = NO_DEFAULTS) -> Target:
    """`resolve`, but where only the key is missing: a target that is complete except for it, and raises the error when it
    is called. Whoever brings a key of their own (see `with_key`) can use it."""
    try:
        return resolve(spec, defaults)
    except AuthenticationError as error:
        spec = msgspec.structs.replace(spec, api_key="-")
        target = without_key(resolve(spec, defaults))
        assert isinstance(target.backend, Upstream)  # noqa: S101 - nobody else wants a key
        return msgspec.structs.replace(target, backend=converted(target.backend, Unusable, error=error))


def _edits(spec: EndpointSpec, provider: Provider) -> tuple[Edit, ...]:
    """The functions that a body goes through; none at all for the common case."""
    edits: list[Edit] = []
    quirks = provider.quirks
    if not spec.supports_system_message:
        quirks = msgspec.structs.replace(quirks, fold_system=True, developer_as_system=False)
    if quirks != Quirks():
        edits.append(lambda body: body_quirks.apply(quirks, body))
    return tuple(edits)
