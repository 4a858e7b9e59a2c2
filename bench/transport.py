"""CPU of the two async transports: our own, and the one over aiohttp, which is there for proxies and here goes straight.
For an answer of 410 bytes, and for each chunk of a stream; 32 calls at a time, on connections that are kept.

python bench/transport.py [seconds per figure]
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import uvloop

from litellm.net.async_pool import AsyncPool
from litellm.net.async_proxied import AsyncProxiedPool
from litellm.net.messages import Reply, Request, Timeouts
from litellm.net.network import DIRECT

AT_ONCE = 32
CALLS = 100  # of each task, in one batch
CHUNKS = 100  # of a stream, ten milliseconds apart
HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity", "Authorization": "Bearer sk-bench"}
BODY = b'{"model":"bench","messages":[{"role":"user","content":"Say something about the quick brown fox."}]}'

Send = Callable[[Request], Awaitable[Reply]]


def request(port: int, *, stream: bool) -> Request:
    return Request(
        url=f"http://127.0.0.1:{port}/v1/chat/completions", headers=HEADERS, timeouts=Timeouts(), network=DIRECT,
        body=BODY[:-1] + b',"stream":true}' if stream else BODY, stream=stream, cacheable_head=True,
    )  # fmt: skip


async def call(send: Send, port: int) -> int:
    for _ in range(CALLS):
        reply = await send(request(port, stream=False))
        assert len(reply.body) == 410, reply.body
    return CALLS


async def stream(send: Send, port: int) -> int:
    reply = await send(request(port, stream=True))
    data = b""
    while piece := await reply.read():
        data += piece
    assert data.endswith(b"[DONE]\n\n"), data[-100:]
    return CHUNKS


async def figure(work: Callable[[Send, int], Awaitable[int]], send: Send, port: int, seconds: float) -> float:
    """µs of CPU for one call, or one chunk: the median of many batches, after one that warms up."""
    found, end = [], time.perf_counter() + seconds
    while len(found) < 3 or time.perf_counter() < end:
        start = time.process_time()
        units = sum(await asyncio.gather(*[work(send, port) for _ in range(AT_ONCE)]))
        found.append(1e6 * (time.process_time() - start) / units)
    return median(found[1:])


async def compare(port: int, seconds: float) -> None:
    direct, proxied = AsyncPool(), AsyncProxiedPool(ipv4_only=False)

    async def straight(asked: Request) -> Reply:
        return await proxied.send(asked, None)  # type: ignore[arg-type]  # aiohttp takes this for no proxy

    print(f"{'':16}{'direct':>10}{'aiohttp':>10}{'ratio':>8}")
    for name, work in ("µs a call", call), ("µs a chunk", stream):
        ours = await figure(work, direct.send, port, seconds)
        theirs = await figure(work, straight, port, seconds)
        print(f"{name:16}{ours:10.1f}{theirs:10.1f}{theirs / ours:8.1f}")
    direct.close()
    await proxied.close()


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    upstream = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("upstream.py"))], stdout=subprocess.PIPE, text=True
    )
    assert upstream.stdout is not None
    try:
        uvloop.run(compare(int(upstream.stdout.readline()), seconds))
    finally:
        upstream.terminate()
        upstream.wait()


if __name__ == "__main__":
    main()
