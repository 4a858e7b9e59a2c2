"""What one request may set in motion: so many requests of upstreams, so many of them at once, and an error that says so."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest
from tests.e2e.talk import Answer, Talk
from tests.fakes import behaviour as act
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm.engine.budget import AT_ONCE, MAX_REQUESTS, Budget
from litellm.engine.fan_out import MAX_SPLIT_PROMPTS
from litellm.exceptions import BadRequestError, InternalServerError
from litellm.proxy.calls.multi_model import MAX_COPIED_BYTES, at_once
from litellm.proxy.calls.overrides import MOST_FIELDS
from litellm.server.buffers import OBJECT, VALUE

KEY = "sk-1234"
HI = [{"role": "user", "content": "hi"}]


class Crowd(litellm.CustomLLM):
    """Notes how many of its calls are under way at once. Nobody leaves before `together` have come, or all."""

    def __init__(self, together: int, in_all: int) -> None:
        super().__init__()
        self.together, self.in_all = together, in_all
        self.here = self.most = self.came = 0
        self._lock = threading.Lock()

    def _enter(self) -> None:
        with self._lock:
            self.here += 1
            self.came += 1
            self.most = max(self.most, self.here)

    def _waits(self) -> bool:
        return self.most < self.together and self.came < self.in_all

    async def acompletion(self, *, model_response: Any, **_: Any) -> Any:
        self._enter()
        while self._waits():
            await asyncio.sleep(0)
        for _ in range(50):  # whoever else was started gets its turn
            await asyncio.sleep(0)
        self.here -= 1
        model_response.choices[0].message.content = "here"
        return model_response

    def completion(self, *, model_response: Any, **_: Any) -> Any:
        self._enter()
        while self._waits():
            time.sleep(0)
        with self._lock:
            self.here -= 1
        model_response.choices[0].message.content = "here"
        return model_response


def crowd(count: int) -> Crowd:
    return Crowd(min(count, AT_ONCE), count)


def served(handler: Any = None, **general: Any) -> ServedProxy:
    config = {"model_list": [deployment("crowd", "crowd/x")], **general}
    return ServedProxy(config, handlers={"crowd": handler}, master_key=KEY)


def texts(proxy: ServedProxy, count: int) -> Answer:
    body = json.dumps({"model": "crowd", "prompt": prompts(count)})
    return Talk(proxy, key=KEY).post(body, path="/v1/completions")


def prompts(count: int) -> list[str]:
    return [f"prompt {number}" for number in range(count)]


@pytest.mark.parametrize("count", [2, AT_ONCE, 3 * AT_ONCE + 1])
@pytest.mark.parametrize("is_async", [False, True])
def test_prompts_that_are_sent_one_by_one_go_a_few_at_a_time(monkeypatch, count, is_async):
    """Whoever awaits the answer has no more of them under way than whoever blocks for it."""
    handler = crowd(count)
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "crowd", "custom_handler": handler}])
    if is_async:
        answer = asyncio.run(litellm.atext_completion(prompts(count), "crowd/x"))
    else:
        answer = litellm.text_completion(prompts(count), "crowd/x")
    assert len(answer.choices) == count
    assert (handler.most, handler.came) == (min(count, AT_ONCE), count)


def test_prompts_of_a_client_go_a_few_at_a_time():
    handler = crowd(60)
    with served(handler) as proxy:
        answer = texts(proxy, 60)
    assert len(answer.json()["choices"]) == 60
    assert (handler.most, handler.came) == (AT_ONCE, 60)


def test_more_prompts_than_one_request_may_have_sent(monkeypatch, up):
    """A 400 that says how many may be sent, before anything is."""
    handler = crowd(1)
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "crowd", "custom_handler": handler}])
    chat_only = {"custom_llm_provider": "anyscale", "api_base": up.base, "api_key": "sk-1"}
    for model, place in (("crowd/x", {}), ("m", chat_only)):
        with pytest.raises(BadRequestError, match=f"at most {MAX_SPLIT_PROMPTS}") as raised:
            litellm.text_completion(prompts(MAX_SPLIT_PROMPTS + 1), model, **place)
        assert (raised.value.status_code, raised.value.param) == (400, "prompt")
    with served(handler) as proxy:
        answer = texts(proxy, 1500)
    assert answer.status == 400
    assert f"at most {MAX_SPLIT_PROMPTS}" in answer.json()["error"]["message"]
    assert (handler.came, up.requests) == (0, [])


def test_an_upstream_that_takes_many_prompts_gets_them_in_one_request(up):
    litellm.text_completion(prompts(MAX_SPLIT_PROMPTS + 1), "openai/m", api_base=up.base, api_key="sk-1")
    assert len(up.requests) == 1


# --- one budget for what multiplies -------------------------------------------------------------------------------------


def group(up: Any, name: str, members: int) -> list[dict[str, Any]]:
    """Deployments that differ, so that a retry goes to another one, at once."""
    return [deployment(name, f"openai/{name}-{at}", api_base=up.base, api_key="sk-1") for at in range(members)]


def test_retries_and_fallbacks_together_have_one_budget(up):
    """Ten groups with eleven tries each would be more; the caller learns why the last one failed."""
    names = [f"g{at}" for at in range(11)]
    up.default = act.error(500, "down")
    router = litellm.Router(
        [entry for name in names for entry in group(up, name, 11)],
        num_retries=10, fallbacks=[{"g0": names[1:]}], disable_cooldowns=True,
    )  # fmt: skip
    with pytest.raises(InternalServerError, match="down"):
        router.completion("g0", HI)
    assert len(up.requests) == MAX_REQUESTS


def test_models_of_one_request_share_its_budget(up):
    """Also with all limits at their highest. Each place of the list has an error, and the others go on."""
    names = [f"g{at}" for at in range(16)]
    up.default = act.error(500, "down")
    config = {
        "model_list": [entry for name in names for entry in group(up, name, 11)],
        "router_settings": {"disable_cooldowns": True},
    }
    with ServedProxy(config, master_key=KEY) as proxy:
        talk = Talk(proxy, key=KEY)
        answer = talk.chat(model=",".join(names), num_retries=10, fallbacks=names[:10])
        assert len(up.requests) == MAX_REQUESTS
        assert (answer.status, len(answer.json())) == (500, 16)
        up.default = act.answer("up again")
        assert talk.chat(model="g0").status == 200


def test_a_budget_is_kept_by_threads_together():
    """Whoever comes when nothing is left is told what to do."""
    budget, refused = Budget(50), []

    def spend() -> None:
        for _ in range(20):
            try:
                budget.take("m")
            except BadRequestError as error:
                refused.append(error.message)

    threads = [threading.Thread(target=spend) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (budget.remaining, budget.spent, len(refused)) == (0, True, 50)
    assert "has made 50 requests of upstreams" in refused[0]
    assert "fewer" in refused[0]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"", 16),
        (b"x" * 1000, 16),
        (b"x" * (MAX_COPIED_BYTES // 4), 4),
        (b"x" * (MAX_COPIED_BYTES * 3), 1),
        (b"{}," * (MAX_COPIED_BYTES // (OBJECT + VALUE + 3) // 4), 4),
    ],
)
def test_large_bodies_are_sent_to_several_models_in_turn(body, wanted):
    """Each call holds a copy of the body while it is sent, and of what its JSON becomes where something is dropped; all of
    them together hold no more than a few large ones."""
    assert at_once(body) == wanted


def test_large_bodies_with_several_prompts_are_sent_in_turn():
    """Where each prompt is a request of its own, each of these has all of the rest."""
    handler = Crowd(2, 6)
    body = {"model": "crowd", "prompt": prompts(6), "user": "x" * (MAX_COPIED_BYTES // 2 - 1000)}
    with served(handler) as proxy:
        answer = Talk(proxy, key=KEY).post(json.dumps(body), path="/v1/completions")
    assert len(answer.json()["choices"]) == 6
    assert (handler.most, handler.came) == (2, 6)


@pytest.mark.parametrize("place", [lambda fields: fields, lambda fields: {"extra_body": fields}])
def test_a_body_has_a_bounded_number_of_fields(up, place):
    """Its fields are copied for each model, prompt and try; what is in them is not."""
    with ServedProxy({"model_list": group(up, "m", 1)}, master_key=KEY) as proxy:
        talk = Talk(proxy, key=KEY)
        refused = talk.chat(model=",".join(["m"] * 16), **place({f"k{n}": 0 for n in range(MOST_FIELDS)}))
        within = {f"k{n}": 0 for n in range(MOST_FIELDS - 10)}
        answered = talk.chat(model="m", **place(within), metadata={str(n): n for n in range(2 * MOST_FIELDS)})
    assert (refused.status, answered.status) == (400, 200)
    assert f"at most {MOST_FIELDS} fields" in refused.error["message"]
    assert len(up.requests) == 1


def test_json_of_several_models_keeps_its_order_when_they_go_in_turn(up, monkeypatch):
    monkeypatch.setattr("litellm.proxy.calls.multi_model.MAX_COPIED_BYTES", 1)
    with ServedProxy({"model_list": [*group(up, "a", 1), *group(up, "b", 1)]}, master_key=KEY) as proxy:
        answer = Talk(proxy, key=KEY).chat(model="b,nobody,a")
    assert [each.get("model") for each in answer.json()] == ["b", None, "a"]
    assert [json.loads(seen.body)["model"] for seen in up.requests] == ["b-0", "a-0"]
