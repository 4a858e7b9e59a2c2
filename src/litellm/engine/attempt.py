"""One try at one target: whatever goes wrong before the caller has seen anything can be retried or sent elsewhere. How the
target is asked is its backend's to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from litellm.engine.backends import handler, scripted, unusable
from litellm.engine.backends.upstream import Upstreams
from litellm.engine.call import Answer, Call
from litellm.engine.fan_out import ask_each, prompts_apart
from litellm.engine.opened import Opened
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow
from litellm.providers.backend import Handler, Scripted, Unusable, Upstream
from litellm.providers.rekey import at
from litellm.providers.target import Target

Perform = Callable[[Call, Target, Timeouts], Flow[Answer | Opened]]
Performers = Mapping[type, Perform]


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
    """Try once; for a stream, up to its first meaningful chunk. Raises what makes a target unusable at once."""
    if call.retarget is not None:
        target = call.retarget(call, target, timeouts)
    if call.operation is not target.operation:
        target = at(target, call.operation)
    perform = performers[type(target.backend)]
    if call.operation.split_prompts and (apart := prompts_apart(call, target)):
        return ask_each(call, apart, lambda each: perform(each, target, timeouts))
    return perform(call, target, timeouts)
