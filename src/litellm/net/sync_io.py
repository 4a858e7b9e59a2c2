"""The sync transport, over httpx2's transport layer: no event loop, no cookies, redirects or auth flows."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from litellm.net import memory_io, workers
from litellm.net.messages import Request, Timeouts, TransportFault
from litellm.net.steps import Ask, Read, Send, Step
from litellm.net.tls import Network, Proxies, ssl_context
from litellm.net.url import shown

_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0)
MAX_POOLS = 64


class SyncReply:
    """A reply whose body may still be on its way."""

    __slots__ = ("_chunks", "_clocks", "_deadline", "_request", "_response", "body", "headers", "status")

    def __init__(self, request: Request, response: httpx2.Response, clocks: dict[str, Any], deadline: float) -> None:
        self._request = request
        self._response = response
        self._clocks = clocks
        self._deadline = deadline
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.body = b""
        self._chunks: Iterator[bytes] = response.iter_bytes()

    def read(self) -> bytes:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise _late(self._request)
        # httpcore looks the clock up again before each body, so the silence allowed within it can differ.
        self._clocks["read"] = min(remaining, self._request.timeouts.between)
        try:
            return next(self._chunks, b"")
        except Exception as error:
            raise fault(error, self._request, in_body=True) from error

    def read_whole(self) -> None:
        parts = []
        try:
            for part in self._chunks:
                parts.append(part)
                if time.monotonic() > self._deadline:
                    raise _late(self._request)
        except httpx2.HTTPError as error:
            raise fault(error, self._request, in_body=True) from error
        finally:
            self.close()
        self.body = b"".join(parts)

    def close(self) -> None:
        self._response.close()


def _late(request: Request) -> TransportFault:
    total = request.timeouts.total
    return TransportFault("timeout", f"the answer from {shown(request.url)} was not complete after {total:g} s")


class SyncTransport:
    """Performs steps and waits for them. Safe to share between threads; a forked child makes its own connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._pools: dict[tuple[Network, str | None], httpx2.HTTPTransport] = {}
        self._proxies: Proxies | None = None

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
        timeouts = request.timeouts
        deadline = time.monotonic() + timeouts.total
        clocks = _clocks(timeouts)
        message = httpx2.Request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.body,
            extensions={"timeout": clocks},
        )
        pool = self._pool(request.network, message.url)
        try:
            response = pool.handle_request(message)
        except Exception as error:
            raise fault(error, request, in_body=False) from error
        response.request = message
        reply = SyncReply(request, response, clocks, deadline)
        if not request.stream or reply.status >= 400:
            reply.read_whole()
        return reply

    def _pool(self, network: Network, url: httpx2.URL) -> httpx2.HTTPTransport:
        if self._pid != os.getpid():  # a forked child must not talk on its parent's sockets
            self._forget()
        if self._proxies is None:
            self._proxies = Proxies()
        key = (network, self._proxies.find(url.scheme, url.netloc.decode()))
        try:
            return self._pools[key]
        except KeyError:
            with self._lock:
                if len(self._pools) >= MAX_POOLS:  # somebody makes a CA file per request; do not keep them all
                    self._pools.pop(next(iter(self._pools))).close()
                return self._pools.setdefault(
                    key,
                    httpx2.HTTPTransport(
                        verify=ssl_context(network),
                        trust_env=False,
                        limits=_LIMITS,
                        proxy=httpx2.Proxy(key[1]) if key[1] else None,
                        local_address="0.0.0.0" if network.ipv4_only else None,  # noqa: S104 - outgoing: "any IPv4"
                    ),
                )

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()
        self._forget()


def _clocks(timeouts: Timeouts) -> dict[str, Any]:
    first_byte = min(timeouts.first_byte, timeouts.total)
    return {"connect": min(timeouts.connect, timeouts.total), "read": first_byte, "write": first_byte, "pool": None}


def _ask(ask: Ask) -> Any:
    if ask.sync_fn is not None:
        return ask.sync_fn(*ask.args)
    assert ask.async_fn is not None  # noqa: S101 - an Ask has at least one of the two
    return workers.run_to_end(ask.async_fn(*ask.args))  # type: ignore[arg-type]


def fault(error: Exception, request: Request, *, in_body: bool) -> Exception:
    """Translate httpx2's errors into TransportFault; anything else is a bug of ours and stays as it is."""
    where = shown(request.url)
    clocks = request.timeouts
    match error:
        case httpx2.ConnectTimeout():
            return TransportFault("timeout", f"no connection to {where} within {clocks.connect:g} s (connect timeout)")
        case httpx2.TimeoutException() if in_body and request.stream:
            return TransportFault("timeout", f"{where} was silent for {clocks.between:g} s in mid-stream")
        case httpx2.TimeoutException():
            return TransportFault("timeout", f"no answer from {where} within {clocks.first_byte:g} s (first byte)")
        case httpx2.ConnectError() | httpx2.ProxyError():
            kind: Any = "tls" if "SSL" in str(error) or "certificate" in str(error).lower() else "connect"
            return TransportFault(kind, f"cannot connect to {where}: {error}")
        case httpx2.UnsupportedProtocol() | httpx2.InvalidURL():
            return TransportFault("url", f"{where} is no usable URL")
        case httpx2.RemoteProtocolError() if "disconnect" in str(error) or "closed connection" in str(error):
            return TransportFault("closed", f"{where} closed the connection before the answer was complete: {error}")
        case httpx2.ReadError() | httpx2.WriteError() | httpx2.CloseError():
            return TransportFault("closed", f"{where} closed the connection before the answer was complete: {error!r}")
        case httpx2.HTTPError():
            return TransportFault("protocol", f"{where} did not answer in HTTP: {error}")
    return error
