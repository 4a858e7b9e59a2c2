"""Joining an API base and a path, for all the ways in which people write a base."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit


def join(base: str, path: str) -> str:
    """Append `path` to `base`, once, keeping a query where it belongs.

    >>> join("http://host/v1/", "/chat/completions")
    'http://host/v1/chat/completions'
    >>> join("http://host/v1/chat/completions", "/chat/completions")
    'http://host/v1/chat/completions'
    >>> join("http://host/v1?api-version=2", "/chat/completions")
    'http://host/v1/chat/completions?api-version=2'

    Raises ValueError for a base that is no http(s) URL.
    """
    parts = split(base)
    prefix = parts.path.rstrip("/")
    if not prefix.endswith(path):
        prefix += path
    return urlunsplit(parts._replace(path=prefix))


def without_userinfo(url: str) -> tuple[str, str | None]:
    """`url` without "user:password@", and the Basic authorization that this stands for, or None.

    >>> without_userinfo("http://me:pass@host/v1")
    ('http://host/v1', 'Basic bWU6cGFzcw==')
    """
    parts = urlsplit(url)
    if parts.username is None:
        return url, None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return urlunsplit(bare), f"Basic {b64encode(pair).decode()}"


def split(base: str) -> SplitResult:
    """Split an http(s) URL; ValueError with the next step for anything else."""
    try:
        parts = urlsplit(base.strip())
        usable = parts.scheme in ("http", "https", "mock") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:  # it is not repeated: people put keys into URLs
        raise ValueError("api_base must be a full URL such as http://localhost:8000/v1")
    return parts


def fault_in_address(base: str) -> str | None:
    """What is wrong with an API base that a client chose; None if nothing is. Such addresses are shown in headers
    and remembered for a while, so they must be nothing else than addresses.

    >>> fault_in_address("https://key@host/v1")
    'may have no user, password or query: the key for it goes into api_key'
    """
    try:
        parts = split(base)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https"):
        return "must be a full URL such as https://api.example.com/v1"
    if parts.username is not None or dict(parse_qsl(parts.query, keep_blank_values=True)).keys() - {"api-version"}:
        return "may have no user, password or query: the key for it goes into api_key"
    return None


def with_v1(url: str, path: str) -> str | None:
    """The same URL with /v1 before `path`, or None when it has one: the usual cure of a 404.

    >>> with_v1("http://host/chat/completions", "/chat/completions")
    'http://host/v1'
    """
    parts = urlsplit(url)
    prefix = parts.path.removesuffix(path)
    if prefix.endswith(("/v1", "/v2", "/v3", "/v4")):
        return None
    return urlunsplit(parts._replace(path=prefix + "/v1", query=""))


def redacted_url(url: str) -> str:
    """`url` as it may stand in a message: without user, password and query, where people put keys."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
