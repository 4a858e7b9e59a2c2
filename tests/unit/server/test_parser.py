"""Requests from bytes: what is one, what is none, and that nothing depends on how the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm.server.head import MAX_HEAD, MAX_LINES, Head
from litellm.server.parser import END, UPGRADE, Parser
from litellm.server.refusal import Refusal

TOP = b"POST /v1/a HTTP/1.1\r\nHost: x\r\n"
CHUNKED = TOP + b"Transfer-Encoding: chunked\r\n\r\n"


def events_of(pieces: list[bytes]) -> list:
    """All events of these pieces, every request answered as soon as it is here; pieces of a body joined. A refusal is the
    last event."""
    parser, found = Parser(), []
    try:
        for piece in pieces:
            events = parser.feed(piece)
            while events:
                found += events
                events = parser.resume() if events[-1] is END else []
    except Refusal as refusal:  # what was read of the refused request itself is of no use to anybody
        while found and found[-1] is not END:
            found.pop()
        found.append(refusal.status)
    return joined(found)


def joined(events: list) -> list:
    found = []
    for event in events:
        if isinstance(event, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += event
        else:
            found.append(event)
    return found


def head_of(data: bytes) -> Head:
    head = Parser().feed(data)[0]
    assert isinstance(head, Head)
    return head


def status_of(data: bytes) -> int:
    """With which status these bytes are refused; 200 if they are a request."""
    events = events_of([data])
    return events[-1] if isinstance(events[-1], int) else 200


WHOLE = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    TOP + b"Content-Length: 11\r\n\r\nhello\r\n\r\nab",
    CHUNKED + b"5\r\nhello\r\n6;a=b\r\n\r\n\r\n\r\n\r\n0\r\n\r\n",
    CHUNKED + b"1\r\n\r\r\n1\r\n\n\r\n0\r\nX-Trailer: 1\r\nX-More: 2\r\n\r\n",
    b"\r\nGET http://h:80/v1/models?a=b HTTP/1.1\r\nHost: x\r\nCookie: a\r\nCookie: b\r\n\r\n",
]
BROKEN = [
    b"GET /\nHost: x\n\n",
    b"\x16\x03\x01\x02\x00",
    CHUNKED + b"zz\r\n",
    TOP + b"Host: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello",
]


@settings(max_examples=300, deadline=None)
@given(
    requests=st.lists(st.sampled_from(WHOLE), max_size=4),
    last=st.sampled_from([b"", *BROKEN, *(each[:-1] for each in WHOLE)]),
    cuts=st.lists(st.integers(0, 700), max_size=12),
)
def test_it_does_not_matter_how_the_bytes_are_cut(requests, last, cuts):
    """The events of a stream of bytes are the same however the network cuts it."""
    data = b"".join(requests) + last
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    pieces = [data[start:end] for start, end in zip(places, places[1:], strict=False)]
    assert events_of(pieces) == events_of([data])


@pytest.mark.parametrize("data", WHOLE)
def test_byte_by_byte(data):
    """A request in as many pieces as it has bytes, with another one behind it."""
    twice = events_of([bytes([byte]) for byte in data * 2])
    assert twice == events_of([data]) * 2


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300))
def test_nothing_but_a_refusal_comes_of_any_bytes(data):
    """No bytes, in whatever place of a request, raise anything else."""
    for start in (
        b"",
        b"GET /",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        TOP + b"Content-Length: 10\r\n\r\n",
        CHUNKED,
        CHUNKED + b"3\r\n",
    ):
        events_of([start + data])


# --- one request at a time -----------------------------------------------------------------------------------------------


def test_what_is_pipelined_stays_bytes():
    """However many requests one read brings, the second is parsed when the first has been answered."""
    request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    parser = Parser()
    assert len(parser.feed(request * 10_000)) == 2
    assert len(parser.pending) == 9_999 * len(request)
    assert parser.feed(request) == []
    assert len(parser.resume()) == 2
    assert len(parser.pending) == 9_999 * len(request)


@pytest.mark.parametrize("first", WHOLE)
@pytest.mark.parametrize("behind", [b"garbage\x00", b"GET / HTTP/1.1\r\n", b"\r\n\r\n\r\n"])
def test_a_good_request_before_a_bad_one(first, behind):
    """What comes behind a request does not keep it from being understood."""
    events = Parser().feed(first + behind)
    assert events[-1] is END
    assert joined(events) == events_of([first])


# --- heads that are repeated ----------------------------------------------------------------------------------------------

LIKE_IT = [
    TOP + b"Content-Length: %b\r\n\r\n",
    TOP + b"content-length:%b\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
    b"POST http://h/a?b=c HTTP/1.1\r\nContent-Length: \t%b\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
    b"POST /v1/a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: %b\r\n\r\n",
    TOP + b"X-A: Content-Length: 3\r\nContent-Length: %b\r\nExpect: 100-continue\r\n\r\n",
    TOP + b"Content-Length: %b\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    TOP + b"X-A: %b\r\n\r\n",
]
LENGTHS = [b"2", b"0", b"11", b"002", b"", b"+2", b"-2", b"2 ", b"2\t", b"2, 2", b"0x2", b"2\r\nContent-Length: 2",
           b"\xb2", b"2_0", b"2\n", b"2\r\n", b"2\r\n a", b"0" * 14 + b"2", b"0" * 40 + b"2", b"9" * 15, b"9" * 30,
           b"2\r\nTransfer-Encoding: chunked", b"2\r\nConnection: close"]  # fmt: skip


@pytest.mark.parametrize("like", LIKE_IT)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("cut", [0, 30, -3])
def test_a_head_is_read_alike_the_first_time_and_later(like, length, cut):
    """What came before on its connection changes nothing of a request, nor whether it is refused."""
    body = b"" if b"X-A: %b" in like else b"hi"
    asked, before = like % length + body, like % b"2" + body
    alone = events_of([asked[:cut], asked[cut:]])
    for repeated in (1, 2, 7):
        pieces = [before] * repeated + [asked[:cut], asked[cut:]]
        assert events_of(pieces) == events_of([before]) * repeated + alone


@settings(max_examples=300, deadline=None)
@given(
    heads=st.lists(st.tuples(st.sampled_from(LIKE_IT[:5]), st.integers(0, 12)), max_size=12), size=st.integers(1, 500)
)
def test_heads_that_are_like_others_before(heads, size):
    """Each is read as it would be alone, whichever were before it and however they are cut."""
    requests = [like % (b"%d" % length) + b"x" * length for like, length in heads]
    data = b"".join(requests)
    alone = [event for request in requests for event in events_of([request])]
    assert events_of([data[start : start + size] for start in range(0, len(data), size)]) == alone
    assert events_of(requests) == alone


def test_what_is_done_to_a_head_changes_no_other():
    """Its headers belong to its request alone, though the next one repeats them."""
    parser = Parser()
    for _ in range(3):
        head = parser.feed(TOP + b"\r\n")[0]
        assert (head.headers, head.fields) == ({b"host": b"x"}, [(b"host", b"x")])
        head.headers[b"x-a"] = b"1"
        head.fields.clear()
        parser.resume()


@pytest.mark.parametrize("length", [32, 33, 100])
@pytest.mark.parametrize("rest", [b"", b" /", b" / HTTP/1.1\r\n", b" / HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_a_method_is_no_longer_than_any_that_there_is(length, rest):
    """It is refused as soon as it is too long, however much of the request is here."""
    begun = b"A" * length + rest
    if length == 32 and not rest.endswith(b"\r\n\r\n"):
        assert Parser().feed(begun) == []
    else:
        assert events_of([begun]) == [400]


# --- versions, hosts, repeated headers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"GET /", b"GET / ", b"GET / HTTP/0.9", b"GET / HTTP/1.2", b"GET / HTTP/2.0", b"GET / HTTP/3", b"GET / http/1.1",
        b"GET / RTSP/1.0", b"GET / HTTP/1.10", b"GET  / HTTP/1.1", b"GET / HTTP/1.1 ", b" GET / HTTP/1.1", b"get / HTTP/1.1",
        b"GET\t/ HTTP/1.1", b"GET /\xe9 HTTP/1.1", b"GET / x HTTP/1.1", b"/ HTTP/1.1", b"BREW / HTTP/1.1", b"",
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_line_that_begins_no_request(line, end):
    """Only HTTP/1.0 and 1.1 are spoken, and their first line is written in one way."""
    assert status_of(line + end + b"Host: x" + end + end) == 400


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\n\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0\r\n\r\n"])  # fmt: skip
def test_lines_end_in_one_way(data):
    """No bare line feed or carriage return, no folded lines, no space before a colon, no control characters."""
    assert status_of(data) == 400


@pytest.mark.parametrize(
    ("lines", "version", "status"),
    [
        ((), "1.1", 400),
        ((), "1.0", 200),
        (("Host: a", "Host: a"), "1.1", 400),
        (("Host: a", "host: b"), "1.0", 400),
        *(((f"Host: {host}",), "1.1", 400) for host in ("a@b/c", "a b", "a/b", "a:b", "a:80:80", "[::1", "::1", "a,b c", "a:999999", 'a"b', "<a>", "a\\b", "é")),
        *(((f"Host: {host}",), "1.1", 200) for host in ("a", "a.b-c_d:4000", "127.0.0.1", "[::1]:80", "a:", "")),
    ],
)  # fmt: skip
def test_a_host_is_one_and_has_its_form(lines, version, status):
    """HTTP/1.1 wants exactly one, which is a host and perhaps a port; HTTP/1.0 may do without."""
    data = "\r\n".join([f"GET / HTTP/{version}", *lines, "", ""]).encode("latin-1")
    assert status_of(data) == status


@pytest.mark.parametrize("name", ["Host", "Authorization", "Origin", "Transfer-Encoding", "Content-Length"])
@pytest.mark.parametrize("second", ["same", "other"])
def test_a_second_line_that_would_leave_a_choice(name, second):
    """Of these headers a second line is refused, whatever is in it."""
    first = {"Transfer-Encoding": "chunked", "Content-Length": "0"}.get(name, "a")
    other = first if second == "same" else {"Content-Length": "1"}.get(name, "gzip")
    host = "" if name == "Host" else "Host: x\r\n"
    for one, two in ((first, other), (other, first)):
        data = f"POST / HTTP/1.1\r\n{host}{name}: {one}\r\n{name.upper()}: {two}\r\n\r\n".encode()
        assert status_of(data + b"0\r\n\r\n") == 400


def test_other_lines_of_one_name_are_joined():
    """In their order; cookies as cookies are. The lines themselves are there too, as they came."""
    head = head_of(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nCookie: a=b\r\nx-a: 2\r\nCookie: c=d\r\n\r\n")
    assert head.headers == {b"host": b"x", b"x-a": b"1, 2", b"cookie": b"a=b; c=d"}
    assert head.fields == [(b"host", b"x"), (b"x-a", b"1"), (b"cookie", b"a=b"), (b"x-a", b"2"), (b"cookie", b"c=d")]


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"Transfer-Encoding: gzip, chunked", 501),
        (b"Transfer-Encoding: gzip", 501),
        (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: xchunked\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        (b"Content-Length: +5", 400),
        (b"Content-Length: 5, 5", 400),
        (b"Content-Length: 99999999999999999999999", 400),
        (b"Transfer-Encoding: Chunked", 200),
    ],
)
def test_where_a_body_ends_is_never_guessed(lines, status):
    """All lines of Transfer-Encoding and Content-Length are looked at, and there is one way to read them."""
    assert status_of(TOP + lines + b"\r\n\r\n0\r\n\r\n") == status


def test_trailers_change_nothing():
    """A header behind the body is none of the request, nor of the next one."""
    first, *_ = events_of([CHUNKED + b"0\r\nAuthorization: Bearer x\r\n\r\n"])
    assert b"authorization" not in first.headers
    parser = Parser()
    parser.feed(CHUNKED + b"0\r\nAuthorization: Bearer x\r\n\r\n")
    parser.resume()
    assert parser.feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[0].fields == [(b"host", b"x")]


@pytest.mark.parametrize(
    ("version", "line", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "Connection: close\r\n", False),
        ("1.1", "Connection: x, Close\r\n", False),
        ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", False),
        ("1.0", "", False),
        ("1.0", "Connection: Keep-Alive\r\n", True),
        ("1.0", "Connection: keep-alive, close\r\n", False),
        ("1.1", "Proxy-Connection: close\r\n", False),
        ("1.1", "Proxy-Connection: keep-alive\r\n", True),
        ("1.0", "Proxy-Connection: keep-alive\r\n", False),
        ("1.0", "Connection: keep-alive\r\nProxy-Connection: Close\r\n", False),
    ],
)
@pytest.mark.parametrize("body", ["\r\n", "Content-Length: 2\r\n\r\nhi"])
def test_whether_a_connection_is_used_again(version, line, kept, body):
    """As the version has it, unless the client says another."""
    assert head_of(f"POST / HTTP/{version}\r\nHost: x\r\n{line}{body}".encode()).keep_alive is kept


# --- targets -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        (b"/v1/models?x=/y", "/v1/models", b"x=/y", b"x"),
        (b"http://h/v1/models", "/v1/models", b"", b"h"),
        (b"HTTPS://h:1/v1?a=http://b/", "/v1", b"a=http://b/", b"h:1"),
        (b"http://h?/v1/models", "/", b"/v1/models", b"h"),
        (b"http://h", "/", b"", b"h"),
        (b"//h/v1/models", "//h/v1/models", b"", b"x"),
    ],
)
def test_targets(target, path, query, host):
    """A path, or a whole URL, of which the host counts and not that of the header (RFC 9112, 3.2.2)."""
    head = head_of(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target)
    assert (head.raw_path, head.query, head.headers[b"host"]) == (path, query, host)


@pytest.mark.parametrize(
    "target",
    [
        b"foo://h/v1",
        b"http:///v1",
        b"http://a@b/v1",
        b"v1/models",
        b"*",
        b"h:80",
        b"http://h/v1#x",
        b"://h/v1",
        b"/v1#x",
        b"/v1?a#x",
        b"/#",
        b"http://h?a#x",
        b"http://h#x",
    ],
)
def test_what_is_no_target(target):
    """Neither a path nor an http URL with a host."""
    assert status_of(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target) == 400


def test_the_path_is_there_as_it_came_and_decoded():
    """Who looks for a route has to decode after cutting at the slashes."""
    head = head_of(b"GET /a%2Fb%20c HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (head.raw_path, head.path) == ("/a%2Fb%20c", "/a/b c")


# --- leave to go on, and other protocols ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "value", "waits"), [("1.1", "100-continue", True), ("1.1", "100-Continue", True),
                                                         ("1.0", "100-continue", False), ("1.1", "200-ok", False)])  # fmt: skip
def test_leave_is_asked_in_http_1_1_only(version, value, waits):
    """An expectation in HTTP/1.0 means nothing (RFC 9110, 10.1.1)."""
    head = head_of(f"POST / HTTP/{version}\r\nHost: x\r\nExpect: {value}\r\nContent-Length: 5\r\n\r\n".encode())
    assert head.expects_continue is waits


@pytest.mark.parametrize("lines", [b"Upgrade: h2c", b"upgrade: H2C, x", b"Upgrade: TLS/1.0", b"Upgrade: websocket"])
@pytest.mark.parametrize("connection", [b"Upgrade, HTTP2-Settings", b"close", b"keep-alive, Upgrade"])
def test_an_offer_of_another_protocol_is_not_taken(lines, connection):
    """It is read as if it had not been made, body and all; a POST cannot become a WebSocket."""
    data = TOP + lines + b"\r\nConnection: " + connection + b"\r\nContent-Length: 5\r\n\r\nhello"
    head, body, end = events_of([data])
    assert (head.upgrade, body, end) == (False, b"hello", END)
    assert head.headers[b"upgrade"] == lines.partition(b": ")[2]


def test_a_websocket_is_asked_for():
    """From there on bytes are passed on as they come."""
    parser = Parser()
    events = parser.feed(b"GET /s HTTP/1.1\r\nHost: x\r\nConnection: x, Upgrade\r\nUpgrade: WebSocket\r\n\r\n\x81")
    assert events[0].upgrade
    assert events[1:] == [UPGRADE, b"\x81"]
    assert parser.feed(b"GET / HTTP/1.1\r\n\r\n") == [b"GET / HTTP/1.1\r\n\r\n"]


def test_this_is_no_proxy():
    """CONNECT is refused with what may be asked instead."""
    with pytest.raises(Refusal) as caught:
        Parser().feed(b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert caught.value.status == 405
    assert caught.value.headers == [(b"allow", b"GET, HEAD, POST, OPTIONS")]


# --- what does not end ----------------------------------------------------------------------------------------------------

ENDLESS = {
    "a header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
    "a header's name": b"GET / HTTP/1.1\r\n",
    "a path": b"GET /",
    "a chunk's extension": CHUNKED + b"5;",
    "a trailer": CHUNKED + b"1\r\nx\r\n0\r\nX-A: ",
    "a trailer's name": CHUNKED + b"1\r\nx\r\n0\r\n",
}


@pytest.mark.parametrize("where", ENDLESS)
@pytest.mark.parametrize("piece", [b"a" * 10, b"a" * 1400, b"a" * 100_000])
def test_what_does_not_end(where, piece):
    """It is refused when it is longer than any head, in however small pieces it comes."""
    parser = Parser()
    parser.feed(ENDLESS[where])
    with pytest.raises(Refusal) as caught:
        for _ in range(2 * MAX_HEAD // len(piece) + 5):
            parser.feed(piece)
            assert len(parser.pending) <= MAX_HEAD + len(ENDLESS[where])
    assert caught.value.status == 431


@pytest.mark.parametrize("name", [lambda _: b"a", lambda number: b"a%d" % number])
def test_headers_are_few(name):
    """Each line of a head is an object, and lines of one name are joined; what is allowed of them takes little time."""
    lines = [b"%b:\r\n" % name(number) for number in range(MAX_LINES)]
    assert status_of(TOP + b"".join(lines) + b"\r\n") == 431
    assert status_of(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(lines[3:]) + b"\r\n") == 200


def test_chunks_that_come_together_are_one_piece():
    """A body in chunks of a byte each makes no more objects than it has pieces."""
    parser = Parser()
    assert parser.feed(CHUNKED + b"1\r\nx\r\n" * 1000)[1:] == [b"x" * 1000]
    assert parser.feed(b"2\r\nyz\r\n1\r\n!\r\n0\r\n\r\n") == [b"yz!", END]


@pytest.mark.parametrize(("lines", "status"), [(b"\r\n", 400), (b"x: y\r\n", 431)])
def test_many_trailers(lines, status):
    """They are counted together; of empty lines between requests, one is forgiven."""
    parser = Parser()
    start = b"" if lines == b"\r\n" else CHUNKED + b"0\r\n"
    parser.feed(start)
    with pytest.raises(Refusal) as caught:
        for _ in range(400):
            parser.feed(lines * 500)
    assert caught.value.status == status
