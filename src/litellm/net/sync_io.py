"""The sync transport, over httpcore2 (the engine of httpx2, which the openai package uses): no event loop inside."""

from __future__ import annotations

import math
import os
import ssl
import threading
import time
import weakref
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import httpcore2
import msgspec

from litellm.net import memory_io, workers
from litellm.net.messages import Request, TransportFault
from litellm.net.steps import Ask, Read, Send, Step
from litellm.net.tls import Network, Proxies, ssl_context
from litellm.net.url import shown, without_userinfo

MAX_POOLS = 64
KEEP_ALIVE = 30.0  # seconds; servers commonly close after 60 or more
LAST_BYTES = 0.2  # seconds that the end of a stream may take to arrive after its [DONE]


class Clock:
    """How long reads on one connection may take now: `silence` for each, and `deadline` for all together."""

    __slots__ = ("deadline", "silence")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.silence = math.inf
        self.deadline = math.inf

    def limit(self, timeout: float | None) -> float:
        """`timeout` is httpcore's, meant for the head; once the head is here, `silence` takes its place."""
        allowed = timeout if self.silence == math.inf and timeout is not None else self.silence
        return min(allowed, max(self.deadline - time.monotonic(), 0.001))


class ClockedStream(httpcore2.NetworkStream):
    """A connection whose reads obey a Clock, which httpcore's own timeouts, fixed when a body begins, do not allow."""

    def __init__(self, stream: httpcore2.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self.clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self.clock.limit(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

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


class Place(msgspec.Struct, frozen=True):
    """A URL, taken apart once."""

    url: httpcore2.URL
    scheme: str
    host: bytes


@lru_cache(maxsize=1024)
def _place(url: str) -> Place:
    parsed = httpcore2.URL(url)
    host = parsed.host if parsed.port is None else b"%b:%d" % (parsed.host, parsed.port)
    return Place(parsed, parsed.scheme.decode(), host)


class SyncReply:
    """A reply whose body may still be on its way."""

    __slots__ = ("_chunks", "_clock", "_request", "_response", "_unzip", "body", "headers", "status")

    def __init__(self, request: Request, response: httpcore2.Response, clock: Clock) -> None:
        self._request = request
        self._response = response
        self._clock = clock
        self._chunks: Iterator[bytes] = iter(response.stream)  # type: ignore[arg-type]  # sync pools give sync streams
        self.status: int = response.status
        self.headers: Mapping[str, str] = _joined(response.headers)
        self.body = b""
        # We ask for no compression; some servers compress all the same.
        zipped = self.headers.get("content-encoding", "identity") in ("gzip", "deflate", "x-gzip")
        self._unzip = zlib.decompressobj(wbits=47) if zipped else None

    def read(self) -> bytes:
        try:
            while data := next(self._chunks, b""):
                if self._request.stream:
                    self._clock.silence = self._request.timeouts.between
                if self._unzip is None:
                    return data
                if plain := self._unzip.decompress(data):
                    return plain
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
            "timeout", f"the answer from {shown(self._request.url)} was not complete after {total:g} s"
        )

    def read_whole(self) -> None:
        parts = []
        while data := self.read():
            parts.append(data)
        self.body = b"".join(parts)
        self.close()

    def finish(self) -> None:
        """All that matters is here: give the last bytes a moment, so that the connection can be used again."""
        self._clock.silence = LAST_BYTES
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


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; those that come several times are joined by commas, as RFC 9110 5.2 has it."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


class SyncTransport:
    """Performs steps and waits for them. Safe to share between threads; a forked child makes its own connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._pools: dict[tuple[Network, str | None], httpcore2.ConnectionPool] = {}
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
        if request.stream and reply.status < 300:
            clock.silence = min(clocks.first_byte, clocks.between)  # until the first piece; then `between`
        else:
            reply.read_whole()
        return reply

    def _head(self, request: Request) -> httpcore2.Response:
        try:
            return self._handle(request)
        except Exception as error:  # noqa: BLE001 - what is no fault of the network is raised again as it is
            problem = fault(error, request, in_body=False)
        if isinstance(problem, TransportFault) and problem.kind == "connect" and self._goes_through_proxy(request):
            problem = TransportFault("connect", f"{problem} (through a proxy)")
        raise problem

    def _goes_through_proxy(self, request: Request) -> bool:
        place = _place(request.url)
        try:
            return self._proxies is not None and self._proxies.find(place.scheme, place.host.decode()) is not None
        except TransportFault:
            return False

    def _handle(self, request: Request) -> httpcore2.Response:
        place = _place(request.url)
        headers = [(b"Host", place.host), (b"Content-Length", b"%d" % len(request.body))]
        headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()]
        clocks = request.timeouts
        first_byte = min(clocks.first_byte, clocks.total)
        allowed = {"connect": min(clocks.connect, clocks.total), "read": first_byte, "write": first_byte, "pool": None}
        message = httpcore2.Request(
            request.method, place.url, headers=headers, content=request.body, extensions={"timeout": allowed}
        )
        return self._pool(request.network, place).handle_request(message)

    def _pool(self, network: Network, place: Place) -> httpcore2.ConnectionPool:
        if self._pid != os.getpid():
            # A forked child must not talk on its parent's sockets. Closing its copies leaves the parent's open.
            self._pid = os.getpid()
            _hang_up(self._pools)
        if self._proxies is None:
            self._proxies = Proxies()
        key = (network, self._proxies.find(place.scheme, place.host.decode()))
        try:
            return self._pools[key]
        except KeyError:
            with self._lock:
                if len(self._pools) >= MAX_POOLS:  # somebody makes a CA file per request; do not keep them all
                    self._pools.pop(next(iter(self._pools))).close()
                return self._pools.setdefault(key, _make_pool(*key))

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
        "network_backend": ClockedBackend(),
        "local_address": "0.0.0.0" if network.ipv4_only else None,  # noqa: S104 - outgoing: "any IPv4"
    }
    if proxy is None:
        return httpcore2.ConnectionPool(**options)
    address, authorization = without_userinfo(proxy)
    headers = [(b"Proxy-Authorization", authorization.encode())] if authorization else None
    return httpcore2.HTTPProxy(address, proxy_headers=headers, **options)


def _ask(ask: Ask) -> Any:
    if ask.sync_fn is not None:
        return ask.sync_fn(*ask.args)
    assert ask.async_fn is not None  # noqa: S101 - an Ask has at least one of the two
    return workers.run_to_end(ask.async_fn(*ask.args))  # type: ignore[arg-type]


def fault(error: Exception, request: Request, *, in_body: bool) -> Exception:
    """Translate httpcore2's errors into TransportFault; anything else is a bug of ours and stays as it is."""
    where = shown(request.url)
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
        case httpcore2.ProtocolError() | zlib.error():
            return TransportFault("protocol", f"{where} did not answer in HTTP: {error}")
    return error
