"""A Client: transports, what it has learned, and the layers that a call goes through. All state of calls lives here."""

from __future__ import annotations

from functools import partial

from litellm.engine.attempt import Memory, attempt
from litellm.engine.call import Answer, Call, Opened
from litellm.engine.fallbacks import OnError, falling_back
from litellm.engine.hooked import hooked, rerouting
from litellm.engine.observe import observed
from litellm.engine.retries import Attempt, retrying
from litellm.engine.route import Route
from litellm.engine.watchers import Watchers
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

    def flow(self, call: Call, route: Route, watchers: Watchers | None = None) -> Flow[Answer | Opened]:
        """What `call` does, outermost layer first: observability, fallbacks, retries, attempt. Nothing happens until it is
        driven, and a layer that nobody asked for is not there."""
        if watchers is not None:
            return observed(call, route, watchers, _watched_flow, self._attempt)
        return _core_flow(call, route, self._attempt)


def _core_flow(call: Call, route: Route, attempt: Attempt, on_error: OnError | None = None) -> Flow[Answer | Opened]:
    if route.falls_back:
        return falling_back(call, route, partial(retrying, attempt=attempt), on_error)
    return retrying(call, route, attempt)


def _watched_flow(
    call: Call, route: Route, watchers: Watchers, attempt: Attempt, on_error: OnError | None
) -> Flow[Answer | Opened]:
    hooks = watchers.observe.hooks
    if hooks is None:
        return _core_flow(call, route, attempt, on_error)
    attempt = partial(hooked, attempt=attempt, hooks=hooks, watchers=watchers, listed=bool(route.group))
    onward = partial(_core_flow, attempt=attempt, on_error=on_error)
    return rerouting(call, route, watchers, hooks, onward) if hooks.routes else onward(call, route)
