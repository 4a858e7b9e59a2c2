"""Upstreams say what they are told to say, byte for byte. Seen from raw sockets, not from our own client."""

import contextlib
import gzip
import http.client
import json
import time

import openai
import pytest
from tests.fakes import behaviour as act
from tests.fakes.endpoints import chat_chunks
from tests.fakes.raw_client import CHAT, HI, ask, ask_raw, dial, request, until_eof
from tests.fakes.replies import SSE, Answer, ToolCall
from tests.fakes.upstream import Upstream

TOOLS = [{"type": "function", "function": {"name": "weather"}}]
WEATHER = ToolCall("weather", {"city": "Zürich", "days": 3})


@pytest.fixture
def up():
    with Upstream() as upstream:
        yield upstream


def chunks_of(body):
    """The JSON of every event but the last, which has to be [DONE]."""
    *events, done, rest = body.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


# What is said


def test_default_answer(up):
    assert ask(up, model="gpt-x").json() == {
        "id": "chatcmpl-fake-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-x",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello from upstream.", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
        "system_fingerprint": "fp_fake",
    }
    assert ask(up).json()["id"] == "chatcmpl-fake-2"


def test_default_stream(up):
    chunks = chunks_of(ask(up, stream=True).body)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": "", "refusal": None}
    assert [delta["content"] for delta in deltas[1:-1]] == ["Hello", " from", " upstream", "."]
    assert deltas[-1] == {}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * 5 + ["stop"]
    assert not any("usage" in chunk for chunk in chunks)


def test_usage_only_when_asked_for(up):
    *chunks, last = chunks_of(ask(up, stream=True, stream_options={"include_usage": True}).body)
    assert all(chunk["usage"] is None for chunk in chunks)
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 13)


def test_stream_adds_up_to_the_plain_answer(up):
    text = "  Grüezi,\n\n„Welt“ 🌍\t— a_b 1.5  "
    up.default = act.answer(text, message={"reasoning_content": "So, hmm."}, extra={"vendor": {"x": 1}}, model="real")
    plain = ask(up, n=2).json()
    chunks = chunks_of(ask(up, n=2, stream=True).body)
    for index in range(2):
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"][0]["index"] == index]
        for name in ("content", "reasoning_content"):
            whole = plain["choices"][index]["message"][name]
            assert "".join(delta.get(name, "") for delta in deltas) == whole
    assert plain["choices"][1]["message"]["content"] == text
    assert all((c["model"], c["vendor"]) == ("real", {"x": 1}) for c in [plain, *chunks])


def test_tool_calls_for_those_who_offer_tools(up):
    up.default = act.answer(tool_calls=(WEATHER, ToolCall("broken", "{not json")))
    assert ask(up).json()["choices"][0]["message"]["content"] == "Hello from upstream."
    choice = ask(up, tools=TOOLS).json()["choices"][0]
    calls = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert [call["id"] for call in calls] == ["call_fake_2_0", "call_fake_2_1"]
    assert json.loads(calls[0]["function"]["arguments"]) == WEATHER.arguments

    chunks = chunks_of(ask(up, tools=TOOLS, stream=True).body)
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    pieces = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    for index, call in enumerate(calls):
        first, *rest = [piece for piece in pieces if piece["index"] == index]
        assert (first["id"], first["function"]) == (f"call_fake_3_{index}", {**call["function"], "arguments": ""})
        assert len(rest) > 1
        assert "".join(piece["function"]["arguments"] for piece in rest) == call["function"]["arguments"]


def test_openai_client_is_content(up):
    up.next(act.answer(), act.answer(tool_calls=(WEATHER,)), act.error(429, "Slow down.", retry_after=7))
    with openai.OpenAI(base_url=up.base, api_key="sk-test", max_retries=0) as client:
        assert client.chat.completions.create(model="m", messages=HI).usage.total_tokens == 13
        with client.chat.completions.stream(model="m", messages=HI, tools=TOOLS) as stream:
            message = stream.get_final_completion().choices[0].message
        assert json.loads(message.tool_calls[0].function.arguments) == WEATHER.arguments
        with pytest.raises(openai.RateLimitError, match="Slow down") as caught:
            client.chat.completions.create(model="m", messages=HI)
        assert caught.value.response.headers["retry-after"] == "7"
        assert [model.id for model in client.models.list()] == ["fake-model"]


def test_paths(up):
    for path in (CHAT, "/chat/completions", "/openai/deployments/x/chat/completions?api-version=1"):
        assert ask(up, path).status == 200
    assert (up.requests[-1].path, up.requests[-1].query) == ("/openai/deployments/x/chat/completions", "api-version=1")
    up.next(act.error(500))
    assert ask(up, "/v1/nothing").json()["error"]["message"] == "Invalid URL (POST /v1/nothing)"
    assert ask(up, CHAT, method="GET").status == 404
    assert ask(up).status == 500, "the 404s used up nothing"
    up.models["gpt-x"] = act.answer()
    assert [model["id"] for model in ask(up, "/v1/models", method="GET").json()["data"]] == ["gpt-x"]
    with Upstream(prefix="/v1") as strict:
        assert [ask(strict, path).status for path in (CHAT, "/chat/completions", "/v1" + CHAT)] == [200, 404, 404]


def test_what_it_remembers(up):
    before = time.monotonic()
    with dial(up) as sock:
        sock.sendall(
            b"POST /v1/chat/completions?a=b HTTP/1.1\r\nX-Two: 1\r\nx-two: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        sock.sendall(b'8;ext=1\r\n{"model"\r\n5\r\n:"m"}\r\n0\r\nTrailer: 1\r\n\r\n')
        assert sock.recv(65536).startswith(b"HTTP/1.1 400 Bad Request")
        up.wait_for(lambda: up.requests[0].finished_at)
        assert up.open_connections == 1
        assert ask(up).status == 200
    first, second = up.requests
    assert (first.number, first.method, first.path, first.query) == (1, "POST", CHAT, "a=b")
    assert first.headers == {"x-two": "1, 2", "transfer-encoding": "chunked"}
    assert (first.body, first.json) == (b'{"model":"m"}', {"model": "m"})
    assert before < first.started <= first.finished_at < second.started
    assert first.connection_id != second.connection_id
    up.wait_for(lambda: up.open_connections == 0)
    assert up.connections_made == 2
    assert first.aborted_at is second.aborted_at is None


def test_who_decides(up):
    up.models["bad"] = act.error(503)
    up.default = act.answer("default")
    up.next(act.answer("first"), act.answer("second"))
    answers = [ask(up, model=model) for model in ("bad", "m", "bad", "m")]
    assert [answer.status for answer in answers] == [200, 200, 503, 200]
    assert "default" in answers[-1].body.decode()


@pytest.mark.parametrize(
    ("check", "fields", "status"),
    [
        (act.refuse_stream_options, {"stream_options": {"include_usage": True}}, 400),
        (act.refuse_unknown_fields, {"top_k": 1}, 422),
        (act.refuse_system_messages, {"messages": [{"role": "system", "content": "x"}, *HI]}, 400),
        (act.require_key("sk-right"), {"headers": {"Authorization": "Bearer sk-wrong"}}, 401),
    ],
)
def test_particular_upstreams(up, check, fields, status):
    up.default = act.answer(checks=(check,))
    right = {"Authorization": "Bearer sk-right"}
    assert ask(up, headers=right, stream=True, temperature=0).status == 200
    assert ask(up, **{"headers": right, **fields}).status == status


# How it is said


@pytest.mark.parametrize(
    ("behaviour", "head", "body"),
    [
        (act.verbatim(418, "tea", {"x-pot": "1"}), [b"HTTP/1.1 418 I'm a Teapot", b"x-pot: 1", b"content-length: 3"], b"tea"),
        (act.redirect("http://127.0.0.1:1/v1"), [b"HTTP/1.1 307 ", b"location: http://127.0.0.1:1/v1"], b""),
        (act.html(), [b"200 OK", b"content-type: text/html"], b"<html>"),
        (act.bad_json(), [b"200 OK", b"application/json"], b'"choices": [{'),
        (act.empty(), [b"200 OK", b"application/json", b"content-length: 0"], b""),
        (act.malformed_head(), [b"HTTP/1.1 two hundred OK"], b""),
        (act.big_header(70_000), [b"x-big: " + b"x" * 70_000], b"Hello"),
        (act.raw(b"ICY 200", b" OK\r\n\r\nla"), [b"ICY 200 OK"], b"la"),
        (act.answer(early=((103, {"link": "</a>"}), (100, {}))), [b"HTTP/1.1 103 Early Hints\r\nlink: </a>"], b"100 Continue"),
        (act.answer(after_answer="close"), [b"connection: close"], b"Hello"),
        (act.answer(framing="chunked"), [b"transfer-encoding: chunked"], b"\r\n0\r\n\r\n"),
        (act.answer(trailers={"x-sum": "7"}), [b"trailer: x-sum"], b"\r\n0\r\nx-sum: 7\r\n\r\n"),
        (act.error(429, retry_after=2, headers={"X-Left": "0"}), [b"429 Too Many", b"retry-after: 2", b"x-left: 0"], b'"requests"'),
    ],
)  # fmt: skip
def test_on_the_wire(up, behaviour, head, body):
    up.next(behaviour)
    got_head, _, got_body = ask_raw(up).partition(b"\r\n\r\n")
    assert all(part in got_head for part in head), got_head
    assert body in got_body


def test_until_close(up):
    up.next(act.answer(framing="until_close"))
    with dial(up) as sock:
        sock.sendall(request())
        head, _, body = until_eof(sock).partition(b"\r\n\r\n")
    assert b"content-length" not in head
    assert b"transfer-encoding" not in head
    assert json.loads(body)["object"] == "chat.completion"


def test_gzip(up):
    up.default = act.answer(gzip=True)
    assert b"Hello" in gzip.decompress(ask(up).body)
    streamed = ask(up, stream=True)
    assert streamed.headers["content-encoding"] == "gzip"
    assert len(chunks_of(gzip.decompress(streamed.body))) == 6


@pytest.mark.parametrize(
    ("sse", "expected"),
    [
        (SSE(newline="\r\n"), b'data: {"a": "\xc3\xbc"}\r\n\r\ndata: [DONE]\r\n\r\n'),
        (SSE(space=False), b'data:{"a": "\xc3\xbc"}\n\ndata:[DONE]\n\n'),
        (SSE(multiline=True), b'data: {\ndata:  "a": "\xc3\xbc"\ndata: }\n\ndata: [DONE]\n\n'),
        (SSE(fields=(": hi", "id: 7"), done=False), b': hi\nid: 7\ndata: {"a": "\xc3\xbc"}\n\n'),
        (SSE(heartbeat=": ping", done=False), b': ping\n\ndata: {"a": "\xc3\xbc"}\n\n'),
    ],
)
def test_sse_dialects(up, sse, expected):
    up.next(act.events([{"a": "ü"}], sse=sse))
    assert ask(up).body == expected


def test_own_events(up):
    oops = {"error": {"message": "overloaded", "code": 529}}
    up.next(act.events([*chat_chunks(Answer())[:2], oops, "text", b"event: x\ndata: 1\n\n"]))
    body = ask(up, stream=True).body
    assert body.endswith(b'"code": 529}}\n\ndata: text\n\nevent: x\ndata: 1\n\ndata: [DONE]\n\n')
    assert body.count(b'"chat.completion.chunk"') == 2


def test_split_tears_characters_apart(up):
    up.next(act.events(["ü" * 20], split=1))
    with dial(up) as sock:
        sock.sendall(request(headers=["Connection: close"]))
        reads = list(iter(lambda: sock.recv(65536), b""))
    assert any(read.endswith(b"\xc3") for read in reads)


def test_delay_and_gap(up):
    up.next(act.answer(delay=0.1), act.events(["1", "2", "3"], gap=0.05))
    start = time.monotonic()
    ask(up)
    middle = time.monotonic()
    ask(up)
    assert middle - start >= 0.1
    assert time.monotonic() - middle >= 0.15


def test_100_continue(up):
    head, _, body = request(headers=["Expect: 100-continue"]).partition(b"\r\n\r\n")
    with dial(up) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_keep_alive_and_pipelining(up):
    with dial(up) as sock:
        sock.sendall(request() + request(headers=["Connection: close"]))
        assert until_eof(sock).count(b"HTTP/1.1 200 OK") == 2
    assert up.connections_made == 1


def test_small_writes_do_not_wait_for_each_other(up):
    start = time.monotonic()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", up.port, timeout=2)) as connection:
        for _ in range(20):
            connection.request("POST", CHAT, b'{"messages": []}')
            connection.getresponse().read()
    assert time.monotonic() - start < 0.4, "20 × 40 ms is what forgetting TCP_NODELAY costs"


def test_connections_that_die_idle(up):
    up.next(act.answer(after_answer="close_silently"), act.answer(after_answer="close_on_next_request"))
    with dial(up) as sock:
        sock.sendall(request())
        assert b"connection: close" not in until_eof(sock)
    with dial(up) as sock:
        sock.sendall(request())
        got = b""
        while not got.endswith(b'fp_fake"}'):
            got += sock.recv(65536)
        up.wait_for(lambda: up.requests[1].finished_at)
        sock.sendall(request())
        assert until_eof(sock) == b""
    assert len(up.requests) == 2, "the one it hung up on was never taken"
