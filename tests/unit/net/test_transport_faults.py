"""What can go wrong on the wire, and what must not: one suite over all transports, with real sockets.

Each transport turns every way of breaking into a TransportFault whose kind and text say what happened, and keeps a
connection exactly when it can be used again."""

import time

import pytest
from tests.fakes import behaviour as act
from tests.fakes import http1
from tests.fakes.raw_client import HI
from tests.fakes.replies import SSE
from tests.unit.net.asking import BODY, STRAIGHT, read_all, request

import litellm
from litellm.net.faults import TransportFault

EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def both(caller, up, **options):
    """The whole body, of a plain answer and of a streamed one."""
    url = up.base + "/chat/completions"
    plain = caller.send(request(url, **options)).body
    caller.notice()  # if the server closes the connection now
    reply = caller.send(request(url, stream=True, **options))
    return plain, read_all(caller, reply)


# --- answers that are unusual and right ----------------------------------------------------------------------------------

UNUSUAL = {
    "103 early hints": {"early": ((103, {"link": "</x>; rel=preload"}),)},
    "100 continue": {"early": ((100, {}),)},
    "many 1xx": {"early": ((100, {}), (103, {}), (103, {}))},
    "chunked": {"framing": "chunked"},
    "trailers": {"framing": "chunked", "trailers": {"x-checksum": "1", "x-late": "2"}},
    "byte by byte": {"framing": "chunked", "split": 40},
    "ends with the connection": {"framing": "until_close"},
    "connection: close": {"after_answer": "close"},
    "closes silently": {"after_answer": "close_silently"},
    "gzip though we asked for identity": {"gzip": True},
    "gzip, chunked, cut anywhere": {"gzip": True, "framing": "chunked", "split": 33},
}


@pytest.mark.parametrize("fields", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_answers(caller, up, fields):
    """What HTTP/1.1 allows is understood, and the next request works."""
    up.default = act.answer(**fields)
    for _ in range(2):
        plain, streamed = both(caller, up)
        assert b"Hello from upstream." in plain
        assert plain.endswith(b"}")
        assert streamed.startswith(b"data: {")
        assert streamed.endswith(b"data: [DONE]\n\n")
        caller.notice()
    assert len(up.requests) == 4


def test_a_header_of_60_kb(caller, up):
    """What is allowed to be large is: answers carry rate limits, cookies of load balancers, whole policies."""
    up.next(act.answer(headers={f"x-{n}": "y" * 6000 for n in range(10)}))
    reply = caller.send(request(up.base + "/chat/completions"))
    assert reply.status == 200
    assert len(reply.headers["x-9"]) == 6000


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(caller, up, status, stream):
    """F2: a redirect would take our key to another host. The text says where it points, and what to do."""
    up.next(act.redirect("http://elsewhere.example/v1/chat/completions", status))
    with pytest.raises(litellm.BadGatewayError, match=r"redirects to http://elsewhere\.example/v1.*api_base") as caught:
        caller.chunks(api_base=up.base, num_retries=0) if stream else caller.ask(api_base=up.base, num_retries=0)
    assert len(up.requests) == 1
    assert caught.value.status_code == 502


def test_a_large_body_both_ways(caller, up):
    """P2: 8 MB there and 8 MB back, whole."""
    text = "x" * (8 << 20)
    up.next(act.answer(text))
    body = BODY[:-1] + b', "pad": "' + b"y" * (8 << 20) + b'"}'
    reply = caller.send(request(up.base + "/chat/completions", body=body))
    assert text.encode() in reply.body
    assert len(up.requests[0].body) == len(body)


# --- connections: kept, dropped, raced -----------------------------------------------------------------------------------


def test_keep_alive(caller, up):
    """One connection serves one request after another, plain, streamed and refused."""
    for _ in range(3):
        both(caller, up)
        up.next(act.error(429))
        assert caller.send(request(up.base + "/chat/completions", stream=True)).status == 429
    assert up.connections_made == 1
    assert len(up.requests) == 9


@pytest.mark.parametrize("late", [0.0, 0.02], ids=["at once", "late"])
def test_a_stream_that_said_done_gives_its_connection_back(caller, up, late):
    """S4: [DONE] ends a stream for the caller; the chunk that ends it for HTTP may come a moment later."""
    events = [chunk_event("Hel"), chunk_event("lo"), chunk_event(None), b"data: [DONE]\n\n"]
    head = EVENTS + b"".join(http1.chunk(event) for event in events)
    up.default = act.raw(head, http1.last_chunk({}), gap=late, after_answer="keep")
    for _ in range(3):
        chunks = caller.chunks(api_base=up.base)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello"
        time.sleep(late)
        caller.notice()
    assert len(up.requests) == 3
    assert up.connections_made == 1


def test_a_stream_of_the_public_functions_gives_its_connection_back(caller, up):
    """The same for an upstream as it usually is, and for plain calls in between."""
    for _ in range(3):
        caller.chunks(api_base=up.base)
        caller.notice()  # for HTTP a stream ends a moment after its [DONE]
        caller.ask(api_base=up.base)
    assert up.connections_made == 1


def chunk_event(content):
    finish = "null" if content else '"stop"'
    delta = f'{{"content": "{content}"}}' if content else "{}"
    choice = f'{{"index": 0, "delta": {delta}, "finish_reason": {finish}}}'
    head = '"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"'
    return f'data: {{{head}, "choices": [{choice}]}}\n\n'.encode()


def test_closing_a_reply_early(caller, up):
    """S8: a streamed reply that is let go closes its connection within 250 ms; others are not touched."""
    up.next(act.answer(gap=0.05, text="word " * 100))
    reply = caller.send(request(up.base + "/chat/completions", stream=True))
    assert caller.read(reply)
    reply.close()
    reply.close()  # harmless
    caller.notice()
    up.wait_for(lambda: up.requests[0].aborted_at, timeout=0.25)
    up.wait_for(lambda: up.open_connections == 0)
    assert b"Hello" in caller.send(request(up.base + "/chat/completions")).body


def test_a_connection_that_the_server_has_closed_is_not_used(caller, up):
    """No request is lost on it, so nothing has to be retried."""
    both(caller, up)
    up.drop_connections()
    caller.notice()
    reply = caller.ask(api_base=up.base, num_retries=0)
    assert reply.choices
    assert len(up.requests) == 3


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("retries", [0, 1, 2])
def test_the_race_with_a_closing_server(caller, up, stream, retries):
    """R3: a kept connection that closes just when the next request arrives costs that one try. The engine retries it,
    once, if it may; no layer below does."""
    up.next(act.answer(after_answer="close_on_next_request"))
    ask = caller.chunks if stream else caller.ask
    assert ask(api_base=up.base)
    caller.notice()  # a stream gives its connection back a moment after its [DONE]
    if not retries:
        with pytest.raises(litellm.APIConnectionError, match="closed the connection"):
            ask(api_base=up.base, num_retries=0)
        assert len(up.requests) == 1
        assert up.connections_made == 1
        return
    assert ask(api_base=up.base, num_retries=retries)
    assert len(up.requests) == 2
    assert up.connections_made == 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("retries", [0, 1, 3])
@pytest.mark.parametrize(
    "fault", [act.hang_up(), act.reset(), act.cut(0), act.malformed_head()], ids=["close", "reset", "cut", "nonsense"]
)
def test_broken_connections_are_retried_n_times(caller, up, fault, retries, stream):
    """R3: num_retries=n means exactly n + 1 requests, whatever breaks."""
    up.default = fault
    with pytest.raises(litellm.APIConnectionError):
        (caller.chunks if stream else caller.ask)(api_base=up.base, num_retries=retries)
    assert len(up.requests) == retries + 1


# --- connections that break ----------------------------------------------------------------------------------------------

BROKEN = {
    "closed, nothing said": (act.hang_up(), "closed"),
    "reset, nothing said": (act.reset(), "closed"),
    "reset after the head": (act.reset(0), "closed"),
    "reset in the body": (act.reset(1), "closed"),
    "cut after the head": (act.cut(0), "closed"),
    "cut in the body": (act.cut(1), "closed"),
    "cut in the body, chunked": (act.cut(1, framing="chunked"), "closed"),
    "malformed head": (act.malformed_head(), "protocol"),
    "not HTTP at all": (act.raw(b"220 mail.example ESMTP\r\n"), "protocol"),
    "TLS on a plain port": (act.raw(b"\x15\x03\x01\x00\x02\x02\x28"), "protocol"),
    "half a head": (act.raw(b"HTTP/1.1 200 OK\r\ncontent-le"), "closed"),
    "bad chunk size": (act.raw(EVENTS + b"zz\r\nhello\r\n", after_answer="keep"), "protocol"),
    "a head of 1 MB": (act.big_header(1_000_000), "protocol"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("fault", "kind"), BROKEN.values(), ids=BROKEN)
def test_broken_answers(caller, up, fault, kind, stream):
    """G3: one fault with a kind and a text that names the server; afterwards everything works again."""
    up.next(fault)
    with pytest.raises(TransportFault) as caught:
        reply = caller.send(request(up.base + "/chat/completions", stream=stream))
        read_all(caller, reply)
    assert caught.value.kind in (
        kind,
        "closed" if kind == "protocol" and fault.say.__class__.__name__ == "Raw" else kind,
    )
    assert up.url in str(caught.value)
    caller.notice()
    plain, streamed = both(caller, up)
    assert b"Hello" in plain
    assert b"[DONE]" in streamed


@STRAIGHT
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_nobody_listens(caller, stream):
    """Decision 8: a refused connection is an APIConnectionError, in plain words."""
    with pytest.raises(TransportFault, match=r"cannot connect to http://127\.0\.0\.1:1") as caught:
        caller.send(request("http://127.0.0.1:1/v1/chat/completions", stream=stream))
    assert caught.value.kind == "connect"


@STRAIGHT
def test_no_such_host(caller):
    with pytest.raises(TransportFault, match=r"cannot connect to http://nobody\.invalid") as caught:
        caller.send(request("http://nobody.invalid/v1/chat/completions"))
    assert caught.value.kind == "connect"


def test_https_to_a_plain_port(caller, up):
    """The text names TLS, so that nobody looks for a firewall."""
    with pytest.raises(TransportFault, match=r"(?i)ssl|tls") as caught:
        caller.send(request(up.base.replace("http:", "https:") + "/chat/completions"))
    assert caught.value.kind in ("tls", "connect")
    assert up.requests == []


# --- what a caller sees of it --------------------------------------------------------------------------------------------


def test_heartbeats_and_odd_dialects_need_no_help_of_the_transport(caller, up):
    """S1, S7: comments, CRLF, multi-line data and no space after the colon, cut at every 7th byte."""
    up.next(act.answer(sse=SSE(newline="\r\n", space=False, multiline=True, heartbeat=": ping"), split=7))
    chunks = caller.chunks(api_base=up.base)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello from upstream."


def test_pieces_of_an_answer_arrive_as_they_are_sent(caller, up):
    """Nothing waits for a buffer to fill."""
    up.next(act.stall(after=3, text="one two three"))
    reply = caller.send(request(up.base + "/chat/completions", stream=True))
    data = b""
    while b"one" not in data:
        data += caller.read(reply)
    reply.close()


def test_what_is_sent_says_how_long_it_is(caller, up):
    """A plain content-length, which every server understands; the host with its port; nothing we did not ask for."""
    caller.ask(api_base=up.base, messages=HI)
    headers = up.requests[0].headers
    assert headers["content-length"] == str(len(up.requests[0].body))
    assert "transfer-encoding" not in headers
    assert headers["host"] == f"127.0.0.1:{up.port}"
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"].startswith("litellm/")
    assert not headers.keys() & {"cookie", "expect"}


def test_cookies_are_not_kept(caller, up):
    """F1: what one upstream sets is nobody else's business, and not even its own the next time."""
    up.next(act.answer(headers={"set-cookie": "session=abc; Path=/"}))
    caller.ask(api_base=up.base)
    caller.ask(api_base=up.base)
    assert "cookie" not in up.requests[1].headers


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("key", "sent"), [(None, "Basic bmFtZTpwQHNz"), ("k", "Bearer k")], ids=["only the URL's", "a key of its own"]
)
def test_a_base_with_user_and_password(caller, up, monkeypatch, stream, key, sent):
    """F5: `https://user:password@host/v1` is basic authentication, unless an API key is given too; both transports
    do the same, and show neither."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    base = up.base.replace("://", "://name:p%40ss@")
    (caller.chunks if stream else caller.ask)(api_base=base, api_key=key)
    (seen,) = up.requests
    assert seen.headers["authorization"] == sent
    assert seen.headers["host"] == f"127.0.0.1:{up.port}"
    up.next(act.hang_up())
    with pytest.raises(litellm.APIConnectionError) as caught:
        (caller.chunks if stream else caller.ask)(api_base=base, api_key=key, num_retries=0)
    assert "p%40ss" not in str(caught.value)
    assert "p@ss" not in str(caught.value)
