"""A model server for bench/soak.py: answers every operation from bytes made beforehand, and misbehaves where asked to.

By the model's name: "slow" takes its time, "hole" never answers, "flood" streams without an end, "error-500" and
"error-429" are these, "faulty" goes wrong once in ten times (reset, cut, 429, 500, black hole). GET /stats tells what it
has seen.
"""

import argparse
import asyncio
import json
import random
import re
import socket
import struct

import httptools
import uvloop

MODEL = re.compile(rb'"model":\s*"([^"]*)"')
STREAMED = re.compile(rb'"stream":\s*true')
FAULTS = ("reset", "cut", "429", "500", "hole")
EVENTS = 20
PAUSE = 0.002  # seconds, in the middle of a stream
SLOW = 0.03  # seconds before a slow answer, and between the events of a slow stream
USAGE = {"prompt_tokens": 12, "completion_tokens": 30, "total_tokens": 42}
ABOUT = {"id": "soak-1", "created": 1700000000, "model": "bench", "usage": USAGE}


def _plain(value: object, status: str = "200 OK", more: str = "") -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _events(kind: str, choice: object, last: object) -> list[bytes]:
    values = [{**ABOUT, "usage": None, "object": kind, "choices": [choice]}] * (EVENTS - 1)
    values += [{**ABOUT, "object": kind, "choices": [last]}]
    return [_frame(b"data: " + json.dumps(value).encode() + b"\n\n") for value in values]


MESSAGE = {"index": 0, "message": {"role": "assistant", "content": "A brown fox. " * 20}, "finish_reason": "stop"}
TEXT = {"index": 0, "text": "A brown fox. " * 20, "logprobs": None, "finish_reason": "stop"}
VECTOR = {"object": "embedding", "index": 0, "embedding": [0.25] * 64}
JUDGED = {"flagged": False, "categories": {"violence": False}, "category_scores": {"violence": 0.1}}
ANSWERS = {
    b"/chat/completions": _plain({**ABOUT, "object": "chat.completion", "choices": [MESSAGE]}),
    b"/completions": _plain({**ABOUT, "object": "text_completion", "choices": [TEXT]}),
    b"/embeddings": _plain({"object": "list", "data": [VECTOR], "model": "bench", "usage": USAGE}),
    b"/moderations": _plain({"id": "soak-2", "model": "bench", "results": [JUDGED]}),
}
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
DELTA = {"index": 0, "delta": {"role": "assistant", "content": "word "}, "finish_reason": None}
LONG = {"index": 0, "delta": {"role": "assistant", "content": "word " * 10_000}, "finish_reason": None}
FULL = 1 << 20  # bytes
STREAMS = {
    b"/chat/completions": _events("chat.completion.chunk", DELTA, {"index": 0, "delta": {}, "finish_reason": "stop"}),
    b"/completions": _events("text_completion", {**TEXT, "text": "word ", "finish_reason": None}, {**TEXT, "text": ""}),
}
END = _frame(b"data: [DONE]\n\n") + b"0\r\n\r\n"
FAILED = {
    b"500": _plain({"error": {"message": "soak", "type": "server_error"}}, "500 Oh", ""),
    b"429": _plain({"error": {"message": "soak", "type": "requests"}}, "429 Much", "retry-after: 0\r\n"),
}


class Seen:
    """What has happened so far."""

    def __init__(self, rate: float) -> None:
        self.rate = rate  # of faults
        self.random = random.Random(1)  # the same faults in every run
        self.requests = self.open = self.streams = 0
        self.faults = dict.fromkeys(FAULTS, 0)

    def fault(self) -> str | None:
        if self.random.random() >= self.rate:
            return None
        which = self.random.choice(FAULTS)
        self.faults[which] += 1
        return which


class Connection(asyncio.Protocol):
    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.parser = httptools.HttpRequestParser(self)
        self.body: list[bytes] = []
        self.url = b""
        self.streaming: asyncio.Task[None] | None = None

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.seen.open += 1

    def connection_lost(self, _exc) -> None:
        self.seen.open -= 1
        if self.streaming:
            self.streaming.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def on_message_begin(self) -> None:
        self.url = b""
        self.body.clear()

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_body(self, data: bytes) -> None:
        self.body.append(data)

    def on_message_complete(self) -> None:
        if self.url == b"/stats":
            told = {"requests": self.seen.requests, "open": self.seen.open, "streams": self.seen.streams}
            self.transport.write(_plain({**told, "faults": self.seen.faults}))
            return
        self.seen.requests += 1
        body = b"".join(self.body)
        path = self.url.removeprefix(b"/v1")
        named = MODEL.search(body)
        model = named[1] if named else b""
        if model.startswith(b"error-"):
            self.transport.write(FAILED[model[6:]])
            return
        fault = self.seen.fault() if model == b"faulty" else None
        if fault in ("500", "429"):
            self.transport.write(FAILED[fault.encode()])
        elif fault == "reset":
            self.reset()
        elif fault != "hole" and model != b"hole":
            streamed, slow = bool(STREAMED.search(body)), model == b"slow"
            doing = (
                self.flood() if model == b"flood" else self.answer(path, slow=slow, streamed=streamed, cut=bool(fault))
            )
            self.streaming = asyncio.create_task(doing)

    async def flood(self) -> None:
        """As fast as it is read."""
        event = _frame(b"data: " + json.dumps({**ABOUT, "usage": None, "choices": [LONG]}).encode() + b"\n\n")
        # Not megabytes for each of those who do not read: the kernel has to have room for the others' packets.
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FULL // 4)
        self.transport.write(STREAM)
        while True:
            if self.transport.get_write_buffer_size() < FULL:
                self.transport.write(event)
            await asyncio.sleep(PAUSE)

    async def answer(self, path: bytes, *, slow: bool, streamed: bool, cut: bool) -> None:
        if slow:
            await asyncio.sleep(SLOW)
        if not streamed:
            data = ANSWERS[path]
            self.transport.write(data[: len(data) // 2] if cut else data)
        else:
            self.seen.streams += 1
            try:
                await self.stream(STREAMS[path], slow=slow, cut=cut)
            finally:
                self.seen.streams -= 1
        if cut:
            self.transport.close()

    async def stream(self, events: list[bytes], *, slow: bool, cut: bool) -> None:
        if slow:
            self.transport.write(STREAM)
            for event in events:
                self.transport.write(event)
                await asyncio.sleep(SLOW)
            self.transport.write(END)
            return
        half = len(events) // 2
        self.transport.write(STREAM + b"".join(events[:half]))
        await asyncio.sleep(PAUSE)
        if not cut:
            self.transport.write(b"".join(events[half:]) + END)

    def reset(self) -> None:
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


async def serve(options: argparse.Namespace) -> None:
    seen = Seen(options.faults)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(seen), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(options.seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=float, default=0.1, help="the part of requests for `faulty` that goes wrong")
    parser.add_argument("--seconds", type=float, default=7200, help="ends by itself after this long")
    uvloop.run(serve(parser.parse_args()))
