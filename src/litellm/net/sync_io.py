"""The sync transport, over httpcore2 (the engine of httpx2, which the openai package uses): no event loop inside."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import httpcore2

from litellm._bounded import Bounded
from litellm._threads import run_to_end
from litellm.net import memory_io
from litellm.net.faults import TransportFault
from litellm.net.guard import Guard
from litellm.net.messages import Request, streams
from litellm.net.network import Network
from litellm.net.request_head import Origin, fields_of, origin_of
from litellm.net.response import joined
from litellm.net.steps import Ask, Read, Send, Step
from litellm.net.tls import Proxies, ssl_context
from litellm.net.unzip import Malformed, too_large, unzip_for
from litellm.net.url import redacted_url, without_userinfo

MAX_POOLS = 64
_PoolKey = tuple[Network, str | None]
KEEP_ALIVE = 30.0  # seconds; servers commonly close after 60 or more
LAST_BYTES = 0.2  # seconds that the end of a stream may take to arrive after its [DONE]


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
        """`timeout` is httpcore's, meant for the whole head; once the head is here, `silence` takes its place."""
        now = time.monotonic()
        allowed = self.silence
        if allowed == math.inf and timeout is not None:
            allowed = self.sent + timeout - now
        return max(min(allowed, self.deadline - now), 0.001)


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


class GuardedBackend(ClockedBackend):
    """Connects to the addresses that a guard admits, in their order, and to nothing else."""

    def __init__(self, guard: Guard, family: int) -> None:
        self._guard = guard
        self._family = family

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore2.NetworkStream:
        try:
            found = self._guard.addresses(host, port, self._family)
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        for address in found[:-1]:
            with contextlib.suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):  # there are more
                return super().connect_tcp(address, port, *args, **kwargs)
        return super().connect_tcp(found[-1], port, *args, **kwargs)


@lru_cache(maxsize=1024)
def _url(url: str) -> httpcore2.URL:
    origin = origin_of(url)
    return httpcore2.URL(
        scheme=origin.scheme.encode(), host=origin.host.encode(), port=origin.port, target=origin.target.encode()
    )


class SyncReply:
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
        self._unzip = unzip_for(self.headers, request.network.largest)

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
        total = self._request.timeouts.total
        return TransportFault(
            "timeout", f"the answer from {redacted_url(self._request.url)} was not complete after {total:g} s"
        )

    def read_whole(self) -> None:
        parts, size = [], 0
        while data := self.read():
            parts.append(data)
            size += len(data)
            if size > self._request.network.largest:
                self.close()
                raise fault(too_large(self._request.network.largest), self._request, in_body=True)
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
        if self._left_over():
            # Bytes beyond the answer: on the next request they would pass for its answer.
            self._response.extensions["network_stream"].close()
        self._response.close()

    def _left_over(self) -> bool:
        connection = getattr(getattr(self._response.stream, "_stream", None), "_connection", None)
        state = getattr(connection, "_h11_state", None)  # there is no public way to look
        return state is not None and bool(state.trailing_data[0])


class SyncTransport:
    """Performs steps and waits for them. Safe to share between threads; a forked child makes its own connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
        # Somebody may make a CA file per request: not all pools are kept.
        self._pools: Bounded[_PoolKey, httpcore2.ConnectionPool] = Bounded(MAX_POOLS, httpcore2.ConnectionPool.close)
        self._proxies: Proxies | None = None
        weakref.finalize(self, _hang_up, self._pools)  # also when the interpreter ends

    def perform(self, step: Step) -> Any:
        kind = type(step)
        if kind is Send:
            return self.send(step.request)  # type: ignore[union-attr]  # type() is what mypy cannot narrow by
        if kind is Read:
            return step.reply.read()  # type: ignore[union-attr]
        if kind is Ask:
            return _ask(step)  # type: ignore[arg-type]
        return time.sleep(step.seconds)  # type: ignore[union-attr]

    def send(self, request: Request) -> SyncReply | memory_io.SyncScriptedReply:
        """Send and wait for the head; and for the body too unless a good answer is to be streamed."""
        if request.script is not None:
            return memory_io.play(request, request.script)
        clocks = request.timeouts
        deadline = time.monotonic() + clocks.total
        response = self._head(request)
        stream = response.extensions["network_stream"]
        clock = stream.clock if isinstance(stream, ClockedStream) else Clock()
        clock.deadline = deadline
        reply = SyncReply(request, response, clock)
        if request.stream and streams(reply.status, reply.headers):
            clock.silence = min(clocks.first_byte, clocks.between)  # until the first piece; then `between`
        else:
            clock.silence = clocks.first_byte
            reply.read_whole()
        return reply

    def _head(self, request: Request) -> httpcore2.Response:
        try:
            return self._handle(request)
        except TransportFault:
            raise
        except Exception as error:  # noqa: BLE001 - what is no fault of the network is raised again as it is
            problem = fault(error, request, in_body=False)
        if isinstance(problem, TransportFault) and problem.kind == "connect" and self._goes_through_proxy(request):
            problem = TransportFault("connect", f"{problem} (through a proxy)")
        raise problem

    def _goes_through_proxy(self, request: Request) -> bool:
        try:
            return self._proxy(request.network, origin_of(request.url)) is not None
        except TransportFault:
            return False

    def _handle(self, request: Request) -> httpcore2.Response:
        origin = origin_of(request.url)
        if request.network.guard is not None:
            request.network.guard.check(origin.scheme, origin.host, origin.port)
        headers = [*fields_of(origin, request), ("Content-Length", str(len(request.body)))]
        clocks = request.timeouts
        first_byte = min(clocks.first_byte, clocks.total)
        allowed = {"connect": min(clocks.connect, clocks.total), "read": first_byte, "write": first_byte, "pool": None}
        message = httpcore2.Request(
            request.method,
            _url(request.url),
            headers=[(name.encode(), value.encode("latin-1")) for name, value in headers],
            content=request.body,
            extensions={"timeout": allowed},
        )
        return self._pool(request.network, origin).handle_request(message)

    def _pool(self, network: Network, origin: Origin) -> httpcore2.ConnectionPool:
        if self._pid != os.getpid():
            # A forked child must not talk on its parent's sockets. Closing its copies leaves the parent's open.
            self._pid = os.getpid()
            _hang_up(self._pools)
        key = (network, self._proxy(network, origin))
        try:
            return self._pools[key]
        except KeyError:
            with self._lock:
                if key not in self._pools:
                    self._pools[key] = _make_pool(*key)
                return self._pools[key]

    def _proxy(self, network: Network, origin: Origin) -> str | None:
        if network.guard is not None:
            # A proxy looks names up by itself: what the guard admits is not what it would connect to.
            return None
        if self._proxies is None:
            self._proxies = Proxies()
        return self._proxies.find(origin.scheme, origin.authority)

    def close(self) -> None:
        """Close all connections."""
        _hang_up(self._pools)
        self._proxies = None


def _hang_up(pools: dict[Any, httpcore2.ConnectionPool]) -> None:
    # One connection after another, because a pool's own close() takes a lock, which a fork may have frozen.
    for pool in pools.values():
        for connection in pool.connections:
            connection.close()
    pools.clear()


def _make_pool(network: Network, proxy: str | None) -> httpcore2.ConnectionPool:
    options: dict[str, Any] = {
        "ssl_context": ssl_context(network),
        "max_connections": None,
        "max_keepalive_connections": 100,
        "keepalive_expiry": KEEP_ALIVE,
        "network_backend": _backend(network),
        "local_address": "0.0.0.0" if network.ipv4_only else None,  # noqa: S104 - outgoing: "any IPv4"
    }
    if proxy is None:
        return httpcore2.ConnectionPool(**options)
    address, authorization = without_userinfo(proxy)
    headers = [(b"Proxy-Authorization", authorization.encode())] if authorization else None
    return httpcore2.HTTPProxy(address, proxy_headers=headers, **options)


def _backend(network: Network) -> ClockedBackend:
    if network.guard is None:
        return ClockedBackend()
    return GuardedBackend(network.guard, socket.AF_INET if network.ipv4_only else socket.AF_UNSPEC)


def _ask(ask: Ask) -> Any:
    if ask.sync_fn is not None:
        return ask.sync_fn(*ask.args)
    assert ask.async_fn is not None  # noqa: S101 - an Ask has at least one of the two
    return run_to_end(ask.async_fn(*ask.args))  # type: ignore[arg-type]


def fault(error: Exception, request: Request, *, in_body: bool) -> Exception:
    """Translate httpcore2's errors into TransportFault; anything else is a bug of ours and stays as it is."""
    where = redacted_url(request.url)
    clocks = request.timeouts
    match error:
        case httpcore2.ConnectTimeout():
            return TransportFault("timeout", f"no connection to {where} within {clocks.connect:g} s (connect timeout)")
        case httpcore2.TimeoutException() if in_body and request.stream:
            return TransportFault("timeout", f"{where} was silent for {clocks.between:g} s in mid-stream")
        case httpcore2.TimeoutException():
            return TransportFault("timeout", f"no answer from {where} within {clocks.first_byte:g} s (first byte)")
        case httpcore2.ConnectError() if isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error):
            return TransportFault("tls", f"TLS with {where} failed: {error}")
        case httpcore2.ProxyError():
            return TransportFault("connect", f"cannot connect to {where}: the proxy refused: {error}")
        case httpcore2.ConnectError():
            return TransportFault("connect", f"cannot connect to {where}: {error}")
        case httpcore2.UnsupportedProtocol():
            return TransportFault("url", f"{where} is no usable URL")
        case httpcore2.RemoteProtocolError() if "disconnect" in str(error) or "closed connection" in str(error):
            return TransportFault("closed", f"{where} closed the connection before the answer was complete: {error}")
        case httpcore2.NetworkError():
            return TransportFault("closed", f"{where} closed the connection before the answer was complete: {error!r}")
        case httpcore2.ProtocolError() | Malformed():
            return TransportFault("protocol", f"{where} did not answer in HTTP: {error}")
    return error
