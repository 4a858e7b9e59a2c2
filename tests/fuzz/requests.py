"""The server's half: a connection's requests, one after the other."""

import re
from collections.abc import Iterable
from typing import Any

import h11
from tests.fuzz import Target, split

from litellm.server.head import MAX_HEAD, Head
from litellm.server.parser import END, UPGRADE, Parser
from litellm.server.refusal import Refusal


def read_requests(pieces: list[bytes]) -> tuple[list[Any], str]:
    """The requests, and how it ended: refused, upgraded, or waiting for more."""
    parser = Parser()
    found: list[Any] = []
    try:
        for piece in pieces:
            events = parser.feed(piece)
            while events:
                for event in events:
                    take(found, event)
                events = parser.resume() if events[-1] is END else []
            assert len(parser.pending) <= MAX_HEAD + len(piece), "it keeps more than a head"
    except Refusal as refusal:
        found = [each for each in found if each[2] == "whole"]  # of the one that is refused, more or less had been told
        return found, f"refused, {refusal.status}"
    return found, "upgraded" if found and found[-1][2] == "upgraded" else "waiting"


def take(found: list[Any], event: Any) -> None:
    """Add an event to the requests; pieces of a body are one."""
    if isinstance(event, Head):
        found.append([event, b"", "begun"])
    elif event is END:
        found[-1][2] = "whole"
    elif event is UPGRADE:
        found[-1][2] = "upgraded"
    else:
        found[-1][1] += event


def target_of(head: Head) -> str:
    return head.raw_path + (f"?{head.query.decode('latin-1')}" if head.query else "")


def within(target: str) -> str:
    """What a target asks of its host: without the scheme, host and fragment of a whole URL, which h11 leaves in it."""
    match = re.match(r"https?://[^/?#]+([^#]*)", target, flags=re.IGNORECASE)
    if match is None:
        return target
    return match[1] if match[1].startswith("/") else f"/{match[1]}"


def by_h11(data: bytes, count: int) -> list[tuple[str, str, bytes]]:
    """The first `count` requests as h11 reads them. Raises h11.RemoteProtocolError."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=len(data) + 1)
    connection.receive_data(data)
    found: list[tuple[str, str, bytes]] = []
    body = b""
    request = None
    while len(found) < count:
        event = connection.next_event()
        assert event not in (h11.NEED_DATA, h11.PAUSED), "h11 waits for more"
        if isinstance(event, h11.Request):
            request, body = event, b""
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert request is not None
            found.append((request.method.decode(), request.target.decode("latin-1"), body))
            if len(found) < count:
                rest = connection.trailing_data[0].removeprefix(b"\r\n")  # RFC 9112, 2.2: of which h11 knows nothing
                connection = h11.Connection(h11.SERVER, max_incomplete_event_size=len(data) + 1)
                connection.receive_data(rest)
    return found


def check_requests(data: bytes, cuts: Iterable[int]) -> None:
    found, end = read_requests([data])
    again, other_end = read_requests(split(data, cuts))
    assert again == found, "pieces are read in another way"
    assert other_end == end or "waiting" in (other_end, end), (
        "pieces end in another way"
    )  # it may be refused before it is whole
    whole = []
    for head, body, state in found:
        if state != "whole":
            break
        whole.append((head, body))
        if not head.keep_alive or head.method == "CONNECT" or b"upgrade" in head.headers:
            break  # whoever serves it reads no further
    try:
        theirs = by_h11(data.removeprefix(b"\r\n"), len(whole))
    except h11.RemoteProtocolError as error:
        raise AssertionError(f"h11 refuses it: {error}") from None
    for (head, body), (method, target, seen) in zip(whole, theirs, strict=True):
        assert (head.method, body) == (method, seen), f"h11 reads {method} {seen!r}"
        assert target_of(head) == within(target).removesuffix("?"), f"h11 reads {target}"


LINES = b"Host: x\r\nAuthorization: Bearer sk-1234\r\nContent-Type: application/json\r\n"
POST = b"POST /v1/chat/completions HTTP/1.1\r\n" + LINES
REQUESTS = Target(
    check_requests,
    (
        POST + b"Content-Length: 2\r\n\r\n{}",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;a=b\r\n}\r\n0\r\nX: 1\r\n\r\n",
        b"GET /v1/models?a=b HTTP/1.1\r\nHost: x:80\r\n\r\nGET /health HTTP/1.0\r\n\r\n",
        b"\r\nOPTIONS * HTTP/1.1\r\nHost: [::1]:4000\r\nOrigin: http://a\r\n\r\n",
        b"GET http://x/a/b?c HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\x00",
        POST + b"Content-Length: 2\r\nContent-Length: 2\r\nHost: y\r\nExpect: 100-continue\r\n\r\n{}",
        POST + b"Transfer-Encoding: gzip, chunked\r\nContent-Length: 3\r\n folded\r\n\r\n0\r\n\r\n",
    ),
)
