"""Answers as bytes: whatever is in a header stays in it, and an answer is given once."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm.server.exchange import Exchange, header_lines
from litellm.server.head import Head


class Line:
    closing = False
    peer = None

    def __init__(self) -> None:
        self.sent = b""
        self.writes = 0

    def write(self, data: bytes) -> None:
        self.sent += data
        self.writes += 1

    def drain(self) -> None:
        return None


def exchange(method: str = "GET", version: str = "1.1", **headers: bytes) -> tuple[Exchange, Line]:
    line = Line()
    fields = {name.encode(): value for name, value in headers.items()}
    return Exchange(line, Head(method, "/", "/", b"", fields, list(fields.items()), version)), line


def read(data: bytes, method: str = "GET") -> tuple[h11.Response, bytes]:
    """An answer as a client reads it that is strict."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    client.receive_data(b"")
    response, body = client.next_event(), b""
    assert isinstance(response, h11.Response)
    while not isinstance(event := client.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        body += bytes(event.data)
    return response, body


TEXTS = st.one_of(
    st.binary(max_size=60), st.sampled_from([b"a\r\nSet-Cookie: x", b"\n", b"\r", b"\0", b"a\x0bb", b"\x7f", b"\t"])
)


@given(values=st.lists(TEXTS, max_size=5), kind=TEXTS)
def test_any_value_stays_in_one_line(values, kind):
    """Whatever an upstream, a client or a configuration put into it: there are as many lines as headers, and one answer."""
    made, line = exchange()
    made.answer(200, b"body", [(b"x-%d" % number, value) for number, value in enumerate(values)], kind)
    top, _, body = line.sent.partition(b"\r\n\r\n")
    names = [each.partition(b":")[0] for each in top.split(b"\r\n")[1:]]
    assert names.count(b"content-type") == 1
    assert [name for name in names if name.startswith(b"x-") and name[2:].isdigit()] == [
        b"x-%d" % n for n in range(len(values))
    ]
    assert not any(code < 32 and code != 9 or code == 127 for code in top.replace(b"\r\n", b""))
    assert body == b"body"
    assert read(line.sent)[1] == b"body"


@given(name=st.binary(max_size=20))
def test_any_name_begins_one_line_at_the_most(name):
    """One with control characters is left out."""
    assert header_lines([(name, b"v")]).count(b"\n") <= 1


def test_one_write_for_an_answer():
    """Head and body together."""
    made, line = exchange()
    made.answer(200, b"body", [])
    assert line.writes == 1
    assert made.ended


@pytest.mark.parametrize(("status", "length"), [(200, b"4"), (404, b"4"), (599, b"4"), (204, None), (304, None)])
def test_an_answer_of_any_status(status, length):
    """Those that can have no body have none, and say nothing of a length."""
    made, line = exchange()
    made.answer(status, b"body", [], b"image/png")
    response, body = read(line.sent)
    headers = dict(response.headers)
    assert (response.status_code, headers.get(b"content-length")) == (status, length)
    assert headers[b"content-type"] == b"image/png"
    assert body == (b"body" if length else b"")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_head_alone(method):
    """HEAD is told the length, and gets no body, whole or in pieces."""
    made, line = exchange(method)
    made.answer(200, b"body", [])
    response, body = read(line.sent, method)
    assert dict(response.headers)[b"content-length"] == b"4"
    assert body == (b"" if method == "HEAD" else b"body")
    made, line = exchange(method)
    made.begin(200, [], b"audio/mpeg")
    made.write(b"bo")
    made.write(b"dy", more=False)
    assert read(line.sent, method)[1] == body


@pytest.mark.parametrize(("version", "length"), [("1.1", None), ("1.1", 4), ("1.0", None), ("1.0", 4)])
def test_an_answer_in_pieces(version, length):
    """In chunks, of a stated length, or up to the end of the connection; the head goes with the first bytes."""
    made, line = exchange(version=version)
    made.begin(201, [(b"x-a", b"b")], b"audio/mpeg", length=length)
    assert line.sent == b""
    made.write(b"bo")
    assert line.writes == 1
    made.write(b"dy", more=False)
    made.write(b"nothing that anybody gets")
    response, body = read(line.sent)
    assert (response.status_code, body) == (201, b"body")
    assert made.keep_alive is (version == "1.1" or length is not None)


@pytest.mark.parametrize("pieces", [[b"bodyy"], [b"bod"], [b"bo", b"d"]])
def test_an_answer_that_is_not_as_long_as_announced(pieces):
    """It raises, and the connection is not used again: its client would read the next answer as a part of this one."""
    made, _ = exchange()
    made.begin(200, [], b"text/plain", length=4)
    with pytest.raises(RuntimeError):
        for number, piece in enumerate(pieces, 1):
            made.write(piece, more=number < len(pieces))
    assert not made.keep_alive


def test_a_request_is_answered_once():
    """A second answer would be read as that of the next request."""
    made, line = exchange()
    made.answer(200, b"", [])
    before = line.sent
    with pytest.raises(RuntimeError):
        made.answer(200, b"", [])
    with pytest.raises(RuntimeError):
        made.begin(200, [], b"text/plain")
    made.write(b"more")
    assert line.sent == before


def test_another_protocol():
    """After the head, bytes go out as they are."""
    made, line = exchange()
    made.switch_protocols([(b"upgrade", b"websocket"), (b"connection", b"upgrade")])
    made.write(b"\x81\x00")
    assert line.sent.endswith(b"\r\n\r\n\x81\x00")
    assert line.sent.startswith(b"HTTP/1.1 101 ")
    assert not made.keep_alive


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("length", [None, 4])
@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none_in_pieces_either(status, length, version):
    """Nor lines that speak of one: what follows is the next answer."""
    made, line = exchange(version=version)
    made.begin(status, [], b"text/plain", length=length)
    made.write(b"body")
    made.write(b"", more=False)
    response, body = read(line.sent)
    assert body == b""
    assert not {b"content-length", b"transfer-encoding"} & dict(response.headers).keys()
    assert line.sent.endswith(b"\r\n\r\n")
    assert line.sent.count(b"\r\n\r\n") == 1
    assert made.keep_alive


def test_head_of_an_answer_of_a_stated_length():
    """Is told it, whether or not the body is written."""
    for pieces in ([b""], [b"bo", b"dy"]):
        made, line = exchange("HEAD")
        made.begin(200, [], b"text/plain", length=4)
        for number, piece in enumerate(pieces, 1):
            made.write(piece, more=number < len(pieces))
        response, body = read(line.sent, "HEAD")
        assert (dict(response.headers)[b"content-length"], body) == (b"4", b"")


@pytest.mark.parametrize("value", [b"plain", b"with\ncontrols"])
@pytest.mark.parametrize("name", [b"", b"x y", b"x:y", b"x\xe9", b"(x)"])
def test_a_name_that_is_none_is_left_out(name, value):
    """Whatever stands in its value and in others."""
    assert header_lines([(b"x-a", value), (name, b"v")]).split(b": ")[0] == b"x-a"
    assert header_lines([(b"x-a", value), (name, b"v")]).count(b"\r\n") == 1
