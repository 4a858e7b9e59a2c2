"""A provider is a row. This is what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from litellm.providers.auth.scheme import Scheme, bearer
from litellm.wire.quirks import NONE, Quirks


class ByModel(msgspec.Struct, frozen=True):
    """Models whose id matches `pattern` as a whole go elsewhere; the others are templates for re.Match.expand."""

    pattern: str
    base: str | None = None
    prefix: str | None = None
    model: str | None = None


class Address(Protocol):
    """Where an operation lives, for providers whose URLs are more than base + prefix + path."""

    def __call__(self, base: str, path: str, model: str, version: str | None) -> str:
        """The URL. path: the wire's; version: api_version. Raises ValueError for a base that is no URL."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table.

    name: the prefix in "name/model". base: default API base; None means that the user must give one.
    key, base_env: environment variables, the first that is set counts. key_optional: local servers that need no key.
    key_stays_home: the key from the environment goes only to the default base or the one from the environment.
    prefix: what stands between the base and the wire's path. by_model: models that live at another address.
    address: makes the URL where that is not enough. version_env: where the API version may stand, if it has such.
    dialects: the formats that it speaks, modules in litellm.wire. auth: how a key becomes headers. quirks: how they
    differ there.
    bearer_param, bearer_env: a bearer token that may stand in for the key; `…_provider`, a function that gives one.
    unsupported: OpenAI parameters that it documents as refused. names: bare model names that mean this provider.
    variables: placeholders in `base` → environment variables. env_headers: header → environment variable.
    openai: litellm.openai_key, litellm.api_base and organizations are meant for it. login: what it takes instead of a
    key, which we do not do (yet). display_name: as errors spell it, where that is not the name, capitalized. status:
    "tested" once a live run was recorded.
    """

    name: str
    base: str | None = None
    key: tuple[str, ...] = ()
    base_env: tuple[str, ...] = ()
    key_optional: bool = False
    key_stays_home: bool = False
    prefix: str = ""
    base_suffix: str = ""
    by_model: tuple[ByModel, ...] = ()
    address: Address | None = None
    version_env: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ()
    bearer_param: str = ""
    bearer_env: tuple[str, ...] = ()
    auth: Scheme = bearer()
    quirks: Quirks = NONE
    unsupported: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    variables: Mapping[str, tuple[str, ...]] = {}
    env_headers: Mapping[str, str] = {}
    openai: bool = False
    login: str | None = None
    display_name: str = ""
    status: str = "listed"
    handler: Any = None
