"""R2, R3: names, deployments that share them, wildcards, aliases; retries and fallbacks, of the server and of the
client; and per-request clocks."""

import time
from collections import Counter

import pytest
from tests.e2e.talk import HI, KEY, Talk, deployment
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.processes import Gateway


@pytest.fixture(scope="module")
def second():
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(module_upstream, second):
    one, two = module_upstream, second
    config = f"""
model_list:
{deployment("m", one)}{deployment("n", one)}{deployment("big", one)}{deployment("rescue", two)}
{deployment("pair", one, model="openai/p1")}{deployment("pair", two, model="openai/p2")}
{deployment("weighted", one, model="openai/w1", weight=3)}{deployment("weighted", two, model="openai/w2", weight=1)}
{deployment("unfair", one, model="openai/u1", weight=1)}{deployment("unfair", two, model="openai/u2", weight=0)}
{deployment("ordered", two, model="openai/o2", order=2)}{deployment("ordered", one, model="openai/o1", order=1)}
{deployment("hasty", one, timeout=0.15, info={"id": "the-hasty-one"})}{deployment("stubborn", one, max_retries=2)}
{deployment("team/*", one, model="openai/*")}{deployment("team/special/*", two, model="openai/special-*")}
{deployment("openai/*", two, model="openai/*")}
litellm_settings:
  fallbacks: [{{m: [n, rescue]}}]
  context_window_fallbacks: [{{m: [big]}}]
  default_fallbacks: [rescue]
router_settings:
  num_retries: 1
  model_group_alias: {{gpt-4: m, secret-name: {{model: m, hidden: true}}}}
general_settings: {{master_key: {KEY}}}
"""
    with Gateway(config, args=["--host", "127.0.0.1"]) as server:
        yield server
    assert "Traceback" not in server.stderr


@pytest.fixture
def other(second, up):
    second.requests.clear()
    second.models.clear()
    second._next.clear()
    second.default = act.Behaviour()
    return second


@pytest.fixture
def talk(gateway, up, other):
    return Talk(gateway)


def models_seen(*upstreams):
    return [seen.fields["model"] for upstream in upstreams for seen in upstream.requests]


# --- names ---------------------------------------------------------------------------------------------------------------


def test_the_list_of_models(talk):
    """The names of the file in its order, aliases, wildcards as they stand; hidden aliases are left out."""
    listed = talk.get("/v1/models").json()
    names = [model["id"] for model in listed["data"]]
    assert names[:3] == ["m", "n", "big"]
    assert len(names) == len(set(names))
    assert {"pair", "team/*", "openai/*", "gpt-4"} <= set(names)
    assert "secret-name" not in names
    assert listed["object"] == "list"
    assert listed["data"][0] == {"id": "m", "object": "model", "created": 1677610602, "owned_by": "openai"}
    assert talk.get("/models").json() == listed
    assert talk.get("/v1/models/m").json() == listed["data"][0]
    assert talk.get("/v1/models/team/llama-3").json()["id"] == "team/llama-3"
    assert talk.get("/v1/models/team%2Fllama-3").json()["id"] == "team/llama-3"


@pytest.mark.parametrize(
    ("asked", "upstream_model", "at_second"),
    [
        ("m", "m", False), ("gpt-4", "m", False), ("secret-name", "m", False), ("the-hasty-one", "hasty", False),
        ("team/llama-3", "llama-3", False), ("team/a/b:c", "a/b:c", False), ("team/special/x", "special-x", True),
        ("openai/gpt-5", "gpt-5", True), ("openai/ft:gpt-4o:acme::1", "ft:gpt-4o:acme::1", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_names_and_where_they_lead(talk, up, other, asked, upstream_model, at_second, stream):
    """Group, alias, deployment id, the longest wildcard; the answer carries the name that was asked for."""
    answer = talk.chat(model=asked, stream=stream)
    assert answer.status == 200, answer.body
    models = {event["model"] for event in answer.events} if stream else {answer.json()["model"]}
    assert models == {asked}, "decision 5"
    there, elsewhere = (other, up) if at_second else (up, other)
    assert models_seen(there) == [upstream_model]
    assert elsewhere.requests == []


# --- several deployments -------------------------------------------------------------------------------------------------

MANY = 200


def share(talk, name):
    """Who answered MANY requests for `name`, by the upstream's own name for the model."""
    return Counter(talk.chat(model=name).headers["x-litellm-model-name"] for _ in range(MANY))


def test_a_pair_shares_the_traffic(talk, up, other):
    """simple-shuffle; the bounds are five standard deviations."""
    shares = share(talk, "pair")
    assert shares.keys() == {"p1", "p2"}
    assert MANY / 2 - 35 <= shares["p1"] <= MANY / 2 + 35
    assert (len(up.requests), len(other.requests)) == (shares["p1"], shares["p2"])


def test_weights(talk):
    """Three to one, and none at all for a weight of 0."""
    shares = share(talk, "weighted")
    assert MANY / 4 - 31 <= shares["w2"] <= MANY / 4 + 31
    assert share(talk, "unfair") == {"u1": MANY}


def test_order(talk, up, other):
    """The lowest order gets everything while it works; the next takes over when it does not."""
    assert {talk.chat(model="ordered").headers["x-litellm-model-name"] for _ in range(20)} == {"o1"}
    up.default = act.error(503)
    answer = talk.chat(model="ordered")
    assert answer.headers["x-litellm-model-name"] == "o2"
    assert answer.headers["x-litellm-attempted-retries"] == "1"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "fault", [act.error(500), act.error(429), act.hang_up(), act.reset(), act.bad_json(), act.html(), act.cut(0), act.empty()],
    ids=["500", "429", "closed", "reset", "no JSON", "HTML", "cut", "empty"],
)  # fmt: skip
def test_a_failing_member_of_a_pair_is_made_up_for(talk, up, other, fault, stream):
    """R1, R3: the retry goes to the other one, at once, and its client never notices."""
    up.default = fault
    started = time.monotonic()
    for _ in range(6):
        answer = talk.chat(model="pair", stream=stream, disable_fallbacks=True)
        assert answer.status == 200, answer.body
        assert (answer.streamed_text if stream else answer.text) == "Hello from upstream."
    assert len(other.requests) == 6
    assert time.monotonic() - started < 2, "another deployment needs no pause"


def test_tags_of_a_header(up):
    """They choose among the deployments like those of the body."""
    models = "".join(deployment("tagged", up, model=f"openai/{tag}", tags=[tag]) for tag in ("blue", "red"))
    config = f"model_list:\n{models}router_settings: {{enable_tag_filtering: true}}\n"
    with Gateway(f"{config}general_settings: {{master_key: {KEY}}}\n", args=["--host", "127.0.0.1"]) as server:
        for tag in ("blue", "red") * 3:
            assert Talk(server).chat(model="tagged", headers={"x-litellm-tags": f" {tag} ,other"}).status == 200
    assert [asked.fields["model"] for asked in up.requests] == ["blue", "red"] * 3


# --- retries -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "fields", "headers", "tries"),
    [
        ("n", {}, {}, 2),
        ("n", {"stream": True}, {}, 2),
        ("n", {"num_retries": 0}, {}, 1),
        ("n", {"num_retries": 2, "stream": True}, {}, 3),
        ("n", {}, {"x-litellm-num-retries": "0"}, 1),
        ("n", {"stream": True}, {"x-litellm-num-retries": "0"}, 1),
        ("n", {}, {"x-litellm-num-retries": "2"}, 3),
        ("stubborn", {}, {}, 3),
        ("stubborn", {"num_retries": 0}, {}, 1),
    ],
)
def test_retries(talk, up, model, fields, headers, tries):
    """R3: exactly n + 1 requests: by the server's setting, the deployment's, the request's field or header."""
    up.default = act.error(503, retry_after=0)
    answer = talk.chat(model=model, headers=headers, disable_fallbacks=True, **fields)
    assert answer.status == 503
    assert answer.error["message"]
    assert len(up.requests) == tries


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_is_not_retried(talk, up, status):
    """R3: a request that is wrong stays wrong."""
    up.default = act.error(status)
    assert talk.chat(model="n", num_retries=3, disable_fallbacks=True).status == status
    assert len(up.requests) == 1


def test_a_client_cannot_ask_for_endless_retries(talk, up):
    """F1: its number is bounded."""
    up.default = act.error(503, retry_after=0)
    started = time.monotonic()
    talk.chat(model="n", num_retries=10**9, timeout=0.7, disable_fallbacks=True)
    assert time.monotonic() - started < 3
    assert len(up.requests) <= 11


# --- fallbacks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_fallbacks(talk, up, other, stream):
    """In order; the answer carries the name of the group that gave it (decision 5), and says how many it took."""
    up.models["m"] = act.error(500, retry_after=0)
    answer = talk.chat(stream=stream)
    assert answer.headers["x-litellm-attempted-fallbacks"] == "1"
    assert answer.headers["x-litellm-model-group"] == "n"
    assert {event["model"] for event in answer.events} == {"n"} if stream else answer.json()["model"] == "n"
    assert models_seen(up) == ["m", "m", "n"]

    up.models["n"] = act.error(500, retry_after=0)
    answer = talk.chat(stream=stream, num_retries=0)
    assert answer.headers["x-litellm-attempted-fallbacks"] == "2"
    assert answer.headers["x-litellm-model-group"] == "rescue"
    assert models_seen(other) == ["rescue"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_way_back_to_an_alias(talk, up, stream):
    """Fallbacks of a group hold for its aliases too."""
    up.models["m"] = act.error(500, retry_after=0)
    answer = talk.chat(model="gpt-4", stream=stream, num_retries=0)
    assert answer.headers["x-litellm-model-group"] == "n"


def test_default_fallbacks(talk, up, other):
    """For every group that has none of its own."""
    up.models["n"] = act.error(500, retry_after=0)
    answer = talk.chat(model="n")
    assert answer.headers["x-litellm-model-group"] == "rescue"
    assert models_seen(up, other) == ["n", "n", "rescue"]


def test_a_name_that_nobody_serves(talk, other):
    """Goes to the default fallbacks, where there are any."""
    answer = talk.chat(model="nobody")
    assert (answer.status, answer.headers["x-litellm-model-group"]) == (200, "rescue")
    assert models_seen(other) == ["rescue"]
    assert talk.chat(model="nobody", disable_fallbacks=True).status == 400


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("fallbacks", act.error(500)),
        ("context_window_fallbacks", act.error(400, "too long", code="context_length_exceeded")),
        ("content_policy_fallbacks", act.error(400, "refused", code="content_filter")),
    ],
)
def test_a_requests_own_tables(talk, up, kind, fault):
    """LiteLLM's usual form is obeyed, for each kind, and not sent on."""
    up.models["m"] = fault
    answer = talk.chat(num_retries=0, **{kind: [{"m": ["pair"]}]})
    assert (answer.status, answer.headers["x-litellm-model-group"]) == (200, "pair")
    assert kind not in up.requests[0].fields
    refused = talk.chat(**{kind: [{"m": ["gone"]}]})
    assert (refused.status, "gone" in refused.error["message"]) == (400, True)


@pytest.mark.parametrize("stream", [False, True])
def test_context_window_fallbacks(talk, up, stream):
    """A prompt that is too long goes to those for that, without a retry; other 400s do not."""
    up.models["m"] = act.error(400, "This model's maximum context length is 8 tokens.", code="context_length_exceeded")
    answer = talk.chat(stream=stream)
    assert answer.status == 200
    assert answer.headers["x-litellm-model-group"] == "big"
    assert models_seen(up) == ["m", "big"]


@pytest.mark.parametrize("stream", [False, True])
def test_all_fallbacks_fail(talk, up, other, stream):
    """G3: the last error's status, and a text that says what was tried."""
    up.default = act.error(500, retry_after=0)
    other.default = act.error(429, retry_after=0)
    answer = talk.chat(stream=stream, num_retries=0)
    assert answer.status == 429
    assert "all fallbacks failed too" in answer.error["message"]
    assert models_seen(up, other) == ["m", "n", "rescue"]


@pytest.mark.parametrize("value", [True, "true"])
@pytest.mark.parametrize("stream", [False, True])
def test_disable_fallbacks(talk, up, other, stream, value):
    """A client can do without."""
    up.models["m"] = act.error(500, retry_after=0)
    assert talk.chat(stream=stream, disable_fallbacks=value, num_retries=0).status == 500
    assert models_seen(up, other) == ["m"]


@pytest.mark.parametrize("stream", [False, True])
def test_fallbacks_of_the_client(talk, up, other, stream):
    """Instead of the server's, also with other parameters; names it may not use are no way around."""
    up.models["m"] = act.error(500, retry_after=0)
    answer = talk.chat(stream=stream, num_retries=0, fallbacks=["big"])
    assert answer.headers["x-litellm-model-group"] == "big"
    answer = talk.chat(
        stream=stream, num_retries=0, fallbacks=[{"model": "big", "temperature": 0.5, "messages": HI * 2}]
    )
    assert answer.status == 200
    assert (up.requests[-1].fields["temperature"], up.requests[-1].fields["messages"]) == (0.5, HI * 2)
    assert talk.chat(stream=stream, num_retries=0, fallbacks=["nowhere"]).status in (400, 500)


def test_a_stream_that_breaks_after_its_first_word_is_not_fallen_back_from(talk, up, other):
    """R1, S4: the client has seen words of one model; it is told, inside the stream, and gets no words of another."""
    up.models["m"] = act.cut(after=4, text="one two three four")
    answer = talk.chat(stream=True)
    assert answer.status == 200
    *chunks, error = answer.events
    assert error["error"]["message"]
    assert error["error"]["code"] == "500"
    assert "one" in "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert not any(chunk["choices"][0]["finish_reason"] for chunk in chunks), "never a synthetic stop"
    assert models_seen(up, other) == ["m"]


# --- clocks --------------------------------------------------------------------------------------------------------------


CLOCKS = [  # for streams only, model, fields, headers
    (False, "n", {"timeout": 0.2}, {}),
    (False, "n", {"timeout": "0.2"}, {}),
    (False, "n", {}, {"x-litellm-timeout": "0.2"}),
    (False, "hasty", {}, {}),
    (True, "n", {"stream_timeout": 0.2}, {}),
    (True, "n", {}, {"x-litellm-stream-timeout": "0.2"}),
]


@pytest.mark.parametrize(
    ("stream", "model", "fields", "headers"),
    [(stream, *rest) for only_streams, *rest in CLOCKS for stream in ([True] if only_streams else [False, True])],
)
def test_timeouts(talk, up, stream, model, fields, headers):
    """S6: 408, soon, with a text that says which clock; the upstream sees the connection close."""
    up.default = act.hang()
    started = time.monotonic()
    answer = talk.chat(model=model, headers=headers, stream=stream, num_retries=0, disable_fallbacks=True, **fields)
    assert answer.status == 408
    assert time.monotonic() - started < 1.5
    assert "0.2 s" in answer.error["message"] or "0.15 s" in answer.error["message"]
    up.wait_for(lambda: up.requests[0].aborted_at)


def test_a_request_may_be_more_patient_than_the_deployment(talk, up):
    """The client's own clock comes first, whichever is longer."""
    up.default = act.answer(delay=0.3)
    assert talk.chat(model="hasty", num_retries=0, disable_fallbacks=True).status == 408
    assert talk.chat(model="hasty", timeout=5, num_retries=0, disable_fallbacks=True).status == 200


def test_a_stream_that_falls_silent(talk, up):
    """S6: told inside the stream, with the clock's name."""
    up.default = act.stall(after=4, text="one two three four")
    answer = talk.chat(model="n", stream=True, timeout=0.3)
    error = answer.events[-1]["error"]
    assert error["code"] == "408"
    assert "0.3 s" in error["message"]
    up.wait_for(lambda: up.requests[0].aborted_at)
