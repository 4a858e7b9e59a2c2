"""The gateways that can be compared: one row each. A new one is one more row in ROWS."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from bench import peers

HERE = Path(__file__).parent
# What children see of our environment: neither keys nor proxies nor settings of whoever runs this.
BARE = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
QUESTION = b'{"model": "bench", "messages": [{"role": "user", "content": "Hello"}]}'
NGINX_CONF = """
daemon off; worker_processes 1; pid {scratch}/nginx.pid; error_log stderr;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; client_max_body_size 100m;
  client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
  upstream bench {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://bench; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_request_buffering off; proxy_read_timeout 300s;
    }}
  }}
}}
"""
# Portkey's gateway has no option for the address it listens on, and nobody else is to reach it.
LOOPBACK_JS = """
const {{ Server }} = require("node:net");
const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) {{
  return listen.call(this, port, "127.0.0.1", ...rest.filter((argument) => typeof argument === "function"));
}};
"""


class Missing(Exception):  # noqa: N818 - not an error: the row is left out
    """Why a gateway cannot be measured here."""


@dataclass(frozen=True)
class Row:
    """One gateway. {port}, {upstream}, {scratch} and {here} are filled in wherever there is text."""

    name: str
    program: Callable[[], str | None]  # what to run, None when it is not here
    arguments: str
    ready: str  # a path that answers 200 once the gateway serves; "" to ask for a chat completion
    config: str  # said below the table
    version: str = "--version"  # arguments that print it
    headers: dict[str, str] = field(default_factory=dict)  # sent by clients
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # written to {scratch}
    install: Callable[[], None] | None = None


LITELLM_ENV = {"BENCH_API_BASE": "http://127.0.0.1:{upstream}/v1", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
LITELLM_ARGUMENTS = "--config {here}/config.yaml --host 127.0.0.1 --port {port}"
KEY = {"authorization": "Bearer sk-1234"}
ROWS = [
    Row(
        name="ours",
        program=peers.in_venv(HERE.parent / ".venv"),
        arguments=LITELLM_ARGUMENTS,
        ready="/health/liveliness",
        config="bench/config.yaml, 1 worker, master key checked",
        headers=KEY,
        environment=LITELLM_ENV,
    ),
    Row(
        name="nginx",
        program=peers.system("nginx"),
        arguments="-p {scratch} -c {scratch}/nginx.conf",
        ready="",
        config="bare reverse proxy, 1 worker, keep-alive to the upstream, unbuffered, no log, no key",
        version="-v",
        files={"nginx.conf": NGINX_CONF},
        install=partial(peers.apt, "nginx", "wrk"),
    ),
    Row(
        name="portkey",
        program=peers.node_with(peers.PORTKEY_PACKAGE),
        arguments=f"--require {{scratch}}/loopback.js {peers.PORTKEY_PACKAGE}/build/start-server.js "
        "--port={port} --headless",
        ready="",
        config=f"1 process of Node.js, NODE_ENV=production, headless, @hono/node-server {peers.HONO}, upstream named by "
        "headers, no key checked",
        version=f"-p require('{peers.PORTKEY_PACKAGE}/package.json').version+'/node-'+process.version",
        headers={
            "authorization": "Bearer sk-upstream",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": "http://127.0.0.1:{upstream}/v1",
        },
        environment={"NODE_ENV": "production"},
        files={"loopback.js": LOOPBACK_JS},
        install=peers.portkey,
    ),
    Row(
        name="litellm",
        program=peers.in_venv(peers.PEERS / "litellm"),
        arguments=LITELLM_ARGUMENTS,
        ready="/health/liveliness",
        config="bench/config.yaml, 1 worker, master key checked, no database, LITELLM_LOG=ERROR",
        headers=KEY,
        environment=LITELLM_ENV
        | {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true", "LITELLM_LOG": "ERROR"},
        install=peers.litellm,
    ),
]


def another(checkout: Path) -> Row:
    """Our gateway of another revision, in a checkout of its own."""
    return replace(ROWS[0], name="before", program=peers.in_venv(checkout.resolve() / ".venv"))


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
        self._filled = {"port": self.port, "upstream": upstream, "scratch": self.scratch, "here": HERE}
        for name, text in row.files.items():
            (self.scratch / name).write_text(self._fill(text), encoding="utf-8")
        self.headers = {name: self._fill(value) for name, value in row.headers.items()}
        self.environment = BARE | {name: self._fill(value) for name, value in row.environment.items()}
        self.log = self.scratch / "log"
        began = time.perf_counter()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, *map(self._fill, row.arguments.split())],
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

    def _fill(self, text: str) -> str:
        return text.format(**self._filled)

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
        command = [program, *map(self._fill, self.row.version.split())]
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
