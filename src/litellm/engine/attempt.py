"""One try at one target: whatever goes wrong before the caller has seen anything can be retried or sent elsewhere. How the
target is asked is its backend's to know."""

from __future__ import annotations

import copy
from functools import partial

from litellm.engine.backends import handler, upstream
from litellm.engine.backends.upstream import Memory
from litellm.engine.call import Answer, Call
from litellm.engine.fan_out import ask_each, prompts_apart
from litellm.engine.opened import Opened
from litellm.net.messages import Timeouts
from litellm.net.steps import Flow
from litellm.providers.rekey import at
from litellm.providers.target import Target


def attempt(call: Call, target: Target, timeouts: Timeouts, memory: Memory) -> Flow[Answer | Opened]:
    """Try once; for a stream, up to its first meaningful chunk. Raises what makes a target unusable at once."""
    mocked = call.mock is not None or target.mock is not None
    if call.stand_in is not None and not mocked:  # it may need neither a key nor a token
        return handler.attempt(call, call.stand_in(call, target, timeouts), timeouts)
    if target.unusable is not None:
        raise copy.copy(target.unusable)
    if call.operation is not target.operation:
        target = at(target, call.operation)
    if call.operation.split_prompts and (prompts := prompts_apart(call, target)):
        return ask_each(call, prompts, partial(attempt, target=target, timeouts=timeouts, memory=memory))
    if target.handler is not None and not mocked:
        return handler.attempt(call, target, timeouts)
    return upstream.attempt(call, target, timeouts, memory)
