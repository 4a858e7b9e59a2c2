"""O2, O15: what a supervisor does with signals that come at a bad moment, and how often a configuration is built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from litellm.cli.run import ActiveConfig
from litellm.proxy.config import load_config

SUPERVISOR = """
import os, signal, sys
from litellm.server.serve import ListenOptions, bind
from litellm.server.workers import Supervisor

listening = ListenOptions("127.0.0.1", 0)
def make_app():
    print("started", flush=True)
    raise SystemExit(3)
"""

STOPPED_WHILE_STARTING = """
block = signal.pthread_sigmask
def signalled(how, numbers):
    # The last moment at which a signal still comes through.
    signal.pthread_sigmask = block
    os.kill(os.getpid(), signal.SIGTERM)
    return block(how, numbers)
signal.pthread_sigmask = signalled
sys.exit(Supervisor(make_app, listening, bind(listening), check=print).run(2))
"""

RELOADED_BADLY = """
from litellm.proxy.reloading import reloaded
def read(before):
    os.kill(os.getpid(), signal.SIGTERM)
    raise RuntimeError("canary of a bad file")
def check():
    return reloaded(read) is not None
def make_app():
    os.kill(os.getppid(), signal.SIGHUP)
    signal.sigwait([signal.SIGTERM])
    os._exit(0)
import logging
logging.basicConfig()
sys.exit(Supervisor(make_app, listening, bind(listening), check=check).run(1))
"""


def ended(script: str) -> Any:
    return subprocess.run(
        [sys.executable, "-c", SUPERVISOR + script], timeout=20, capture_output=True, text=True, check=False
    )


def test_a_signal_right_before_a_worker_starts() -> None:
    """O15: no worker is started that nobody would stop."""
    told = ended(STOPPED_WHILE_STARTING)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_a_reload_that_fails_in_an_unexpected_way() -> None:
    """O2: the supervisor logs it, and goes on to do its work."""
    told = ended(RELOADED_BADLY)
    assert told.returncode == 0
    assert "not reloaded" in told.stderr
    assert "canary of a bad file" in told.stderr


def test_a_configuration_is_built_once(tmp_path: Path) -> None:
    """O2: what a reload has built to look at is what serves, on the connections that there are."""
    file = tmp_path / "config.yaml"
    file.write_text("model_list: []\n", encoding="utf-8")
    current = ActiveConfig(load_config(file), None)
    before, built = current.build(), 0

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal built
        code = frame.f_code
        built += event == "call" and code.co_name == "build" and code.co_filename.endswith("proxy/state.py")

    sys.setprofile(profile)
    try:
        after = current.reloaded(before)
    finally:
        sys.setprofile(None)
    assert built == 1
    assert after is not before
    assert after.client is before.client
