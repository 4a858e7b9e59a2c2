"""HTTP/1.1 answers, from bytes (RFC 9112). No socket is known here.

Written by hand because an answer's head is the one thing that is read on every call: splitting lines takes two thirds of
the time of a parser that calls back for each header. What is not plainly right is an error: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from litellm.net.request_head import TOKEN
from litellm.net.unzip import MAX_SIZE, Malformed, Unzip, unzip_for

MAX_HEAD = 64 << 10  # bytes, of a head or of trailers
MAX_FIELDS = 1000  # lines of a head
MAX_LINE = 8 << 10  # bytes, of a line between two chunks

_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9]\d\d)(?: [^\x00-\x08\x0a-\x1f\x7f]{0,512})?", re.ASCII)
_NAME = re.compile(TOKEN + r"{1,256}")
_TRAILER = re.compile(TOKEN.encode() + rb"{1,256}:[^\x00\r\n]*")
_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?")


# The same few come again and again. Only what is short and right is remembered: errors never are.
@lru_cache(maxsize=256)
def _status(line: str) -> tuple[str, int]:
    """The minor version and the status that a first line states."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise Malformed("the first line is no status line of HTTP/1.1")
    return match[1], int(match[2])


@lru_cache(maxsize=1024)
def _lower(name: str) -> str:
    """A header's name in lower case."""
    if _NAME.fullmatch(name) is None:
        raise Malformed("a line of the head is no header")
    return name.lower()


class Response:
    """One answer, as its bytes come in. bodyless: the request was one whose answer has a head only. max_size: bytes that a
    compressed body may come to.

    status, headers: there once `begun` is. Names are in lower case, values of the same name joined by commas. complete:
    nothing more belongs to it. reusable: the connection may carry another. excess: bytes came that belong to nothing.

    >>> response = Response()
    >>> response.feed(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nHel"), response.feed(b"lo")
    (b'Hel', b'lo')
    >>> response.status, response.headers, response.complete
    (200, {'content-length': '5'}, True)
    """

    __slots__ = (
        "_bodyless",
        "_chunked",
        "_max_size",
        "_pending",
        "_remaining",
        "_state",
        "_until_close",
        "_unzip",
        "begun",
        "complete",
        "excess",
        "headers",
        "reusable",
        "status",
    )  # fmt: skip

    def __init__(self, *, bodyless: bool = False, max_size: int = MAX_SIZE) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.begun = False
        self.complete = False
        self.reusable = False
        self.excess = False
        self._pending: bytes | bytearray = b""  # of a head, or of a line between chunks, that is not all there yet
        self._remaining = 0  # bytes of the body, or of the chunk, that are still to come
        self._bodyless = bodyless
        self._max_size = max_size
        self._chunked = False
        self._until_close = False
        self._state = _SIZE_LINE
        self._unzip: Unzip | None = None

    def feed(self, data: bytes) -> bytes:
        """The bytes of the body that `data` brings. Raises Malformed."""
        if not self.begun:
            data = self._head(data)
            if not self.begun:
                return b""
        if self.complete:
            self.excess = self.excess or bool(data)
            return b""
        body = self._dechunked(data) if self._chunked else self._counted(data)
        if self._unzip is None:
            return body
        plain = self._unzip.feed(body)
        if self.complete:
            self._unzip.end()
        return plain

    def end(self) -> None:
        """The connection has ended. Raises Malformed if that cuts the answer off."""
        if self._until_close and not self.complete:
            if self._unzip is not None:
                self._unzip.end()
            self.complete = True
        if not self.complete:
            raise Malformed("it ended before the answer was complete")

    def _head(self, data: bytes) -> bytes:
        """Read the head, if it is all there; gives what follows it. Interim answers (1xx) are read over."""
        text: bytes | bytearray = data
        searched = at = 0
        if self._pending:
            # A head may come byte by byte: nothing of it is copied or searched twice.
            searched = max(len(self._pending) - 3, 0)
            text = self._pending
            text += data
        while (end := text.find(b"\r\n\r\n", searched)) >= 0:
            if end - at > MAX_HEAD:
                break
            version = self._read_head(text[at:end].decode("latin-1"))
            at = searched = end + 4
            if self.status >= 200:
                self._pending = b""
                self._frame(version)
                self.begun = True
                return bytes(text[at:])
            if self.status == 101:
                raise Malformed("it switches to another protocol, which nobody asked for")
        if len(text) - at > MAX_HEAD:
            raise Malformed(f"the head is longer than {MAX_HEAD >> 10} KiB")
        if not b"HTTP/1.".startswith(text[at : at + 7]):
            raise Malformed("it does not begin with HTTP/1.")
        if text.find(b"\n\n", max(searched - 1, at)) >= 0:  # no end that we know will come
            raise Malformed("the lines of its head end in other than CR LF")
        self._pending = text if at == 0 and isinstance(text, bytearray) else bytearray(text[at:])
        return b""

    def _read_head(self, head: str) -> str:
        first, *lines = head.split("\r\n")
        if head.count("\r") != len(lines) or head.count("\n") != len(lines) or "\0" in head:
            raise Malformed("its head has line ends or zeros where none may be")
        if len(lines) > MAX_FIELDS:
            raise Malformed(f"it has more than {MAX_FIELDS} header lines")
        version, self.status = _status(first)
        headers: dict[str, str] = {}
        self.headers = headers
        for line in lines:
            raw, colon, value = line.partition(":")
            if not colon:
                raise Malformed("a line of the head is no header")
            name = _lower(raw)
            value = value.strip(" \t")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return version

    def _frame(self, version: str) -> None:
        """How the body is delimited (RFC 9112, 6.3), and what becomes of the connection."""
        headers = self.headers
        connection = headers.get("connection")
        words = {word.strip().lower() for word in connection.split(",")} if connection else ()
        self.reusable = "close" not in words and (version == "1" or "keep-alive" in words)
        encoding = headers.get("transfer-encoding")
        if encoding is not None and encoding.lower() != "chunked":
            raise Malformed("its transfer-encoding is another than chunked")
        stated = headers.get("content-length")
        length = None if stated is None else _length(stated)  # which it has to be, also where it does not count
        if self._bodyless or self.status in (204, 304):
            self.complete = True
            return
        if encoding is not None:
            self._chunked = True
            if length is not None or version == "0":  # an intermediary may read it in another way
                self.reusable = False
        elif length is not None:
            self._remaining = length
            self.complete = length == 0
        else:
            self._until_close, self.reusable = True, False
        if "content-encoding" in headers:
            self._unzip = unzip_for(headers, self._max_size)

    def _counted(self, data: bytes) -> bytes:
        if self._until_close:
            return data
        if len(data) < self._remaining:
            self._remaining -= len(data)
            return data
        body = data[: self._remaining]
        self.excess = len(data) > self._remaining
        self._remaining = 0
        self.complete = True
        return body

    def _dechunked(self, data: bytes) -> bytes:
        if self._pending:
            data, self._pending = bytes(self._pending) + data, b""
        parts: list[bytes] = []
        at = 0
        while at < len(data) and not self.complete:
            if self._state is _DATA:
                part = data[at : at + self._remaining]
                parts.append(part)
                at += len(part)
                self._remaining -= len(part)
                if data.startswith(b"\r\n", at) and not self._remaining:  # as nearly always
                    at += 2
                    self._state = _SIZE_LINE
                elif not self._remaining:
                    self._state = _DATA_END
                continue
            end = data.find(b"\r\n", at)
            if end < 0 or end - at > MAX_LINE:
                if len(data) - at > MAX_LINE:
                    raise Malformed("a line between its chunks is too long")
                self._pending = data[at:]
                break
            line, at = data[at:end], end + 2
            size = _SIZE.fullmatch(line) if self._state is _SIZE_LINE else None
            if size is None:
                self._between(line)
            else:
                self._remaining = int(size[1], 16)
                self._state = _DATA if self._remaining else _TRAILERS
        if self.complete:
            self.excess = at < len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _between(self, line: bytes) -> None:
        """A line that is neither data nor the size of a chunk: the end of one, a trailer."""
        if self._state is _SIZE_LINE:
            raise Malformed("the size of a chunk is no number")
        if self._state is _DATA_END:
            if line:
                raise Malformed("a chunk is longer than it says")
            self._state = _SIZE_LINE
        elif not line:  # the end of the trailers, which are of no interest
            self.complete = True
        else:
            self._remaining += len(line)
            if self._remaining > MAX_HEAD or _TRAILER.fullmatch(line) is None:
                raise Malformed("what follows the last chunk are no trailers")


_SIZE_LINE, _DATA, _DATA_END, _TRAILERS = "size", "data", "data end", "trailers"


def joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers as a Response has them, from the pairs that other parsers give.

    >>> joined([(b"Vary", b"Origin"), (b"vary", b"Accept")])
    {'vary': 'Origin, Accept'}
    """
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _length(text: str) -> int:
    """A Content-Length; several that say the same count as one."""
    if len(text) <= 15 and text.isascii() and text.isdecimal():  # as nearly always
        return int(text)
    lengths = {part.strip() for part in text.split(",")}
    if len(lengths) != 1:
        raise Malformed("it states several lengths")
    length = lengths.pop()
    if not (length.isascii() and length.isdecimal()) or len(length) > 15:
        raise Malformed("its length is no number")
    return int(length)
