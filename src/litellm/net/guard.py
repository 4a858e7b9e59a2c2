"""Which hosts a client of the gateway may choose: public ones, and those that the administrator lists.

A guard is a value on the request (`Network.guard`), so that no send can forget it. Both transports ask it for the addresses
to connect to, instead of asking about a host beforehand: what was checked is what is connected to, whatever the host's name
resolves to a moment later.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

from litellm._log import log
from litellm.net.faults import TransportFault

# A list of our own, because `is_global` of Python's ipaddress changes between 3.11 and 3.14. After IANA's registries of
# special-purpose addresses, but coarser: nobody serves an API from the few public places within these networks.
NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # "this host"
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # between a provider and its customers (CGNAT); metadata of Alibaba Cloud
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # looks public, and is what every machine in Azure reaches its host by
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; metadata of Oracle Cloud
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays to 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved; broadcast
        # Of IPv6, 2000::/3 is given out for global use. The next three rows are all the rest: loopback, unspecified,
        # IPv4-compatible, private (fc00::/7), link-local, site-local, multicast, and what has no use yet.
        "::/3",
        "4000::/2",
        "8000::/1",
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: a tunnel to the IPv4 address that is written in it
        "3fff::/20",  # documentation
    )
)
NAT64 = IPv6Network("64:ff9b::/96")

FORMS = "write a host (vllm.internal), host:port, *.example.com, an IP address or a network (10.1.0.0/16)"
_WITH_PORT = re.compile(r"(\[[^\]]+\]|[^:]+):(\d{1,5})", re.ASCII)
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
# The last label is a number, decimal or hexadecimal: resolvers take 2130706433, 127.1 and 0x7f.1 for addresses.
_NUMERIC = re.compile(r"(.*\.)?(\d+|0x[\da-f]*)", re.ASCII | re.IGNORECASE)

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int, int], list[str]]


def system_addresses(host: str, port: int, family: int) -> list[str]:
    """The addresses of `host` as the system resolves it. `family` is one of socket.AF_*, 0 for any.

    Raises OSError (socket.gaierror) when there are none.
    """
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str | Address) -> bool:
    """Whether `address` belongs to the public internet; also said of the IPv4 address inside an IPv6 address.

    Raises ValueError for what is no address.

    >>> is_public("8.8.8.8"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.7")
    (True, False, False)
    """
    reached = _reached(ip_address(address))
    return not any(reached in block for block in NOT_PUBLIC)


def _reached(address: Address) -> Address:
    """The address that packets to `address` end at: IPv4-mapped ones and those behind NAT64 are IPv4 in other clothes."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


class HostRule(msgspec.Struct, frozen=True):
    """An entry of the administrator's list: a name ("*.example.com" for all below it) or a network, on one port or any."""

    name: str = ""
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    @classmethod
    def of(cls, entry: str) -> HostRule:
        """Read an entry. Raises ValueError, with the forms that there are.

        >>> HostRule.of("[::1]:8000").network, HostRule.of("VLLM.internal").name
        (IPv6Network('::1/128'), 'vllm.internal')
        """
        match = _WITH_PORT.fullmatch(entry.strip())
        text, port = (match[1], int(match[2])) if match else (entry.strip(), None)
        text = _plain(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
        if port is None or 0 < port < 65536:
            try:
                return cls(network=ip_network(text), port=port)
            except ValueError:  # then it is a name
                if _is_name(text.removeprefix("*.")):
                    return cls(name=text, port=port)
        raise ValueError(f"{entry!r} is no entry for client_side_hosts: {FORMS}")

    def covers_name(self, host: str, port: int) -> bool:
        if self.port not in (None, port):
            return False
        return host == self.name or (self.name.startswith("*.") and host.endswith(self.name[1:]))

    def covers(self, address: Address, port: int) -> bool:
        if self.port not in (None, port) or self.network is None:
            return False
        return address in self.network or _reached(address) in self.network


class Guard(msgspec.Struct, frozen=True, cache_hash=True):
    """Admits hosts all of whose addresses are public, and those in `listed`.

    A listed name may resolve to any address; a listed address may be reached under any name. `resolve` gives the addresses
    of a name: (host, port, family) → addresses.
    """

    listed: tuple[HostRule, ...] = ()
    resolve: Resolve = system_addresses

    @classmethod
    def of(cls, *entries: str) -> Guard:
        """A guard that also admits `entries`: general_settings.client_side_hosts. Raises ValueError for a wrong one.

        >>> Guard.of("vllm.internal:8000", "10.1.0.0/16").addresses("10.1.2.3", 443)
        ['10.1.2.3']
        """
        return cls(tuple(HostRule.of(entry) for entry in entries))

    def check(self, scheme: str, host: str, port: int) -> None:
        """Refuse, before anything is sent or looked up, what can be told from the URL alone. Raises TransportFault."""
        if scheme not in ("http", "https"):
            raise TransportFault("url", "the api_base that a request brings must begin with http:// or https://")
        if numeric := literal(host):
            self._admit(numeric, port, [numeric])

    def addresses(self, host: str, port: int, family: int = 0) -> list[str]:
        """Where to connect to for `host`: numeric addresses, all of them admitted. Blocks while a name is looked up.

        Raises TransportFault("blocked") if even one address is not admitted: a name with public and private addresses is a
        mistake or a trick, and picking from them would make the answer depend on their order. A name without an address is
        refused in the same words, so that nobody learns by asking which names there are inside. For a listed one this
        raises OSError.
        """
        numeric = literal(host)
        found = [numeric] if numeric else self._resolved(host, port, family)
        self._admit(numeric or host, port, found)
        return found

    def _resolved(self, host: str, port: int, family: int) -> list[str]:
        try:
            found = self.resolve(host, port, family)
            if not found:
                raise OSError("the system knows none")
        except ValueError:  # from the codec for names: a label is empty or too long
            raise _unusable(host) from None
        except OSError as error:
            if self._lists(host, port):
                raise
            log.warning("a client's api_base was refused: %s has no address (%s)", host, error)
        else:
            return found
        raise _not_public(host)

    def _lists(self, host: str, port: int) -> bool:
        """Whether the administrator's list has this name."""
        return any(entry.covers_name(_plain(host), port) for entry in self.listed)

    def _admit(self, host: str, port: int, found: list[str]) -> None:
        if self._lists(host, port):
            return
        for text in found:
            address = ip_address(text)
            if not is_public(address) and not any(entry.covers(address, port) for entry in self.listed):
                # The address is for the administrator: to a client it would be a map of the network inside.
                log.warning("a client's api_base was refused: %s has the address %s", host, text)
                raise _not_public(host)


def _not_public(host: str) -> TransportFault:
    """The refusal of a host that is not admitted, or is not there."""
    way_out = "the administrator can allow it in general_settings.client_side_hosts"
    return TransportFault("blocked", f"{host} is not a public host; {way_out}")


def literal(host: str) -> str | None:
    """The address that a URL's host is, or None for a name.

    Raises TransportFault for what is neither: an address in an unusual spelling, or a name with a character such as NUL,
    which ends it for the system and not for us. Two readers may take such a host for two different ones.

    >>> literal("::FFFF:10.0.0.7"), literal("localhost")
    ('::ffff:a00:7', None)
    """
    if host.isascii() and _is_name(_plain(host)):
        return None
    try:
        if "%" not in host:  # what follows it is a network interface of ours, which is none of a client's business
            return str(ip_address(host))
    except ValueError:
        raise _unusable(host) from None
    raise _unusable(host)


def _plain(host: str) -> str:
    return host.removesuffix(".").lower()


def _is_name(host: str) -> bool:
    return _NAME.fullmatch(host) is not None and _NUMERIC.fullmatch(host) is None


def _unusable(host: str) -> TransportFault:
    return TransportFault("url", f"{host!r} is neither a host name nor an IP address as it is usually written")
