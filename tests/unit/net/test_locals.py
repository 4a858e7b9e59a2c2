"""Tracebacks with locals, as Sentry, rich and `pytest -l` make them, show no key: what holds one has no name in any frame, or
does not print it."""

import msgspec
import pytest
from tests.fakes.server import unconnectable
from tests.unit.net.asking import BODY, STRAIGHT, STREAMED, read_all, request
from tests.unit.net.scripted import Scripted, always, whole

from litellm.net.messages import Timeouts
from litellm.net.network import Network
from litellm.net.request_head import HeadCache, origin_of
from litellm.net.sync_connection import SyncConnection

KEY = "sk-canary-5f2e"
HEADERS = {"authorization": f"Bearer {KEY}"}
OURS = "/litellm/net/"


def frames(error):
    """Of the error and of all that it came from."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            yield trace.tb_frame
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


def shown(error):
    """All that a traceback with locals would print of the frames from ours on, by file and name."""
    found = list(frames(error))
    assert any(OURS in frame.f_code.co_filename for frame in found), "the scene reaches our code"
    return {
        f"{frame.f_code.co_filename}:{frame.f_lineno} {name}": repr(value)
        for frame in found
        if "/tests/" not in frame.f_code.co_filename
        for name, value in frame.f_locals.items()
    }


def failure(caller, asked):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each scene fails in its own way
        read_all(caller, caller.send(asked))
    return caught.value


def hang(_connection, _request):
    """Say nothing."""


ANSWERS = {
    "closes": lambda connection, _: connection.close(),
    "says nothing": hang,
    "says no HTTP": always(b"SSH-2.0\r\n\r\n"),
    "breaks off": lambda connection, _: (connection.say(whole(b"12345")[:-2]), connection.close()),
    "falls silent": always(whole(b"12345", "content-type: text/event-stream")[:-2]),
    "lies about gzip": always(whole(b"12345", "content-encoding: gzip")),
}
CLOCKS = Timeouts(connect=2, first_byte=0.2, between=0.2, total=2)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_upstream_that(caller, answer, stream):
    with Scripted(answer) as server:
        asked = request(server.base, stream=stream, headers=HEADERS, timeouts=CLOCKS)
        for name, text in shown(failure(caller, asked)).items():
            assert KEY not in text, name


@STRAIGHT
def test_no_connection(caller):
    for url in ("http://127.0.0.1:1/v1", "not a url"):
        for name, text in shown(failure(caller, request(url, headers=HEADERS))).items():
            assert KEY not in text, name
    with unconnectable() as url:
        for name, text in shown(failure(caller, request(url, headers=HEADERS, timeouts=CLOCKS))).items():
            assert KEY not in text, name


def test_a_certificate_that_nobody_vouches_for(caller, lone_tls):
    with Scripted(always(whole()), tls=lone_tls) as server:
        for name, text in shown(failure(caller, request(server.base, headers=HEADERS))).items():
            assert KEY not in text, name


@pytest.mark.parametrize("where", ["headers", "extra_headers"])
@pytest.mark.parametrize("bad", [{"x": "a\nb"}, {"x": 5}, {5: "x"}, {"x y": "1"}], ids=str)
def test_a_header_that_cannot_be_sent(caller, where, bad):
    asked = request("http://127.0.0.1:1/v1", headers=HEADERS)
    asked = msgspec.structs.replace(asked, **{where: {**HEADERS, **bad}})
    for name, text in shown(failure(caller, asked)).items():
        assert KEY not in text, name


class Interrupted:
    """A socket in whose way there is a function of Python's, as with TLS, when Ctrl-C is pressed."""

    def fileno(self):
        return 0

    def settimeout(self, seconds):
        pass

    def sendall(self, data):
        raise KeyboardInterrupt


@pytest.mark.parametrize("body", [BODY, STREAMED * 5000], ids=["short", "long"])
def test_an_interruption_while_it_is_sent(body):
    asked = request("http://127.0.0.1:1/v1", headers=HEADERS, body=body)
    connection = SyncConnection(("http", "127.0.0.1", 1, Network()), Interrupted())
    with pytest.raises(KeyboardInterrupt) as caught:
        connection.send(HeadCache().find(origin_of(asked.url), asked), asked, 5.0)
    for frame in frames(caught.value):
        assert KEY not in repr(frame.f_locals.get("data"))
    for name, text in shown(caught.value).items():
        assert KEY not in text, name
