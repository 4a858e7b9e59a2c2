"""Static schemes: the key goes into a header as it is. Schemes that sign or fetch tokens come with their providers."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from urllib.parse import urlsplit

import msgspec


class Scheme(msgspec.Struct, frozen=True):
    """header → template; "{key}" stands for the key. only_hosts: hosts this is for, others get a bearer header."""

    headers: Mapping[str, str]
    only_hosts: tuple[str, ...] = ()

    def sign(self, key: str, url: str) -> dict[str, str]:
        """The headers that carry `key` to `url`.

        >>> bearer().sign("sk-1", "http://host")
        {'Authorization': 'Bearer sk-1'}
        """
        if self.only_hosts and not any(fnmatch(urlsplit(url).hostname or "", host) for host in self.only_hosts):
            return bearer().sign(key, url)
        return {name: template.replace("{key}", key) for name, template in self.headers.items()}


def bearer(**more: str) -> Scheme:
    """`Authorization: Bearer KEY`, and further headers that some want beside it."""
    return Scheme({"Authorization": "Bearer {key}", **more})


def key_header(name: str, *, only_hosts: tuple[str, ...] = ()) -> Scheme:
    """The key in a header of the provider's own."""
    return Scheme({name: "{key}"}, only_hosts)
