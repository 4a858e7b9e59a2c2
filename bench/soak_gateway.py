"""The processes of bench/soak.py: the model server and the gateway, and what /proc knows about the gateway."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bench.gateways import BARE
from bench.measure import PROC, memory

HERE = Path(__file__).parent
KEY = "sk-the-master-key-of-the-soak"
READY = re.compile(r" on http://\S+:(\d+)$", re.MULTILINE)
PATIENCE = 20.0  # seconds to start


def config(upstream: int, *, callbacks: bool, memory_mb: float) -> str:
    """The gateway's configuration, in JSON, which is YAML too."""

    def deployment(name: str, model: str, **more: object) -> dict:
        place = {"api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "sk-upstream"} if "openai/" in model else {}
        return {"model_name": name, "litellm_params": {"model": model, **place, **more}}

    settings: dict[str, object] = {
        "custom_provider_map": [{"provider": "introspect", "custom_handler": "soak_inside.introspect"}],
        "num_retries": 0,
        "fallbacks": [{"falls": ["bench"]}],
    }
    if callbacks:
        settings["callbacks"] = ["soak_inside.told"]
    return json.dumps({
        "model_list": [
            *(deployment(name, f"openai/{name}") for name in ("bench", "slow", "hole", "flood", "error-500", "error-429")),
            deployment("falls", "openai/error-500"),
            deployment("faulty", "openai/faulty", timeout=2, max_retries=1),
            deployment("wild/*", "openai/*"),
            deployment("mocked", "mock/echo"),
            deployment("introspect/x", "introspect/x"),
        ],
        "litellm_settings": settings,
        "general_settings": {
            "master_key": KEY,
            "client_side_hosts": [f"127.0.0.1:{upstream}"],
            "max_request_memory_mb": memory_mb,
        },
    })  # fmt: skip


@contextlib.contextmanager
def model_server(faults: float = 0.1) -> Iterator[int]:
    """The port of a fresh one."""
    command = [sys.executable, "-m", "bench.soak_upstream", "--faults", str(faults)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            assert process.stdout
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def stats(upstream: int) -> dict:
    """What the model server has seen."""
    with urlopen(f"http://127.0.0.1:{upstream}/stats", timeout=10) as answer:
        return json.load(answer)


@dataclass
class Gateway:
    pid: int
    port: int
    log: Path

    @property
    def rss(self) -> float:
        """MB."""
        return memory(self.pid)["now"]

    @property
    def peak(self) -> float:
        """MB, the most since reset_peak()."""
        return memory(self.pid)["peak"]

    def reset_peak(self) -> None:
        (PROC / str(self.pid) / "clear_refs").write_text("5", encoding="utf-8")

    @property
    def files(self) -> int:
        return sum(1 for _ in (PROC / str(self.pid) / "fd").iterdir())

    @property
    def threads(self) -> int:
        return sum(1 for _ in (PROC / str(self.pid) / "task").iterdir())

    @property
    def complaints(self) -> list[str]:
        """What its log says about bugs."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if "Traceback" in line or "a bug" in line or "never retrieved" in line]


@contextlib.contextmanager
def gateway(text: str) -> Iterator[Gateway]:
    """`litellm --config` with this configuration, one worker, from when it serves until the block ends."""
    scratch = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        for name in ("soak_inside.py", "soak_watch.py"):
            shutil.copy(HERE / name, scratch)
        (scratch / "config.yaml").write_text(text, encoding="utf-8")
        log = scratch / "log"
        command = [
            Path(sys.executable).with_name("litellm"),
            "--config",
            "config.yaml",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
        ]
        with log.open("wb") as said:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=scratch, env=BARE
            )
        try:
            yield Gateway(process.pid, _port(process, log), log)
        finally:
            process.terminate()
            process.wait(40)
        if process.returncode:
            raise RuntimeError(f"the gateway ended with {process.returncode}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _port(process: subprocess.Popen, log: Path) -> int:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if ready := READY.search(log.read_text(encoding="utf-8")):
            return int(ready[1])
        time.sleep(0.02)
    raise RuntimeError(f"the gateway does not start:\n{log.read_text(encoding='utf-8')}")
