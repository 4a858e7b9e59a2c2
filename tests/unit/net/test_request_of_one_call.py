"""What belongs to one call alone: its method, and headers that only it has."""

import msgspec
import pytest
from tests.unit.net.asking import request
from tests.unit.net.direct import to
from tests.unit.net.scripted import Scripted, always, whole

from litellm.net.request_head import HeadCache, origin_of


def asked_of(server, method, **changes):
    return msgspec.structs.replace(to(server, method=method, body=b""), **changes)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST", "PUT", "PATCH"])
def test_its_method_is_sent(caller, method):
    """And an answer to HEAD has no body, whatever length it states; so the connection is free for the next."""
    with Scripted(
        lambda connection, asked: connection.say(whole(b"{}")[: -2 if asked.method == "HEAD" else None])
    ) as server:
        for _ in range(2):
            assert caller.send(asked_of(server, method)).body == (b"" if method == "HEAD" else b"{}")
        assert [seen.method for seen in server.requests] == [method] * 2
        assert server.connections_made == 1


def test_headers_of_one_call_are_sent_once(caller):
    """They follow the others, which are not made anew; the next call does not have them."""
    with Scripted(always(whole())) as server:
        headers = {"authorization": "Bearer k", "x-shared": "1"}
        plain = msgspec.structs.replace(to(server), headers=headers, cacheable_head=True)
        marked = msgspec.structs.replace(plain, extra_headers={"traceparent": "00-1-2-01"})
        for asked in (plain, marked, plain):
            caller.send(asked)
        assert [seen.headers.get("traceparent") for seen in server.requests] == [None, "00-1-2-01", None]
        assert {seen.headers["authorization"] for seen in server.requests} == {"Bearer k"}


@pytest.mark.parametrize(
    "name", ["Authorization", "authorization", "X-Shared", "Host", "Content-Length", "Transfer-Encoding"]
)
def test_headers_of_one_call_replace_no_other(caller, name):
    """A header that is forwarded for a client overwrites neither our key nor what frames the message."""
    with Scripted(always(whole())) as server:
        headers = {"authorization": "Bearer k", "x-shared": "1"}
        marked = msgspec.structs.replace(to(server), headers=headers, extra_headers={name: "7", "x-mine": "m"})
        caller.send(marked)
        seen = server.requests[0].headers
        assert seen["x-mine"] == "m"
        assert seen.get(name.lower()) != "7"
        assert server.requests[0].body == marked.body


def test_headers_of_one_call_do_not_touch_the_head_that_is_kept():
    """It is found again by the identity of the shared headers."""
    heads, headers = HeadCache(), {"authorization": "Bearer k"}
    asked = msgspec.structs.replace(request("http://host/v1"), headers=headers, cacheable_head=True)
    head = heads.find(origin_of(asked.url), asked)
    for number in range(3):
        marked = msgspec.structs.replace(asked, extra_headers={"traceparent": str(number)})
        assert heads.find(origin_of(marked.url), marked) is head
        assert b"\r\ntraceparent: %d\r\n" % number in head.start(marked)
    assert b"traceparent" not in head.start(asked)
