"""Scripted answers: what mocks and unit tests get instead of a network. Each part can wait, and can break."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from litellm.net.faults import TransportFault
from litellm.net.messages import Part, Request, Script, streams

TEXTS = {
    "connect": "cannot connect",
    "tls": "the TLS handshake failed",
    "closed": "the connection closed before the answer was complete",
    "protocol": "the answer is no HTTP",
    "timeout": "timed out",
    "url": "no such URL",
    "blocked": "the host is not public",
    "busy": "there is no room for it now",
}


def _broken(part: Part, request: Request) -> TransportFault:
    assert part.fault is not None  # noqa: S101 - callers looked
    return TransportFault(part.fault, f"{TEXTS[part.fault]}: {request.url} (scripted)")


class ScriptedReply:
    """A reply that follows its script. `wait` and `next_part` are shared by the sync and the async shell below."""

    __slots__ = ("_parts", "body", "closed", "headers", "request", "script", "status")

    def __init__(self, request: Request, script: Script) -> None:
        self.request = request
        self.script = script
        self.status = script.status
        self.headers = script.headers
        self.body = b""
        self.closed = False
        self._parts: Iterator[Part] = iter(script.parts)

    def next_part(self) -> Part | None:
        return None if self.closed else next(self._parts, None)

    def data_of(self, part: Part) -> bytes:
        if part.delay > self.request.timeouts.between:
            limit = self.request.timeouts.between
            raise TransportFault("timeout", f"{self.request.url} was silent for {limit:g} s in mid-stream")
        if part.fault is not None:
            raise _broken(part, self.request)
        return part.data

    stream_to = None

    @property
    def is_buffered(self) -> bool:
        return not (self.request.stream and streams(self.status, self.headers))

    def wait_for(self, part: Part) -> float:
        """How long to wait for `part`: as long as it takes, or until the clock for silence runs out."""
        return min(part.delay, self.request.timeouts.between)

    def close(self) -> None:
        self.closed = True

    finish = close


def timed_out(request: Request, delay: float) -> TransportFault | None:
    """The fault if the script waits longer before its head than the request allows, so that mocks keep the clocks."""
    limit = min(request.timeouts.first_byte, request.timeouts.total)
    return TransportFault("timeout", f"no answer within {limit:g} s: {request.url}") if delay > limit else None


class SyncScriptedReply(ScriptedReply):
    __slots__ = ()

    def read(self) -> bytes:
        part = self.next_part()
        if part is None:
            return b""
        if part.delay:
            time.sleep(self.wait_for(part))
        return self.data_of(part)


class AsyncScriptedReply(ScriptedReply):
    __slots__ = ()

    async def read(self) -> bytes:
        part = self.next_part()
        if part is None:
            return b""
        if part.delay:
            await asyncio.sleep(self.wait_for(part))
        return self.data_of(part)


def play(request: Request, script: Script) -> SyncScriptedReply:
    """Answer `request` as `script` says, waiting with time.sleep."""
    fault = timed_out(request, script.delay)
    if script.delay:
        time.sleep(min(script.delay, request.timeouts.first_byte, request.timeouts.total))
    if fault:
        raise fault
    reply = SyncScriptedReply(request, script)
    while reply.is_buffered and (data := reply.read()):
        reply.body += data
    return reply


async def aplay(request: Request, script: Script) -> AsyncScriptedReply:
    """Answer `request` as `script` says, waiting with asyncio.sleep."""
    fault = timed_out(request, script.delay)
    if script.delay:
        await asyncio.sleep(min(script.delay, request.timeouts.first_byte, request.timeouts.total))
    if fault:
        raise fault
    reply = AsyncScriptedReply(request, script)
    while reply.is_buffered and (data := await reply.read()):
        reply.body += data
    return reply
