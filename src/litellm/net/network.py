"""How an upstream is reached, as a value."""

from __future__ import annotations

import os
import ssl
from typing import Any

import msgspec

from litellm.net.guard import Guard
from litellm.net.unzip import MAX_SIZE

MAX_SIZE_GUARDED = 16 << 20  # bytes of an answer from where a client has sent us


class Network(msgspec.Struct, frozen=True):
    """How to reach an upstream, besides its URL.

    verify: True (the system's authorities, or SSL_CERT_FILE), False (none), the path of a CA file or folder, or a
    context of your own.
    client_cert: path of a PEM file with certificate and key, or None.
    ipv4_only: do not try IPv6.
    guard: for a URL that a client chose: which hosts may be reached. Its requests have connections of their own and
    no proxy. None: any host.
    max_size: bytes that an answer may come to, once it is decompressed; fewer where there is a guard. Of a stream this
    limits only what is compressed.
    """

    verify: bool | str | ssl.SSLContext = True
    client_cert: str | None = None
    ipv4_only: bool = False
    guard: Guard | None = None
    max_size: int = MAX_SIZE

    def __post_init__(self) -> None:
        if self.guard is not None:
            msgspec.structs.force_setattr(self, "max_size", MAX_SIZE_GUARDED)

    @classmethod
    def of(cls, ssl_verify: Any = None, ssl_certificate: str | None = None, force_ipv4: bool = False) -> Network:
        """Read LiteLLM's words for it, falling back to the variables SSL_VERIFY and SSL_CERTIFICATE.

        >>> Network.of("false").verify, Network.of("/etc/ca.pem").verify
        (False, '/etc/ca.pem')
        """
        verify = os.environ.get("SSL_VERIFY") if ssl_verify is None else ssl_verify
        if isinstance(verify, str):
            verify = {"true": True, "1": True, "": True, "false": False, "0": False}.get(verify.strip().lower(), verify)
        if ssl_certificate is None:
            ssl_certificate = os.environ.get("SSL_CERTIFICATE")
        return cls(True if verify is None else verify, ssl_certificate or None, bool(force_ipv4))


DIRECT = Network()
