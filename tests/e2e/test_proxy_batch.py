"""C17, decision 6, seed 003: one request for several models, `"model": "a,b"`. Each part is a call of its own, and the list
has the order of the names."""

import json
import subprocess
import time

import openai
import pytest
from tests.e2e.asking import ASKED, ask
from tests.e2e.talk import CHAT, HI, KEY, Talk
from tests.fakes import behaviour as act
from tests.processes import Gateway
from tests.suite.inprocess import ServedProxy, deployment

OURS, THEIRS = "sk-canary-of-the-server", "sk-canary-of-a-client"
PLUG_INS = """
from pathlib import Path

from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import UserAPIKeyAuth


class Logger(CustomLogger):
    def _tell(self, *words):
        with open(Path(__file__).with_name("said.txt"), "a", encoding="utf-8") as said:
            print(*words, file=said)

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self._tell("success", kwargs["model"], kwargs["litellm_call_id"])

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self._tell("failure", kwargs["model"], kwargs["litellm_call_id"])


logger = Logger()


async def custom_auth(request, api_key):
    return UserAPIKeyAuth(api_key=api_key, models=["a", "b"] if api_key == "sk-limited" else [])
"""


def config_of(up, **general):
    def at_up(name, **params):
        return deployment(name, f"openai/{name}", api_base=up.base, api_key=OURS, **params)

    return {
        "model_list": [
            at_up("a"), at_up("b"), at_up("rescue"), at_up("once", rpm=1), at_up("exact,name"), at_up("falling"),
            deployment("*", "openai/*", api_base=up.base + "/wild", api_key=OURS),
        ],
        "litellm_settings": {"num_retries": 0, "fallbacks": [{"falling": ["rescue"]}]},
        "router_settings": {"model_group_alias": {"an,alias": "a"}},
        "general_settings": {"master_key": KEY, "client_side_hosts": [f"127.0.0.1:{up.port}"], **general},
    }  # fmt: skip


@pytest.fixture(scope="module")
def served(module_upstream):
    with ServedProxy(config_of(module_upstream)) as proxy:
        yield proxy


@pytest.fixture
def talk(served, up):
    return Talk(served)


def texts_of(answer):
    return [part["choices"][0]["message"]["content"] for part in answer.json()]


def models_of(answer):
    return [part.get("model") for part in answer.json()]


def asked_for(up):
    return sorted(seen.fields["model"] for seen in up.requests)


# --- the list ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["a,b", "b,a", " a , b ", "a,b,a", "a,a", "once-no,a", "b,falling,a", "a,team/x:7b"])
def test_one_for_each_name_in_their_order(talk, up, model):
    """C17, decision 5: whichever answers first; with the names that were asked for."""
    names = [name.strip() for name in model.split(",")]
    for place, name in enumerate(names):
        up.models[name] = act.answer(f"I am {name}", delay=0.05 * (len(names) - place), model="upstreams-own-name")
    answer = talk.chat(model=model)
    assert answer.status == 200
    assert models_of(answer) == names
    assert texts_of(answer) == [f"I am {name}" for name in names]
    assert len(up.requests) == len(names)
    assert {seen.fields["messages"][0]["content"] for seen in up.requests} == {"hi"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-litellm-call-id"]
    assert answer.headers["x-litellm-version"]


def test_they_are_asked_at_once(talk, up):
    """C17: the whole takes as long as the slowest."""
    up.default = act.answer(delay=0.3)
    started = time.monotonic()
    assert len(talk.chat(model="a,b,a,b,a,b,a,b,a,b,a,b,a,b,a,b").json()) == 16
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("model", ["exact,name", "an,alias"])
def test_a_name_with_a_comma(talk, up, model):
    """C17: what is configured as it stands is that, and may be streamed."""
    assert talk.chat(model=model).json()["model"] == model
    assert talk.chat(model=model, stream=True).streamed_text == "Hello from upstream."


def test_a_wildcard_does_not_swallow_the_list(talk, up):
    """C17: `*` answers each of the names, and not the list as one."""
    assert models_of(talk.chat(model="x,y")) == ["x", "y"]
    assert asked_for(up) == ["x", "y"]


@pytest.mark.parametrize("model", [",", "a,", ",a", "a,,b", "a, ,b", ",".join("a" * 17)])
def test_lists_that_are_none(talk, up, model):
    """C17: no empty names, and sixteen at the most."""
    answer = talk.chat(model=model)
    assert (answer.status, answer.error["param"]) == (400, "model")
    assert up.requests == []


@pytest.mark.parametrize("fields", [{}, {"fastest_response": True}])
def test_several_are_not_streamed(talk, up, fields):
    """Decision 6: a clear 400."""
    answer = talk.chat(model="a,b", stream=True, **fields)
    assert (answer.status, answer.error["param"]) == (400, "stream")
    assert "several models" in answer.error["message"]
    assert talk.chat(model="a,b", stream=False).status == 200
    assert len(up.requests) == 2


@pytest.mark.parametrize("what", [what for what in ASKED if "chat" not in what])
def test_only_chats_are_sent_to_several(talk, up, what):
    """Elsewhere a comma is a part of a name, which here the wildcard answers."""
    assert ask(talk, what, model="x,y").status == 200
    assert [seen.fields["model"] for seen in up.requests] == ["x,y"]


def test_every_part_has_its_own_body(talk, up):
    """C17: what is sent is the same for all of them but the model."""
    assert talk.chat(model="a,b", temperature=0.5, tools=[], metadata={"x": 1}, extra_body={"top_k": 3}).status == 200
    bodies = [{name: value for name, value in seen.fields.items() if name != "model"} for seen in up.requests]
    assert bodies == [{"messages": HI, "temperature": 0.5, "tools": [], "top_k": 3}] * 2


# --- what fails ----------------------------------------------------------------------------------------------------------


FAILURES = {
    "429": act.error(429, "canary of the upstream"), "500": act.hang_up(), "400": act.error(400, "no"), "502": act.error(502),
}  # fmt: skip


@pytest.mark.parametrize("code", FAILURES)
@pytest.mark.parametrize("place", [0, 1])
def test_one_that_fails(talk, up, code, place):
    """C17: an error object, OpenAI's, in its place; 200, because another has answered."""
    up.models["b"] = FAILURES[code]
    answer = talk.chat(model="a,b" if place else "b,a")
    assert answer.status == 200
    parts = answer.json()
    assert parts[place].keys() == {"error"}
    assert parts[place]["error"].keys() >= {"message", "type", "param", "code"}
    assert parts[place]["error"]["code"] == code
    assert parts[1 - place]["model"] == "a"


def test_all_that_fail(talk, up):
    """Decision 6: the status of the first in the list, and when to come back."""
    up.models |= {"a": act.error(429, retry_after=7, delay=0.1), "b": act.error(500)}
    answer = talk.chat(model="a,b")
    assert answer.status == 429
    assert answer.headers["retry-after"] == "7"
    assert [part["error"]["code"] for part in answer.json()] == ["429", "500"]


def test_unknown_names(module_upstream, up):
    """C17: a name that nobody serves leaves the others be; they are numbered all the same."""
    config = config_of(module_upstream)
    del config["model_list"][-1]
    with ServedProxy(config) as proxy:
        answer = Talk(proxy).chat(model="nobody,a,nowhere")
        assert answer.status == 200
        assert [part.get("model", "-") for part in answer.json()] == ["-", "a", "-"]
        assert "Invalid model name" in answer.json()[0]["error"]["message"]
        both = Talk(proxy).chat(model="nobody,nowhere")
        assert both.status == 400
        assert len(both.json()) == 2
        fastest = Talk(proxy).chat(model="nobody,nowhere", fastest_response=True)
        assert fastest.status == 400
        assert "Invalid model name" in fastest.error["message"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 1, "messages": "hi"}, "messages"),
        ({"timeout": "x"}, "timeout"),
        ({"mock_response": "x"}, "mock_response"),
    ],
)
def test_what_is_wrong_with_all_of_them(talk, up, fields, param):
    """C17: is said once."""
    answer = talk.chat(model="a,b", **fields)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert up.requests == []


# --- each a call of its own ----------------------------------------------------------------------------------------------


def test_each_is_retried_by_itself(talk, up):
    """C17, R3: retries of one are no retries of the other."""
    up.next(act.answer())
    up.models["b"] = act.error(503, retry_after=0)
    assert talk.chat(model="b", num_retries=2).status == 200
    up.requests.clear()
    assert talk.chat(model="a,b", num_retries=2).status == 200
    assert asked_for(up) == ["a", "b", "b", "b"]


def test_each_falls_back_by_itself(talk, up):
    """R2, decision 5: the name is that of the group which has answered in its place."""
    up.models["falling"] = act.error(500)
    answer = talk.chat(model="a,falling,b")
    assert models_of(answer) == ["a", "rescue", "b"]
    up.requests.clear()
    answer = talk.chat(model="falling,a", fallbacks=["b"])
    assert models_of(answer) == ["b", "a"]


def test_each_is_limited_by_itself(talk, up):
    """C17: of a deployment that takes one a minute, the second part is refused and the first is not."""
    parts = talk.chat(model="once,once,a").json()
    assert sorted("error" in part for part in parts) == [False, False, True]
    (refused,) = [part["error"] for part in parts if "error" in part]
    assert refused["code"] == "429"


@pytest.fixture
def plugged(module_upstream, up, tmp_path):
    """A gateway with a logger, and callers of its own."""
    (tmp_path / "mine.py").write_text(PLUG_INS, encoding="utf-8")
    config = config_of(module_upstream, custom_auth="mine.custom_auth")
    config["litellm_settings"]["callbacks"] = ["mine.logger"]
    with ServedProxy(config, folder=tmp_path) as proxy:
        yield proxy


def test_each_is_authorised_by_itself(plugged, up):
    """C17: a key that may use some of them gets those."""
    answer = Talk(plugged, "sk-limited").chat(model="a,rescue,b")
    assert answer.status == 200
    assert models_of(answer) == ["a", None, "b"]
    assert answer.json()[1]["error"]["type"] == "key_model_access_denied"
    assert Talk(plugged, "sk-limited").chat(model="rescue,x").status == 403
    assert asked_for(up) == ["a", "b"]


def test_each_is_told_of_by_itself(plugged, up, tmp_path):
    """C17: one line in the log for each, with an id of its own that begins like the request's."""
    said = tmp_path / "said.txt"
    up.models["b"] = act.error(500)
    assert Talk(plugged, "sk-x").chat(model="a,b", headers={"x-litellm-call-id": "mine"}).status == 200
    up.wait_for(lambda: said.exists() and len(said.read_text(encoding="utf-8").splitlines()) == 2)
    assert sorted(said.read_text(encoding="utf-8").splitlines()) == ["failure b mine-1", "success a mine-0"]


# --- the fastest ---------------------------------------------------------------------------------------------------------


def test_the_fastest(talk, up):
    """One answer, the first that is one; the others' connections are closed."""
    up.models |= {"a": act.hang(), "b": act.answer("I am b", delay=0.1), "rescue": act.error(500)}
    answer = talk.chat(model="a,rescue,b", fastest_response=True)
    assert answer.status == 200
    assert answer.text == "I am b"
    assert answer.json()["model"] == "b"
    assert answer.headers["x-litellm-fastest_response_batch_completion"] == "true"
    assert answer.headers["x-litellm-model-group"] == "b"
    (lost,) = [seen for seen in up.requests if seen.fields["model"] == "a"]
    up.wait_for(lambda: lost.aborted_at)
    assert "fastest_response" not in str(up.requests)


def test_the_fastest_of_none(talk, up):
    """An ordinary error, if all have failed."""
    up.models |= {"a": act.error(429), "b": act.error(500)}
    answer = talk.chat(model="a,b", fastest_response=True)
    assert answer.status == 429
    assert answer.error["message"]


def test_the_fastest_of_one(talk):
    """Means nothing for a single model."""
    assert talk.chat(model="a", fastest_response=True).text == "Hello from upstream."


# --- who goes away -------------------------------------------------------------------------------------------------------


def test_a_client_that_goes_away(talk, up):
    """C17, S8: all parts are let go of; the upstream sees it soon."""
    up.default = act.hang()
    with talk.dial() as line:
        line.sendall(talk.request_bytes(model="a,b,rescue"))
        up.wait_for(lambda: len(up.requests) == 3)
        left = time.monotonic()
    up.wait_for(lambda: all(seen.aborted_at for seen in up.requests))
    assert max(seen.aborted_at for seen in up.requests) - left < 1
    up.default = act.Behaviour()
    assert talk.chat(model="a,b").status == 200


# --- with what clients bring ---------------------------------------------------------------------------------------------


def test_with_a_key_of_ones_own(talk, up):
    """C15: the client's key in all of the parts, and in nothing after them."""
    assert talk.chat(model="a,b", api_key=THEIRS).status == 200
    assert {seen.headers["authorization"] for seen in up.requests} == {f"Bearer {THEIRS}"}
    up.requests.clear()
    assert talk.chat(model="a,b").status == 200
    assert {seen.headers["authorization"] for seen in up.requests} == {f"Bearer {OURS}"}


def test_with_a_place_of_ones_own(talk, up):
    """C16: in each of the parts, and a refusal in each."""
    assert models_of(talk.chat(model="a,openai/unlisted", api_key=THEIRS, api_base=up.base)) == ["a", "openai/unlisted"]
    assert OURS not in str(up.requests)
    assert talk.chat(model="a,b", api_base=up.base).status == 400


def test_with_a_configuration_of_ones_own(talk, up):
    """C13, C17: names of the client's list; an exact one with a comma comes first there, too."""

    def mine(name):
        params = {"model": f"openai/{name.replace(',', '-')}", "api_key": THEIRS, "api_base": up.base}
        return {"model_name": name, "litellm_params": params}

    config = {"model_list": [mine("x"), mine("y"), mine("x,z")]}
    answer = talk.chat(model="x,y,a", user_config=config)
    assert answer.status == 200
    assert models_of(answer) == ["x", "y", None]
    assert talk.chat(model="x,z", user_config=config).json()["model"] == "x,z"
    assert {seen.headers["authorization"] for seen in up.requests} == {f"Bearer {THEIRS}"}


def test_a_gateway_of_one_model(module_upstream, up):
    """Seed 003: `litellm --model` answers to every name, also in a list."""
    with ServedProxy(config_of(module_upstream, completion_model="a")) as proxy:
        assert models_of(Talk(proxy).chat(model="gpt-3.5-turbo,llama3")) == ["gpt-3.5-turbo", "llama3"]
    assert asked_for(up) == ["a", "a"]


# --- the clients that it is printed for ----------------------------------------------------------------------------------


def test_openais_client_and_curl(module_upstream, up):
    """Seed 003: a list comes back."""
    with Gateway(json.dumps(config_of(module_upstream)), args=["--host", "127.0.0.1"]) as gateway:
        with openai.OpenAI(api_key=KEY, base_url=gateway.url, max_retries=0) as client:
            response = client.chat.completions.create(model="gpt-3.5-turbo,llama3", messages=HI)
            assert isinstance(response, list)
            assert [part.model for part in response] == ["gpt-3.5-turbo", "llama3"]
            up.default = act.error(500)
            with pytest.raises(openai.InternalServerError, match="500"):
                client.chat.completions.create(model="a,b", messages=HI)
            up.default = act.Behaviour()
        sent = json.dumps({"model": "a,b", "messages": HI})
        command = ["curl", "-sS", "--fail", gateway.url + CHAT, "-H", f"Authorization: Bearer {KEY}", "-d", sent]
        told = subprocess.run(command, capture_output=True, check=True, timeout=10)
        assert [part["model"] for part in json.loads(told.stdout)] == ["a", "b"]
