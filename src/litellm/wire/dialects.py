"""Dialects by their names, and how an operation is asked for where only some of them are spoken."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import cast

from litellm.operations import Operation, of_name
from litellm.wire.bridge import BRIDGES
from litellm.wire.protocol import ClientDialect, StreamDialect


@lru_cache(maxsize=64)
def upstream_dialect(name: str) -> StreamDialect:
    """A format, as it is spoken to upstreams. They are named by string and imported on first use; a test imports all."""
    return cast("StreamDialect", import_module(f"litellm.wire.{name}"))


@lru_cache(maxsize=64)
def client_dialect(name: str) -> ClientDialect:
    """A format, as clients speak it to us."""
    return cast("ClientDialect", import_module(f"litellm.wire.{name}"))


@lru_cache(maxsize=256)
def find_dialect(operation: Operation, spoken: tuple[str, ...]) -> StreamDialect | None:
    """How to ask for an operation where these dialects are spoken: in one of its own, or by a bridge to another's.

    >>> find_dialect(of_name("text"), ("openai_chat",)).PATH
    '/chat/completions'
    """
    direct = next((name for name in operation.dialects if name in spoken), None)
    if direct is not None:
        return upstream_dialect(direct)
    if not operation.via:
        return None
    other = of_name(operation.via)
    theirs = next((name for name in other.dialects if name in spoken), None)
    bridge = BRIDGES.get((operation.dialect, other.dialect))
    return None if theirs is None or bridge is None else bridge(upstream_dialect(theirs))
