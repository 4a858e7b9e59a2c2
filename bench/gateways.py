"""The gateways that can be compared: one row each. A new one is one more row in ROWS."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

HERE = Path(__file__).parent
PEERS = Path(os.environ.get("BENCH_PEERS") or Path(tempfile.gettempdir()) / "litellm-bench-peers")
LITELLM = "1.106.2"
# What children see of our environment: neither keys nor proxies nor settings of whoever runs this.
BARE = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
QUESTION = b'{"model": "bench", "messages": [{"role": "user", "content": "Hello"}]}'
NGINX_CONF = """
daemon off; worker_processes 1; pid {scratch}/nginx.pid; error_log stderr;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
  upstream bench {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://bench; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


class Missing(Exception):  # noqa: N818 - not an error: the row is left out
    """Why a gateway cannot be measured here."""


@dataclass(frozen=True)
class Row:
    name: str
    program: Callable[[], str | None]  # what to run, None when it is not here
    arguments: str  # {port}, {upstream}, {scratch} and {here} are filled in
    ready: str  # a path that answers 200 once the gateway serves; "" to ask for a chat completion
    config: str  # said below the table
    version: str = "--version"  # arguments that print it
    headers: dict[str, str] = field(default_factory=dict)  # sent by clients
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # written to {scratch}
    install: Callable[[], None] | None = None


def _in_venv(venv: Path) -> Callable[[], str | None]:
    return lambda: shutil.which("litellm", path=str(venv / "bin"))


def _apt(*packages: str) -> None:
    wanted = [name for name in packages if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]
    if not wanted:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"skipped: installing {', '.join(wanted)} (needs root and apt-get)")
        return
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted], check=False)


def _pip_litellm() -> None:
    venv = PEERS / "litellm"
    if _in_venv(venv)():
        return
    print(f"installing litellm[proxy]=={LITELLM} into {venv}", flush=True)
    if subprocess.run([sys.executable, "-m", "venv", venv]).returncode:
        return
    subprocess.run([venv / "bin/pip", "install", "--quiet", f"litellm[proxy]=={LITELLM}"], check=False)


LITELLM_ENV = {"BENCH_API_BASE": "http://127.0.0.1:{upstream}/v1", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
LITELLM_ARGUMENTS = "--config {here}/config.yaml --host 127.0.0.1 --port {port}"
KEY = {"authorization": "Bearer sk-1234"}
ROWS = [
    Row(
        name="ours",
        program=_in_venv(HERE.parent / ".venv"),
        arguments=LITELLM_ARGUMENTS,
        ready="/health/liveliness",
        config="bench/config.yaml, 1 worker, master key checked",
        headers=KEY,
        environment=LITELLM_ENV,
    ),
    Row(
        name="nginx",
        program=lambda: shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"),
        arguments="-p {scratch} -c {scratch}/nginx.conf",
        ready="",
        config="bare reverse proxy, 1 worker, keep-alive to the upstream, unbuffered, no log, no key",
        version="-v",
        files={"nginx.conf": NGINX_CONF},
        install=lambda: _apt("nginx", "wrk"),
    ),
    Row(
        name="litellm",
        program=_in_venv(PEERS / "litellm"),
        arguments=LITELLM_ARGUMENTS,
        ready="/health/liveliness",
        config="bench/config.yaml, 1 worker, master key checked, no database, LITELLM_LOG=ERROR",
        headers=KEY,
        environment=LITELLM_ENV
        | {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true", "LITELLM_LOG": "ERROR"},
        install=_pip_litellm,
    ),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """A gateway process from spawn to stop; `started` is how many seconds it took to serve."""

    def __init__(self, row: Row, upstream: int, patience: float = 90) -> None:
        self.row = row
        program = row.program()
        if program is None:
            hint = f" (scripts/bench --peers {row.name} installs it)" if row.install else ""
            raise Missing(f"not installed{hint}")
        self.port = free_port()
        self.scratch = Path(tempfile.mkdtemp(prefix="bench-"))
        filled = {"port": self.port, "upstream": upstream, "scratch": self.scratch, "here": HERE}
        for name, text in row.files.items():
            (self.scratch / name).write_text(text.format(**filled), encoding="utf-8")
        self.headers = {name: value.format(**filled) for name, value in row.headers.items()}
        self.environment = BARE | {name: value.format(**filled) for name, value in row.environment.items()}
        self.log = self.scratch / "log"
        began = time.perf_counter()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, *(part.format(**filled) for part in row.arguments.split())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.scratch,
            )
        try:
            self._wait(row, began + patience)
            self.started = time.perf_counter() - began
            self.version = self._version(program)
            if not self._answers(None):
                raise Missing(f"started, but does not answer a chat request: {self._last_line()}")
        except BaseException:
            self.stop()
            raise

    def _wait(self, row: Row, deadline: float) -> None:
        while not self._answers(row.ready or None):
            if self.process.poll() is not None:
                raise Missing(f"ended with status {self.process.returncode}: {self._last_line()}")
            if time.perf_counter() > deadline:
                raise Missing(f"not ready in time: {self._last_line()}")
            time.sleep(0.01)

    def _answers(self, path: str | None) -> bool:
        url = f"http://127.0.0.1:{self.port}{path or '/v1/chat/completions'}"
        headers = {"content-type": "application/json", **self.headers}
        try:
            with urlopen(Request(url, None if path else QUESTION, headers), timeout=10) as answer:
                return answer.status == 200
        except (URLError, OSError):
            return False

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")

    def _version(self, program: str) -> str:
        command = [program, *self.row.version.split()]
        said = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=60, env=self.environment
        )
        return (said.stdout + said.stderr).strip().rpartition("\n")[2]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)
