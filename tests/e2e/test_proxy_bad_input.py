"""G3: whatever is sent, the answer has the right status, OpenAI's error shape, and words that help. O1: a limit that
is configured holds, however the body is sent."""

import json
import re

import pytest
from tests.e2e.talk import CHAT, HI, KEY, Talk, deployment
from tests.processes import Gateway

LIMIT = 200_000  # bytes


@pytest.fixture(scope="module")
def gateway(module_upstream):
    config = f"""
model_list:
{deployment("m", module_upstream)}{deployment("other", module_upstream)}
general_settings: {{master_key: {KEY}, max_request_size_mb: {LIMIT / 1e6}}}
"""
    with Gateway(config, args=["--host", "127.0.0.1"]) as server:
        yield server
    assert "Traceback" not in server.stderr, "nothing that a client sends is a bug of ours"
    assert "a bug" not in server.stderr


@pytest.fixture
def talk(gateway, up):
    return Talk(gateway)


# --- bodies that are no JSON object --------------------------------------------------------------------------------------

NOT_JSON = {
    "trailing comma": (b'{"model": "m", "messages": [],}', "line 1 column 31"),
    "trailing comma, over lines": (b'{\n  "model": "m",\n  "messages": [],\n}', "line 4 column 1"),
    "broken off": (b'{"model": "m", "mess', None),
    "single quotes": (b"{'model': 'm'}", "line 1 column 2"),
    "two objects": (b'{"model": "m"} {"model": "m"}', "line 1 column 1"),
    "a comment": (b'{"model": "m"} // yes', "line 1 column 1"),
    "NaN": (b'{"model": "m", "messages": [], "temperature": NaN}', "line 1 column 47"),
    "Infinity": (b'{"model": "m", "messages": [], "temperature": Infinity}', "line 1 column 47"),
    "too large a number": (b'{"model": "m", "messages": [], "temperature": 1e999}', None),
    "a control character": (b'{"model": "m\n"}', None),
    "no UTF-8": (b'{"model": "m\xff", "messages": []}', None),
    "UTF-16": ('{"model": "m"}'.encode("utf-16"), None),
    "a byte order mark": (b'\xef\xbb\xbf{"model": "m"}', None),
    "half a surrogate": (b'{"model": "\\ud800", "messages": []}', None),
    "nested too deeply": (b'{"model": "m", "messages": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", None),
    "nested too deeply, objects": (b'{"a":' * 30_000 + b"1" + b"}" * 30_000, None),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\x56\x02\x00\x00\x00", None),
    "a form": (b"model=m&messages=hi", "line 1 column 1"),
    "multipart": (b'--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nm\r\n--x--', "line 1 column "),
    "nothing": (b"", "no body"),
    "spaces": (b" \n\t ", "no body"),
}


@pytest.mark.parametrize(("body", "said"), NOT_JSON.values(), ids=NOT_JSON)
def test_not_json(talk, up, body, said):
    """Decision 1: 400 with line and column; the seeds' trailing comma is the best-known case."""
    answer = talk.post(body)
    assert answer.status == 400
    error = answer.error
    assert error["type"] == "invalid_request_error"
    assert error["param"] == "request_body"
    assert "JSON" in error["message"]
    assert said is None or said in error["message"], error["message"]
    assert up.requests == []


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true", b"[{}]"], ids=repr)
def test_json_but_no_object(talk, body):
    answer = talk.post(body)
    assert answer.status == 400
    assert "must be a JSON object, not " in answer.error["message"]


def test_deep_but_bearable(talk, up):
    """C11: what a real schema may nest is not refused."""
    deep = {"leaf": True}
    for _ in range(150):
        deep = {"properties": deep}
    assert talk.chat(tools=[{"type": "function", "function": {"name": "f", "parameters": deep}}]).status == 200
    assert up.requests[0].fields["tools"][0]["function"]["parameters"] == deep


@pytest.mark.parametrize("number", ["12345678901234567890123", "9007199254740993", "-0", "0.1", "1E5", "1e-320"])
def test_numbers_arrive_as_they_were_sent(talk, up, number):
    """C11: a number of any size is either passed on exactly or refused, never rounded."""
    answer = talk.post(f'{{"model": "m", "messages": [], "seed": {number}}}')
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert up.requests[0].fields["seed"] == json.loads(number)


# --- objects that make no sense ------------------------------------------------------------------------------------------

WRONG = {
    "no model": ({"model": ...}, "model", "Missing required parameter: 'model'"),
    "model null": ({"model": None}, "model", "Missing required parameter: 'model'"),
    "model number": ({"model": 5}, "model", "model must be a string, not a number"),
    "model list": ({"model": ["m"]}, "model", "model must be a string, not a list"),
    "model object": ({"model": {}}, "model", "model must be a string, not an object"),
    "model empty": ({"model": ""}, "model", None),
    "model unknown": ({"model": "gpt-9"}, "model", "Invalid model name passed in model=gpt-9. Call `/v1/models`"),
    "model with a newline": ({"model": "m\r\nx: y"}, "model", "Invalid model name"),
    "model very long": ({"model": "m" * 50_000}, "model", "must not be longer"),
    "no messages": ({"messages": ...}, "messages", "Missing required parameter: 'messages'"),
    "messages null": ({"messages": None}, "messages", "messages must be a list of messages, not null"),
    "messages text": ({"messages": "hi"}, "messages", "messages must be a list of messages, not a string"),
    "messages object": ({"messages": HI[0]}, "messages", "messages must be a list of messages, not an object"),
    "a message text": ({"messages": ["hi"]}, "messages", "every message must be an object"),
    "a message null": ({"messages": [None]}, "messages", "every message must be an object"),
    "a message list": ({"messages": [HI]}, "messages", "every message must be an object"),
    "stream text": ({"stream": "yes"}, "stream", "stream must be true or false, not a string"),
    "stream number": ({"stream": 1}, "stream", "stream must be true or false, not a number"),
    "timeout text": ({"timeout": "soon"}, "timeout", "timeout must be a number of seconds"),
    "timeout zero": ({"timeout": 0}, "timeout", "more than 0"),
    "timeout negative": ({"timeout": -1}, "timeout", "more than 0"),
    "timeout boolean": ({"timeout": True}, "timeout", None),
    "stream_timeout list": ({"stream_timeout": [1]}, None, "timeout must be a number of seconds"),
    "retries text": ({"num_retries": "many"}, "num_retries", "num_retries must be a whole number"),
    "retries object": ({"num_retries": {}}, "num_retries", "num_retries must be a whole number"),
    "metadata text": ({"metadata": "x"}, "metadata", "metadata must be an object"),
    "metadata list": ({"metadata": [1]}, "metadata", "metadata must be an object"),
    "fallbacks text": ({"fallbacks": "other"}, "fallbacks", "fallbacks must be a list"),
    "fallbacks, too many": ({"fallbacks": ["other"] * 1000}, "fallbacks", "at most"),
    "fallbacks of numbers": ({"fallbacks": [1]}, "fallbacks", None),
    "drop params text": ({"additional_drop_params": "seed"}, "additional_drop_params", "a list of names"),
    "drop params, too many": ({"additional_drop_params": ["x"] * 101}, "additional_drop_params", "at most 100 names"),
    "drop params, nested": (
        {"additional_drop_params": ["tools[*].x"] * 3000, "tools": [{"x": 1}] * 3000},
        "additional_drop_params",
        "at most",
    ),
    "drop params, too deep": ({"additional_drop_params": ["a." * 200]}, "additional_drop_params", "256 characters"),
    "drop params in extra_body": (
        {"extra_body": {"additional_drop_params": ["x"] * 101}},
        "additional_drop_params",
        "at most 100 names",
    ),
    "allowed params, too many": ({"allowed_openai_params": ["x"] * 101}, "allowed_openai_params", "at most 100 names"),
    "timeout too long": ({"timeout": 6000.5}, "timeout", "timeout may be at most 6000 seconds"),
    "timeout beyond all measure": ({"timeout": 1e300}, "timeout", "at most 6000 seconds"),
    "timeout text too long": ({"timeout": "1e9"}, "timeout", "at most 6000 seconds"),
    "timeout text nan": ({"timeout": "nan"}, "timeout", "timeout must be a number of seconds"),
    "timeout text infinite": ({"timeout": "inf"}, "timeout", "finite"),
    "stream_timeout too long": (
        {"stream_timeout": 7000},
        "stream_timeout",
        "stream_timeout may be at most 6000 seconds",
    ),
    "stream_timeout too long beside a timeout": ({"timeout": 5, "stream_timeout": 1e300}, "stream_timeout", "at most"),
    "stream_timeout infinite": ({"stream_timeout": "Infinity"}, None, "finite"),
    "extra_body text": ({"extra_body": "x"}, "extra_body", "extra_body must be an object"),
}


@pytest.mark.parametrize(("fields", "param", "said"), WRONG.values(), ids=WRONG)
def test_wrong_fields(talk, up, fields, param, said):
    """400 with the field's name in `param`, before anything is sent."""
    answer = talk.chat(**fields)
    assert answer.status == 400, answer.body
    error = answer.error
    assert error["type"] == "invalid_request_error"
    assert param is None or error["param"] == param
    assert said is None or said in error["message"], error["message"]
    assert len(error["message"]) < 600, "what is repeated is cut"
    assert up.requests == []


@pytest.mark.parametrize("name", ["x-litellm-timeout", "x-litellm-stream-timeout", "x-litellm-num-retries"])
@pytest.mark.parametrize("value", ["soon", "-1", "nan", "1e999", "1e300", ""])
def test_wrong_steering_headers(talk, up, name, value):
    """As for the fields; a number of retries below none means none."""
    answer = talk.chat(headers={name: value})
    if (name, value) == ("x-litellm-num-retries", "-1"):
        assert answer.status == 200
        return
    assert answer.status == 400
    assert answer.error["message"]
    assert up.requests == []


# --- too large -----------------------------------------------------------------------------------------------------------


def body_of(size):
    frame = b'{"model": "m", "messages": [], "pad": ""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, 20 * LIMIT], ids=["at the limit", "one over", "far over"])
def test_the_limit(talk, up, size, chunked):
    """O1: 413 as soon as it is clear, with the limit and the setting's name; at the limit it is let through."""
    body = body_of(size)
    assert len(body) == size
    pieces = (body[at : at + 65536] for at in range(0, size, 65536))
    headers = {"transfer-encoding": "chunked"} if chunked else {"content-length": str(size)}
    try:
        answer = talk.send("POST", CHAT, pieces if chunked else body, headers, chunked=chunked)
    except (BrokenPipeError, ConnectionResetError):
        assert size == 20 * LIMIT, "only while we were still sending what nobody wants"
        return
    if size == LIMIT:
        assert answer.status == 200
        return
    assert answer.status == 413
    assert "0.2 MB" in answer.error["message"]
    assert "max_request_size_mb" in answer.error["message"]
    assert answer.headers["connection"] == "close"
    assert up.requests == []


def test_the_limit_is_told_before_the_body_is_sent(talk):
    """O1: to a client that asks with Expect: 100-continue, and to one that only says how much will come."""
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {10 * LIMIT}\r\n"
    for expect in ("", "Expect: 100-continue\r\n"):
        assert talk.raw(f"{head}{expect}\r\n".encode()).startswith(b"HTTP/1.1 413 ")


# --- paths and methods ---------------------------------------------------------------------------------------------------

ELSEWHERE = [
    ("POST", "/", 405), ("GET", "/nothing", 404), ("POST", "/v1/nothing", 404), ("POST", "/v1/chat/completions/x", 404),
    ("POST", "//v1/chat/completions", 404), ("POST", "/V1/chat/completions", 404), ("GET", "/v1/../etc/passwd", 404),
    ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404), ("GET", "/v1/models/%00", 404), ("GET", "/v1/models/nope", 404),
    ("GET", CHAT, 405), ("PUT", CHAT, 405), ("DELETE", CHAT, 405), ("PATCH", CHAT, 405), ("POST", "/v1/models", 405),
    ("POST", "/health/liveliness", 405), ("DELETE", "/v1/models/m", 405), ("TRACE", CHAT, 405),
]  # fmt: skip


@pytest.mark.parametrize("path", [CHAT, "/v1/embeddings"])
def test_what_is_nested_too_deeply_is_the_clients_error(talk, path):
    """What can still be read, but not be written further down the stack, is no error of ours."""
    seen = set()
    for depth in range(960, 1000):
        deep = "[" * depth + "]" * depth
        answer = talk.post(f'{{"model": "m", "messages": [], "input": "x", "deep": {deep}}}', path=path)
        seen.add(answer.status)
        assert answer.status == 200 or answer.error["type"] == "invalid_request_error", answer.body
    assert seen == {200, 400}


@pytest.mark.parametrize(("method", "path", "status"), ELSEWHERE)
def test_wrong_paths_and_methods(talk, up, method, path, status):
    """404 and 405 in the same shape; 405 says what is allowed."""
    answer = talk.send(method, path, b"{}" if method in ("POST", "PUT", "PATCH") else None)
    assert answer.status == status
    assert answer.error["message"]
    if status == 405:
        assert answer.headers["allow"]
        assert method not in answer.headers["allow"].split(", ")
    assert up.requests == []


def test_head(talk):
    """HEAD is GET without the body, and where there is no GET it is not allowed."""
    for path in ("/health/liveliness", "/v1/models"):
        wanted, got = talk.get(path), talk.send("HEAD", path)
        assert (got.status, got.body) == (200, b"")
        assert got.headers["content-length"] == wanted.headers["content-length"]
    answer = talk.send("HEAD", CHAT)
    assert (answer.status, answer.body) == (405, b"")


@pytest.mark.parametrize("key", [KEY, None], ids=["key", "no key"])
@pytest.mark.parametrize("path", [CHAT, "/v1/models", "/nothing"])
def test_preflight(gateway, path, key):
    """A browser asks before it sends, without a key."""
    asks = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, x-litellm-timeout",
    }
    answer = Talk(gateway, key).send("OPTIONS", path, headers=asks)
    assert answer.status in (200, 204)
    assert answer.headers["access-control-allow-origin"] in ("*", "https://app.example")
    assert re.search(r"\*|POST", answer.headers["access-control-allow-methods"])
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed, "a * does not stand for it"
    assert "access-control-allow-credentials" not in answer.headers, "with any origin that would be a hole"


def test_cors_of_answers(talk):
    """A browser may read answers and errors, and their headers; others get no such headers."""
    origin = {"origin": "https://app.example"}
    for answer in (talk.chat(headers=origin), talk.chat(model="nope", headers=origin)):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == "*"
        assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-origin" not in talk.chat().headers


def test_content_types_are_not_asked_for(talk):
    """JSON is JSON under any name; many clients send none."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8", None):
        assert talk.chat(headers={"content-type": kind}).status == 200
