"""A connection is used again only if nothing has come on it since its last answer. Nobody need have told us: here the event
loop stands still between two calls, as in a notebook."""

import contextlib
import threading

import msgspec
import pytest
from tests.unit.net.asking import STRAIGHT, read_all
from tests.unit.net.direct import to
from tests.unit.net.scripted import Scripted, always, whole

from litellm.net.network import Network

UNASKED = {
    "an answer": lambda connection: connection.say(whole(b"nobody's")),
    "a refusal": lambda connection: (connection.say(whole(b"too late", status=408)), connection.close()),
    "a byte": lambda connection: connection.say(b"H"),
    "its end": lambda connection: connection.close(),
    "its end, rudely": lambda connection: connection.vanish(),
}


def tell(server, what):
    """Have the server do something with its connection, and wait until it has: on loopback it has arrived then."""
    done = threading.Event()

    def act():
        what(server.by[-1])
        server._loop.call_later(0.02, done.set)  # TLS and closing take a few more rounds

    server._loop.call_soon_threadsafe(act)
    assert done.wait(5)


@STRAIGHT
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("what", UNASKED.values(), ids=UNASKED)
def test_what_nobody_asked_for_is_nobodys(caller, tls, what, stream, secure):
    """Neither the next caller's answer, nor the next caller's error."""
    with Scripted(always(whole(b"asked for")), tls=tls if secure else None) as server:
        network = Network(verify=str(tls.ca_file)) if secure else Network()
        asked = msgspec.structs.replace(to(server, stream=stream), network=network)

        def ask():
            reply = caller.send(asked)
            return read_all(caller, reply) if stream else reply.body

        assert ask() == b"asked for"
        tell(server, what)
        assert ask() == b"asked for"
        assert server.connections_made == 2
        assert ask() == b"asked for"
        assert server.connections_made == 2, "the control: a quiet one is used again"
        with contextlib.suppress(Exception):
            caller.notice()
