"""A Client: transports, what it has learned, and the layers that a call goes through. All state of calls lives here."""

from __future__ import annotations

from functools import partial

from litellm.engine.attempt import Memory, attempt
from litellm.engine.call import Answer, Call, Opened
from litellm.engine.fallbacks import Hear, falling_back
from litellm.engine.hooked import hooked, rerouting
from litellm.engine.observe import observed
from litellm.engine.retries import Attempt, retrying
from litellm.net.async_io import AsyncTransport
from litellm.net.steps import Flow
from litellm.net.sync_io import SyncTransport


class Client:
    """Makes calls. Two Clients share nothing.

    isolate_handlers: run users' async handlers on an event loop of their own; for servers.
    """

    def __init__(self, *, isolate_handlers: bool = False) -> None:
        self.sync_io = SyncTransport()
        self.async_io = AsyncTransport(isolate_handlers=isolate_handlers)
        self._attempt = partial(attempt, memory=Memory())

    def flow(self, call: Call) -> Flow[Answer | Opened]:
        """What `call` does, outermost layer first: observers, fallbacks, retries, attempt. Nothing happens until it is
        driven, and a layer that nobody asked for is not there."""
        attempt = self._attempt if call.hooks is None else partial(hooked, attempt=self._attempt, hooks=call.hooks)
        if call.observe is not None:
            return observed(call, _unobserved, attempt, call.observe)
        return _unobserved(call, attempt)


def _unobserved(call: Call, attempt: Attempt, hear: Hear | None = None) -> Flow[Answer | Opened]:
    if call.reroute is not None:
        return rerouting(call, partial(_unobserved, attempt=attempt, hear=hear))
    if call.fallbacks.general or call.fallbacks.context_window or call.fallbacks.content_policy:
        return falling_back(call, partial(retrying, attempt=attempt), hear)
    return retrying(call, attempt)
