"""A lean client that loads one address, bounded in time and in count, and prints what it saw as one line of JSON.

`chat`: every connection sends its next request when the last is answered. `stream`: every connection reads streams, one
after the other; the connections start spread over the length of one stream so that beginnings and ends do not bunch.
`hold`: every connection opens a stream that takes minutes; it prints how many have begun and lets go when stdin ends.
"""

import argparse
import asyncio
import base64
import gc
import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import httptools
import uvloop
from bench.measure import percentile
from bench.upstream import CHUNKS, TICK

STALL = 0.050  # seconds of silence in mid-stream
PATIENCE = 60.0  # seconds for held streams to begin
SENTENCE = "Say something about the quick brown fox, in one or two sentences."


def _text(size: int) -> str:
    return (f"{SENTENCE} " * (size // len(SENTENCE)))[:size]


def _image(size: int) -> list[dict[str, Any]]:
    encoded = base64.b64encode(random.Random(0).randbytes(size * 3 // 4)).decode()
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}}
    return [{"type": "text", "text": "What is in this picture?"}, picture]


# What a user's message can say, by name
CONTENTS: Mapping[str, Callable[[], Any]] = {
    "sentence": lambda: SENTENCE,
    "hold": lambda: "hold",
    "1kb": lambda: _text(1_000),
    "100kb": lambda: _text(100_000),
    "5mb": lambda: _image(5_000_000),
}


def request(path: str, headers: dict[str, str], *, stream: bool, content: str = "sentence") -> bytes:
    messages = [{"role": "user", "content": CONTENTS[content]()}]
    body = json.dumps({"model": "bench", "messages": messages} | ({"stream": True} if stream else {})).encode()
    fields = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


class Tally:
    def __init__(self, count: int) -> None:
        self.left = count
        self.waits: list[float] = []  # until the answer, or until a stream's first event
        self.errors: list[str] = []
        self.short = 0
        self.chunks = 0
        self.stalls = 0
        self.silence = 0.0  # the longest in mid-stream


class Connection(asyncio.Protocol):
    def __init__(self, tally: Tally, message: bytes, *, stream: bool, count: int) -> None:
        self.tally, self.message, self.stream, self.count = tally, message, stream, count
        self.waiting = False
        self.first = 0.0
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        if self.tally.left <= 0 or self.count <= 0:
            self.transport.close()
            return
        self.tally.left -= 1
        self.count -= 1
        self.parser = httptools.HttpResponseParser(self)
        self.first = self.last = 0.0
        self.events = 0
        self.tail = b""
        self.waiting = True
        self.sent = time.perf_counter()
        self.transport.write(self.message)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.tally.errors.append(f"unreadable answer: {error}")
            self.transport.close()

    def on_body(self, data: bytes) -> None:
        if self.stream:
            text = self.tail + data  # the tail is too short to hold a marker whole, so none is counted twice
            self.events += text.count(b"data: ")
            self.tail = text[-5:]
            self.heard(time.perf_counter())

    def heard(self, now: float) -> None:
        if self.first:
            silence = now - self.last
            self.tally.silence = max(self.tally.silence, silence)
            self.tally.stalls += silence > STALL
        elif self.events:
            self.first = now
        self.last = now

    def on_message_complete(self) -> None:
        self.waiting = False
        tally = self.tally
        status = self.parser.get_status_code()
        if status != 200:
            tally.errors.append(f"status {status}")
        elif not self.stream:
            tally.waits.append(time.perf_counter() - self.sent)
        else:
            tally.chunks += self.events - 1  # [DONE]
            tally.short += self.events - 1 < CHUNKS
            tally.waits.append(self.first - self.sent)
        self.send()

    def connection_lost(self, _exc) -> None:
        if self.waiting:
            self.tally.errors.append("connection closed before the answer's end")
        if not self.closed.done():
            self.closed.set_result(None)


async def connect(
    options: argparse.Namespace, message: bytes, tally: Tally, count: int, apart: float
) -> list[Connection]:
    """Opens the connections, `apart` seconds after each other, with `count` requests to send on each."""
    stream = options.kind != "chat"
    loop = asyncio.get_running_loop()
    gc.disable()
    start = time.perf_counter()
    connections = []
    for index in range(options.connections):
        if apart and index:
            await asyncio.sleep(max(0, start + index * apart - time.perf_counter()))
        _, connection = await loop.create_connection(
            lambda: Connection(tally, message, stream=stream, count=count), "127.0.0.1", options.port
        )
        connections.append(connection)
    return connections


async def load(options: argparse.Namespace, message: bytes) -> dict:
    stream = options.kind == "stream"
    tally = Tally(options.count)
    share = -(-options.count // options.connections) if stream else options.count
    start = time.perf_counter()
    connections = await connect(options, message, tally, share, CHUNKS * TICK / options.connections if stream else 0)
    left = max(0.01, start + options.seconds - time.perf_counter())
    _, late = await asyncio.wait([connection.closed for connection in connections], timeout=left)
    seconds = time.perf_counter() - start
    tally.left = 0
    for connection in connections:
        connection.transport.abort()
    waits = sorted(tally.waits)
    return {
        "requests": len(waits),
        "unfinished": len(late) if stream else 0,
        "chunks": tally.chunks,
        "short": tally.short,
        "stalls": tally.stalls,
        "silence": tally.silence,
        "errors": len(tally.errors),
        "error": tally.errors[0] if tally.errors else "",
        "seconds": seconds,
        "p50": percentile(waits, 50) * 1e6,
        "p99": percentile(waits, 99) * 1e6,
    }


async def hold(options: argparse.Namespace, message: bytes) -> dict:
    tally = Tally(options.connections)
    connections = await connect(options, message, tally, 1, 0.002)
    end = time.perf_counter() + PATIENCE
    while time.perf_counter() < end and not all(one.first or one.closed.done() for one in connections):
        await asyncio.sleep(0.05)
    begun = sum(1 for one in connections if one.first)
    print(json.dumps({"open": begun}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for connection in connections:
        connection.transport.abort()
    return {"open": begun, "errors": len(tally.errors)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["chat", "stream", "hold"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/v1/chat/completions")
    parser.add_argument("--headers", default="{}", help="a JSON object")
    parser.add_argument("--content", choices=CONTENTS, default="sentence")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--count", type=int, default=1_000_000, help="at most this many requests")
    parser.add_argument("--seconds", type=float, default=5, help="at most this long")
    given = parser.parse_args()
    sent = request(given.path, json.loads(given.headers), stream=given.kind != "chat", content=given.content)
    print(json.dumps(uvloop.run((hold if given.kind == "hold" else load)(given, sent))))
