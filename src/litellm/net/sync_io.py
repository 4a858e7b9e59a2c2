"""The sync transport: performs steps and waits for them, with no event loop inside. Requests go straight to their upstream,
or through a proxy if the environment says so.
"""

from __future__ import annotations

import os
import time
import weakref
from typing import TYPE_CHECKING, Any

from litellm._threads import run_to_end
from litellm.net import memory_io
from litellm.net.messages import Request
from litellm.net.request_head import origin_of
from litellm.net.steps import Ask, Read, Send, Step
from litellm.net.sync_connection import SyncReply
from litellm.net.sync_pool import SyncPool
from litellm.net.tls import Proxies

if TYPE_CHECKING:
    from litellm.net.sync_proxied import SyncProxiedPool, SyncProxiedReply


class SyncTransport:
    """Performs steps and waits for them. Safe to share between threads; a forked child makes its own connections."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._direct = SyncPool()
        self._proxied: SyncProxiedPool | None = None
        self._proxies: Proxies | None = None
        self._leave = weakref.finalize(self, self._direct.abandon)  # also when the interpreter ends

    def perform(self, step: Step) -> Any:
        kind = type(step)
        if kind is Send:
            return self.send(step.request)  # type: ignore[union-attr]  # type() is what mypy cannot narrow by
        if kind is Read:
            return step.reply.read()  # type: ignore[union-attr]
        if kind is Ask:
            return _ask(step)  # type: ignore[arg-type]
        return time.sleep(step.seconds)  # type: ignore[union-attr]

    def send(self, request: Request) -> SyncReply | SyncProxiedReply | memory_io.SyncScriptedReply:
        """Send and wait for the head; and for the body too unless a good answer is to be streamed."""
        if request.script is not None:
            return memory_io.play(request, request.script)
        if self._pid != os.getpid():
            self._leave_to_parent()
        if self._proxies is None:
            self._proxies = Proxies()
        if self._proxies.configured and request.network.guard is None:
            # A proxy looks names up by itself: what a guard admits is not what it would connect to.
            origin = origin_of(request.url)
            proxy = self._proxies.find(origin.scheme, origin.authority)
            if proxy is not None:
                return self._through_proxies().send(request, proxy)
        return self._direct.send(request)

    def _leave_to_parent(self) -> None:
        """A forked child must not talk on its parent's sockets. Closing its copies leaves the parent's open."""
        self._leave()
        if self._proxied is not None:
            self._proxied.close()
        self._start()

    def _through_proxies(self) -> SyncProxiedPool:
        if self._proxied is None:
            from litellm.net.sync_proxied import SyncProxiedPool  # httpcore2, which few need

            self._proxied = SyncProxiedPool()
            weakref.finalize(self, self._proxied.close)
        return self._proxied

    def close(self) -> None:
        """Close all connections. Another call opens them again."""
        self._direct.close()
        if self._proxied is not None:
            self._proxied.close()
        self._proxies = None


def _ask(ask: Ask) -> Any:
    if ask.sync_fn is not None:
        return ask.sync_fn(*ask.args)
    assert ask.async_fn is not None  # noqa: S101 - an Ask has at least one of the two
    return run_to_end(ask.async_fn(*ask.args))  # type: ignore[arg-type]
