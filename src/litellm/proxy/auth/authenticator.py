"""From a request's headers to its caller."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import msgspec

from litellm.proxy.errors import RequestError
from litellm.router.pool import Pool
from litellm.router.regions import Region

if TYPE_CHECKING:
    from litellm.types.hooks import UserAPIKeyAuth

# Where clients of different vendors put their key, in order of precedence.
_HEADERS = (b"x-litellm-api-key", b"authorization", b"api-key", b"x-api-key", b"x-goog-api-key",
            b"ocp-apim-subscription-key")  # fmt: skip

WELL_KNOWN = frozenset({"", "sk-1234", "sk-12345", "sk-123456", "anything", "changeme", "sk-litellm"})
SHORTEST = 16
LONGEST_HOST = 260  # characters: of a name in the DNS, and a port
LOOPBACK = ("localhost", "127.0.0.1", "0.0.0.0", "::1")  # noqa: S104 - names that pages use for this machine


def is_weak(key: str | None) -> bool:
    """Whether a master key is absent, printed in documentation, or short enough to be guessed."""
    return key is None or key in WELL_KNOWN or len(key) < SHORTEST


def is_guarded(key: str | None, *, custom_auth: bool) -> bool:
    """Whether strangers are kept out, so that other machines and pages of theirs may connect: by a strong master key, or
    by custom_auth alone. Beside custom_auth a weak key is a back door.

    >>> is_guarded(None, custom_auth=True), is_guarded("sk-1234", custom_auth=True), is_guarded(None, custom_auth=False)
    (True, False, False)
    """
    return not is_weak(key) or (custom_auth and not key)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling. `key_hash` identifies the key without being it.

    models: the names that the caller may ask for; none: all of them. region: where its calls must stay. known: what else is
    known, for hooks and callbacks.
    """

    key_hash: str
    is_admin: bool
    models: tuple[str, ...] = ()
    region: Region | None = None
    known: Any = None

    def may_ask(self, model: str, pool: Pool) -> bool:
        """Whether the caller may ask for `model`: for what it leads to there, by whatever name."""
        return not self.models or self.may_use(pool.permitted_as(model))

    def may_use(self, model: str) -> bool:
        """Whether the caller may use what is listed as `model`: the name of a group, or an alias."""
        return not self.models or any(allowed == _ALL or fnmatchcase(model, allowed) for allowed in self.models)

    def described(self) -> UserAPIKeyAuth:
        """The caller, as hooks and callbacks get it."""
        if self.known is not None:
            return cast("UserAPIKeyAuth", self.known)
        from litellm.types.hooks import LitellmUserRoles, UserAPIKeyAuth

        role = LitellmUserRoles.PROXY_ADMIN if self.is_admin else None
        return UserAPIKeyAuth(api_key=self.key_hash or None, user_role=role)


_ALL = "all-proxy-models"  # LiteLLM's word for it
ANONYMOUS = Caller(key_hash="", is_admin=True)


class Authenticator:
    """Admits requests with the master key; all, when there is none. Keeps only a digest of the key.

    custom_auth: whether something else stands in front of it. open_to_pages: web pages of any host may call.
    """

    __slots__ = ("_caller", "_digest", "open_to_pages")

    def __init__(self, master_key: str | None, *, custom_auth: bool = False) -> None:
        self.open_to_pages = is_guarded(master_key, custom_auth=custom_auth)
        self._digest = sha256(master_key.encode()).digest() if master_key else None
        self._caller = (
            Caller(key_hash=sha256(master_key.encode()).hexdigest(), is_admin=True) if master_key else ANONYMOUS
        )

    @property
    def has_key(self) -> bool:
        """Whether there is a master key."""
        return self._digest is not None

    def check_page(self, headers: Mapping[bytes, bytes], host: str) -> None:
        """Keep web pages of other hosts out where the key is weak: any page that is open in a browser on this machine
        could use such a server. A page says who it is in `Origin`; one that had its own name lead to this machine says so
        in `Host` alone. host: where the server listens. Raises RequestError 403."""
        origin = headers.get(b"origin")
        if origin is not None and _host(origin) not in LOOPBACK:
            raise RequestError(403, "Pages of other hosts may not call this server until it has a strong master key")
        requested_host = headers.get(b"host")
        if requested_host is not None and (
            len(requested_host) > LONGEST_HOST or not _is_this_machine(requested_host, host)
        ):
            raise RequestError(403, "Until it has a strong master key, this server answers to no name but localhost")

    def admit(self, headers: Mapping[bytes, bytes]) -> Caller:
        """The caller. Raises RequestError 401 for a key that is missing, malformed or wrong; it never repeats the key."""
        if self._digest is None:
            return ANONYMOUS
        name, key = _find_key(headers)
        if name is None:
            raise _refused("No api key passed in. Send the header `Authorization: Bearer <key>`.")
        if key[:7].lower() == b"bearer ":
            key = key[7:]
        elif name == b"authorization":
            raise _refused("Malformed API Key passed in. Ensure Key has `Bearer ` prefix.")
        if not hmac.compare_digest(sha256(key.strip()).digest(), self._digest):
            raise _refused("Invalid proxy server token passed. Use the master key of this server.")
        return self._caller


@lru_cache(maxsize=256)
def _is_this_machine(requested_host: bytes, host: str) -> bool:
    """Whether a name, with a port perhaps, cannot be a foreign one that was pointed here (DNS rebinding)."""
    name = _host(b"//" + requested_host) or ""
    return name in LOOPBACK or name == host.lower() or name.endswith(".localhost") or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _host(origin: bytes) -> str | None:
    try:
        return urlsplit(origin.decode("latin-1")).hostname
    except ValueError:  # a bracket without its other half
        return None


def _find_key(headers: Mapping[bytes, bytes]) -> tuple[bytes | None, bytes]:
    for name in _HEADERS:
        if name in headers:
            return name, headers[name]
    return None, b""


def presented_key(headers: Mapping[bytes, bytes]) -> str:
    """The key that a request shows, in whatever header; empty if it shows none."""
    key = _find_key(headers)[1]
    return (key[7:] if key[:7].lower() == b"bearer " else key).strip().decode("latin-1")


def _refused(message: str) -> RequestError:
    return RequestError(401, f"Authentication Error, {message}", headers=[(b"www-authenticate", b"Bearer")])
