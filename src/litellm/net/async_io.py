"""The async transport, over aiohttp used lean: no cookies, redirects, tracing or per-request header merging.

Each running event loop has a session of its own, which is closed with that loop.
"""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import aiohttp
import yarl

from litellm.net import memory_io, workers
from litellm.net.messages import Request, Timeouts, TransportFault
from litellm.net.steps import Ask, Read, Send, Step
from litellm.net.tls import Network, Proxies, ssl_context
from litellm.net.url import shown

LAST_BYTES = 1.0  # seconds that the end of a stream may take to arrive after its [DONE]
LARGE = 1 << 20  # bytes; aiohttp warns of larger bodies that are not files

_url = lru_cache(maxsize=1024)(yarl.URL)


@lru_cache(maxsize=256)
def _clocks(timeouts: Timeouts) -> aiohttp.ClientTimeout:
    # Less than the total, so that a connection that does not come about says that this was it.
    connect = min(timeouts.connect, 0.75 * timeouts.total)
    return aiohttp.ClientTimeout(
        total=timeouts.total, sock_connect=connect, sock_read=timeouts.first_byte, ceil_threshold=10_000
    )


class AsyncReply:
    """A reply whose body may still be on its way."""

    __slots__ = ("__weakref__", "_begun", "_request", "_response", "body", "headers", "status")

    def __init__(self, request: Request, response: aiohttp.ClientResponse) -> None:
        self._request = request
        self._response = response
        self._begun = False
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        self.body = b""

    async def read(self) -> bytes:
        content = self._response.content
        try:
            data = await content.readany()
        except Exception as error:
            # aiohttp forgets what had arrived before the connection broke; a slow reader would lose text that was sent.
            buffered = b"".join(content._buffer)  # noqa: SLF001 - there is no public way
            if buffered:
                content._buffer.clear()  # noqa: SLF001
                return buffered
            raise fault(error, self._request, in_body=True) from error
        if not self._begun:
            self._begun = True
            self._allow(self._request.timeouts.between)
        return data

    def expect_first(self) -> None:
        """The head is here, and the clock that runs was armed for it. The first piece may take as long as the stricter
        of two clocks says: the one for the beginning of an answer and the one for silence."""
        self._allow(min(self._request.timeouts.first_byte, self._request.timeouts.between))

    def _allow(self, silence: float) -> None:
        connection = self._response.connection
        if connection is not None and connection.protocol is not None and connection.protocol.read_timeout != silence:
            connection.protocol.read_timeout = silence
            connection.protocol.start_timeout()

    async def read_whole(self) -> None:
        try:
            self.body = await self._response.read()
        except Exception as error:
            raise fault(error, self._request, in_body=True) from error

    def close(self) -> None:
        # Abort rather than close: a TLS connection would wait for the peer's goodbye, which a loop that ends never hears.
        connection = self._response.connection
        if connection is not None:
            if connection.transport is not None:
                connection.transport.abort()
            connection.close()
        self._response.close()

    def finish(self) -> None:
        """aiohttp keeps the connection by itself when the end of the body arrives; it gets a moment to."""
        if self._response.connection is not None:
            asyncio.get_running_loop().call_later(LAST_BYTES, self.close)


class Connector(aiohttp.TCPConnector):
    """aiohttp's pool, which would also give out a connection on which bytes have come since its last answer: the next
    caller would be told what somebody else asked, or what nobody did."""

    async def _get(self, key: Any, traces: Any) -> Any:
        while (connection := await super()._get(key, traces)) is not None:
            if connection.protocol is not None and not connection.protocol.should_close:
                return connection
            connection.close()
        return None


class Session:
    """One loop's connections. They are pooled without a limit: limits belong to deployments, not to sockets."""

    def __init__(self, *, ipv4_only: bool) -> None:
        self.proxies = Proxies()
        self.streams: WeakSet[AsyncReply] = WeakSet()  # those that may outlive the loop
        self.http = aiohttp.ClientSession(
            connector=Connector(limit=0, ttl_dns_cache=60, family=socket.AF_INET if ipv4_only else socket.AF_UNSPEC),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
        )
        self._closer = self._close_with_loop()

    async def start(self) -> None:
        await anext(self._closer)

    async def _close_with_loop(self) -> AsyncGenerator[None]:
        # Loops close the async generators that are still open before they close themselves: that is our hook.
        try:
            yield
        finally:
            for reply in list(self.streams):
                reply.close()
            await self.http.close()


class AsyncTransport:
    """Performs steps with asyncio. Made anywhere, used from any number of loops and threads.

    isolate_handlers: run users' async handlers on a loop of their own (servers do), not on the caller's.
    """

    def __init__(self, *, isolate_handlers: bool = False) -> None:
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, Session]] = WeakKeyDictionary()
        self._side_loop = workers.SideLoop() if isolate_handlers else None

    async def perform(self, step: Step) -> Any:
        kind = type(step)
        if kind is Send:
            return await self.send(step.request)  # type: ignore[union-attr]  # type() is what mypy cannot narrow by
        if kind is Read:
            return await step.reply.read()  # type: ignore[union-attr,misc]
        if kind is Ask:
            return await self._ask(step)  # type: ignore[arg-type]
        return await asyncio.sleep(step.seconds)  # type: ignore[union-attr]

    async def send(self, request: Request) -> AsyncReply | memory_io.AsyncScriptedReply:
        """Send and wait for the head; and for the body too unless a good answer is to be streamed."""
        if request.script is not None:
            return await memory_io.aplay(request, request.script)
        try:
            session = self._sessions[asyncio.get_running_loop()][request.network.ipv4_only]
        except KeyError:
            session = await self._open_session(request.network)
        response = await _head(session, request)
        reply = AsyncReply(request, response)
        if request.stream and response.status < 300:
            reply.expect_first()
            session.streams.add(reply)
        else:
            await reply.read_whole()
        return reply

    async def _open_session(self, network: Network) -> Session:
        session = Session(ipv4_only=network.ipv4_only)
        self._sessions.setdefault(asyncio.get_running_loop(), {})[network.ipv4_only] = session
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
            return await workers.in_thread(ask.sync_fn, *ask.args)
        if self._side_loop is None:
            return await ask.async_fn(*ask.args)
        return await self._side_loop.run(ask.async_fn(*ask.args))

    async def aclose(self) -> None:
        """Close the running loop's connections. A loop that ends does this by itself."""
        for session in self._sessions.pop(asyncio.get_running_loop(), {}).values():
            await session.http.close()
        if self._side_loop is not None:
            self._side_loop.close()


async def _head(session: Session, request: Request) -> aiohttp.ClientResponse:
    url = _url(request.url)
    try:
        return await session.http.request(
            request.method,
            url,
            data=request.body if len(request.body) < LARGE else io.BytesIO(request.body),
            headers=request.headers,
            allow_redirects=False,
            timeout=_clocks(request.timeouts),
            ssl=ssl_context(request.network) if url.scheme == "https" else True,
            proxy=session.proxies.find(url.scheme, url.raw_authority),
        )
    except Exception as error:  # noqa: BLE001 - what is no fault of the network is raised again as it is
        problem = fault(error, request, in_body=False)
    # Out here, so that aiohttp's error, which may hold a proxy's password, is not in its context.
    raise problem


def fault(error: Exception, request: Request, *, in_body: bool) -> Exception:
    """Translate aiohttp's errors into TransportFault; anything else is a bug of ours and stays as it is."""
    where = shown(request.url)
    clocks = request.timeouts
    match error:
        case aiohttp.ConnectionTimeoutError():
            return TransportFault("timeout", f"no connection to {where} within {clocks.connect:g} s (connect timeout)")
        case aiohttp.ServerTimeoutError() if in_body and request.stream:
            return TransportFault("timeout", f"{where} was silent for {clocks.between:g} s in mid-stream")
        case aiohttp.ServerTimeoutError():
            return TransportFault("timeout", f"no answer from {where} within {clocks.first_byte:g} s (first byte)")
        case asyncio.TimeoutError():
            return TransportFault("timeout", f"the answer from {where} was not complete after {clocks.total:g} s")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return TransportFault("tls", f"TLS with {where} failed: {error}")
        case aiohttp.ClientHttpProxyError():
            refused = f"the proxy refused: {error.status} {error.message}"
            return TransportFault("connect", f"cannot connect to {where}: {refused}")
        case aiohttp.ClientProxyConnectionError():
            return TransportFault("connect", f"cannot connect to the proxy for {where}: {error.os_error}")
        case aiohttp.ClientConnectorError():
            return TransportFault("connect", f"cannot connect to {where}: {error.os_error}")
        case aiohttp.InvalidURL():
            return TransportFault("url", f"{where} is no usable URL")
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError() | OSError():
            return TransportFault("closed", f"{where} closed the connection before the answer was complete: {error!r}")
        case aiohttp.ClientError():
            what = getattr(error, "message", "") or type(error).__name__  # str(error) has the URL, with what is in it
            return TransportFault("protocol", f"{where} did not answer in HTTP: {what}")
    return error
