"""Opening a connection, blocking: which addresses a host has, and which of them answers first."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import time

from litellm.net.connect import HEAD_START, interleaved, joined_errors, prepared_socket
from litellm.net.guard import system_addresses
from litellm.net.network import Network
from litellm.net.request_head import Origin
from litellm.net.tls import ssl_context

UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN)


def open_socket(origin: Origin, network: Network, seconds: float) -> socket.socket:
    """A socket that is connected to `origin`, with TLS if it is to be. Raises OSError, TransportFault.

    seconds: for all of it but looking up the name, which cannot be interrupted. Then it raises TimeoutError.
    """
    context = ssl_context(network) if origin.scheme == "https" else None
    found = _addresses(origin, network)
    deadline = time.monotonic() + seconds
    sock = connected(found, origin.port, seconds)
    try:
        sock.settimeout(_remaining(deadline))
        if context is not None:
            sock = context.wrap_socket(sock, server_hostname=origin.host)
    except BaseException:
        sock.close()
        raise
    return sock


def _addresses(origin: Origin, network: Network) -> list[str]:
    family = socket.AF_INET if network.ipv4_only else socket.AF_UNSPEC
    if network.guard is not None:
        return network.guard.addresses(origin.host, origin.port, family)
    return system_addresses(origin.host, origin.port, family)


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining


def connected(addresses: list[str], port: int, seconds: float) -> socket.socket:
    """A socket connected to the first address that answers, with a head start for the preferred ones (RFC 8305).

    Raises OSError, with what every address had to say, when none does; TimeoutError after `seconds`.
    """
    deadline = time.monotonic() + seconds
    waiting = list(interleaved(addresses))
    errors: list[OSError] = []
    with contextlib.ExitStack() as losers, selectors.DefaultSelector() as tries:
        while waiting or tries.get_map():
            if waiting:
                _begin(waiting.pop(0), port, tries, losers, errors)
            remaining = _remaining(deadline)
            for key, _ in tries.select(min(HEAD_START, remaining) if waiting else remaining) if tries.get_map() else ():
                sock: socket.socket = key.fileobj  # type: ignore[assignment]  # we put sockets in
                tries.unregister(sock)
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0:
                    return _detached(sock)
                errors.append(OSError(code, os.strerror(code)))
    raise joined_errors(errors)


def _begin(
    address: str, port: int, tries: selectors.BaseSelector, losers: contextlib.ExitStack, errors: list[OSError]
) -> None:
    """Begin to connect, to an address that is closed with `losers` unless it wins."""
    try:
        sock = losers.enter_context(prepared_socket(address))
        code = sock.connect_ex((address, port))
    except OSError as error:
        errors.append(error)
        return
    if code in UNDER_WAY:
        tries.register(sock, selectors.EVENT_WRITE)
    else:
        errors.append(OSError(code, os.strerror(code)))


def _detached(winner: socket.socket) -> socket.socket:
    """The same socket by another object, since the one that it was will be closed with the others."""
    return socket.socket(winner.family, winner.type, winner.proto, winner.detach())
