"""HTTP/1.1 requests, from bytes (RFC 9112). No socket is known here.

llhttp (by httptools) reads heads and chunks; what it is lenient about, or leaves to its caller, is decided here. It is
never shown more than one request: a message ends after as many bytes as it announced, or else after an empty line, and is
fed up to the next place where it might end. So what is pipelined stays bytes until its turn has come, however much it is.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache, partial
from typing import Any
from urllib.parse import unquote

import httptools
import msgspec

from litellm.server.refusal import Refusal

NO_REQUEST = "This is no HTTP/1.1: a request begins with `METHOD /path HTTP/1.1`"
MAX_HOST = 300  # bytes; names have 253 at the most
MAX_REMEMBERED = 256  # bytes of a line that is worth remembering
MAX_HEAD = 64 * 1024  # bytes of request line and headers, and of all else that is no body

_BLANK = b"\r\n\r\n"
_REQUEST_LINE = re.compile(rb"([A-Z-]+) ([!-~]+) HTTP/1\.([01])\r\n")
_BEGINNING = re.compile(rb"[A-Z-]{1,32}(?: [ -~]*)?\r?")  # of a request line
_HOST = re.compile(rb"(?:[\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?", re.ASCII)  # RFC 9110, 7.2
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)(/[^?#]*)?(?:\?([^#]*))?", re.IGNORECASE)

# llhttp would stop at an Upgrade, body unread. Most, such as Java's h2c, are an offer that may be ignored (RFC 9110, 7.8).
_UPGRADE = re.compile(rb"\r\nUpgrade:", re.IGNORECASE)
_HIDDEN = b"\r\nUpgrad_:"

# Of these a second line would let two readers of one request see two requests.
_SINGLE = frozenset({b"host", b"authorization", b"origin", b"transfer-encoding", b"content-length"})


class Mark(Enum):
    """END: the request is here, whole. UPGRADE: what comes next is the protocol that was asked for."""

    END = "end"
    UPGRADE = "upgrade"


END = Mark.END
UPGRADE = Mark.UPGRADE


class Head(msgspec.Struct, frozen=True):
    """A request's head. path: decoded, for people; raw_path: as it came. headers: by name, in lower case, lines of one name
    joined; fields: the lines as they came, in order. length: bytes of the body, None if it says so as it comes.
    expects_continue: the client waits for leave to send the body. upgrade: it wants to speak WebSocket."""

    method: str
    path: str
    raw_path: str
    query: bytes
    headers: dict[bytes, bytes]
    fields: list[tuple[bytes, bytes]]
    version: str = "1.1"
    length: int | None = 0
    keep_alive: bool = True
    expects_continue: bool = False
    upgrade: bool = False


Event = Head | bytes | Mark


class _Found:
    """What llhttp finds in what it is fed. Most of it goes straight into lists: that is a call less for each."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self.ends: list[bool] = []  # holds one when the request is complete
        self.on_body = self.pieces.append
        self.on_message_complete = partial(self.ends.append, True)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value))


class Parser:
    """One connection's requests. pending: bytes that are kept and not read yet, of a head that is not all here or behind a
    request that has not been answered.

    >>> parser = Parser()
    >>> head, body, end = parser.feed(b"POST /a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\nhiGET /b")
    >>> head.method, head.path, body, end is END, len(parser.pending)
    ('POST', '/a', b'hi', True, 6)
    """

    __slots__ = ("_busy", "_forgiven", "_found", "_left", "_llhttp", "_raw", "_reading", "_searched",
                 "_tail", "_unused", "pending")  # fmt: skip

    def __init__(self) -> None:
        self._found = _Found()
        self._llhttp: Any = httptools.HttpRequestParser(self._found)
        self.pending = bytearray()
        self._searched = 0  # of them, how many hold no end of a head
        self._reading = False  # a body
        self._left: int | None = 0  # bytes of it that are to come
        self._tail = b""  # its last bytes, where it comes in chunks
        self._unused = 0  # bytes that llhttp was fed since it last gave a piece of a body
        self._busy = False  # the request before has not been answered
        self._forgiven = False  # an empty line before the head
        self._raw = False  # another protocol is spoken now

    @property
    def begun(self) -> bool:
        """Whether a part of a request is here."""
        return self._reading or (bool(self.pending) and not self._busy)

    def forget(self) -> None:
        """Drop what waits: nobody will ask for it."""
        self.pending = bytearray()

    def resume(self) -> list[Event]:
        """The request before has been answered: the events of the next one, as far as it is here. Raises Refusal."""
        self._busy = False
        if not self.pending:
            return []
        # Only what this request needs is taken out: there may be thousands behind it.
        waiting, self.pending = self.pending, bytearray()
        end = waiting.find(_BLANK, 2)  # behind an empty line, perhaps
        events = self._feed_from(waiting, len(waiting) if end < 0 else end + len(_BLANK))
        if self._reading or self._raw:
            events += self._feed_from(waiting, len(waiting) if self._left is None or self._raw else self._left)
        self.pending += waiting
        return events

    def _feed_from(self, waiting: bytearray, size: int) -> list[Event]:
        data = bytes(waiting[:size])
        del waiting[:size]
        return self.feed(data) if data else []

    def feed(self, data: bytes) -> list[Event]:
        """The events of bytes, up to the end of the request at most: what comes behind it waits for `resume`.

        Raises Refusal for what is no request, or one that could be read in two ways. Nothing can be fed after that.
        """
        if self._raw:
            return [data] if data else []
        if self._busy:
            self.pending += data
            return []
        try:
            return self._body(data, 0) if self._reading else self._next(data)
        except httptools.HttpParserError as error:
            raise Refusal(400, f"This is no HTTP/1.1: {error}") from None

    def _next(self, data: bytes) -> list[Event]:
        """The events of a head, and of what comes behind it."""
        if self.pending:
            self.pending += data
            if self.pending.find(_BLANK, self._searched) < 0:
                return self._wait()
            data = bytes(self.pending)
            self.pending.clear()
        if data.startswith(b"\r\n") and not self._forgiven:  # RFC 9112, 2.2: one empty line is
            data, self._forgiven = data[2:], True
        end = data.find(_BLANK) + len(_BLANK)
        if end < len(_BLANK):
            self.pending += data
            return self._wait()
        if end > MAX_HEAD:
            raise _long_head()
        self._searched = 0
        self._forgiven = False
        head = self._head(data[:end])
        if head.upgrade:
            self._raw = True
            rest = data[end:]
            return [head, UPGRADE, rest] if rest else [head, UPGRADE]
        if head.length is not None and len(data) - end >= head.length:  # all of it is here, as nearly always
            return self._at_once(head, data, end)
        self._reading = True
        self._left = head.length
        self._unused = 0
        self._tail = b""
        return [head, *self._body(data, end)] if end < len(data) else [head]

    def _at_once(self, head: Head, data: bytes, start: int) -> list[Event]:
        """The events of a request of known length that is here."""
        end = start + (head.length or 0)
        if start < end:
            self._llhttp.feed_data(memoryview(data)[start:end])
        events: list[Event] = [head, *self._found.pieces, END]
        self._found.pieces.clear()
        self._busy = True
        self._found.ends.clear()
        if end < len(data):
            self.pending += memoryview(data)[end:]
        return events

    def _wait(self) -> list[Event]:
        """The head is not all here. What cannot become one is refused now."""
        begun = self.pending
        if begun.startswith(b"\r\n") and not self._forgiven:
            del begun[:2]
            self._forgiven = True
        if len(begun) > MAX_HEAD:
            raise _long_head()
        self._searched = max(0, len(begun) - len(_BLANK) + 1)
        line = begun.partition(b"\n")
        if line[1]:
            _read_line(bytes(line[0] + b"\n"))
        elif begun and begun != b"\r" and not _BEGINNING.fullmatch(begun):
            raise Refusal(400, NO_REQUEST)
        return []

    def _body(self, data: bytes, start: int) -> list[Event]:
        """The events of a body: its pieces, and its end. start: where it begins in `data`."""
        found, total = self._found, len(data)
        while start < total and not found.ends:
            end = self._stop(data, start)
            self._feed(data, start, end)
            start = end
        events: list[Event] = list(found.pieces)
        found.pieces.clear()
        if found.ends:
            self._end(data, start)
            events.append(END)
        return events

    def _stop(self, data: bytes, start: int) -> int:
        """The next place where the request might end."""
        if self._left is not None:
            end = min(len(data), start + self._left)
            self._left -= end - start
            return end
        # Of a body in chunks the end is an empty line, though not every empty line is the end. It may have begun before.
        crossing = (self._tail + data[start : start + 3]).find(_BLANK)
        if crossing >= 0:
            return start + crossing + len(_BLANK) - len(self._tail)
        blank = data.find(_BLANK, start)
        return len(data) if blank < 0 else blank + len(_BLANK)

    def _feed(self, data: bytes, start: int, end: int) -> None:
        pieces = self._found.pieces
        before = len(pieces)
        self._llhttp.feed_data(memoryview(data)[start:end])
        if self._left is not None:
            return
        self._tail = (self._tail + data[max(start, end - 3) : end])[-3:]
        self._unused = 0 if len(pieces) > before else self._unused + end - start
        if self._unused > MAX_HEAD:  # llhttp keeps, and copies, what has no end
            raise _long_head()

    def _end(self, data: bytes, end: int) -> None:
        """The request is here, up to `end`."""
        self._busy, self._reading = True, False
        self._found.ends.clear()
        self._found.fields = []  # with trailers: nothing that comes after the body may change what was asked
        if end < len(data):
            self.pending += memoryview(data)[end:]

    # --- heads ----------------------------------------------------------------------------------------------------------

    def _head(self, data: bytes) -> Head:
        """A whole head. Raises Refusal, or what httptools raises."""
        line = data[: data.index(b"\n") + 1]
        short = len(line) <= MAX_REMEMBERED and b"?" not in line  # behind which there may be a secret
        method, path, raw_path, query, version, authority = _known_line(line) if short else _read_line(line)
        offered = b"\r\nupgrade:" in data.lower()
        try:
            self._llhttp.feed_data(_UPGRADE.sub(_HIDDEN, data) if offered else data)
        except httptools.HttpParserError:
            _check_coding(dict(self._found.fields), version)  # what it knows no better than to call invalid
            raise
        fields, self._found.fields = self._found.fields, []
        if offered:
            fields = [(b"upgrade" if name == b"upgrad_" else name, value) for name, value in fields]
        if authority is not None:  # RFC 9112, 3.2.2: it goes before the header, which has to be there all the same
            fields = [(name, authority if name == b"host" else value) for name, value in fields]
        headers = dict(fields)
        if len(headers) != len(fields):
            headers = _joined(fields)
        host = headers.get(b"host")
        if version == "1.1" if host is None else not (len(host) <= MAX_HOST and _known_host(host)):
            raise Refusal(400, "HTTP/1.1 wants one header `Host`, with a host and perhaps a port (RFC 9112, 3.2)")
        length = None
        if b"transfer-encoding" not in headers:
            length = int(headers.get(b"content-length", b"0"))
        else:
            _check_coding(headers, version)
        return Head(
            method,
            path,
            raw_path,
            query,
            headers,
            fields,
            version,
            length,
            _keeps_alive(headers.get(b"connection"), version),
            b"expect" in headers and version == "1.1" and headers[b"expect"].lower() == b"100-continue",
            offered and _wants_websocket(method, version, headers),
        )


Line = tuple[str, str, str, bytes, str, bytes | None]


def _read_line(line: bytes) -> Line:
    """Method, path decoded and as it came, query, version; and the authority, if it has one. Raises Refusal."""
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise Refusal(400, NO_REQUEST)
    method, target, minor = match.groups()
    if method == b"CONNECT":
        allowed = [(b"allow", b"GET, HEAD, POST, OPTIONS")]
        raise Refusal(405, "CONNECT is not allowed here: this server is no proxy for others", allowed)
    authority, path, query = _target(method, target)
    return method.decode(), unquote(path), path, query, "1.1" if minor == b"1" else "1.0", authority


# The same few come again and again. Only what is short and right is remembered: errors never are.
_known_line = lru_cache(maxsize=1024)(_read_line)


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


def _joined(fields: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by name, where a name has several lines. Raises Refusal for a name that may have but one."""
    headers: dict[bytes, bytes] = {}
    for name, value in fields:
        before = headers.get(name)
        if before is None:
            headers[name] = value
        elif name in _SINGLE:
            raise Refusal(400, f"There is more than one header `{name.decode()}`")
        else:
            headers[name] = before + (b"; " if name == b"cookie" else b", ") + value
    return headers


def _check_coding(headers: dict[bytes, bytes], version: str) -> None:
    """Whether a body says where it ends in a way that we understand, as everybody before us did (RFC 9112, 6.1), or
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
    options = [option.strip() for option in connection.lower().split(b",")]
    return b"close" not in options and (version == "1.1" or b"keep-alive" in options)


def _wants_websocket(method: str, version: str, headers: dict[bytes, bytes]) -> bool:
    def tokens(name: bytes) -> list[bytes]:
        return [token.strip() for token in headers.get(name, b"").lower().split(b",")]

    asked = b"upgrade" in tokens(b"connection") and b"websocket" in tokens(b"upgrade")
    return asked and version == "1.1" and method == "GET"


def _long_head() -> Refusal:
    return Refusal(431, f"The request's headers are larger than {MAX_HEAD >> 10} KiB")
