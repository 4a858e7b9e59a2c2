"""The client's half: an upstream's answers, what they are compressed with, and the events of its streams."""

import gzip
import re
import zlib
from collections.abc import Iterable
from typing import Any

import h11
from tests.fuzz import Target, split

from litellm.net.response import MAX_HEAD, Response
from litellm.net.unzip import Malformed, Unzip
from litellm.wire.framing.sse import Parser

LARGEST = 1 << 20  # bytes of a body, once it is decompressed

# --- answers ---------------------------------------------------------------------------------------------------------------


def read_answer(pieces: list[bytes]) -> tuple[Any, ...] | None:
    """All that is said of an answer; None if it is refused."""
    response = Response(max_size=LARGEST)
    try:
        body = b""
        for piece in pieces:
            body += response.feed(piece)
            assert len(response._pending) <= MAX_HEAD + len(piece), "it keeps more than a head"
        response.end()
    except Malformed:
        return None
    return response.status, response.headers, body, response.reusable, response.excess


def by_h11(data: bytes) -> tuple[int, bytes]:
    """Status and body as h11 reads them. Raises h11.RemoteProtocolError."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=len(data) + 1)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    status, body, ended = 0, b"", False
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            assert not ended, "h11 waits for more than all"
            connection.receive_data(b"")
            ended = True
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return status, body


# What h11 refuses and the standard allows: control characters in a value (RFC 9110, 5.5), spaces before the extension of a
# chunk (RFC 9112, 7.1.1).
LENIENT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[0-9a-fA-F][ \t]+;")

# h11 also minds what trailers and interim answers say about framing, which is not to be looked at (RFC 9110, 6.5.1).
INTERIM = re.compile(rb"HTTP/1\.[01] 1")
FRAMING = re.compile("Content-Length|Transfer-Encoding|transfer-encoding")


def check_answer(data: bytes, cuts: Iterable[int]) -> None:
    whole = read_answer([data])
    assert read_answer(split(data, cuts)) == whole, "pieces are read in another way"
    if whole is None:
        return
    status, headers, body, *_ = whole
    try:
        theirs = by_h11(data)
    except h11.RemoteProtocolError as error:
        elsewhere = "chunked" in headers.get("transfer-encoding", "").lower() or INTERIM.match(data)
        assert (elsewhere and FRAMING.search(str(error))) or LENIENT.search(data), f"h11 refuses it: {error}"
    else:
        assert theirs[0] == status, f"h11 reads status {theirs[0]}"
        assert "content-encoding" in headers or theirs[1] == body, f"h11 reads {theirs[1]!r}"


ANSWERS = Target(
    check_answer,
    (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: application/json\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;a=b\r\n, y\r\n0\r\nX-Trailer: 1\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nuntil the end",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 429 \r\nRetry-After: 1\r\nContent-Length: 2, 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n" + gzip.compress(b"hello", mtime=0),
        b"HTTP/1.1 200 OK\r\nVary: a\r\nVary: b\r\nX-Empty:\r\n folded\r\nContent-Length: +1\r\n\r\nx",
        b"HTTP/1.1 304\r\nContent-Length: 7\r\n\r\n",
    ),
)

# --- compression -----------------------------------------------------------------------------------------------------------


def unzipped(pieces: list[bytes]) -> bytes | None:
    unzip = Unzip(LARGEST)
    try:
        plain = b"".join([unzip.feed(piece) for piece in pieces])
        unzip.end()
    except Malformed:
        return None
    assert len(plain) <= LARGEST, "it gives more than it may"
    return plain


def check_zipped(data: bytes, cuts: Iterable[int]) -> None:
    whole = unzipped([data])
    assert unzipped(split(data, cuts)) == whole, "pieces are read in another way"
    if whole is None or not data.startswith(b"\x1f"):
        return
    try:
        theirs = gzip.decompress(data)
    except (EOFError, OSError, zlib.error):
        assert b"\0" in data, "gzip refuses it"  # what pads a member may be followed by another, or by bare deflate
    else:
        assert theirs == whole, "gzip reads it in another way"


ZIPPED = Target(
    check_zipped,
    (
        gzip.compress(b"hello " * 20, mtime=0),
        gzip.compress(b"two", mtime=0) + gzip.compress(b"members", mtime=0) + bytes(3),
        zlib.compress(b"hello " * 20),
        zlib.compress(b"bare")[2:-4],
        gzip.compress(bytes(LARGEST + 1), mtime=0),
    ),
)

# --- events ----------------------------------------------------------------------------------------------------------------


def read_events(pieces: list[bytes]) -> list[bytes]:
    parser = Parser()
    payloads = [payload for piece in pieces for payload in parser.feed(piece)]
    return payloads + parser.end()


def by_the_specification(data: bytes) -> list[bytes]:
    """The payloads, line by line as the specification reads them, an event that nothing closes included."""
    payloads: list[bytes] = []
    lines: list[bytes] = []
    for line in [*re.split(rb"\r\n|\r|\n", data.removeprefix(b"\xef\xbb\xbf")), b""]:
        name, _, value = line.partition(b":")
        if name == b"data" and b":" in line:
            lines.append(value.removeprefix(b" "))
        elif not line and lines:
            payloads.append(b"\n".join(lines))
            lines = []
    return payloads


def check_events(data: bytes, cuts: Iterable[int]) -> None:
    whole = read_events([data])
    assert whole == by_the_specification(data), "the specification reads it in another way"
    assert read_events(split(data, cuts)) == whole, "pieces are read in another way"


EVENTS = Target(
    check_events,
    (
        b'data: {"a": 1}\n\ndata: [DONE]\n\n',
        b"\xef\xbb\xbfevent: message\r\ndata:a\r\ndata: b\r\n\r\n: heartbeat\r\n\r\nid: 1\rdata: c\r\r",
        b"data: a\n\ndata: b\n\ndata: c\n\ndata: cut",
        b"data\ndata:\n\ndata: \xf0\x9f\x98\x80\n\n\n\n",
    ),
)
