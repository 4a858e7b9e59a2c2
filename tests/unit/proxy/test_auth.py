"""Which pages may call a server that a page could find, and what a function of the administrator's sees of a request."""

import pytest

from litellm.proxy.app import App
from litellm.proxy.auth.authenticator import Authenticator
from litellm.proxy.auth.custom import request_of
from litellm.proxy.errors import RequestError
from litellm.proxy.http import Exchange
from litellm.server.head import Head

STRONG = "sk-of-nobody-but-us-0123"
WEAK = [None, "", "sk-1234", "short"]


def refused(bound, **headers):
    """Whether a request with these headers is kept out of a server with a weak key that listens on `bound`."""
    try:
        Authenticator(None).check_page({name.encode(): value.encode() for name, value in headers.items()}, bound)
    except RequestError as error:
        assert error.status == 403
        return True
    return False


@pytest.mark.parametrize("key", WEAK)
def test_with_a_weak_key_pages_are_looked_at(key):
    """Also beside custom_auth, where such a key is a back door; what is no key at all is none."""
    assert not Authenticator(key).open_to_pages
    assert Authenticator(key, custom_auth=True).open_to_pages is (not key)


@pytest.mark.parametrize("port", ["", ":4000", ":80"])
@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost", "app.localhost", "127.0.0.1", "127.1.2.3", "10.0.0.7", "192.168.1.2", "203.0.113.9",
     "0.0.0.0", "[::1]", "[fe80::1]", "[2001:db8::7]", "gateway.internal", "Gateway.Internal"],
)  # fmt: skip
def test_names_that_nobody_else_can_have(host, port):
    """This machine's, the one that the server listens on in any case, and addresses: no page's own name leads here then."""
    assert not refused("Gateway.internal", host=host + port)
    assert not refused("gateway.internal", host=host + port, origin="http://localhost:3000")


@pytest.mark.parametrize("port", ["", ":4000"])
@pytest.mark.parametrize("bound", ["localhost", "127.0.0.1", "0.0.0.0", "gateway.internal"])
@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost", "localhost.", "gateway.internal.evil",
     "evil-gateway.internal", "x.gateway.internal", "2130706433", "0x7f000001", "127.1", ""],
)  # fmt: skip
def test_a_foreign_host(host, bound, port):
    """A page that has its own name lead to this machine sends no Origin, as its requests are to its own host: it is refused
    by the name, whatever it looks like."""
    assert refused(bound, host=host + port)
    assert refused(bound, host=host + port, origin="http://localhost")


@pytest.mark.parametrize(
    ("origin", "kept_out"),
    [
        ("http://localhost", False),
        ("http://localhost:3000", False),
        ("https://127.0.0.1:8080", False),
        ("http://[::1]:3000", False),
        ("https://evil.example", True),
        ("http://localhost.evil.example", True),
        ("http://10.0.0.7", True),
        ("null", True),
        ("", True),
        ("file://", True),
        ("chrome-extension://abcdef", True),
    ],
)
def test_pages_of_other_hosts(origin, kept_out):
    """A page of this machine may call; who is no page, and so sends no Origin, may too."""
    assert refused("localhost", host="localhost:4000", origin=origin) is kept_out
    assert not refused("localhost", host="localhost:4000")


class Served:
    """As much of a proxy as is asked about a page."""

    def __init__(self, key):
        self.authenticator = Authenticator(key)


@pytest.mark.parametrize(("key", "kept_out"), [(None, True), ("sk-1234", True), (STRONG, False)])
@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/models", "/health/liveness", "/nothing/of/ours", "/docs"]
)
def test_without_a_strong_key_a_foreign_host_is_refused(key, kept_out, path):
    """On every route, and before it is looked for. With a strong key anybody may call under any name."""
    head = Head("POST" if "chat" in path else "GET", path, path, b"", {b"host": b"evil.example"}, [])
    try:
        App(Served(key)).route(head)
        status = 200
    except Exception as error:  # noqa: BLE001 - whatever it is, it has a status
        status = error.status
    assert (status == 403) is kept_out


class Line:
    closing = False
    peer = ("192.0.2.1", 5000)
    scheme = "https"


async def test_custom_auth_sees_a_request_as_it_came():
    """Lines of one name by themselves, the path as it was sent and decoded, the version and the scheme."""
    fields = [(b"host", b"x"), (b"x-a", b"1, 2"), (b"x-a", b"3"), (b"cookie", b"a=b")]
    headers = {**dict(fields), b"x-a": b"1, 2, 3"}
    head = Head("POST", "/v1/a/b", "/v1/a%2Fb", b"c=d", headers, fields, "1.0")
    request = request_of(Exchange(Line(), head, b'{"model": "m"}'))
    assert request.headers.getlist("x-a") == ["1, 2", "3"]
    assert request.cookies == {"a": "b"}
    assert (request.scope["raw_path"], request.url.path) == (b"/v1/a%2Fb", "/v1/a/b")
    assert (request.scope["http_version"], request.url.scheme, request.client.host) == ("1.0", "https", "192.0.2.1")
    assert await request.json() == {"model": "m"}
    request.scope["headers"].clear()
    assert len(fields) == 4, "what it does to its copy changes nothing of the request"
