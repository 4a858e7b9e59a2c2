"""Credentials that clients bring: a key, an address, or a whole configuration (`user_config`).

Two rules make this safe. Nothing of the administrator's goes where a client chose: a place made here looks nothing up in
the environment and takes nothing from a deployment but its provider and model. And nothing of a client's stays: targets
made here belong to one call, or to the routings of one caller's own configurations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from litellm.net.guard import Guard
from litellm.net.network import Network
from litellm.net.sealed import Sealed
from litellm.net.url import fault_in_address
from litellm.operations import Operation
from litellm.providers.backend import Handler
from litellm.providers.rekey import with_key, with_version
from litellm.providers.resolve import resolve
from litellm.providers.target import EndpointSpec, Target
from litellm.proxy.errors import RequestError, wrong_type

CREDENTIAL_FIELDS = frozenset({"api_key", "api_base", "base_url", "api_version", "user_config"})
CONFIGURABLE = "configurable_clientside_auth_params"
REFERENCE = "os.environ/"


class ClientCredentials(Sealed, msgspec.Struct, frozen=True):
    """What a client said about credentials and addresses. No other type holds them, and they come from nowhere else."""

    api_key: str | None = None
    api_base: str | None = None
    api_version: str | None = None
    user_config: Mapping[str, Any] | None = None

    def __bool__(self) -> bool:
        return self != NO_CREDENTIALS


NO_CREDENTIALS = ClientCredentials()


def read_credentials(taken: Mapping[str, Any]) -> ClientCredentials:
    """What the client's words, taken out of its body, mean. Raises RequestError 400 for those that make no sense."""
    key, base, url, version = (_text(name, taken) for name in ("api_key", "api_base", "base_url", "api_version"))
    if url or base:
        name = "base_url" if url else "api_base"
        if fault := fault_in_address(url or base or ""):
            raise RequestError(400, f"{name} {fault}", param=name)
    config = taken.get("user_config")
    if config is not None and not isinstance(config, dict):
        raise wrong_type("user_config", "an object", config)
    credentials = ClientCredentials(key, url or base, version, config)
    if config is not None and credentials != ClientCredentials(user_config=config):
        raise RequestError(
            400, "user_config has the keys and addresses of its own model_list: send no others beside it",
            param="user_config",
        )  # fmt: skip
    return credentials


def _text(name: str, taken: Mapping[str, Any]) -> str | None:
    """A text that the client sent. An empty one says nothing."""
    value = taken.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise wrong_type(name, "a string", value)
    if value.startswith(REFERENCE):
        raise RequestError(
            400, f"{name} must be the value itself: {REFERENCE} is read in the server's configuration and nowhere else",
            param=name,
        )  # fmt: skip
    return value.strip() or None


class ClientCredentialsPolicy(msgspec.Struct, frozen=True):
    """What the administrator allows. allowed: general_settings.allow_client_side_credentials; guard: which hosts."""

    allowed: bool = True
    guard: Guard = Guard()

    @property
    def network(self) -> Network:
        """How places of clients are reached: with none of the administrator's certificates, and only if they may be."""
        return Network(guard=self.guard)

    def permit_user_config(self) -> None:
        """Raise RequestError 400 if clients may not bring configurations."""
        if not self.allowed:
            raise not_allowed("user_config")

    def target(
        self, credentials: ClientCredentials, model: str, template: Target | None, operation: Operation
    ) -> Target:
        """Where to send a call that brings its own credentials.

        template: a deployment of the group that `model` names, if it names one. Raises RequestError for what is not
        allowed, and LiteLLMError for what cannot be called.
        """
        self._permit(credentials, template)
        if credentials.api_base is not None and credentials.api_key is None:
            raise RequestError(
                400,
                "api_base in a request needs the api_key for it in the same request: the server's own keys are never sent "
                "to an address that a client chose",
                param="api_base",
            )
        if template is None:
            # Moderations need no model: then it is OpenAI's to choose.
            return resolve(self._spec(credentials, model, operation, None if model else operation.default_provider))
        if credentials.api_base is not None:
            return self._at_client_address(credentials, template, operation)
        return _on_account(template, credentials)

    def _at_client_address(self, credentials: ClientCredentials, template: Target, operation: Operation) -> Target:
        """The model of a deployment, at the client's place."""
        if isinstance(template.backend, Handler):
            raise RequestError(
                400, f"{template.group} is served by the server's own code: it takes no api_base", param="api_base"
            )
        spec = msgspec.structs.replace(
            self._spec(credentials, template.model, operation, template.provider.name),
            supports_system_message=template.params.get("supports_system_message", True),
        )
        return msgspec.structs.replace(resolve(spec), group=template.group)

    def _spec(
        self, credentials: ClientCredentials, model: str, operation: Operation, provider: str | None
    ) -> EndpointSpec:
        return EndpointSpec(
            model=model, custom_llm_provider=provider, api_base=credentials.api_base, api_key=credentials.api_key,
            api_version=credentials.api_version, operation=operation, network=self.network, environ={},
        )  # fmt: skip

    def _permit(self, credentials: ClientCredentials, template: Target | None) -> None:
        rules = _rules(template)
        for name in ("api_key", "api_base", "api_version"):
            value = getattr(credentials, name)
            if value is None:
                continue
            if name not in rules and not self.allowed:
                raise not_allowed(name)
            pattern = rules.get(name)
            if pattern is not None and not re.fullmatch(pattern, value):
                raise RequestError(400, f"this {name} is not among those that the model takes", param=name)


def _on_account(template: Target, credentials: ClientCredentials) -> Target:
    """A deployment's own place, on the client's account."""
    target = template if credentials.api_key is None else with_key(template, credentials.api_key)
    return target if credentials.api_version is None else with_version(target, credentials.api_version)


def _rules(template: Target | None) -> Mapping[str, str | None]:
    """The deployment's configurable_clientside_auth_params: names, or names with the pattern that values must match."""
    rules: dict[str, str | None] = {}
    for rule in (template.params.get(CONFIGURABLE) if template is not None else None) or ():
        rules |= rule if isinstance(rule, Mapping) else {rule: None}
    return rules


def not_allowed(name: str) -> RequestError:
    """A word that belongs to the administrator."""
    return RequestError(
        400, f"{name} is not allowed in a request body on this server: it is set in the server's configuration. "
        "Leave it out of the request", param=name,
    )  # fmt: skip
