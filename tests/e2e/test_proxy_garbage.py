"""P5: what a request took is free when its answer is sent, without waiting for the collector of cycles. That one comes when
it likes, and a body of five megabytes is one object to it: a gateway that relied on it would grow with slow models."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from tests.e2e.talk import KEY, Talk, deployment
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.processes import Gateway

TIMES = 4
INSIDE = '''
import gc
import json
from collections import Counter

from litellm import CustomLLM
from litellm.integrations.custom_logger import CustomLogger

gc.disable()


class Garbage(CustomLLM):
    """Says how much of what only the collector can free there is, by type."""

    async def acompletion(self, model, messages, model_response, **_):
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found = Counter(type(each).__name__ for each in gc.garbage)
        gc.set_debug(0)
        gc.garbage.clear()
        gc.collect()
        model_response.choices[0].message.content = json.dumps(found)
        return model_response


garbage = Garbage()
told = CustomLogger()
'''  # fmt: skip


@pytest.fixture(scope="module", params=[False, True], ids=["alone", "with callbacks"])
def gateway(request, module_upstream: Upstream, tmp_path_factory) -> Iterator[Gateway]:
    settings = {
        "custom_provider_map": [{"provider": "inside", "custom_handler": "inside.garbage"}],
        "fallbacks": [{"falls": ["m"]}],
        **({"callbacks": ["inside.told"]} if request.param else {}),
    }
    config = f"""
model_list:
{deployment("m", module_upstream, max_retries=1)}{deployment("falls", module_upstream, max_retries=0)}
- {{model_name: garbage, litellm_params: {{model: inside/garbage}}}}
litellm_settings: {json.dumps(settings)}
general_settings: {{master_key: {KEY}}}
"""
    folder = tmp_path_factory.mktemp("inside")
    (folder / "inside.py").write_text(INSIDE, encoding="utf-8")
    with Gateway(config, args=["--host", "127.0.0.1"], cwd=folder) as server:
        yield server


@pytest.fixture
def talk(gateway: Gateway, up: Upstream) -> Talk:
    return Talk(gateway)


def garbage(talk: Talk) -> dict[str, int]:
    return json.loads(talk.chat(model="garbage").text)


def retried(talk: Talk, up: Upstream) -> None:
    up.next(act.error(503, retry_after=0.001), act.answer())
    assert talk.chat().status == 200


def fallen_back(talk: Talk, up: Upstream) -> None:
    up.next(act.error(400), act.answer())
    assert talk.chat(model="falls").headers["x-litellm-attempted-fallbacks"] == "1"


def failed(talk: Talk, up: Upstream) -> None:
    up.next(act.error(400))
    assert talk.chat().status == 400


def timed_out(talk: Talk, up: Upstream) -> None:
    up.next(act.hang())
    assert talk.chat(timeout=0.05).status == 408


def left(talk: Talk, up: Upstream) -> None:
    up.next(act.hang())
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes())
        up.wait_for(lambda: up.requests)
    up.wait_for(lambda: up.requests[-1].aborted_at)


def left_in_the_middle(talk: Talk, up: Upstream) -> None:
    up.next(act.stall(after=4))
    with talk.dial() as sock:
        sock.sendall(talk.request_bytes(stream=True))
        assert sock.recv(65536)
    up.wait_for(lambda: up.requests[-1].aborted_at)


WAYS: dict[str, Callable[[Talk, Upstream], object]] = {
    "answered": lambda talk, up: talk.chat(),
    "streamed": lambda talk, up: talk.chat(stream=True),
    "text": lambda talk, up: talk.chat(path="/v1/completions", messages=..., prompt="hi", stream=True),
    "embedded": lambda talk, up: talk.chat(path="/v1/embeddings", messages=..., input="hi"),
    "several": lambda talk, up: talk.chat(model="m,nobody"),
    "unknown": lambda talk, up: talk.chat(model="nobody"),
    "unreadable": lambda talk, up: talk.post("{"),
    "wrong key": lambda talk, up: Talk(talk.gateway, "sk-wrong").chat(),
    "refused": lambda talk, up: talk.raw(b"nothing like HTTP\r\n\r\n"),
    **{
        way.__name__.replace("_", " "): way
        for way in (retried, fallen_back, failed, timed_out, left, left_in_the_middle)
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_to_the_collector(talk: Talk, up: Upstream, way: str) -> None:
    """P5: whatever became of the request."""
    for _ in range(2):  # what is made once, for all that come after
        WAYS[way](talk, up)
    time.sleep(0.05)
    garbage(talk)
    for _ in range(TIMES):
        up.requests.clear()
        WAYS[way](talk, up)
    time.sleep(0.05)  # until the last connection is noticed to have ended, and callbacks have been told
    found = garbage(talk)
    kept = {name: count for name, count in found.items() if count >= TIMES}
    assert kept == {}, found
