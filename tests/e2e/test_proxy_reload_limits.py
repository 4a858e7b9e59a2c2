"""A reload forgets nothing that a deployment which stays was held to: its limits, what is under way, its cooldown."""

import json
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from tests.e2e.talk import KEY, Answer, Talk, deployment
from tests.e2e.test_proxy_stopping import calm, wait_until
from tests.fakes import behaviour as act
from tests.processes import Gateway

TEXT = "one two three"
# What an operator may change about the rest of the file meanwhile.
CHANGES = {
    "nothing": {},
    "another key": {"key": "sk-a-strong-key-of-today"},
    "an alias": {"router_settings": {"model_group_alias": {"other": "m"}}},
    "fallbacks": {"router_settings": {"fallbacks": [{"m": ["spare"]}], "num_retries": 1}},
    "another strategy": {"router_settings": {"routing_strategy": "least-busy"}},
    "another deployment": {"names": ("spare", "further")},
}


def config(up, *, key=KEY, names=("spare",), router_settings=None, count=1, **limits):
    """`m`, of so many deployments with these limits, and what else there is."""
    listed = [deployment("m", up, info={"id": f"m-{at}"}, **limits) for at in range(count)]
    listed += [deployment(name, up) for name in names]
    sections = {
        "router_settings": {"num_retries": 0, "disable_cooldowns": count == 1, **(router_settings or {})},
        "general_settings": {"master_key": key},
    }
    return f"model_list:\n{''.join(listed)}\n" + "\n".join(f"{name}: {json.dumps(sections[name])}" for name in sections)


class Reloading:
    """A gateway of one worker, and its file."""

    def __init__(self, gateway: Gateway, folder) -> None:
        self.gateway, self._file = gateway, folder / "config.yaml"
        self.key = KEY

    def chat(self, **fields) -> Answer:
        return Talk(self.gateway, self.key).chat(**{"model": "m", **fields})

    def reload(self, text: str, key: str = KEY) -> None:
        said = "reloaded the configuration"
        self._file.write_text(text, encoding="utf-8")
        before = self.gateway.stderr.count(said)
        self.gateway.signal(signal.SIGHUP)
        wait_until(lambda: self.gateway.stderr.count(said) > before)
        self.key = key


@pytest.fixture
def serve(module_upstream, up, tmp_path):
    with ExitStack() as running:

        def start(text: str) -> Reloading:
            gateway = running.enter_context(Gateway(text, args=["--host", "127.0.0.1"], cwd=tmp_path))
            running.callback(calm, gateway)
            return Reloading(gateway, tmp_path)

        yield start


def begin_minute() -> None:
    """Leave a test some seconds of a minute in which limits count; processes of one machine share the clock."""
    if (left := 60 - time.monotonic() % 60) < 10:
        time.sleep(left)


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_requests_in_a_minute(serve, up, changes):
    """What was used of `rpm` stays used, whatever else changes, and however often the file is read."""
    begin_minute()
    served = serve(config(up, rpm=1))
    assert served.chat().status == 200
    assert served.chat().status == 429
    for _ in range(2):
        served.reload(config(up, rpm=1, **changes), changes.get("key", KEY))
        answer = served.chat(disable_fallbacks=True)
        assert answer.status == 429
    assert len(up.requests) == 1


def test_a_limit_that_changes_holds_at_once(serve, up):
    """A higher one lets as many more in, a lower one nobody, and one that is gone everybody."""
    begin_minute()
    served = serve(config(up, rpm=1))
    assert [served.chat().status for _ in range(2)] == [200, 429]
    served.reload(config(up, rpm=3))
    assert [served.chat().status for _ in range(3)] == [200, 200, 429]
    served.reload(config(up, rpm=2))
    assert served.chat().status == 429
    served.reload(config(up))
    assert served.chat().status == 200


def test_a_request_that_began_before_keeps_its_slot(serve, up):
    """And gives it back once: two more reloads on, there is one slot, no more and no less."""
    served = serve(config(up, max_parallel_requests=1))
    up.next(act.answer(TEXT, gap=0.5))
    with ThreadPoolExecutor(1) as pool:
        first: Future[Answer] = pool.submit(served.chat, stream=True)
        up.wait_for(lambda: len(up.requests) == 1)
        assert served.chat().status == 429
        for _ in range(2):
            served.reload(config(up, max_parallel_requests=1))
            assert served.chat().status == 429
        assert not first.done()
        assert first.result().streamed_text == TEXT
        wait_until(lambda: served.chat().status == 200)
        up.next(act.answer(TEXT, gap=0.2))
        second = pool.submit(served.chat, stream=True)
        up.wait_for(lambda: up.requests[-1].fields.get("stream"))
        assert served.chat().status == 429, "a slot that was given back twice"
        assert second.result().streamed_text == TEXT


def test_a_deployment_that_was_gone_for_a_while_keeps_what_is_under_way(serve, up):
    """Taken out of the file and put back while a request of it still runs."""
    served = serve(config(up, max_parallel_requests=1))
    up.next(act.answer(TEXT, gap=0.5))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(served.chat, stream=True)
        up.wait_for(lambda: len(up.requests) == 1)
        served.reload(config(up, count=0))
        assert served.chat().status == 400
        served.reload(config(up, max_parallel_requests=1))
        assert served.chat().status == 429
        assert not first.done()
        assert first.result().streamed_text == TEXT
    wait_until(lambda: served.chat().status == 200)


def test_a_cooldown(serve, up):
    """Of two deployments the one that was refused stays away, also after the file was read twice."""
    served = serve(config(up, count=2, router_settings={"cooldown_time": 600}))
    up.next(act.error(429, "no"))
    assert served.chat(num_retries=0).status == 429
    (cooling,) = {"m-0", "m-1"} - {served.chat().headers["x-litellm-model-id"] for _ in range(8)}
    for _ in range(2):
        served.reload(config(up, count=2, names=("spare", "more"), router_settings={"cooldown_time": 600}))
        assert cooling not in {served.chat().headers["x-litellm-model-id"] for _ in range(8)}


def test_a_file_that_is_no_good_changes_nothing(serve, up):
    """Also not for the deployments that it leaves out."""
    begin_minute()
    served = serve(config(up, rpm=1))
    assert [served.chat().status for _ in range(2)] == [200, 429]
    bad = config(up, count=0, router_settings={"fallbacks": [{"spare": ["nowhere"]}]})
    served._file.write_text(bad, encoding="utf-8")
    served.gateway.signal(signal.SIGHUP)
    wait_until(lambda: "not reloaded" in served.gateway.stderr)
    assert served.chat().status == 429


@pytest.mark.parametrize("hosts", [[], ["localhost"]], ids=["the same hosts", "other hosts"])
def test_a_clients_own_configuration(serve, up, hosts):
    """The limits that it sets itself are kept as well: also when clients may then reach other hosts."""
    begin_minute()
    host = f"127.0.0.1:{up.port}"
    text = config(up)

    def allowing(*entries: str) -> str:
        return text.replace('"master_key"', f'"client_side_hosts": {json.dumps([host, *entries])}, "master_key"')

    served = serve(allowing())
    params = {"model": "openai/x", "api_base": up.base, "api_key": "sk-of-the-client", "rpm": 1}
    own = {"model_list": [{"model_name": "mine", "litellm_params": params}], "num_retries": 0}
    assert [served.chat(model="mine", user_config=own).status for _ in range(2)] == [200, 429]
    for _ in range(2):
        served.reload(allowing(*hosts))
        assert served.chat(model="mine", user_config=own).status == 429
