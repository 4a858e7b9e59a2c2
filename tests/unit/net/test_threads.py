"""G2: 64 threads, each with settings of its own, share one client: nothing of one call is ever seen in another, and what
callers pass in is as it was before."""

import asyncio
import copy
import random
import sys
import threading

import pytest
from tests.fakes import behaviour as act
from tests.fakes.raw_client import HI

import litellm

THREADS = 64
ROUNDS = 60
REAL_ROUNDS = 12
SWITCH = 2e-5  # seconds: 250 times as often as by default, which finds more in a tenth of the calls


class Mirror(litellm.CustomLLM):
    """Answers with what it was given."""

    def completion(self, *, model, api_key, api_base, headers, optional_params, litellm_params, **_):
        seen = [model, api_key, api_base, headers, optional_params, litellm_params["metadata"]]
        choice = {"index": 0, "message": {"role": "assistant", "content": repr(seen)}, "finish_reason": "stop"}
        return {"id": "1", "created": 1, "object": "chat.completion", "model": model, "choices": [choice]}


def in_threads(work):
    """Run work(number) in THREADS threads that start together; raises the first error."""
    failures = []
    together = threading.Barrier(THREADS)

    def run(number):
        together.wait()
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(usual)
    for failure in failures:
        raise failure


def test_handlers_see_their_own_call(monkeypatch):
    """G2: 64 threads, and a call with a key, a base, headers, parameters and metadata of its own after the other."""
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mirror", "custom_handler": Mirror()}])

    def work(number):
        for round_ in range(ROUNDS):
            tag = f"{number}-{round_}"
            headers, metadata, extra = {"x-tag": tag}, {"tag": tag}, {"top_k": round_}
            answer = litellm.completion(
                f"mirror/m-{tag}", HI, api_key=f"key-{tag}", api_base=f"http://{tag}.example", headers=headers,
                temperature=number / 64, metadata=metadata, extra_body=extra, num_retries=round_ % 3,
            )  # fmt: skip
            wanted = [
                f"m-{tag}", f"key-{tag}", f"http://{tag}.example", headers, {"temperature": number / 64, **extra}, metadata
            ]  # fmt: skip
            assert answer.choices[0].message.content == repr(wanted)
            assert (headers, metadata, extra) == ({"x-tag": tag}, {"tag": tag}, {"top_k": round_})

    in_threads(work)


def test_mocks_answer_their_own_caller():
    """G2: the same with mock_response, plain, streamed and failing, of which each thread does another mixture."""

    def work(number):
        dice = random.Random(number)
        for round_ in range(ROUNDS):
            text = f"{number}-{round_}"
            kind = dice.choice(["plain", "stream", "error"])
            if kind == "error":
                with pytest.raises(litellm.RateLimitError):
                    litellm.completion(f"openai/{text}", HI, mock_response="litellm.RateLimitError", num_retries=0)
                continue
            answer = litellm.completion(f"openai/{text}", HI, mock_response=text, stream=kind == "stream")
            if kind == "stream":
                answer = litellm.stream_chunk_builder(list(answer))
            assert answer.choices[0].message.content == text
            assert answer.model == text

    in_threads(work)


def test_upstreams_see_what_belongs_to_the_call(up):
    """G2: over real connections, which are shared: key, headers, model and body of each request belong together, and so
    do question and answer."""

    def work(number):
        for round_ in range(REAL_ROUNDS):
            tag = f"{number}-{round_}"
            stream = (number + round_) % 2 == 0
            answer = litellm.completion(
                f"openai/{tag}", [{"role": "user", "content": tag}], api_base=up.base, api_key=f"key-{tag}",
                extra_headers={"x-tag": tag}, user=tag, stream=stream, timeout=30,
            )  # fmt: skip
            if stream:
                answer = litellm.stream_chunk_builder(list(answer))
            assert answer.model == tag, "the answer to our question"

    in_threads(work)
    assert len(up.requests) == THREADS * REAL_ROUNDS
    for seen in up.requests:
        tag = seen.fields["model"]
        assert seen.headers["authorization"] == f"Bearer key-{tag}"
        assert seen.headers["x-tag"] == tag
        assert seen.fields["user"] == tag
        assert seen.fields["messages"] == [{"role": "user", "content": tag}]
    assert up.connections_made <= 2 * THREADS


async def test_tasks_do_not_mix_either(up):
    """G2: the same on one loop: 300 calls at a time."""
    up.default = act.answer(delay=0.02)

    async def ask(tag):
        answer = await litellm.acompletion(
            f"openai/{tag}", HI, api_base=up.base, api_key=f"key-{tag}", extra_headers={"x-tag": tag}
        )
        assert answer.model == tag

    await asyncio.gather(*(ask(f"t{number}") for number in range(300)))
    for seen in up.requests:
        tag = seen.fields["model"]
        assert (seen.headers["authorization"], seen.headers["x-tag"]) == (f"Bearer key-{tag}", tag)


def test_settings_may_change_at_any_moment(up, monkeypatch):
    """G2: "dictionary changed size during iteration" is nobody's answer: another thread keeps changing the settings."""
    stop = threading.Event()
    monkeypatch.setattr(litellm, "api_key", "key-a")
    monkeypatch.setattr(litellm, "headers", {"x-state": "a"})
    monkeypatch.setattr(litellm, "model_alias_map", {})
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mirror", "custom_handler": Mirror()}])

    def change():
        while not stop.is_set():
            for key in "ab":
                litellm.api_key = f"key-{key}"
                litellm.headers["x-state"] = key
                for number in range(20):
                    litellm.headers[f"x-{number}"] = litellm.model_alias_map[f"n{number}"] = key
                litellm.custom_provider_map.append({"provider": key, "custom_handler": Mirror()})
                for number in range(20):
                    del litellm.headers[f"x-{number}"], litellm.model_alias_map[f"n{number}"]
                litellm.custom_provider_map.pop()

    changer = threading.Thread(target=change)
    changer.start()
    try:
        for _ in range(100):
            litellm.completion("openai/m", HI, api_base=up.base)
            litellm.completion("mirror/m", HI)
    finally:
        stop.set()
        changer.join()
    assert {seen.headers["authorization"] for seen in up.requests} <= {"Bearer key-a", "Bearer key-b"}
    assert {seen.headers["x-state"] for seen in up.requests} <= {"a", "b"}


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
PARAMS = {
    "messages": [
        {"role": "system", "content": "be kind"},
        {"content": "no role"},
        {"role": "user", "content": [{"type": "text", "text": "hi", "extra": None}], "name": None},
    ],
    "tools": [TOOL],
    "tool_choice": {"type": "auto"},
    "stop": ["a", "b"],
    "response_format": {"type": "json_object"},
    "stream_options": {"include_usage": True},
    "extra_body": {"top_k": 1, "nested": {"deep": [1]}},
    "extra_headers": {"x-one": "1"},
    "headers": {"x-two": "2"},
    "metadata": {"tags": ["t"]},
    "logit_bias": {"1": 2},
    "additional_drop_params": ["tools[*].function.strict", "seed"],
    "fallbacks": [{"model": "openai/other", "api_key": "k2"}],
}


@pytest.mark.parametrize("outcome", ["good", "fallback", "refused"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("more", [{}, {"supports_system_message": False}, {"drop_params": True}], ids=str)
def test_inputs_are_deep_equal_before_and_after(caller, up, stream, more, outcome):
    """G2: whatever happens to a call, nothing that was passed in is written to."""
    if outcome != "good":
        up.models["m"] = act.error(503)
    if outcome == "refused":
        up.models["other"] = act.error(400)
    params = {**copy.deepcopy(PARAMS), **more, "api_base": up.base, "api_key": "k", "num_retries": 1}
    before = copy.deepcopy(params)
    try:
        if stream:
            caller.chunks(**params)
        else:
            caller.ask(**params)
        assert outcome != "refused"
    except litellm.BadRequestError:
        assert outcome == "refused"
    assert params == before
