"""curl, as documentation and bug reports have it."""

from __future__ import annotations

import json
import subprocess

import pytest
from tests.clients.client import KEY, MODEL
from tests.fakes import behaviour as act

CHAT = """
curl -sS http://localhost:4000/v1/chat/completions \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $GATEWAY_KEY" \\
  -d '{
    "model": "MODEL",
    "messages": [{"role": "user", "content": "Grüezi"}]
  }'
"""
BESIDE_CHAT = {
    "completions": '{"model": "MODEL", "prompt": "Once upon"}',
    "embeddings": '{"model": "MODEL", "input": ["one", "two"]}',
    "moderations": '{"model": "MODEL", "input": "I like you."}',
}


@pytest.fixture
def sh(base, tmp_path):
    def run(command: str, key: str = KEY) -> str:
        text = command.replace("http://localhost:4000/v1", base).replace("MODEL", MODEL)
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", "GATEWAY_KEY": key}
        done = subprocess.run(["/bin/sh", "-e", "-c", text], env=env, capture_output=True, encoding="utf-8", timeout=20)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_plain(sh, up):
    answer = json.loads(sh(CHAT))
    assert (answer["model"], answer["choices"][0]["message"]["content"]) == (MODEL, "Hello from upstream.")
    assert up.requests[0].json["messages"] == [{"role": "user", "content": "Grüezi"}]


def test_without_a_content_type(sh, up):
    """Then curl says that the body is a form."""
    assert json.loads(sh(CHAT.replace('-H "Content-Type: application/json"', "")))["model"] == MODEL


def test_headers(sh, up):
    head, _, body = sh(CHAT.replace("-sS", "-sSi")).partition("\n\n")
    assert head.startswith("HTTP/1.1 200 OK")
    assert f"x-litellm-model-group: {MODEL}" in head
    assert json.loads(body)["model"] == MODEL


@pytest.mark.parametrize("version", ["--http1.0", "--http1.1", "--http2"])
def test_versions_of_http(sh, up, version):
    """curl asks for HTTP/2 by offering an upgrade, which a server may leave aside."""
    assert json.loads(sh(CHAT.replace("-sS", f"-sS {version}")))["model"] == MODEL


def test_streamed(sh, up):
    """With -N curl shows each event when it comes."""
    said = sh(CHAT.replace("-sS", "-sSN").replace('"MODEL",', '"MODEL", "stream": true,'))
    *events, done, end = said.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert (text, {chunk["model"] for chunk in chunks}) == ("Hello from upstream.", {MODEL})


def test_a_stream_that_breaks(sh, up):
    up.next(act.cut(after=3))
    said = sh(CHAT.replace('"MODEL",', '"MODEL", "stream": true,'))
    *_, error, done, _ = said.split("\n\n")
    assert "closed the connection" in json.loads(error.removeprefix("data: "))["error"]["message"]
    assert done == "data: [DONE]"


def test_trailing_comma(sh, up):
    """Decision 1: a 400 that says where; much documentation has such a comma."""
    said = sh(CHAT.replace('"Grüezi"}]', '"Grüezi"}],').replace("-sS", '-sS -w "%{http_code}"'))
    assert said.endswith("400")
    error = json.loads(said.removesuffix("400"))["error"]
    assert error["message"].startswith("Invalid JSON payload: JSON is malformed: trailing comma in object at line ")
    assert (error["param"], error["code"]) == ("request_body", "400")
    assert up.requests == []


@pytest.mark.parametrize(
    ("command", "key", "status"),
    [(CHAT, "sk-somebody-elses-key", 401), (CHAT.replace("MODEL", "unheard-of"), KEY, 400)],
    ids=["wrong key", "unknown model"],
)
def test_errors(sh, up, command, key, status):
    said = json.loads(sh(command, key))
    assert said["error"]["code"] == str(status)
    assert up.requests == []


@pytest.mark.parametrize("path", BESIDE_CHAT)
def test_beside_chat(sh, up, path):
    command = f"""curl -sS --fail http://localhost:4000/v1/{path} -H "Authorization: Bearer $GATEWAY_KEY" \\
        -H "Content-Type: application/json" -d '{BESIDE_CHAT[path]}'"""
    answer = json.loads(sh(command))
    assert answer["model"] == MODEL
    assert up.requests[0].path == f"/v1/{path}"
