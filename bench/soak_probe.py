"""Asks the gateway over and over whether it lives, for bench/soak.py: from a process of its own, which does nothing else,
so that no answer waits for whoever makes the load.

Two kinds by turns: on a connection that is kept, and on a new one. Ends when its input does, and prints all times as JSON.
"""

import asyncio
import json
import os
import selectors
import socket
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PAUSE = 0.02  # seconds between two questions
PATIENCE = 30.0  # seconds for an answer
ASKED = b"GET /health/liveliness HTTP/1.1\r\nhost: x\r\n\r\n"


@dataclass
class Waits:
    """Seconds that each answer took, the shortest first: on a connection that was kept, and on a new one."""

    kept: list[float] = field(default_factory=list)
    new: list[float] = field(default_factory=list)


@asynccontextmanager
async def probed(port: int) -> AsyncIterator[Waits]:
    """Probe meanwhile; the times are there when the block has ended."""
    command = (sys.executable, "-m", "bench.soak_probe", str(port))
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout
    waits = Waits()
    await process.stdout.readline()  # it has begun
    try:
        yield waits
    finally:
        said, _ = await process.communicate(b"")  # the end of its input
        if said:
            for name, seconds in json.loads(said).items():
                getattr(waits, name).extend(sorted(seconds))


def main(port: int) -> None:
    times: dict[str, list[float]] = {"kept": [], "new": []}
    ended = selectors.DefaultSelector()
    ended.register(sys.stdin, selectors.EVENT_READ)
    with _dialled(port) as kept:
        _ask(kept)
        print("begun", flush=True)
        while not ended.select(PAUSE):
            began = time.perf_counter()
            _ask(kept)
            times["kept"].append(time.perf_counter() - began)
            began = time.perf_counter()
            with _dialled(port) as new:
                _ask(new)
            times["new"].append(time.perf_counter() - began)
    print(json.dumps(times))


def _dialled(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def _ask(sock: socket.socket) -> None:
    sock.sendall(ASKED)
    data = b""
    while not data.endswith(b'alive!"'):
        piece = sock.recv(65536)
        if not piece:
            raise ConnectionError(f"{os.getpid()}: the gateway hung up: {data!r}")
        data += piece


if __name__ == "__main__":
    main(int(sys.argv[1]))
