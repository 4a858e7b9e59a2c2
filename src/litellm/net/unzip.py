"""gzip and deflate, decompressed piece by piece. We ask for neither; some servers compress all the same."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

MAX_SIZE = 512 << 20  # bytes of an answer, once it is decompressed
# What is larger than this once it is decompressed may be so many times as large as what was sent, and no larger: texts and
# tables of numbers shrink to a third or a tenth, bombs to a thousandth.
FREE = 16 << 20  # bytes
MAX_RATIO = 64
SLICE = 64 << 10  # bytes that are given to zlib at once: it copies what follows the end of a gzip member
ENCODINGS = ("gzip", "x-gzip", "deflate")


class Malformed(Exception):  # noqa: N818 - transports translate it
    """The bytes are no answer in HTTP/1.1. The text says why, without repeating them."""


def too_large(max_size: int) -> Malformed:
    """The error for a body of more than `max_size` bytes."""
    return Malformed(f"the answer is larger than {max_size >> 20} MiB")


class Unzip:
    """A compressed body, as its bytes come in. Several gzip members in a row are one body, as RFC 1952 has it.

    max_size: bytes that it may come to; one more is an error. So is more than FREE that is also more than MAX_RATIO times
    what was sent: a few hundred kilobytes must not fill the memory.

    >>> import gzip
    >>> unzip = Unzip()
    >>> unzip.feed(gzip.compress(b"Hel")) + unzip.feed(gzip.compress(b"lo"))
    b'Hello'
    >>> unzip.end()
    """

    __slots__ = ("_given", "_max_size", "_member", "_sent")

    def __init__(self, max_size: int = MAX_SIZE) -> None:
        self._member: zlib._Decompress | None = None
        self._max_size = max_size
        self._sent = 0
        self._given = 0

    def feed(self, data: bytes) -> bytes:
        """What `data` says. Raises Malformed."""
        parts: list[bytes] = []
        for at in range(0, len(data), SLICE):
            piece = data[at : at + SLICE]
            self._sent += len(piece)
            self._undo(piece, parts)
        return b"".join(parts)

    def _undo(self, data: bytes, parts: list[bytes]) -> None:
        while data:
            if self._member is not None and self._member.eof:
                data = data.lstrip(b"\0")  # some pad what they have compressed
                if not data:
                    break
                self._member = None
            self._member = self._member or _member(data[0])
            try:
                part = self._member.decompress(data, self._remaining() + 1)
            except zlib.error as error:
                raise Malformed(f"its body cannot be decompressed ({error})") from None
            self._given += len(part)
            if self._remaining() < 0:
                raise Malformed("its body is larger than any may be, once it is decompressed")
            parts.append(part)
            data = self._member.unused_data

    def _remaining(self) -> int:
        return min(self._max_size, max(FREE, MAX_RATIO * self._sent)) - self._given

    def end(self) -> None:
        """There is no more. Raises Malformed if there ought to be."""
        if self._member is not None and not self._member.eof:
            raise Malformed("its compressed body breaks off")


def unzip_for(headers: Mapping[str, str], max_size: int = MAX_SIZE) -> Unzip | None:
    """What undoes the Content-Encoding in `headers` (names in lower case); None, where there is nothing that we know.

    max_size: bytes that the body may come to.

    >>> unzip_for({"content-encoding": "br"}) is None
    True
    """
    encoding = headers.get("content-encoding")
    return Unzip(max_size) if encoding is not None and encoding.strip().lower() in ENCODINGS else None


def _member(first: int) -> zlib._Decompress:
    """By its first byte, because "deflate" means zlib and some send it bare."""
    if first == 0x1F:
        return zlib.decompressobj(wbits=31)  # gzip
    return zlib.decompressobj(wbits=15 if first & 15 == 8 else -15)
