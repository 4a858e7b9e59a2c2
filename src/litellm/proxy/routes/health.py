"""Probes. They need no key, touch no dependency and call no model."""

from __future__ import annotations

from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy


async def liveliness(_: Proxy, http: Exchange) -> None:
    """The process serves."""
    http.answer(200, b'"I\'m alive!"', [])


async def readiness(_: Proxy, http: Exchange) -> None:
    """Ready for requests: the configuration is in place."""
    http.answer(200, b'{"status":"healthy","db":"Not connected"}', [])
