"""The five things that a flow may ask for. A flow is a generator: it yields a step and is sent its result.

The drivers (engine/drivers.py) perform steps with a sync or an async transport, so what a call does is written once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, TypeVar

import msgspec

from litellm.net.messages import Reply, Request

T = TypeVar("T")


class Send(msgspec.Struct):
    """Send the request; the result is a Reply."""

    request: Request


class Read(msgspec.Struct):
    """Read the next bytes of a streamed reply; the result is bytes, empty at the end."""

    reply: Reply


class Sleep(msgspec.Struct):
    """Wait this many seconds."""

    seconds: float


class Ask(msgspec.Struct):
    """Call code that is not ours (a user's handler). At least one of the two is given.

    The sync driver calls `sync_fn`, or runs `async_fn` to its end; the async one awaits `async_fn`, or runs `sync_fn`
    in a bounded pool of threads, so that a handler that blocks delays no other call. After `limit` seconds the async one
    gives up; what blocks cannot be interrupted.
    """

    sync_fn: Callable[..., Any] | None
    async_fn: Callable[..., Awaitable[Any]] | None
    args: tuple[Any, ...] = ()
    limit: float | None = None


Step = Send | Read | Sleep | Ask


class Fan(msgspec.Struct):
    """Drive several flows at once. The result is a list with the value or the exception of each, in their order.

    first: the first value that comes is enough: the result is a list of that one, and the others are cancelled. When
    none comes, it is the list of all exceptions. at_once: how many are under way side by side, at the most.
    """

    flows: Sequence[Flow[Any]]
    first: bool = False
    at_once: int = 100


Flow = Generator[Step | Fan, Any, T]
