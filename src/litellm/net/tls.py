"""The one maker of TLS contexts and the one reader of proxy settings, for both transports."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # unlisted

from litellm._bounded import Bounded
from litellm.net.faults import TransportFault
from litellm.net.network import Network


@lru_cache(maxsize=64)
def ssl_context(network: Network) -> ssl.SSLContext:
    """The context for `network`. Kept, because making one reads every authority (about 10 ms).

    Raises ValueError for a file that cannot be read.
    """
    if isinstance(network.verify, ssl.SSLContext):
        return network.verify
    try:
        return _made(network)
    except (OSError, ssl.SSLError) as error:
        files = [name for name in (network.verify, network.client_cert) if isinstance(name, str)]
        raise ValueError(f"cannot use {' or '.join(files)} for TLS: {error}") from None


def _made(network: Network) -> ssl.SSLContext:
    if isinstance(network.verify, str):
        folder = Path(network.verify).is_dir()
        context = ssl.create_default_context(
            cafile=None if folder else network.verify, capath=network.verify if folder else None
        )
    else:
        context = ssl.create_default_context()
        if not network.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    if network.client_cert:
        context.load_cert_chain(network.client_cert)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Proxies:
    """HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as they are when this is made, or no proxies: `Proxies({})`.

    configured: whether there are any.
    """

    __slots__ = ("_by_scheme", "_found", "configured")

    def __init__(self, by_scheme: dict[str, str] | None = None) -> None:
        self._by_scheme = getproxies_environment() if by_scheme is None else by_scheme
        self._found: Bounded[tuple[str, str], str | None] = Bounded(1024)
        self.configured = bool(self._by_scheme)

    def find(self, scheme: str, host: str) -> str | None:
        """The proxy's URL for this scheme and host (host with port where there is one), or None to go straight.

        Raises TransportFault for a proxy that is none: going straight would not be what the setting asks for.
        """
        if not self.configured:
            return None
        key = (scheme, host)
        if key not in self._found:
            proxy = self._by_scheme.get(scheme) or self._by_scheme.get("all")
            if proxy and proxy_bypass_environment(host, self._by_scheme):
                proxy = None
            self._found[key] = _usable(proxy) if proxy else None
        return self._found[key]


def _usable(proxy: str) -> str:
    proxy = proxy if "://" in proxy else "http://" + proxy
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in proxy and parts.port != 0
    except ValueError:
        usable = False
    if not usable:  # it is not repeated: there may be a password in it
        text = "the proxy in HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used: it must be http://host:port"
        raise TransportFault("connect", text)
    return proxy
