"""A Client: transports, what it has learned, and the layers that a call goes through. All state of calls lives here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from litellm.engine.backends import handler, scripted, unusable
from litellm.engine.backends.upstream import Upstreams
from litellm.engine.call import Answer, Call
from litellm.engine.fallbacks import OnError, falling_back
from litellm.engine.fan_out import ask_each, prompts_apart
from litellm.engine.hooked import hooked, rerouting
from litellm.engine.observe import observed
from litellm.engine.opened import Opened
from litellm.engine.retries import Attempt, retrying
from litellm.engine.route import Route
from litellm.engine.watchers import Watchers
from litellm.net.async_io import AsyncTransport
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow
from litellm.net.sync_io import SyncTransport
from litellm.providers.backend import Handler, Scripted, Unusable, Upstream
from litellm.providers.rekey import for_operation
from litellm.providers.target import Target

CallNext = Callable[[Call, Route], Flow[Answer | Opened]]
# What wraps the fallbacks and retries of every call, such as a cache: it may answer by itself, or call the next one.
Layer = Callable[[Call, Route, CallNext], Flow[Answer | Opened]]

Performers = Mapping[type, Attempt]


class Client:
    """Makes calls. Two Clients share nothing.

    isolate_handlers: run users' async handlers on an event loop of their own; for servers. layers: the outermost first.
    Whoever builds a client passes them in, so that the engine knows none of the packages that they come from.
    """

    def __init__(self, *, isolate_handlers: bool = False, layers: Sequence[Layer] = ()) -> None:
        self.sync_io = SyncTransport()
        self.async_io = AsyncTransport(isolate_handlers=isolate_handlers)
        self._layers = tuple(layers)
        self._attempt = partial(attempt, performers=performers())

    def flow(self, call: Call, route: Route, watchers: Watchers | None = None) -> Flow[Answer | Opened]:
        """What `call` does, outermost layer first: observability, fallbacks, retries, attempt. Nothing happens until it is
        driven, and a layer that is not needed is not there."""
        if watchers is not None:
            return observed(call, route, watchers, partial(_watched_flow, self._layers), self._attempt)
        if self._layers:
            return _layered(self._layers, partial(_core_flow, attempt=self._attempt))(call, route)
        return _core_flow(call, route, self._attempt)


def _layered(layers: Sequence[Layer], call_next: CallNext) -> CallNext:
    for layer in reversed(layers):
        call_next = partial(_entered, layer, call_next)
    return call_next


def _entered(layer: Layer, call_next: CallNext, call: Call, route: Route) -> Flow[Answer | Opened]:
    return layer(call, route, call_next)


def _core_flow(call: Call, route: Route, attempt: Attempt, on_error: OnError | None = None) -> Flow[Answer | Opened]:
    if route.falls_back:
        return falling_back(call, route, partial(retrying, attempt=attempt), on_error)
    return retrying(call, route, attempt)


def _watched_flow(
    layers: Sequence[Layer], call: Call, route: Route, watchers: Watchers, attempt: Attempt, on_error: OnError | None
) -> Flow[Answer | Opened]:
    hooks = watchers.observe.hooks
    if hooks is None:
        return _layered(layers, partial(_core_flow, attempt=attempt, on_error=on_error))(call, route)
    attempt = partial(hooked, attempt=attempt, hooks=hooks, watchers=watchers, listed=bool(route.group))
    call_next = _layered(layers, partial(_core_flow, attempt=attempt, on_error=on_error))
    return rerouting(call, route, watchers, hooks, call_next) if hooks.routes else call_next(call, route)


def performers() -> Performers:
    """How each kind of backend is asked, for one client."""
    upstreams = Upstreams()
    return {
        Upstream: upstreams.attempt,
        Scripted: partial(upstreams.attempt, play=scripted.play),
        Handler: handler.attempt,
        Unusable: unusable.attempt,
    }


def attempt(call: Call, target: Target, timeouts: Timeouts, performers: Performers) -> Flow[Answer | Opened]:
    """One try at one target, which its backend knows how to ask; for a stream, up to its first meaningful chunk. Whatever
    goes wrong before the caller has seen anything can be retried or sent elsewhere. Raises what makes a target unusable."""
    if call.retarget is not None:
        target = call.retarget(call, target, timeouts)
    if call.operation is not target.operation:
        target = for_operation(target, call.operation)
    perform = performers[type(target.backend)]
    if call.operation.split_prompts and (apart := prompts_apart(call, target)):
        return ask_each(call, apart, lambda each: perform(each, target, timeouts))
    return perform(call, target, timeouts)
