"""The async transport: performs steps with asyncio. Requests go straight to their upstream, or through a proxy if the
environment says so. Each running event loop has connections of its own, which are closed with that loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import TYPE_CHECKING, Any

from litellm._threads import SideLoop, in_thread
from litellm.net import memory_io
from litellm.net.async_connection import AsyncReply
from litellm.net.async_pool import AsyncPool
from litellm.net.faults import TransportFault
from litellm.net.messages import Request
from litellm.net.request_head import origin_of
from litellm.net.steps import Ask, Read, Send, Step
from litellm.net.tls import Proxies

if TYPE_CHECKING:
    from litellm.net.async_proxied import AsyncProxiedPool, AsyncProxiedReply


class Session:
    """One loop's connections."""

    def __init__(self) -> None:
        self.direct = AsyncPool()
        self.proxies = Proxies()
        self._proxied: dict[bool, AsyncProxiedPool] = {}
        self._closer = self._close_with_loop()

    async def start(self) -> None:
        await anext(self._closer)

    def send(self, request: Request) -> Awaitable[AsyncReply | AsyncProxiedReply]:
        """Send, whichever way it goes."""
        if self.proxies.configured and request.network.guard is None:
            # A proxy looks names up by itself: what a guard admits is not what it would connect to.
            origin = origin_of(request.url)
            proxy = self.proxies.find(origin.scheme, origin.authority)
            if proxy is not None:
                return self._through_proxies(request).send(request, proxy)
        return self.direct.send(request)

    def _through_proxies(self, request: Request) -> AsyncProxiedPool:
        ipv4_only = request.network.ipv4_only
        if ipv4_only not in self._proxied:
            from litellm.net.async_proxied import AsyncProxiedPool  # aiohttp, which few need, takes 10 MB

            self._proxied[ipv4_only] = AsyncProxiedPool(ipv4_only=ipv4_only)
        return self._proxied[ipv4_only]

    async def close(self) -> None:
        """End all connections."""
        self.direct.close()
        for pool in self._proxied.values():
            await pool.close()
        await asyncio.sleep(0)  # for the ends of connections to be noticed while there is a loop

    async def _close_with_loop(self) -> AsyncGenerator[None]:
        # Loops close the async generators that are still open before they close themselves: that is our hook.
        try:
            yield
        finally:
            await self.close()


class AsyncTransport:
    """Performs steps with asyncio. Made anywhere, used from any number of loops and threads.

    isolate_handlers: run users' async handlers on a loop of their own (servers do), not on the caller's.
    """

    def __init__(self, *, isolate_handlers: bool = False) -> None:
        self._sessions: dict[asyncio.AbstractEventLoop, Session] = {}
        self._side_loop = SideLoop() if isolate_handlers else None

    async def perform(self, step: Step) -> Any:
        kind = type(step)
        if kind is Send:
            return await self.send(step.request)  # type: ignore[union-attr]  # type() is what mypy cannot narrow by
        if kind is Read:
            return await step.reply.read()  # type: ignore[union-attr,misc]
        if kind is Ask:
            return await self._ask(step)  # type: ignore[arg-type]
        return await asyncio.sleep(step.seconds)  # type: ignore[union-attr]

    # Hands on what is to be awaited, as Session.send does: whoever awaited it would be gone through again when it is here.
    def send(self, request: Request) -> Awaitable[AsyncReply | AsyncProxiedReply | memory_io.AsyncScriptedReply]:
        """Send and wait for the head; and for the body too unless a good answer is to be streamed."""
        if request.script is not None:
            return memory_io.aplay(request, request.script)
        session = self._sessions.get(asyncio.get_running_loop())
        return self._send_first(request) if session is None else session.send(request)

    async def _send_first(self, request: Request) -> AsyncReply | AsyncProxiedReply:
        return await (await self._open_session()).send(request)

    async def _open_session(self) -> Session:
        # A loop that has ended has closed its connections. It is forgotten here, because its Session refers to it.
        for loop in tuple(self._sessions):
            if loop.is_closed():
                self._sessions.pop(loop, None)
        session = self._sessions[asyncio.get_running_loop()] = Session()
        await session.start()
        return session

    async def _ask(self, ask: Ask) -> Any:
        clock = asyncio.timeout(ask.limit)
        try:
            async with clock:
                return await self._called(ask)
        except TimeoutError:
            if not clock.expired():  # the handler's own
                raise
            raise TransportFault("timeout", f"the handler gave nothing within {ask.limit:g} s") from None

    async def _called(self, ask: Ask) -> Any:
        if ask.async_fn is None:
            assert ask.sync_fn is not None  # noqa: S101 - an Ask has at least one of the two
            return await in_thread(ask.sync_fn, *ask.args)
        if self._side_loop is None:
            return await ask.async_fn(*ask.args)
        return await self._side_loop.run(ask.async_fn(*ask.args))

    async def aclose(self) -> None:
        """Close the running loop's connections. A loop that ends does this by itself."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()
        if self._side_loop is not None:
            self._side_loop.close()
