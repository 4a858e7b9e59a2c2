"""Connections through an HTTP proxy, blocking: over httpcore2, the engine of httpx2, which the openai package uses.

The unusual way; what goes straight to an upstream is in sync_pool.py.
"""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import httpcore2

from litellm._bounded import Bounded
from litellm.net import failures
from litellm.net.faults import TransportFault
from litellm.net.messages import Request, Timeouts, streams
from litellm.net.network import Network
from litellm.net.request_head import WITH_BODY, fields_of, origin_of
from litellm.net.response import joined
from litellm.net.sync_connection import LAST_BYTES
from litellm.net.tls import ssl_context
from litellm.net.unzip import Malformed, too_large, unzip_for
from litellm.net.url import without_userinfo

MAX_POOLS = 64
_PoolKey = tuple[Network, str]  # and the proxy's URL
KEEP_ALIVE = 30.0  # seconds; servers commonly close after 60 or more


class Clock:
    """How long reads on one connection may take now: `silence` for each, and `deadline` for all together."""

    __slots__ = ("deadline", "sent", "silence")

    def __init__(self) -> None:
        self.sent = 0.0  # when the request was
        self.reset()

    def reset(self) -> None:
        self.silence = math.inf
        self.deadline = math.inf

    def limit(self, timeout: float | None) -> float:
        """`timeout` is httpcore's, meant for the whole head; once the head is here, `silence` takes its place. Raises
        httpcore2.ReadTimeout when it is too late already: a read that never waits is never late by itself.
        """
        now = time.monotonic()
        allowed = self.silence
        if allowed == math.inf and timeout is not None:
            allowed = self.sent + timeout - now
        remaining = min(allowed, self.deadline - now)
        if remaining <= 0:
            raise httpcore2.ReadTimeout
        return remaining


class ClockedStream(httpcore2.NetworkStream):
    """A connection whose reads obey a Clock, which httpcore's own timeouts, fixed when a body begins, do not allow."""

    def __init__(self, stream: httpcore2.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self.clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self.clock.limit(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)
        self.clock.sent = time.monotonic()

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return ClockedStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self.clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class ClockedBackend(httpcore2.SyncBackend):
    """Opens connections that have a Clock."""

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore2.NetworkStream:
        return ClockedStream(super().connect_tcp(*args, **kwargs), Clock())


@lru_cache(maxsize=1024)
def _url(url: str) -> httpcore2.URL:
    origin = origin_of(url)
    return httpcore2.URL(
        scheme=origin.scheme.encode(), host=origin.host.encode(), port=origin.port, target=origin.target.encode()
    )


class SyncProxiedReply:
    """A reply whose body may still be on its way."""

    __slots__ = ("_chunks", "_clock", "_request", "_response", "_unzip", "body", "headers", "status")
    stream_to = None

    def __init__(self, request: Request, response: httpcore2.Response, clock: Clock) -> None:
        self._request = request
        self._response = response
        self._clock = clock
        self._chunks: Iterator[bytes] = iter(response.stream)  # type: ignore[arg-type]  # sync pools give sync streams
        self.status: int = response.status
        self.headers: Mapping[str, str] = joined(response.headers)
        self.body = b""
        self._unzip = unzip_for(self.headers, request.network.max_size)

    def read(self) -> bytes:
        try:
            while data := next(self._chunks, b""):
                if self._request.stream:
                    self._clock.silence = self._request.timeouts.between
                if self._unzip is None:
                    return data
                if plain := self._unzip.feed(data):
                    return plain
            if self._unzip is not None:
                self._unzip.end()
        except Exception as error:
            late = self._deadline_passed()
            self.close()
            raise (late or fault(error, self._request, in_body=True)) from error
        return b""

    def _deadline_passed(self) -> TransportFault | None:
        if time.monotonic() < self._clock.deadline:
            return None
        return failures.total_timeout(self._request)

    def read_whole(self) -> None:
        parts, size = [], 0
        while data := self.read():
            parts.append(data)
            size += len(data)
            if size > self._request.network.max_size:
                self.close()
                raise fault(too_large(self._request.network.max_size), self._request, in_body=True)
        self.body = b"".join(parts)
        self.close()

    def finish(self) -> None:
        """All that matters is here: give the last bytes a moment, so that the connection can be used again."""
        self._clock.deadline = min(self._clock.deadline, time.monotonic() + LAST_BYTES)
        try:
            while next(self._chunks, b""):
                pass
        except Exception:  # noqa: BLE001, S110 - then it is not used again
            pass
        self.close()

    def close(self) -> None:
        self._clock.reset()
        if self._has_trailing_data():
            # Bytes beyond the answer: on the next request they would pass for its answer.
            self._response.extensions["network_stream"].close()
        self._response.close()

    def _has_trailing_data(self) -> bool:
        connection = getattr(getattr(self._response.stream, "_stream", None), "_connection", None)
        state = getattr(connection, "_h11_state", None)  # there is no public way to look
        return state is not None and bool(state.trailing_data[0])


class SyncProxiedPool:
    """Connections through proxies. Safe to share between threads, not to fork."""

    def __init__(self) -> None:
        # Somebody may make a CA file per request: not all pools are kept.
        self._pools: Bounded[_PoolKey, httpcore2.ConnectionPool] = Bounded(MAX_POOLS, httpcore2.ConnectionPool.close)

    def send(self, request: Request, proxy: str) -> SyncProxiedReply:
        """Send, and wait for the head; and for the body too unless a good answer is to be streamed."""
        timeouts = request.timeouts
        deadline = time.monotonic() + timeouts.total
        response = self._head(request, proxy)
        stream = response.extensions["network_stream"]
        clock = stream.clock if isinstance(stream, ClockedStream) else Clock()
        clock.deadline = deadline
        reply = SyncProxiedReply(request, response, clock)
        if request.stream and streams(reply.status, reply.headers):
            clock.silence = min(timeouts.first_byte, timeouts.between)  # until the first piece; then `between`
        else:
            clock.silence = timeouts.first_byte
            reply.read_whole()
        return reply

    def close(self) -> None:
        """Close all connections. One after another, because a pool's own close() takes a lock, which a fork may have
        frozen.
        """
        for pool in self._pools.values():
            for connection in pool.connections:
                connection.close()
        self._pools.clear()

    def _head(self, request: Request, proxy: str) -> httpcore2.Response:
        try:
            return self._pool(request.network, proxy).handle_request(_message(request))
        except TransportFault:
            raise
        except Exception as error:  # noqa: BLE001 - what is no fault of the network is raised again as it is
            problem = fault(error, request, in_body=False)
        if isinstance(problem, TransportFault) and problem.kind == "connect":
            problem = TransportFault("connect", f"{problem} (through a proxy)")
        raise problem

    def _pool(self, network: Network, proxy: str) -> httpcore2.ConnectionPool:
        key = (network, proxy)
        try:
            return self._pools[key]
        except KeyError:
            return self._pools.setdefault(key, _make_pool(*key))


def _message(request: Request) -> httpcore2.Request:
    fields = fields_of(origin_of(request.url), request)
    if request.body or request.method in WITH_BODY:
        fields.append(("Content-Length", str(len(request.body))))
    return httpcore2.Request(
        request.method,
        _url(request.url),
        headers=[(name.encode(), value.encode("latin-1")) for name, value in fields],
        content=request.body,
        extensions={"timeout": _httpcore_timeouts(request.timeouts)},
    )


def _httpcore_timeouts(timeouts: Timeouts) -> dict[str, float | None]:
    """httpcore's clocks."""
    first_byte = min(timeouts.first_byte, timeouts.total)
    return {"connect": min(timeouts.connect, timeouts.total), "read": first_byte, "write": first_byte, "pool": None}


def _make_pool(network: Network, proxy: str) -> httpcore2.ConnectionPool:
    options: dict[str, Any] = {
        "ssl_context": ssl_context(network),
        "max_connections": None,
        "max_keepalive_connections": 100,
        "keepalive_expiry": KEEP_ALIVE,
        "network_backend": ClockedBackend(),
        "local_address": "0.0.0.0" if network.ipv4_only else None,  # noqa: S104 - outgoing: "any IPv4"
    }
    address, authorization = without_userinfo(proxy)
    headers = [(b"Proxy-Authorization", authorization.encode())] if authorization else None
    return httpcore2.HTTPProxy(address, proxy_headers=headers, **options)


def fault(error: Exception, request: Request, *, in_body: bool) -> Exception:
    """Translate httpcore2's errors into TransportFault; anything else is a bug of ours and stays as it is."""
    match error:
        case httpcore2.ConnectTimeout():
            return failures.connect_timeout(request)
        case httpcore2.TimeoutException() if in_body and request.stream:
            return failures.silence(request)
        case httpcore2.TimeoutException():
            return failures.first_byte_timeout(request)
        case httpcore2.ConnectError() if isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error):
            return failures.tls_failed(request, error)
        case httpcore2.ProxyError():
            return failures.cannot_connect(request, f"the proxy refused: {error}")
        case httpcore2.ConnectError():
            return failures.cannot_connect(request, error)
        case httpcore2.UnsupportedProtocol():
            return failures.unusable_url(request)
        case httpcore2.RemoteProtocolError() if "disconnect" in str(error) or "closed connection" in str(error):
            return failures.closed(request, error)
        case httpcore2.NetworkError():
            return failures.closed(request, repr(error))
        case httpcore2.ProtocolError() | Malformed():
            return failures.not_http(request, error)
    return error
