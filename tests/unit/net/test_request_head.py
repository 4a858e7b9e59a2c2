"""Where a URL leads, for all the ways in which people write one, and what a request's header may say."""

import http.client
import io
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.net.asking import request

from litellm.net.faults import TransportFault
from litellm.net.request_head import LONGEST, fields_of, origin_of

ORIGINS = {
    "http://host": ("http", "host", 80, "host", "/"),
    "HTTPS://Host/": ("https", "host", 443, "host", "/"),
    "https://host:443/v1": ("https", "host", 443, "host:443", "/v1"),
    "http://host:8000/v1/chat?api-version=2&x=a b": (
        "http",
        "host",
        8000,
        "host:8000",
        "/v1/chat?api-version=2&x=a%20b",
    ),
    "http://host?x=1": ("http", "host", 80, "host", "/?x=1"),
    "http://host/v1#part": ("http", "host", 80, "host", "/v1"),
    "http://[::1]:8000/v1": ("http", "::1", 8000, "[::1]:8000", "/v1"),
    "http://[2001:DB8::1]/v1": ("http", "2001:db8::1", 80, "[2001:db8::1]", "/v1"),
    "http://user:p%40ss@host:8000/v1": ("http", "host", 8000, "host:8000", "/v1"),
    "https://Bücher.example/v1": ("https", "xn--bcher-kva.example", 443, "xn--bcher-kva.example", "/v1"),
    "https://例え.jp:8443/": ("https", "xn--r8jz45g.jp", 8443, "xn--r8jz45g.jp:8443", "/"),
    "http://host/modèle/é?q=ü": ("http", "host", 80, "host", "/mod%C3%A8le/%C3%A9?q=%C3%BC"),
    "http://host/a%2Fb/%7Bx%7D": ("http", "host", 80, "host", "/a%2Fb/%7Bx%7D"),
    'http://host/"<a>|b"': ("http", "host", 80, "host", "/%22%3Ca%3E%7Cb%22"),
    "http://host./v1": ("http", "host.", 80, "host.", "/v1"),
    "http://my_host/v1": ("http", "my_host", 80, "my_host", "/v1"),
}


@pytest.mark.parametrize(("url", "origin"), ORIGINS.items(), ids=ascii)
def test_origins(url, origin):
    """Scheme, host, port, what the Host header says, and the path with its query."""
    found = origin_of(url)
    assert (found.scheme, found.host, found.port, found.authority, found.target) == origin


NO_ORIGINS = [
    "", "host/v1", "//host/v1", "ftp://host/", "mock://host/", "http://", "http:///v1", "http://:8000/", "http://host:0/",
    "http://host:99999/", "http://host:x/", "http://[::1/", "http://ho st/", "http://host\x7f/", "http://a..b/", "http://.b/",
    f"http://{'a' * 64}.example/", f"http://{'ü' * 64}.example/", "http://host/" + "a" * LONGEST,
]  # fmt: skip


@pytest.mark.parametrize("url", NO_ORIGINS, ids=lambda url: ascii(url)[:30])
def test_no_origins(url):
    """F5: told as such, and without repeating what may have a key in it."""
    with pytest.raises(TransportFault) as caught:
        origin_of(url)
    assert caught.value.kind == "url"
    assert str(caught.value) == "api_base is no usable URL"
    assert caught.value.__cause__ is None


@given(st.text(max_size=60), st.text(string.printable, max_size=60))
def test_no_url_becomes_two_lines(host, path):
    """F2: whatever stands in a URL: an origin of which nothing breaks out of its line, or a TransportFault."""
    try:
        origin = origin_of(f"http://{host}/{path}")
    except TransportFault as fault:
        assert fault.kind == "url"
        return
    for part in (origin.authority, origin.target):
        assert part.isascii()
        assert part.isprintable()
        assert " " not in part


# --- headers -------------------------------------------------------------------------------------------------------------

ORIGIN = origin_of("http://[::1]:8000/v1")


def test_the_fields_of_a_request():
    """Ours, and the caller's; what frames the message is ours to say."""
    asked = request(
        "http://[::1]:8000/v1", headers={"Content-Length": "999", "transfer-encoding": "chunked", "X-A": "é"}
    )
    assert fields_of(ORIGIN, asked) == [
        ("Host", "[::1]:8000"), ("content-type", "application/json"), ("accept-encoding", "identity"), ("X-A", "é")
    ]  # fmt: skip


def test_a_host_of_the_callers_own():
    """Behind some gateways the Host header is another than the URL's; there is one of it."""
    asked = request("http://[::1]:8000/v1", headers={"HOST": "model.internal"})
    assert [value for name, value in fields_of(ORIGIN, asked) if name.lower() == "host"] == ["model.internal"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("x", "a\r\nEvil: 1"), ("x", "a\nb"), ("x", "a\rb"), ("x", "a\0b"), ("x", "a\u20ac"), ("x\r\nEvil", "1"), ("x y", "1"),
     ("x:", "1"), ("", "1"), ("é", "1")],
)  # fmt: skip
def test_what_is_no_header(name, value):
    """F2: refused before anything is sent, and not repeated: it may be a key."""
    with pytest.raises(TransportFault) as caught:
        fields_of(ORIGIN, request("http://[::1]:8000/v1", headers={name: value}))
    assert caught.value.kind == "url"
    assert "Evil" not in str(caught.value)


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=4))
def test_headers_that_are_sent_are_those_that_are_read(headers):
    """F2: a server finds exactly the fields that were given, or nothing is sent."""
    asked = request("http://[::1]:8000/v1", headers=headers)
    try:
        fields = fields_of(ORIGIN, asked)
    except TransportFault:
        return
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")
    seen = http.client.parse_headers(io.BytesIO(lines + b"\r\n"))
    assert sorted(name for name, _ in seen.items()) == sorted(name for name, _ in fields)
