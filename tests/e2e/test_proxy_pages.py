"""What a person finds who opens the gateway in a browser, and a program that asks for its description. How it looks there:
tests/pages."""

from __future__ import annotations

import http.client
import json
import re

import pytest
from tests.processes import Gateway, run_python

from litellm.operations import OPERATIONS

KEY = "sk-a-key-that-is-long-enough-for-anything"
CONFIG = f"""
model_list:
  - model_name: secret-model-name
    litellm_params: {{model: mock/chat}}
general_settings:
  master_key: {KEY}
"""


@pytest.fixture(scope="module")
def gateway():
    with Gateway(config=CONFIG, args=["--host", "127.0.0.1"]) as gateway:
        yield gateway


def ask(gateway, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body.decode()


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json"])
def test_pages_need_no_key_and_name_no_model(gateway, path):
    answer, body = ask(gateway, path)
    assert answer.status == 200
    assert "chat" in body or path == "/docs"  # which asks for the description
    assert "secret-model-name" not in body


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_may_load_nothing_from_elsewhere(gateway, path):
    answer, body = ask(gateway, path)
    policy = answer.headers.get_all("content-security-policy")
    assert any(each.startswith("default-src 'none'") for each in policy)
    assert not re.search(r"(src|href)=.?(https?:)?//", body)


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/docs/docs.js"])
def test_head_of_a_page(gateway, path):
    answer, body = ask(gateway, path, "HEAD")
    assert (answer.status, body) == (200, "")
    assert answer.headers["content-length"] == ask(gateway, path)[0].headers["content-length"] != "0"


def test_the_description_has_hot_routes_as_they_are_served(gateway):
    paths = json.loads(ask(gateway, "/openapi.json")[1])["paths"]
    for row in OPERATIONS:
        (method,) = paths[f"/v1{row.path}"]
        asked = paths[f"/v1{row.path}"][method]["requestBody"]["content"]["application/json"]["schema"]
        assert method == row.method.lower()
        assert row.subject.name in asked["required"]
        assert ("model" in asked["required"]) is not row.model_optional
        assert ask(gateway, f"/v1{row.path}", row.method)[0].status == 401  # served, with a key


def test_references_in_the_description_lead_somewhere(gateway):
    text = ask(gateway, "/openapi.json")[1]
    schemas = json.loads(text)["components"]["schemas"]
    assert {name for name in re.findall(r'"#/components/schemas/([^"]+)"', text)} <= schemas.keys()


@pytest.mark.parametrize("path", ["/docs/docs.js", "/docs/swagger-ui/swagger-ui.css"])
def test_what_pages_load_is_here(gateway, path):
    assert ask(gateway, path)[0].status == 200


@pytest.mark.parametrize("path", ["/docs/../app.py", "/docs/%2e%2e/home.py", "/docs/..%2fhome.py", "/docs/nothing",
                                  "/docs/home.html", "/docs/docs.html", "/docs/pages/home.html"])  # fmt: skip
def test_files_beside_them_are_not(gateway, path):
    assert ask(gateway, path)[0].status == 404


def test_what_is_cold_is_not_imported_until_it_is_asked_for(tmp_path):
    code = """
import sys
from litellm.proxy.app import App
from litellm.proxy.config import load_config
from litellm.proxy.state import build
app = App(build(load_config("config.yaml")))
cold = {"fastapi", "starlette", "websockets", "multipart", "litellm.server.asgi", "litellm.server.websocket"}
print(*sorted(cold & sys.modules.keys()))
"""
    (tmp_path / "config.yaml").write_text("model_list: []\n", encoding="utf-8")
    ran = run_python(code, cwd=tmp_path)
    assert (ran.stdout, ran.stderr) == ("\n", "")
