"""Puts load on an address from a process of its own: wrk where it is installed, bench/load.py otherwise."""

import contextlib
import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import measure
from bench.load import request
from bench.upstream import CHUNKS, TICK

DONE = """
done = function(summary, latency)
  local bad = summary.errors
  local all = bad.connect + bad.read + bad.write + bad.status + bad.timeout
  local text = '\\n{"requests": %d, "seconds": %f, "errors": %d}\\n'
  io.write(string.format(text, summary.requests, summary.duration / 1e6, all))
end
"""
PROBLEMS = ("errors", "short", "unfinished")
MILLION = 1_000_000


@dataclass(frozen=True)
class Target:
    """An address to load, and the process whose CPU time that costs."""

    name: str
    port: int
    pid: int
    headers: dict[str, str]


def chat(
    target: Target, connections: int, seconds: float, *, wrk: bool = False, content: str = "sentence"
) -> dict[str, float]:
    """What non-streamed requests cost, and how long one took. content: one of load.CONTENTS, for wrk the default."""
    cpu = measure.cpu_seconds(target.pid)
    said = _wrk(target, connections, seconds) if wrk else _load("chat", target, connections, seconds, content=content)
    cpu = measure.cpu_seconds(target.pid) - cpu
    _complain(target, said)
    done = said["requests"]
    each = 1e6 * cpu / done if done and cpu else math.nan
    return {
        "rate": done / said["seconds"],
        "cpu": each,
        "per_core": 1e6 / each,
        "p50": said.get("p50", math.nan),
        "p99": said.get("p99", math.nan),
    }


def stream(target: Target, connections: int, each: int, seconds: float) -> dict[str, float]:
    """What a streamed chunk costs, the stream's own set-up included, and the wait for the first in milliseconds."""
    cpu = measure.cpu_seconds(target.pid)
    said = _load("stream", target, connections, seconds, count=connections * each)
    cpu = measure.cpu_seconds(target.pid) - cpu
    _complain(target, said)
    chunks = said["requests"] * CHUNKS
    unusable = said.get("unfinished") or not chunks  # part of the CPU time went into streams that were not counted
    cost = math.nan if unusable else 1e6 * cpu / chunks
    return {"cpu": cost, "p50": said["p50"] / 1e3, "p99": said["p99"] / 1e3}


def smooth(target: Target, streams: int, each: int) -> bool:
    """Whether that many streams at a time came whole and without a stall, `each` on every connection."""
    seconds = (each + 1) * CHUNKS * TICK
    said = _load("stream", target, streams, 2 * seconds, count=streams * each)
    measure.wait_until_idle(target.pid)
    return not said.get("stalls") and not any(said.get(problem) for problem in PROBLEMS)


@contextlib.contextmanager
def held(target: Target, streams: int) -> Iterator[int]:
    """That many open streams, a chunk a second on each. Gives how many have begun."""
    command = _load_command("hold", target, {"connections": streams, "content": "hold"})
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline() or '{"open": 0}')["open"]
        finally:
            process.communicate(timeout=30)


def many(target: Target, connections: int, seconds: float) -> int:
    """A million requests, or as many as it answers in that time."""
    said = _load("chat", target, connections, seconds, count=MILLION)
    _complain(target, said)
    return said["requests"]


def _complain(target: Target, said: dict) -> None:
    for problem in PROBLEMS:
        if said.get(problem):
            print(
                f"  {target.name}: {said[problem]} {problem} of {said['requests']} {said.get('error', '')}", flush=True
            )


def _load(kind: str, target: Target, connections: int, seconds: float, **more: object) -> dict:
    options = {"connections": connections, "seconds": seconds, **more}
    return _said(_load_command(kind, target, options), seconds)


def _load_command(kind: str, target: Target, options: dict[str, object]) -> list[str]:
    command = [sys.executable, "-m", "bench.load", kind, "--headers", json.dumps(target.headers)]
    for name, value in {"port": target.port, **options}.items():
        command += [f"--{name}", str(value)]
    return command


def _wrk(target: Target, connections: int, seconds: float) -> dict:
    body = request("/", {}, stream=False).partition(b"\r\n\r\n")[2].decode()
    fields = {"content-type": "application/json", **target.headers}
    lines = [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in fields.items()]
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        script = Path(scratch) / "post.lua"
        script.write_text(
            "\n".join(['wrk.method = "POST"', f"wrk.body = [==[{body}]==]", *lines, DONE]), encoding="utf-8"
        )
        command = ["wrk", "--threads", "1", "--connections", str(connections), "--timeout", "20s"]
        command += ["--duration", f"{math.ceil(seconds)}s", "--script", str(script)]
        command += [f"http://127.0.0.1:{target.port}/v1/chat/completions"]
        return _said(command, seconds)


def _said(command: list[str], seconds: float) -> dict:
    """The last line of JSON that the command prints; an empty tally when it fails, which is reported, not raised."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=seconds + 60)
    except subprocess.TimeoutExpired:
        return _nothing("the load generator did not end")
    if said.returncode:
        return _nothing(said.stderr.strip().rpartition("\n")[2])
    return json.loads(said.stdout.strip().rpartition("\n")[2])


def _nothing(error: str) -> dict:
    return {"requests": 0, "seconds": math.nan, "errors": 1, "error": error, "p50": math.nan, "p99": math.nan}


def wrk_version() -> str | None:
    if not shutil.which("wrk"):
        return None
    return subprocess.run(["wrk", "-v"], capture_output=True, text=True, encoding="utf-8").stdout.partition(" [")[0]
