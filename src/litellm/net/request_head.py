"""What a request says first: where its URL leads, and its header."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

import msgspec

from litellm.net.faults import TransportFault
from litellm.net.messages import Request

LONGEST = 16 << 10  # characters of a URL; servers commonly take 8 KiB
FRAMING = ("content-length", "transfer-encoding")  # what says where a request ends is ours to say
_KEPT = "!$&'()*+,;=:@/~%"  # of a path, besides letters, digits and -._
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_VALUE = re.compile(r"[^\x00\r\n\u0100-\U0010ffff]*")


class Origin(msgspec.Struct, frozen=True):
    """A URL, taken apart once. authority: the host as a Host header has it; target: path and query."""

    scheme: str
    host: str
    port: int
    authority: str
    target: str


@lru_cache(maxsize=1024)
def origin_of(url: str) -> Origin:
    """Where `url` leads. Raises TransportFault, which does not repeat it: people put keys into URLs.

    >>> origin_of("http://[::1]:8000/v1/x y?a=b").target
    '/v1/x%20y?a=b'
    >>> origin_of("https://Bücher.example/v1").authority
    'xn--bcher-kva.example'
    """
    try:
        parts = urlsplit(url if len(url) <= LONGEST else "")
        host = (parts.hostname or "").encode("idna").decode()  # also says when a label of it is empty, or too long
        port = parts.port
    except ValueError:
        raise TransportFault("url", "api_base is no usable URL") from None
    if not host or port == 0 or parts.scheme not in ("http", "https") or any(c <= " " or c == "\x7f" for c in host):
        raise TransportFault("url", "api_base is no usable URL")
    shown = f"[{host}]" if ":" in host else host
    return Origin(
        scheme=parts.scheme,
        host=host,
        port=port or (443 if parts.scheme == "https" else 80),
        authority=shown if port is None else f"{shown}:{port}",
        target=quote(parts.path or "/", safe=_KEPT)
        + ("?" + quote(parts.query, safe=_KEPT + "?") if parts.query else ""),
    )


def headers_of(request: Request) -> dict[str, str]:
    """The headers to send, besides those that frame the message: a length that the caller states does not count.

    Raises TransportFault for what is no header, or would become two.
    """
    kept = {name: value for name, value in request.headers.items() if name.lower() not in FRAMING}
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in kept.items()):
        raise TransportFault("url", "a header cannot be sent: its name or value has characters that may not be there")
    return kept


def fields_of(origin: Origin, request: Request) -> list[tuple[str, str]]:
    """All header fields but the length, the host first; a Host among the caller's headers is used instead of ours."""
    headers = headers_of(request)
    own = any(name.lower() == "host" for name in headers)
    return [*([] if own else [("Host", origin.authority)]), *headers.items()]
