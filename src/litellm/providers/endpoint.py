"""Where an operation lives at a provider, in which format it is asked there, and what may be sent as a header."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from litellm.exceptions import BadRequestError
from litellm.net.url import join
from litellm.operations import Operation, of_name
from litellm.providers.spec import Provider
from litellm.wire.bridge import BRIDGES
from litellm.wire.protocol import StreamWire


def by_model(provider: Provider, base: str, model: str, *, at_home: bool) -> tuple[str, str, str]:
    """Base, model and prefix; some models of a provider live at an address of their own."""
    for other in provider.by_model:
        match = re.fullmatch(other.pattern, model)
        if match is not None:
            base = match.expand(other.base) if other.base and at_home else base
            prefix = match.expand(other.prefix) if other.prefix else provider.prefix
            return base, match.expand(other.model) if other.model else model, prefix
    return base, model, provider.prefix


def url_of(provider: Provider, base: str, prefix: str, wire: StreamWire, model: str, version: str | None) -> str:
    if provider.address is not None:
        return provider.address(base, wire.PATH, model, version)
    return join(base, prefix + wire.PATH)


def check_headers(headers: Mapping[str, Any], model: str, provider: Provider) -> None:
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


def wire_for(provider: Provider, model: str, operation: Operation) -> StreamWire:
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
