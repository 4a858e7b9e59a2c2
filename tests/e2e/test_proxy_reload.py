"""O2: SIGHUP reads the configuration again. Atomic: requests see the old or the new one whole; a bad file changes nothing."""

import json
import signal
import threading
from pathlib import Path

import pytest
from tests.e2e.talk import KEY, Talk, deployment
from tests.e2e.test_proxy_stopping import WORKERS, calm, wait_until
from tests.fakes import behaviour as act
from tests.processes import Gateway


def config(up, *names, key=KEY, more=""):
    deployments = "\n".join(deployment(name, up) for name in names)
    return f"model_list:\n{deployments}\ngeneral_settings: {json.dumps({'master_key': key})}\n{more}"


@pytest.fixture
def gateway(module_upstream, up, tmp_path, workers):
    args = ["--host", "127.0.0.1", "--num_workers", str(workers)]
    with Gateway(config(up, "old"), args=args, cwd=tmp_path) as running:
        yield running


def reload(gateway: Gateway, folder: Path, text: str, said: str, times: int) -> None:
    """Have it read `text`, and wait until it has said so `times` more often."""
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    before = gateway.stderr.count(said)
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: gateway.stderr.count(said) >= before + times)


@WORKERS
def test_another_model_list(gateway, up, tmp_path, workers):
    """What was added is served, what was removed is not, by every worker, and nobody restarts."""
    reload(gateway, tmp_path, config(up, "new"), "reloaded the configuration", workers)
    for _ in range(8):  # connections go to either worker
        talk = Talk(gateway)
        assert talk.chat(model="new").status == 200
        assert talk.chat(model="old").status == 400
    assert gateway.exit_code is None
    calm(gateway)


@WORKERS
def test_a_bad_file(gateway, up, tmp_path, workers):
    """Every problem is told, by line, and the configuration in use serves on."""
    bad = config(up, "new", more="litellm_settings: {drop_parms: true, fallbacks: [{new: [nowhere]}]}\n")
    reload(gateway, tmp_path, bad, "not reloaded", 1)
    wait_until(lambda: "did you mean drop_params?" in gateway.stderr)
    assert KEY not in gateway.stderr
    for _ in range(4):
        talk = Talk(gateway)
        assert talk.chat(model="old").status == 200
        assert talk.chat(model="new").status == 400
    reload(gateway, tmp_path, config(up, "old", "new"), "reloaded the configuration", workers)
    assert Talk(gateway).chat(model="new").status == 200


@pytest.mark.parametrize("workers", [1])
def test_what_is_under_way_keeps_what_it_began_with(gateway, up, tmp_path, workers):
    """A stream of a model that is gone after the reload is told to its end."""
    up.next(act.answer("one two three four five six", gap=0.1))
    talk, told = Talk(gateway), []
    reading = threading.Thread(target=lambda: told.append(talk.chat(model="old", stream=True).streamed_text))
    reading.start()
    up.wait_for(lambda: len(up.requests) == 1)
    reload(gateway, tmp_path, config(up, "new"), "reloaded the configuration", workers)
    assert Talk(gateway).chat(model="old").status == 400
    reading.join()
    assert told == ["one two three four five six"]


@pytest.mark.parametrize("workers", [1])
def test_another_master_key(gateway, up, tmp_path, workers):
    """The old key lets nobody in any more."""
    reload(gateway, tmp_path, config(up, "old", key="sk-a-strong-key-of-today"), "reloaded the configuration", workers)
    assert Talk(gateway).chat(model="old").status == 401


@pytest.mark.parametrize("workers", [2])
def test_a_worker_that_dies_after_a_reload(gateway, up, tmp_path, workers):
    """Its successor serves the new configuration."""
    reload(gateway, tmp_path, config(up, "new"), "reloaded the configuration", workers)
    for pid in Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split():
        signal_worker(int(pid))
    wait_until(lambda: gateway.stderr.count("is replaced") == workers)
    wait_until(lambda: _answers(gateway))
    assert all(Talk(gateway).chat(model="new").status == 200 for _ in range(6))


def signal_worker(pid: int) -> None:
    import os

    os.kill(pid, signal.SIGKILL)


def _answers(gateway: Gateway) -> bool:
    try:
        return Talk(gateway).chat(model="new").status == 200
    except OSError:
        return False
