"""Requests and replies, as values. No socket is known here."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from litellm.net.faults import FaultKind, TransportFault
from litellm.net.network import Network
from litellm.net.sealed import Sealed
from litellm.net.url import redacted_url


class Timeouts(msgspec.Struct, frozen=True):
    """Four clocks, in seconds. Each has a finite default and its own error text.

    connect: until the connection (and TLS) stands. first_byte: from the request until the head of the answer.
    between: silence within a streamed answer. total: the whole exchange, also while bytes keep coming.
    """

    connect: float = 60.0
    first_byte: float = 600.0
    between: float = 60.0
    total: float = 600.0

    @classmethod
    def of(cls, timeout: object, stream_timeout: object = None) -> Timeouts:
        """Read what users pass as `timeout`: seconds, a numeric string, or an httpx.Timeout (any version).

        >>> Timeouts.of(5).total, Timeouts.of("5").connect, Timeouts.of(None).between
        (5.0, 5.0, 60.0)
        """
        timeouts = cls() if timeout is None else cls._from(timeout)
        if stream_timeout is not None:
            timeouts = msgspec.structs.replace(timeouts, first_byte=_seconds(stream_timeout))
        return timeouts

    @classmethod
    def _from(cls, timeout: object) -> Timeouts:
        if hasattr(timeout, "connect") and hasattr(timeout, "read"):  # httpx's clocks; it has none for the whole
            connect, read = timeout.connect, timeout.read
            default = cls()
            read = default.first_byte if read is None else float(read)
            connect = default.connect if connect is None else float(connect)
            return cls(connect=connect, first_byte=read, between=read, total=max(default.total, read))
        seconds = _seconds(timeout)
        return cls(connect=min(cls().connect, seconds), first_byte=seconds, between=seconds, total=seconds)


def _seconds(value: object) -> float:
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]  # the except is the check
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    excerpt = repr(value)[:50] if isinstance(value, bool | int | float | str) else type(value).__name__
    if math.isnan(seconds):
        raise ValueError(f"timeout must be a number of seconds or an httpx.Timeout, not {excerpt}")
    if not 0 < seconds < math.inf:
        raise ValueError(f"timeout must be more than 0 seconds, and finite, not {excerpt}")
    return seconds


class Part(msgspec.Struct, frozen=True):
    """A piece of a scripted answer: wait `delay` seconds, then give `data`, or break if there is a `fault`."""

    data: bytes = b""
    delay: float = 0.0
    fault: FaultKind | None = None


class Script(msgspec.Struct, frozen=True):
    """A whole answer known beforehand: what mocks and tests send instead of a network."""

    status: int
    parts: Iterable[Part]
    headers: Mapping[str, str] = {}
    delay: float = 0.0


class Request(Sealed, msgspec.Struct, kw_only=True):
    """One HTTP request, complete: there is no send that could forget a timeout or a TLS setting.

    extra_headers: those of this call alone (traceparent, what a client wants forwarded). They follow `headers`, and never
    replace one of them. cacheable_head: `headers` come again, so a transport may keep what it makes of them; not so a
    client's, which are forgotten.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    timeouts: Timeouts
    network: Network
    stream: bool = False
    method: str = "POST"
    script: Script | None = None
    extra_headers: Mapping[str, str] | None = None
    cacheable_head: bool = False

    def __repr__(self) -> str:
        return f"Request({self.method} {redacted_url(self.url)})"


class Reply(Protocol):
    """The head of an answer, and its body: whole in `body`, or read piece by piece when the request was streamed.

    An answer that is no stream (see `streams`) always comes whole, so that one place can read what went wrong.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def read(self) -> bytes | Awaitable[bytes]:
        """The next bytes of a streamed body; empty at its end. Awaitable on async transports."""

    def close(self) -> None:
        """Let go of the connection; if the body was not read to its end, the upstream sees it close. Idempotent."""

    def finish(self) -> None:
        """All that matters has been read, though the last bytes may not be here: keep the connection if they come."""

    @property
    def stream_to(self) -> Callable[[Sink], None] | None:
        """Push mode: gives the rest of a streamed body to a Sink where it comes in, which wakes no task for each piece.
        None where pieces can only be asked for.
        """


def streams(status: int, headers: Mapping[str, str]) -> bool:
    """Whether what a request for a stream is answered with is one: not an error, and not one piece of JSON.

    >>> streams(200, {"content-type": "text/event-stream"}), streams(200, {"content-type": "application/json"})
    (True, False)
    """
    return status < 300 and not headers.get("content-type", "").startswith("application/json")


# Takes what a streamed body brings as it comes: pieces, then the empty one at its end, or a TransportFault. A future that
# it returns holds the upstream up until it is done.
Sink = Callable[["bytes | TransportFault"], "Awaitable[None] | None"]
