"""The head of a request: its origin and its header fields."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from functools import lru_cache
from urllib.parse import quote, urlsplit

import msgspec

from litellm._bounded import Bounded
from litellm.net.faults import TransportFault
from litellm.net.messages import Request
from litellm.net.sealed import Sealed

MAX_HEADS = 512
LONGEST = 16 << 10  # characters of a URL; servers commonly take 8 KiB
FRAMING = ("content-length", "transfer-encoding")  # what says where a request ends is ours to say
WITH_BODY = ("POST", "PUT", "PATCH")  # methods that say how long their body is even if there is none (RFC 9110, 8.6)
_KEPT = "!$&'()*+,;=:@/~%"  # of a path, besides letters, digits and -._
TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"  # one character of a name (RFC 9110, 5.6.2)
_NAME = re.compile(f"{TOKEN}+")
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
    bracketed = f"[{host}]" if ":" in host else host
    return Origin(
        scheme=parts.scheme,
        host=host,
        port=port or (443 if parts.scheme == "https" else 80),
        authority=bracketed if port is None else f"{bracketed}:{port}",
        target=quote(parts.path or "/", safe=_KEPT)
        + ("?" + quote(parts.query, safe=_KEPT + "?") if parts.query else ""),
    )


def headers_of(request: Request) -> dict[str, str]:
    """The headers to send, besides those that frame the message: a length that the caller states does not count.

    Those of the call alone come last, and never in the place of others: a header that is forwarded for a client must not
    overwrite a key. Raises TransportFault for what is no header, or would become two.
    """
    _check(request)
    fields = _without(request.headers, FRAMING)
    if request.extra_headers:
        fields.update(_without(request.extra_headers, {"host", *FRAMING, *map(str.lower, fields)}))
    return fields


def _check(request: Request) -> None:
    # The headers get no name in the frame that raises: a traceback may show what has one.
    if not (_can_be_sent(request.headers) and _can_be_sent(request.extra_headers)):
        raise TransportFault("url", "a header cannot be sent: its name or value has characters that may not be there")


def _can_be_sent(headers: Mapping[object, object] | Mapping[str, str] | None) -> bool:
    for name, value in headers.items() if headers else ():
        if not (isinstance(name, str) and isinstance(value, str) and _NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            return False
    return True


def _without(headers: Mapping[str, str], names: Container[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}


def fields_of(origin: Origin, request: Request) -> list[tuple[str, str]]:
    """All header fields but the length, the host first; a Host among the caller's headers is used instead of ours."""
    headers = headers_of(request)
    has_host = any(name.lower() == "host" for name in headers)
    return [*([] if has_host else [("Host", origin.authority)]), *headers.items()]


class Head(Sealed, msgspec.Struct, frozen=True):
    """The beginning of a request: what is the same in all that come with the same headers, and what it was made of."""

    headers: dict[str, str]
    url: str
    method: str
    text: bytes

    def start(self, request: Request) -> bytes:
        """All that stands before the body of `request`. Write it, and give it no name: it holds a key, and tracebacks may
        show what is named.
        """
        size = len(request.body)
        if request.extra_headers or not (size or self.method in WITH_BODY):
            return self._start_with_extras(request)
        return b"%bContent-Length: %d\r\n\r\n" % (self.text, size)

    def _start_with_extras(self, request: Request) -> bytes:
        _check(request)
        extra = _without(request.extra_headers or {}, {"host", *FRAMING, *map(str.lower, self.headers)})
        lines = [f"{name}: {value}\r\n" for name, value in extra.items()]
        if request.body or self.method in WITH_BODY:
            lines.append(f"Content-Length: {len(request.body)}\r\n")
        return b"%b%b\r\n" % (self.text, "".join(lines).encode("latin-1"))


class HeadCache:
    """The heads of requests. A deployment's share their headers, so most are known; by the headers' identity, which costs
    less to look up than what they say, and is checked.
    """

    def __init__(self) -> None:
        self._heads: Bounded[int, Head] = Bounded(MAX_HEADS)

    def find(self, origin: Origin, request: Request) -> Head:
        """The head of `request`. Raises TransportFault for headers that cannot be sent."""
        known = self._heads.get(id(request.headers))
        if (
            known is not None
            and known.headers == request.headers
            and known.url == request.url
            and known.method == request.method
        ):
            return known
        made = _head_of(origin, request)
        if request.cacheable_head and request.network.guard is None:  # a client's key belongs to its call alone
            self._heads[id(request.headers)] = made
        return made


def _head_of(origin: Origin, request: Request) -> Head:
    _check(request)
    host, lines = f"Host: {origin.authority}", []
    for name, value in request.headers.items():
        lower = name.lower()
        if lower == "host":
            host = f"{name}: {value}"
        elif lower not in FRAMING:
            lines.append(f"{name}: {value}")
    text = "\r\n".join([f"{request.method} {origin.target} HTTP/1.1", host, *lines, ""]).encode("latin-1")
    return Head(dict(request.headers), request.url, request.method, text)
