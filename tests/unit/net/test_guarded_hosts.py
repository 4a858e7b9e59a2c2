"""F2, C16: a host that a client chose is reached only if it is public or listed by the administrator; what was checked is
what is connected to. All servers here are on loopback, so whatever is not refused is seen."""

import contextlib
import gzip
import socket
import threading
import tracemalloc

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes import behaviour as act
from tests.fakes.forward_proxy import ForwardProxy
from tests.fakes.upstream import Upstream
from tests.unit.net.asking import read_all, request

from litellm.net.faults import TransportFault
from litellm.net.guard import Guard
from litellm.net.network import DIRECT, Network

STREAM = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


class Names:
    """A name server: one answer after the other, the last one for ever. It remembers what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, host, port, family):
        self.asked.append((host, port, family))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def guarded(url, *entries, resolve=None, stream=False, **network):
    guard = Guard.of(*entries)
    if resolve is not None:
        guard = msgspec.structs.replace(guard, resolve=resolve)
    return msgspec.structs.replace(request(url, stream=stream), network=Network(guard=guard, **network))


def chat(host, up):
    return f"http://{host}:{up.port}/v1/chat/completions"


def refusal(caller, asked):
    with pytest.raises(TransportFault) as caught:
        caller.send(asked)
    return caught.value


# --- hosts ---------------------------------------------------------------------------------------------------------------


@STREAM
def test_an_address_of_ours_is_refused(caller, up, stream):
    """F2: before any connection, and with a way out."""
    fault = refusal(caller, guarded(chat("127.0.0.1", up), stream=stream))
    assert fault.kind == "blocked"
    assert str(fault) == (
        "127.0.0.1 is not a public host; the administrator can allow it in general_settings.client_side_hosts"
    )
    assert up.connections_made == 0


@STREAM
@pytest.mark.parametrize(
    "answer", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["::ffff:7f00:1"]]
)
def test_a_name_with_an_address_of_ours_is_refused(caller, up, caplog, answer, stream):
    """F2: one such address is enough; nothing is picked from the rest. Which one, the log says: to a client it would be a
    map of the network inside."""
    asked = guarded(chat("internal.corp", up), resolve=Names(answer), stream=stream)
    fault = refusal(caller, asked)
    assert fault.kind == "blocked"
    assert str(fault).startswith("internal.corp is not a public host; ")
    assert not any(address in str(fault) for address in answer)
    assert any("internal.corp has the address " in text for text in caplog.messages)
    assert up.connections_made == 0


SPELLINGS = (
    """
http://2130706433: http://0x7f.1: http://0x7f000001: http://0X7F.1: http://127.1: http://127.0.1: http://0177.0.0.1:
http://017700000001: http://127.0.0.1.: http://127.0.0.1..: http://00127.0.0.1: http://0: http://0.0.0.0: http://[::]:
http://[::1]: http://[::ffff:127.0.0.1]: http://[::FFFF:7F00:1]: http://[0:0:0:0:0:0:0:1]: http://[::127.0.0.1]:
http://[64:ff9b::127.0.0.1]: http://[::1%25lo]: http://[::1%lo]: http://[fe80::1%25lo]: http://[127.0.0.1]: http://[v1.127]:
http://localhost: http://LocalHost: http://localhost.: http://localhost..: http://.localhost: http://ⓛocalhost:
http://１２７.0.0.1: http://①②⑦.0.0.1: http://127。0。0。1: http://127．0．0．1: http://12７.0x1: http://loc\u200balhost:
http://loc\u00adalhost: http://public.example@127.0.0.1: http://8.8.8.8:80@127.0.0.1: http://a@b@127.0.0.1:
http://8.8.8.8\\@127.0.0.1: http://8.8.8.8\\.127.0.0.1: http://127.0.0.1%00.example.com: http://127.0.0.1\0.example.com:
http://127.0.0.1%2eexample: http://127.0.0.1%20: http://127.0.0.1#@8.8.8.8: http://127.0.0.1?@8.8.8.8:
http://127.0.0.1/@8.8.8.8: HTTP://127.0.0.1: http:127.0.0.1: http:/127.0.0.1: http:///127.0.0.1: //127.0.0.1: http://xn--127:
ftp://127.0.0.1: ws://127.0.0.1: http+unix://127.0.0.1: file://127.0.0.1: http://xn--ⓛocalhost-:
""".split()
    + ["http://127.0.0.1\t:", " http://127.0.0.1:"]
)


def lenient(host, _port, _family):
    """What systems make of a name that is none: whatever it looks like, it is this machine."""
    return ["127.0.0.1"]


def test_odd_spellings_reach_nothing(caller, up):
    """F2: this machine in other clothes, on a system that understands them all."""
    for spelling in SPELLINGS:
        fault = refusal(caller, guarded(f"{spelling}{up.port}/v1", resolve=lenient))
        assert fault.kind in ("blocked", "url"), spelling
        assert up.connections_made == 0, spelling


@st.composite
def numbers_for_this_machine(draw):
    """127.x.y.z as inet_aton(3) reads it: one to four parts, each decimal, octal or hexadecimal."""
    number = (127 << 24) | draw(st.sampled_from([1, 2, 0x010203, 0xFFFFFE]))
    count = draw(st.integers(1, 4))
    leading = [number >> shift & 255 for shift in (24, 16, 8)][: count - 1]
    parts = [*leading, number & (1 << 8 * (5 - count)) - 1]
    spelled = [draw(st.sampled_from(["{}", "0x{:x}", "0X{:X}", "0{:o}", "000{:o}"])).format(part) for part in parts]
    wide = draw(st.booleans())
    text = ".".join(spelled) + draw(st.sampled_from(["", ".", ".."]))
    return text.translate({digit: digit + 0xFEE0 for digit in range(ord("0"), ord("9") + 1)}) if wide else text


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers_for_this_machine(), st.sampled_from(["", "8.8.8.8@", "user:pass@", "8.8.8.8\\@"]))
def test_no_spelling_reaches_this_machine(caller, up, number, before):
    fault = refusal(caller, guarded(f"http://{before}{number}:{up.port}/v1", resolve=lenient))
    assert fault.kind in ("blocked", "url")
    assert "pass" not in str(fault)
    assert up.connections_made == 0


def test_a_listed_suffix_does_not_vouch_for_what_stands_before_a_nul(caller, up):
    """F2: `127.0.0.1␀.example.com` ends in .example.com for us, and is 127.0.0.1 for the system."""
    fault = refusal(caller, guarded(chat("127.0.0.1\0.example.com", up), "*.example.com"))
    assert fault.kind == "url"
    assert up.connections_made == 0


@pytest.mark.parametrize("scheme", ["ws", "wss", "ftp", "unix", "socks5", ""])
def test_a_client_may_only_ask_by_http(caller, up, scheme):
    """F2: also of a host that is listed."""
    fault = refusal(caller, guarded(chat("127.0.0.1", up).replace("http", scheme), "127.0.0.1"))
    assert fault.kind == "url"
    assert up.connections_made == 0


@pytest.mark.parametrize("url", ["http://user:canary@[127.0.0.1]/", "http://user:canary@h:99999/", "nothing:canary"])
def test_a_url_that_cannot_be_read_is_not_repeated(caller, url):
    """F5."""
    fault = refusal(caller, guarded(url))
    assert fault.kind == "url"
    assert "canary" not in str(fault)


# --- what is connected to ------------------------------------------------------------------------------------------------


class Recorder:
    """Listens on ::1, counts who connects, and hangs up."""

    def __init__(self, port):
        self.connections = 0
        self.socket = socket.create_server(("::1", port), family=socket.AF_INET6)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.connections += 1
                connection.close()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(2)
        self.socket.close()


def test_a_name_that_changes_its_address(caller, up):
    """F2: rebinding. One look-up for each connection, and its answer, which was checked, is where the connection goes.
    (127.0.0.1 is listed here: it plays the public address; ::1 is not.)"""
    names = Names(["127.0.0.1"], ["::1"])
    with contextlib.closing(Recorder(up.port)) as private:
        asked = guarded(chat("rebinding.example", up), "127.0.0.1", resolve=names)
        assert caller.send(asked).status == 200
        assert len(names.asked) == 1
        assert caller.send(asked).status == 200, "on the connection that was made, to the address that was checked"
        assert len(names.asked) == 1
        up.next(act.hang_up())
        assert refusal(caller, asked).kind == "closed"
        assert refusal(caller, asked).kind == "blocked", "a new connection is a new look-up"
        assert private.connections == 0
    assert [seen.headers["host"] for seen in up.requests] == [f"rebinding.example:{up.port}"] * 3


@pytest.mark.parametrize("addresses", [["::1", "127.0.0.1"], ["127.0.0.1", "::1"]], ids=["dead first", "dead last"])
def test_all_admitted_addresses_are_tried(caller, up, addresses):
    """Nobody listens on ::1."""
    asked = guarded(chat("twice.example", up), "twice.example", resolve=Names(addresses))
    assert caller.send(asked).status == 200


def test_a_certificate_is_checked_for_the_name(caller, tls):
    """P9: pinning the address does not change whom we talk to."""
    with Upstream(tls=tls) as up:
        url = chat("upstream.example", up).replace("http:", "https:")
        here = Names(["127.0.0.1"])
        ca = str(tls.ca_file)
        assert caller.send(guarded(url, "127.0.0.1", resolve=here, verify=ca)).status == 200
        other = url.replace("upstream.example", "other.example")
        assert refusal(caller, guarded(other, "127.0.0.1", resolve=here, verify=ca)).kind == "tls"
        assert len(up.requests) == 1


@pytest.mark.parametrize("ipv4_only", [False, True])
def test_only_the_family_that_is_wanted_is_looked_up(caller, up, ipv4_only):
    names = Names(["127.0.0.1"])
    asked = guarded(chat("upstream.example", up), "127.0.0.1", resolve=names, ipv4_only=ipv4_only)
    assert caller.send(asked).status == 200
    assert names.asked == [("upstream.example", up.port, socket.AF_INET if ipv4_only else socket.AF_UNSPEC)]


def no_such_name(host, _port, _family):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize("resolve", [no_such_name, Names([])], ids=["error", "nothing"])
def test_a_name_without_an_address_is_told_like_one_inside(caller, resolve):
    """Or a client could find out which names there are in our network."""
    absent = refusal(caller, guarded("http://nobody.example/v1", resolve=resolve))
    inside = refusal(caller, guarded("http://nobody.example/v1", resolve=Names(["10.0.0.7"])))
    assert (absent.kind, str(absent)) == (inside.kind, str(inside))
    assert absent.kind == "blocked"


@pytest.mark.parametrize("resolve", [no_such_name, Names([])], ids=["error", "nothing"])
def test_a_listed_name_without_an_address(caller, resolve):
    """That is a connection that does not come about, not a refusal."""
    fault = refusal(caller, guarded("http://nobody.example/v1", "nobody.example", resolve=resolve))
    assert fault.kind == "connect"
    assert "cannot connect to http://nobody.example/v1" in str(fault)


def test_a_name_that_is_too_long_for_the_system(caller):
    """G3: the system's own error would be no error of the network."""
    assert refusal(caller, guarded(f"http://{'a' * 70}.example/v1")).kind == "url"


def test_proxies_are_not_used(caller, up, monkeypatch):
    """F2: a proxy would look the name up by itself, and reach what we may not."""
    with ForwardProxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert caller.send(guarded(chat("127.0.0.1", up), "127.0.0.1")).status == 200
        assert refusal(caller, guarded(chat("127.0.0.1", up))).kind == "blocked"
        assert proxy.connections_made == 0
        assert caller.send(request(chat("127.0.0.1", up))).status == 200, "the control"
        assert proxy.connections_made == 1


def test_redirects_are_not_followed(caller, up):
    """F2: or a public host would send us to a private one."""
    with Upstream() as private:
        up.next(act.verbatim(307, b"", {"location": private.base + "/chat/completions"}))
        assert caller.send(guarded(chat("localhost", up), f"localhost:{up.port}", resolve=lenient)).status == 307
        assert private.connections_made == 0


def test_connections_are_not_shared(caller, up):
    """F2: what the administrator's own requests have opened, or those with another list, serves no client."""
    url = chat("127.0.0.1", up)
    assert caller.send(request(url)).status == 200
    assert refusal(caller, guarded(url)).kind == "blocked"
    assert up.connections_made == 1
    assert caller.send(guarded(url, "127.0.0.1")).status == 200
    assert up.connections_made == 2
    assert refusal(caller, guarded(url, "10.0.0.0/8")).kind == "blocked"
    assert caller.send(guarded(url, "127.0.0.1")).status == 200, "an equal guard is the same one"
    assert caller.send(request(url)).status == 200
    assert up.connections_made == 2


def test_streams_work(caller, up):
    reply = caller.send(guarded(chat("127.0.0.1", up), "127.0.0.1", stream=True))
    assert b"[DONE]" in read_all(caller, reply)


def test_without_a_guard_every_host_is_reached(caller, up):
    """The administrator's own api_base may be anywhere."""
    assert DIRECT.guard is None
    assert caller.send(request(chat("127.0.0.1", up))).status == 200


# --- the administrator's list --------------------------------------------------------------------------------------------

ALLOWING = [
    ("vllm.internal", "vllm.internal"),
    ("vllm.internal:{port}", "vllm.internal"),
    ("VLLM.Internal.", "vllm.internal"),
    ("vllm.internal", "VLLM.internal."),
    ("*.internal", "vllm.internal"),
    ("*.internal", "a.b.internal"),
    ("*.internal:{port}", "vllm.internal"),
    ("localhost", "localhost"),
    ("127.0.0.1", "127.0.0.1"),
    ("127.0.0.1:{port}", "127.0.0.1"),
    ("127.0.0.0/8", "127.0.0.1"),
    ("127.0.0.0/8:{port}", "127.0.0.1"),
    ("127.0.0.1", "vllm.internal"),
    ("127.0.0.1", "[::ffff:127.0.0.1]"),
    ("::ffff:127.0.0.1", "[::ffff:127.0.0.1]"),
    ("0.0.0.0/0", "vllm.internal"),
]
NOT_ALLOWING = [
    ("vllm.internal:1", "vllm.internal"),
    ("internal", "vllm.internal"),
    ("vllm", "vllm.internal"),
    ("vllm.internal", "evil-vllm.internal"),
    ("vllm.internal", "vllm.internal.example"),
    ("*.internal", "internal"),
    ("*.internal", "vllminternal"),
    ("*.internal:1", "vllm.internal"),
    ("127.0.0.1:1", "127.0.0.1"),
    ("127.0.0.2", "127.0.0.1"),
    ("10.0.0.0/8", "127.0.0.1"),
    ("10.0.0.0/8", "vllm.internal"),
    ("::1", "127.0.0.1"),
    ("localhost", "127.0.0.1"),
]


@pytest.mark.parametrize(("entry", "host"), ALLOWING)
def test_a_listed_host_is_reached(caller, up, entry, host):
    """F2: the forms of general_settings.client_side_hosts. Every name here has the address 127.0.0.1."""
    assert caller.send(guarded(chat(host, up), entry.format(port=up.port), resolve=lenient)).status == 200


@pytest.mark.parametrize(("entry", "host"), NOT_ALLOWING)
def test_a_host_that_is_only_similar_is_not(caller, up, entry, host):
    assert refusal(caller, guarded(chat(host, up), entry, resolve=lenient)).kind == "blocked"
    assert up.connections_made == 0


# --- how much may come from there ----------------------------------------------------------------------------------------

JSON = {"content-type": "application/json"}
LARGEST = 16 << 20


def large(size, **how):
    return act.verbatim(200, b"x" * size, JSON, **how)


@STREAM
def test_an_answer_of_16_mb_comes_and_a_larger_one_does_not(caller, up, stream):
    """P5: also where a stream was asked for and one piece of JSON came; the administrator's own upstreams may send more."""
    url = chat("127.0.0.1", up)
    up.next(large(LARGEST), large(LARGEST + (1 << 20)), large(LARGEST + (1 << 20)))
    assert len(caller.send(guarded(url, "127.0.0.1", stream=stream)).body) == LARGEST
    fault = refusal(caller, guarded(url, "127.0.0.1", stream=stream))
    assert fault.kind == "protocol"
    assert "the answer is larger than 16 MiB" in str(fault)
    assert len(caller.send(request(url, stream=stream)).body) == LARGEST + (1 << 20)


@STREAM
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_a_bomb_from_there_is_not_unpacked(caller, up, stream, kind):
    """P5: of half a megabyte, which would be 512."""
    headers = {"content-type": kind, "content-encoding": "gzip"}
    up.next(act.verbatim(200, gzip.compress(bytes(1 << 20)) * 512, headers))
    tracemalloc.start()
    try:
        with pytest.raises(TransportFault, match="larger") as caught:
            reply = caller.send(guarded(chat("127.0.0.1", up), "127.0.0.1", stream=stream))
            read_all(caller, reply)
        assert caught.value.kind == "protocol"
        assert tracemalloc.get_traced_memory()[1] < 4 * LARGEST
    finally:
        tracemalloc.stop()
