"""A chat-completions server that costs next to nothing: every answer is made of bytes built beforehand.

A request with "stream": true gets 100 chunks: the first at once, then one on every tick of a 10 ms clock that serves
all open streams, or of a 1 s clock if the text is "hold". Model "burst-N" gets N chunks in one write. Everything else
gets one JSON answer of 410 bytes.
"""

import argparse
import asyncio
import functools
import gc
import json
import re

import httptools
import uvloop

CHUNKS = 100
TICK = 0.010  # seconds
SLOW_TICK = 1.0
STREAMED = re.compile(rb'"stream":\s*true')
HOLD = b'"hold"'
BURST = re.compile(rb'"burst-(\d{1,5})"')


def _answer(size: int = 410) -> bytes:
    def body(text: str) -> bytes:
        answer = {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "bench",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                    "logprobs": None,
                }
            ],
            "usage": {"prompt_tokens": 12, "completion_tokens": 30, "total_tokens": 42},
        }
        return json.dumps(answer, separators=(",", ":")).encode()

    words = "The quick brown fox jumps over the lazy dog. " * 10
    content = body(words[: size - len(body(""))])
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _event(index: int, count: int) -> bytes:
    """One server-sent event, framed as one HTTP chunk."""
    delta: dict[str, str] = {"role": "assistant", "content": ""} if index == 0 else {}
    if index < count - 1:
        delta["content"] = f"word{index} "
    choice = {"index": 0, "delta": delta, "finish_reason": "stop" if index == count - 1 else None}
    chunk = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1700000000, "model": "bench"}
    return _frame(b"data: " + json.dumps(chunk | {"choices": [choice]}, separators=(",", ":")).encode() + b"\n\n")


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


ANSWER = _answer()
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENTS = [_event(index, CHUNKS) for index in range(CHUNKS)]
FIRST = HEAD + EVENTS[0]
END = _frame(b"data: [DONE]\n\n") + b"0\r\n\r\n"
LAST = EVENTS[-1] + END


@functools.lru_cache(maxsize=8)
def _burst(count: int) -> bytes:
    return HEAD + b"".join(_event(index, count) for index in range(count)) + END


class Clock:
    """One timer for all open streams of one pace."""

    def __init__(self, loop: asyncio.AbstractEventLoop, period: float) -> None:
        self.loop = loop
        self.period = period
        self.open: dict[asyncio.Transport, int] = {}
        self.next = 0.0

    def start(self, transport: asyncio.Transport) -> None:
        if not self.open:
            self.next = self.loop.time() + self.period
            self.loop.call_at(self.next, self.tick)
        self.open[transport] = 1

    def tick(self) -> None:
        ended = []
        for transport, index in self.open.items():
            if index < CHUNKS - 1:
                transport.write(EVENTS[index])
                self.open[transport] = index + 1
            else:
                transport.write(LAST)
                ended.append(transport)
        for transport in ended:
            del self.open[transport]
        if self.open:
            self.next = max(self.next + self.period, self.loop.time())
            self.loop.call_at(self.next, self.tick)


class Connection(asyncio.Protocol):
    def __init__(self, clock: Clock, slow: Clock) -> None:
        self.clock, self.slow = clock, slow
        self.parser = httptools.HttpRequestParser(self)
        self.body: list[bytes] = []

    def connection_made(self, transport) -> None:
        self.transport = transport

    def connection_lost(self, _exc) -> None:
        for clock in (self.clock, self.slow):
            clock.open.pop(self.transport, None)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def on_body(self, data: bytes) -> None:
        self.body.append(data)

    def on_message_complete(self) -> None:
        body = b"".join(self.body)
        self.body.clear()
        if b'"stream"' not in body or not STREAMED.search(body):  # the first is quick, also in megabytes
            self.transport.write(ANSWER)
        elif burst := BURST.search(body):
            self.transport.write(_burst(int(burst[1])))
        else:
            self.transport.write(FIRST)
            (self.slow if HOLD in body else self.clock).start(self.transport)


async def serve(port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    clock, slow = Clock(loop, TICK), Clock(loop, SLOW_TICK)
    server = await loop.create_server(lambda: Connection(clock, slow), "127.0.0.1", port, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    await asyncio.sleep(seconds)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0, help="0 takes a free one; it is printed")
    options.add_argument("--seconds", type=float, default=3600, help="ends by itself after this long")
    given = options.parse_args()
    uvloop.run(serve(given.port, given.seconds))
