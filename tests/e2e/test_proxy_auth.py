"""Which keys open the gateway, in which headers, and what is said to those who have none. F5: it never repeats one."""

import pytest
from tests.e2e.talk import CHAT, KEY, Talk, deployment
from tests.processes import Gateway

WRONG = "sk-canary-wrong-key-00001"

# In order of precedence.
HEADERS = ["x-litellm-api-key", "authorization", "api-key", "x-api-key", "x-goog-api-key", "ocp-apim-subscription-key"]


@pytest.fixture(scope="module")
def gateway(module_upstream):
    config = f"model_list:\n{deployment('m', module_upstream)}general_settings: {{master_key: {KEY}}}\n"
    with Gateway(config, args=["--host", "127.0.0.1"]) as server:
        yield server
    assert "canary" not in server.stderr, "F5"
    assert KEY not in server.stderr, "F5"
    assert "Traceback" not in server.stderr


@pytest.fixture
def nobody(gateway, up):
    return Talk(gateway, key=None)


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("prefix", ["", "Bearer "], ids=["bare", "bearer"])
def test_each_header_opens(nobody, up, name, prefix):
    """vendors' clients put the key in different places; Authorization alone insists on Bearer."""
    answer = nobody.chat(headers={name: prefix + KEY})
    if name == "authorization" and not prefix:
        assert answer.status == 401
        assert "Malformed API Key" in answer.error["message"]
        assert "`Bearer `" in answer.error["message"]
        return
    assert answer.status == 200
    assert KEY not in str(up.requests[0].headers), "F1: our key is not the upstream's"


@pytest.mark.parametrize(("first", "second"), [*zip(HEADERS, HEADERS[1:], strict=False)])
def test_precedence(nobody, first, second):
    """The first header that is there decides, right or wrong."""
    prefix = "Bearer "
    assert nobody.chat(headers={first: prefix + KEY, second: prefix + WRONG}).status == 200
    refused = nobody.chat(headers={first: prefix + WRONG, second: prefix + KEY})
    assert refused.status == 401


REFUSED = {
    "nothing": ({}, "No api key passed in"),
    "wrong": ({"authorization": f"Bearer {WRONG}"}, "Invalid proxy server token"),
    "wrong, elsewhere": ({"x-api-key": WRONG}, "Invalid proxy server token"),
    "empty": ({"authorization": ""}, "Malformed API Key"),
    "only the word": ({"authorization": "Bearer"}, "Malformed API Key"),
    "the word and a space": ({"authorization": "Bearer "}, None),
    "empty, elsewhere": ({"api-key": ""}, None),
    "basic": ({"authorization": "Basic c2stY2FuYXJ5OnB3"}, "Malformed API Key"),
    "the key's beginning": ({"authorization": f"Bearer {KEY[:-1]}"}, "Invalid proxy server token"),
    "the key and more": ({"authorization": f"Bearer {KEY}x"}, "Invalid proxy server token"),
    "another case": ({"authorization": f"Bearer {KEY.upper()}"}, "Invalid proxy server token"),
    "twice the word": ({"authorization": f"Bearer Bearer {KEY}"}, "Invalid proxy server token"),
    "not ASCII": ({"authorization": "Bearer sk-canary-\xe9\xff"}, "Invalid proxy server token"),
    "very long": ({"authorization": "Bearer sk-canary" + "x" * 30_000}, "Invalid proxy server token"),
    "SQL": ({"authorization": "Bearer sk-canary' OR '1'='1"}, "Invalid proxy server token"),
}


@pytest.mark.parametrize(("headers", "said"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("where", ["chat", "models"])
def test_refused(nobody, up, headers, said, where):
    """F5: 401 in OpenAI's shape, with what to do, without the key, and nothing reaches an upstream."""
    answer = nobody.chat(headers=headers) if where == "chat" else nobody.get("/v1/models", headers=headers)
    assert answer.status == 401
    error = answer.error
    assert error["type"] == "auth_error"
    assert error["message"].startswith("Authentication Error, ")
    assert said is None or said in error["message"]
    assert answer.headers["www-authenticate"] == "Bearer"
    for sink in (answer.body.decode("latin-1"), str(answer.headers)):
        assert "canary" not in sink
        assert KEY[:12] not in sink
    assert up.requests == []


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_in_any_case(nobody, scheme):
    """RFC 7235: schemes have no case, and one space more does no harm."""
    assert nobody.chat(headers={"authorization": f"{scheme} {KEY}"}).status == 200


def test_the_key_comes_before_the_body(nobody):
    """Who has no key learns nothing about what is wrong with the rest."""
    for body in (b"{", b"", b'{"model": "nope", "messages": []}'):
        assert nobody.post(body).status == 401
    assert nobody.get("/v1/models/m").status == 401
    assert nobody.get("/v1/models/nope").status == 401


def test_the_query_is_no_place_for_a_key(nobody):
    """F5: URLs end up in logs."""
    assert nobody.chat(path=f"{CHAT}?key={KEY}&api_key={KEY}").status == 401


@pytest.mark.parametrize("path", ["/health/liveliness", "/health/liveness", "/health/readiness"])
def test_probes_need_none(nobody, up, path):
    """O15: and they call no model."""
    answer = nobody.get(path)
    assert answer.status == 200
    assert up.requests == []


def test_without_a_master_key_anybody_is_let_in(module_upstream, up):
    """With any key or none; a malformed one too."""
    with Gateway(f"model_list:\n{deployment('m', module_upstream)}") as gateway:
        for headers in ({}, {"authorization": "whatever"}, {"x-api-key": WRONG}):
            assert Talk(gateway, None).chat(headers=headers).status == 200
        assert "canary" not in gateway.stderr
    assert all(seen.headers["authorization"] == "Bearer sk-key-of-the-upstream" for seen in up.requests)
