"""Connections through an HTTP proxy, on asyncio: aiohttp, used lean (no cookies, redirects, tracing or header merging).

The unusual way; what goes straight to an upstream is in async_pool.py.
"""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from weakref import WeakSet

import aiohttp
import yarl

from litellm.net import failures
from litellm.net.async_connection import LAST_BYTES
from litellm.net.faults import TransportFault
from litellm.net.messages import Request, Timeouts, streams
from litellm.net.request_head import headers_of, origin_of
from litellm.net.response import joined
from litellm.net.tls import ssl_context
from litellm.net.unzip import Malformed, too_large, unzip_for
from litellm.net.url import redacted_url

LARGE = 1 << 20  # bytes; aiohttp warns of larger bodies that are not files


@lru_cache(maxsize=1024)
def _url(url: str) -> yarl.URL:
    origin = origin_of(url)
    return yarl.URL(f"{origin.scheme}://{origin.authority}{origin.target}", encoded=True)


@lru_cache(maxsize=256)
def _aiohttp_timeout(timeouts: Timeouts) -> aiohttp.ClientTimeout:
    # Less than the total, so that a connection that does not come about says that this was it.
    connect = min(timeouts.connect, 0.75 * timeouts.total)
    return aiohttp.ClientTimeout(
        total=timeouts.total, sock_connect=connect, sock_read=timeouts.first_byte, ceil_threshold=10_000
    )


class AsyncProxiedReply:
    """A reply whose body may still be on its way."""

    __slots__ = ("__weakref__", "_begun", "_request", "_response", "_unzip", "body", "headers", "status")
    stream_to = None

    def __init__(self, request: Request, response: aiohttp.ClientResponse) -> None:
        self._request = request
        self._response = response
        self._begun = False
        self.status: int = response.status
        self.headers: Mapping[str, str] = joined(response.raw_headers)
        self._unzip = unzip_for(self.headers, request.network.max_size)
        self.body = b""

    async def read(self) -> bytes:
        while data := await self._next():
            if self._unzip is None:
                return data
            if decompressed := self._decompressed(data):
                return decompressed
        self._decompressed(b"")
        return b""

    async def _next(self) -> bytes:
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

    def _decompressed(self, data: bytes) -> bytes:
        """`data` without its compression; nothing stands for the end of the body."""
        if self._unzip is None:
            return data
        try:
            if data:
                return self._unzip.feed(data)
            self._unzip.end()
        except Malformed as error:
            self.close()
            raise fault(error, self._request, in_body=True) from None
        return b""

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
        self._begun = True  # the clock of the first byte stays
        parts, size = [], 0
        try:
            while data := await self.read():
                parts.append(data)
                size += len(data)
                if size > self._request.network.max_size:
                    raise fault(too_large(self._request.network.max_size), self._request, in_body=True)
        except BaseException:
            self.close()
            raise
        self.body = b"".join(parts)

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
    """aiohttp's pool, which would also give out a connection on which bytes have come since its last answer: they would
    pass for the next one."""

    async def _get(self, key: Any, traces: Any) -> Any:
        while (connection := await super()._get(key, traces)) is not None:
            if connection.protocol is not None and not connection.protocol.should_close:
                return connection
            connection.close()
        return None


class AsyncProxiedPool:
    """One loop's connections through proxies."""

    def __init__(self, *, ipv4_only: bool) -> None:
        self._streams: WeakSet[AsyncProxiedReply] = WeakSet()  # those that may outlive the loop
        self._http = aiohttp.ClientSession(
            connector=Connector(limit=0, ttl_dns_cache=60, family=socket.AF_INET if ipv4_only else socket.AF_UNSPEC),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
        )

    async def send(self, request: Request, proxy: str) -> AsyncProxiedReply:
        """Send, and wait for the head; and for the body too unless a good answer is to be streamed."""
        reply = AsyncProxiedReply(request, await self._head(request, proxy))
        if request.stream and streams(reply.status, reply.headers):
            reply.expect_first()
            self._streams.add(reply)
        else:
            await reply.read_whole()
        return reply

    async def close(self) -> None:
        """End all connections."""
        for reply in list(self._streams):
            reply.close()
        await self._http.close()

    async def _head(self, request: Request, proxy: str) -> aiohttp.ClientResponse:
        url = _url(request.url)
        try:
            return await self._http.request(
                request.method,
                url,
                data=request.body if len(request.body) < LARGE else io.BytesIO(request.body),
                headers=headers_of(request),
                allow_redirects=False,
                timeout=_aiohttp_timeout(request.timeouts),
                ssl=ssl_context(request.network) if url.scheme == "https" else True,
                proxy=proxy,
            )
        except Exception as error:  # noqa: BLE001 - what is no fault of the network is raised again as it is
            problem = fault(error, request, in_body=False)
        # Out here, so that aiohttp's error, which may hold a proxy's password, is not in its context.
        raise problem


def fault(error: Exception, request: Request, *, in_body: bool) -> Exception:
    """Translate aiohttp's errors into TransportFault; anything else is a bug of ours and stays as it is."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return failures.connect_timeout(request)
        case aiohttp.ServerTimeoutError() if in_body and request.stream:
            return failures.silence(request)
        case aiohttp.ServerTimeoutError():
            return failures.first_byte_timeout(request)
        case asyncio.TimeoutError():
            return failures.total_timeout(request)
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return failures.tls_failed(request, error)
        case aiohttp.ClientHttpProxyError():
            return failures.cannot_connect(request, f"the proxy refused: {error.status} {error.message}")
        case aiohttp.ClientProxyConnectionError():
            return TransportFault(
                "connect", f"cannot connect to the proxy for {redacted_url(request.url)}: {error.os_error}"
            )
        case aiohttp.ClientConnectorError():
            return failures.cannot_connect(request, error.os_error)
        case aiohttp.InvalidURL():
            return failures.unusable_url(request)
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError() | OSError():
            return failures.closed(request, repr(error))
        case aiohttp.ClientError():  # str(error) has the URL, with what is in it
            return failures.not_http(request, getattr(error, "message", "") or type(error).__name__)
        case Malformed():
            return failures.not_http(request, error)
    return error
