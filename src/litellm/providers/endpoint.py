"""Where an operation lives at a provider, in which format it is asked there, and what may be sent as a header."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from litellm.exceptions import BadRequestError
from litellm.net.url import join
from litellm.operations import Operation
from litellm.providers.backend import Upstream
from litellm.providers.spec import Provider
from litellm.providers.target import Target
from litellm.wire.dialects import find_dialect
from litellm.wire.protocol import Payload, StreamDialect


def by_model(provider: Provider, base: str, model: str, *, at_home: bool) -> tuple[str, str, str]:
    """Base, model and prefix; some models of a provider live at an address of their own."""
    for other in provider.by_model:
        match = re.fullmatch(other.pattern, model)
        if match is not None:
            base = match.expand(other.base) if other.base and at_home else base
            prefix = match.expand(other.prefix) if other.prefix else provider.prefix
            return base, match.expand(other.model) if other.model else model, prefix
    return base, model, provider.prefix


def url_of(provider: Provider, base: str, prefix: str, path: str, model: str, version: str | None) -> str:
    if provider.address is not None:
        return provider.address(base, path, model, version)
    return join(base, prefix + path)


def url_for(target: Target, upstream: Upstream, payload: Payload) -> str:
    """Where a payload goes: to the upstream's URL, unless the dialect has put more into the path than its usual one."""
    url = upstream.url
    if payload.path:
        base = target.api_base or ""
        url = url_of(target.provider, base, upstream.prefix, payload.path, target.model, upstream.version)
    if payload.query:
        url += ("&" if "?" in url else "?") + payload.query
    return url


def check_headers(headers: Mapping[str, Any], model: str, provider: Provider) -> None:
    """Raise BadRequestError for what cannot be a header, without repeating it: it may be a key."""
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


def dialect_for(provider: Provider, model: str, operation: Operation) -> StreamDialect:
    found = find_dialect(operation, provider.dialects)
    if found is None:
        raise BadRequestError(f"{provider.name} does not serve {operation.label}", model, provider.name)
    return found
