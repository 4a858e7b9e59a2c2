"""The only entrance: from a request's headers to who is calling."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import urlsplit

import msgspec

from litellm.proxy.errors import RequestError

# Where clients of different vendors put their key, in order of precedence.
_HEADERS = (b"x-litellm-api-key", b"authorization", b"api-key", b"x-api-key", b"x-goog-api-key",
            b"ocp-apim-subscription-key")  # fmt: skip

WELL_KNOWN = frozenset({"", "sk-1234", "sk-12345", "sk-123456", "anything", "changeme", "sk-litellm"})
SHORTEST = 16
LOOPBACK = ("localhost", "127.0.0.1", "0.0.0.0", "::1")  # noqa: S104 - names that pages use for this machine


def is_weak(key: str | None) -> bool:
    """Whether a master key is absent, printed in somebody's documentation, or short enough to be guessed."""
    return key is None or key in WELL_KNOWN or len(key) < SHORTEST


class Caller(msgspec.Struct, frozen=True):
    """Who is calling. `key_hash` identifies the key without being it."""

    key_hash: str
    is_admin: bool


ANYBODY = Caller(key_hash="", is_admin=True)


class Gate:
    """Lets in who shows the master key; everybody, when there is none. Keeps only a digest of the key."""

    __slots__ = ("_caller", "_digest", "_open_to_pages")

    def __init__(self, master_key: str | None) -> None:
        self._open_to_pages = not is_weak(master_key)
        self._digest = sha256(master_key.encode()).digest() if master_key else None
        self._caller = (
            Caller(key_hash=sha256(master_key.encode()).hexdigest(), is_admin=True) if master_key else ANYBODY
        )

    def check_origin(self, headers: Mapping[bytes, bytes]) -> None:
        """Keep web pages of other hosts out where the key is weak: any page that is open in a browser on this machine
        could use such a server. Raises RequestError 403."""
        origin = headers.get(b"origin")
        if origin is None or self._open_to_pages:
            return
        if urlsplit(origin.decode("latin-1")).hostname not in LOOPBACK:
            raise RequestError(403, "Pages of other hosts may not call this server until it has a strong master key")

    def admit(self, headers: Mapping[bytes, bytes]) -> Caller:
        """The caller. Raises RequestError 401 for a key that is missing, malformed or wrong; it never repeats the key."""
        if self._digest is None:
            return ANYBODY
        for name in _HEADERS:
            shown = headers.get(name)
            if shown is not None:
                break
        else:
            raise _refused("No api key passed in. Send the header `Authorization: Bearer <key>`.")
        if shown[:7].lower() == b"bearer ":
            shown = shown[7:]
        elif name == b"authorization":
            raise _refused("Malformed API Key passed in. Ensure Key has `Bearer ` prefix.")
        if not hmac.compare_digest(sha256(shown.strip()).digest(), self._digest):
            raise _refused("Invalid proxy server token passed. Use the master key of this server.")
        return self._caller


def _refused(message: str) -> RequestError:
    return RequestError(401, f"Authentication Error, {message}", headers=[(b"www-authenticate", b"Bearer")])
