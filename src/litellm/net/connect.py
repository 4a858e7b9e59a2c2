"""Opening a connection: which addresses a host has, and which of them answers first."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import Any

from litellm._bounded import Bounded
from litellm._threads import PoolExhausted, resolve_in_thread
from litellm.net.faults import TransportFault
from litellm.net.guard import literal, system_addresses
from litellm.net.network import Network
from litellm.net.request_head import Origin

HEAD_START = 0.25  # seconds that an address has before the next one is tried beside it (RFC 8305)
DNS_TTL = 60.0  # seconds for which a name's addresses are remembered
MAX_NAMES = 256


class DNSCache:
    """The addresses of hosts, remembered for a minute. Not those that a guard admits: these are looked up each time."""

    def __init__(self) -> None:
        # A future and not its result, so that a thousand calls to a new host make one look-up.
        self._known: Bounded[tuple[str, int, int], tuple[float, asyncio.Future[list[str]]]] = Bounded(MAX_NAMES)

    async def addresses(self, origin: Origin, network: Network) -> list[str]:
        """Where to connect to, in the system's order of preference. Raises OSError, TransportFault."""
        family = socket.AF_INET if network.ipv4_only else socket.AF_UNSPEC
        if network.guard is not None:
            if literal(origin.host):
                return network.guard.addresses(origin.host, origin.port, family)
            try:
                return await resolve_in_thread(network.guard.addresses, origin.host, origin.port, family)
            except PoolExhausted:
                text = "too many names of hosts are being looked up now; try again"
                raise TransportFault("busy", text) from None
        with contextlib.suppress(ValueError):
            return [str(ip_address(origin.host))]
        loop = asyncio.get_running_loop()
        key = (origin.host, origin.port, family)
        known = self._known.get(key)
        if known is None or loop.time() >= known[0]:
            known = self._known[key] = (loop.time() + DNS_TTL, loop.run_in_executor(None, system_addresses, *key))
            known[1].add_done_callback(partial(self._forget_failure, key))
        return await asyncio.shield(known[1])  # a waiter that is cancelled does not cancel it for the others

    def _forget_failure(self, key: tuple[str, int, int], answer: asyncio.Future[list[str]]) -> None:
        """A failure is not cached."""
        failed = answer.cancelled() or answer.exception() is not None
        if failed and key in self._known and self._known[key][1] is answer:
            del self._known[key]

    def forget(self, origin: Origin) -> None:
        """None of its addresses answered: look again next time."""
        for key in [key for key in self._known if key[0] == origin.host]:
            del self._known[key]


async def connected_socket(addresses: list[str], port: int) -> socket.socket:
    """A socket connected to the first address that answers, with a head start for the preferred ones.

    Raises OSError, with what every address had to say, when none does.
    """
    loop = asyncio.get_running_loop()
    waiting = interleaved(addresses)
    tries: set[asyncio.Task[socket.socket]] = set()
    pending: set[asyncio.Task[socket.socket]] = set()
    errors: list[OSError] = []
    try:
        while True:
            address = next(waiting, None)
            if address is not None:
                task = loop.create_task(_connect(loop, address, port))
                tries.add(task)
                pending.add(task)
            elif not pending:
                raise joined_errors(errors)
            head_start = HEAD_START if address is not None else None
            done, pending = await asyncio.wait(pending, timeout=head_start, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is None:
                    tries.discard(task)
                    return task.result()
                if not isinstance(error, OSError):
                    raise error
                errors.append(error)
    finally:
        for task in tries:  # two may have come about at once, and one that is cancelled may have a moment before
            task.cancel()
            task.add_done_callback(_close_late)


def interleaved(addresses: list[str]) -> Iterator[str]:
    """The families in turn, so that one that leads nowhere costs one head start and not many."""
    sixes = [address for address in addresses if ":" in address]
    fours = [address for address in addresses if ":" not in address]
    first, second = (sixes, fours) if addresses and ":" in addresses[0] else (fours, sixes)
    return (address for address in chain.from_iterable(zip_longest(first, second)) if address is not None)


def joined_errors(errors: list[OSError]) -> OSError:
    """One error for all addresses: what each had to say, once."""
    texts = dict.fromkeys(str(error) for error in errors)
    return errors[0] if len(texts) == 1 else OSError("; ".join(texts) or "the host has no address")


def prepared_socket(address: str) -> socket.socket:
    """A socket to connect to `address` with: it does not block, nor wait to fill its packets, nor trust in silence."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


async def _connect(loop: asyncio.AbstractEventLoop, address: str, port: int) -> socket.socket:
    sock = prepared_socket(address)
    try:
        await loop.sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _close_late(task: asyncio.Task[Any]) -> None:
    """A connection that came about after another had won, or after the request was cancelled."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
