"""Heads of requests: what their lines say, and which are refused (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

import msgspec

from litellm.server.refusal import Refusal

NO_REQUEST = "This is no HTTP/1.1: a request begins with `METHOD /path HTTP/1.1`"
MAX_HOST = 300  # bytes; names have 253 at the most
MAX_REMEMBERED = 256  # bytes of a line that is worth remembering
MAX_KNOWN = 2048  # bytes of a head that is worth remembering; every connection may have one
MAX_KNOWN_FIELDS = 32
MAX_LINES = 1000  # of a head; each is an object and more
MAX_HEAD = 64 * 1024  # bytes of request line and headers, and of all else that is no body

_REQUEST_LINE = re.compile(rb"([A-Z-]{1,32}) ([!\"$-~]+) HTTP/1\.([01])\r\n")  # no form of a target has a fragment
_BEGINNING = re.compile(rb"[A-Z-]{1,32}(?: [ -~]*)?\r?")  # of a request line
_HOST = re.compile(rb"(?:[\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?", re.ASCII)  # RFC 9110, 7.2
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)(/[^?#]*)?(?:\?([^#]*))?", re.IGNORECASE)

_LENGTH = re.compile(rb"\r\nContent-Length:[ \t]*([0-9]{1,15})\r\n", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nUpgrade:", re.IGNORECASE)
_HIDDEN = b"\r\nUpgrad_:"

# Of these a second line would let two readers of one request see two requests.
_SINGLE = frozenset({b"host", b"authorization", b"origin", b"transfer-encoding", b"content-length"})


Fields = list[tuple[bytes, bytes]]


class Head(msgspec.Struct, frozen=True):
    """A request's head. path: decoded, for people; raw_path: as it came. headers: by name, in lower case, lines of one name
    joined; fields: the lines as they came, in order. length: bytes of the body, None if it says so as it comes.
    expects_continue: the client waits for leave to send the body. upgrade: it wants to speak WebSocket."""

    method: str
    path: str
    raw_path: str
    query: bytes
    headers: dict[bytes, bytes]
    fields: Fields
    version: str = "1.1"
    length: int | None = 0
    keep_alive: bool = True
    expects_continue: bool = False
    upgrade: bool = False


class Known(msgspec.Struct, frozen=True):
    """A head that came before. Clients repeat theirs byte by byte, but for the length of the body; and what was right once
    is right again. before, after: the bytes around the length. place: of its line among the fields."""

    before: bytes
    after: bytes
    head: Head
    place: int

    @classmethod
    def of(cls, data: bytes, head: Head) -> Known | None:
        """None for what is not worth it: what is long, and what is the last request or of no certain length."""
        short = len(data) <= MAX_KNOWN and len(head.fields) <= MAX_KNOWN_FIELDS
        if not short or not head.keep_alive or head.upgrade or head.length is None:
            return None
        own = _copy(head, head.headers.copy(), head.fields.copy(), head.length)  # whoever is asked may change the other
        if b"content-length" not in head.headers:
            return cls(data, b"", own, -1)
        match = _LENGTH.search(data)
        if match is None:
            return None
        place = next(place for place, (name, _) in enumerate(head.fields) if name == b"content-length")
        return cls(data[: match.start(1)], data[match.end(1) :], own, place)

    def again(self, data: bytes) -> tuple[Head, int] | None:
        """The head of the request that is at the beginning of `data`, and where it ends; None if it is not this one, or the
        request is not all here."""
        if not data.startswith(self.before):
            return None
        start = len(self.before)
        headers, fields = self.head.headers.copy(), self.head.fields.copy()
        if self.place < 0:
            return _copy(self.head, headers, fields, 0), start
        digits = data[start : data.find(b"\r", start, start + 16)]
        end = start + len(digits) + len(self.after)
        if not digits.isdigit() or not data.startswith(self.after, start + len(digits)):
            return None
        length = int(digits)
        if len(data) < end + length:
            return None
        headers[b"content-length"] = digits
        fields[self.place] = (b"content-length", digits)
        return _copy(self.head, headers, fields, length), end


def _copy(head: Head, headers: dict[bytes, bytes], fields: Fields, length: int) -> Head:
    """The head of another request like this one, which keeps its connection and asks for no other protocol."""
    return Head(head.method, head.path, head.raw_path, head.query, headers, fields, head.version, length, True,
                head.expects_continue)  # fmt: skip


class RequestLine(msgspec.Struct, frozen=True):
    """The first line of a request. authority: of the URL, if it is a whole one."""

    method: str
    path: str
    raw_path: str
    query: bytes
    version: str
    authority: bytes | None


def first_line(data: bytes) -> RequestLine:
    """The request line of a head. Raises Refusal, also for one that has too many lines."""
    if data.count(b"\n") > MAX_LINES:
        raise Refusal(431, f"The request has more than {MAX_LINES} headers")
    line = data[: data.index(b"\n") + 1]
    if len(line) > MAX_REMEMBERED or b"?" in line:  # behind which there may be a secret
        return read_line(line)
    return _known_line(line)


def read_line(line: bytes) -> RequestLine:
    """A request line, up to its end. Raises Refusal."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise Refusal(400, NO_REQUEST)
    method, target, minor = match.groups()
    if method == b"CONNECT":
        allowed = [(b"allow", b"GET, HEAD, POST, OPTIONS")]
        raise Refusal(405, "CONNECT is not allowed here: this server is no proxy for others", allowed)
    authority, path, query = _target(method, target)
    return RequestLine(method.decode(), unquote(path), path, query, "1.1" if minor == b"1" else "1.0", authority)


def check_beginning(begun: bytes | bytearray) -> None:
    """Raise Refusal for what cannot become a request line."""
    if not _BEGINNING.fullmatch(begun):
        raise Refusal(400, NO_REQUEST)


def without_upgrade(data: bytes) -> bytes:
    """A head in which no other protocol is offered."""
    return _UPGRADE.sub(_HIDDEN, data)


def made(line: RequestLine, fields: Fields) -> Head:
    """The head of this line and these fields, in lower case. Raises Refusal."""
    if line.authority is not None:  # RFC 9112, 3.2.2: it goes before the header, which has to be there all the same
        fields = [(name, line.authority if name == b"host" else value) for name, value in fields]
    headers = dict(fields)
    if len(headers) != len(fields):
        headers = _joined(fields)
    version = line.version
    host = headers.get(b"host")
    if version == "1.1" if host is None else not (len(host) <= MAX_HOST and _known_host(host)):
        raise Refusal(400, "HTTP/1.1 wants one header `Host`, with a host and perhaps a port (RFC 9112, 3.2)")
    keep_alive = _keeps_alive(headers.get(b"connection"), version)
    if b"proxy-connection" in headers:  # it means nothing to us, but to llhttp, which reads on or does not
        keep_alive = keep_alive and b"close" not in headers[b"proxy-connection"].lower()
    length = None
    if b"transfer-encoding" not in headers:
        length = int(headers.get(b"content-length", b"0"))
    else:
        check_coding(headers, version)
    return Head(
        line.method,
        line.path,
        line.raw_path,
        line.query,
        headers,
        fields,
        version,
        length,
        keep_alive,
        b"expect" in headers and version == "1.1" and headers[b"expect"].lower() == b"100-continue",
        b"upgrade" in headers and _wants_websocket(line.method, version, headers),
    )


# The same few come again and again. Only what is short and right is remembered: errors never are.
_known_line = lru_cache(maxsize=1024)(read_line)


@lru_cache(maxsize=1024)
def _known_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def _target(method: bytes, target: bytes) -> tuple[bytes | None, str, bytes]:
    """Authority, path and query of a request's target (RFC 9112, 3.2). Raises Refusal."""
    if target.startswith(b"/"):
        path, _, query = target.partition(b"?")
        return None, path.decode("ascii"), query
    if target == b"*" and method == b"OPTIONS":
        return None, "*", b""
    match = _ABSOLUTE.fullmatch(target)
    if match is None or not _HOST.fullmatch(match[1]):
        raise Refusal(400, "The request's target is no path, and no http URL with a host")
    return match[1], (match[2] or b"/").decode("ascii"), match[3] or b""


def _joined(fields: Fields) -> dict[bytes, bytes]:
    """Headers by name, where a name has several lines. Raises Refusal for a name that may have but one."""
    lines: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        lines.setdefault(name, []).append(value)
    for name in _SINGLE & lines.keys():
        if len(lines[name]) > 1:
            raise Refusal(400, f"There is more than one header `{name.decode()}`")
    return {name: (b"; " if name == b"cookie" else b", ").join(values) for name, values in lines.items()}


def check_coding(headers: dict[bytes, bytes], version: str) -> None:
    """Whether a body says where it ends in a way that we understand, as any proxy in front of us did (RFC 9112, 6.1), or
    Refusal."""
    coding = headers.get(b"transfer-encoding")
    if coding is None:
        return
    if version != "1.1":
        raise Refusal(400, "Transfer-Encoding is not part of HTTP/1.0")
    if coding.strip().lower() != b"chunked":
        raise Refusal(501, "Only `chunked` is understood as Transfer-Encoding")


def _keeps_alive(connection: bytes | None, version: str) -> bool:
    """Whether the connection may be used again (RFC 9112, 9.3)."""
    if connection is None:
        return version == "1.1"
    if connection == b"keep-alive":
        return True
    options = [option.strip() for option in connection.lower().split(b",")]
    return b"close" not in options and (version == "1.1" or b"keep-alive" in options)


def _wants_websocket(method: str, version: str, headers: dict[bytes, bytes]) -> bool:
    def tokens(name: bytes) -> list[bytes]:
        return [token.strip() for token in headers.get(name, b"").lower().split(b",")]

    wanted = b"upgrade" in tokens(b"connection") and b"websocket" in tokens(b"upgrade")
    return wanted and version == "1.1" and method == "GET"
