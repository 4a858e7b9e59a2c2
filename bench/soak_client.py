"""The traffic of bench/soak.py: every kind of request that a gateway gets, in fixed proportions and in a fixed disorder."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

HI = [{"role": "user", "content": "Say something about the quick brown fox, in one or two sentences."}]
CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
PATIENCE = 30.0  # seconds for any answer


@dataclass(frozen=True)
class Kind:
    weight: int
    body: Callable[["Soak", int], Any]  # of the request with this number; bytes are sent as they are
    statuses: tuple[int, ...] = (200,)
    path: str = CHAT
    key: str | None = None
    leave: str = ""  # "before" the answer, or in the "middle" of it


@dataclass
class Soak:
    port: int
    upstream: int
    key: str
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    number: int = 0

    async def run(self, kinds: dict[str, Kind], count: int, connections: int) -> None:
        """Send `count` requests of these kinds over so many connections."""
        names, weights = list(kinds), [kind.weight for kind in kinds.values()]
        left = iter(self.dice.choices(names, weights, k=count))
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(self._client(kinds, left))

    async def _client(self, kinds: dict[str, Kind], left: Any) -> None:
        line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for name in left:
            kind = kinds[name]
            self.number += 1
            line = line or await self.dial()
            began = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE):
                    status, keep = await self._ask(kind, *line)
            except TimeoutError:
                status, keep = "no answer", False
            except (OSError, asyncio.IncompleteReadError) as error:
                status, keep = f"lost: {type(error).__name__}", False
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.outcomes[f"{name} {status}"] += 1
            if status not in kind.statuses and status != "left" and len(self.wrong) < 20:
                self.wrong.append(f"{name}: {status}")
            if not keep:
                line[1].transport.abort()
                line = None
        if line:
            line[1].close()

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def _ask(self, kind: Kind, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[Any, bool]:
        """(the status, whether the connection may be used again)"""
        body = kind.body(self, self.number)
        writer.write(self.request(kind.path, body if isinstance(body, bytes) else json.dumps(body).encode(), kind.key))
        if kind.leave == "before":
            await asyncio.sleep(self.dice.random() * 0.02)
            return "left", False
        if kind.leave == "middle":
            await reader.readuntil(b"data: ")
            return "left", False
        return await answer(reader)

    def request(self, path: str, body: bytes, key: str | None = None) -> bytes:
        """The bytes of a request."""
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key or self.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def tell(self, model: str) -> Any:
        """What a model of the gateway says, which is JSON."""
        reader, writer = await self.dial()
        writer.write(self.request(CHAT, json.dumps({"model": model, "messages": HI}).encode()))
        _, _, body = await whole(reader)
        writer.close()
        return json.loads(json.loads(body)["choices"][0]["message"]["content"])


async def answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    status, keep, _ = await whole(reader)
    return status, keep


async def whole(reader: asyncio.StreamReader) -> tuple[int, bool, bytes]:
    """(status, whether the connection may be used again, body); a stream's body is its end. Raises IncompleteReadError."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    keep = b"connection: close" not in head
    status = int(head[9:12])
    if b"transfer-encoding: chunked" in head:
        while not (end := await reader.readuntil(b"\r\n\r\n")).endswith(b"0\r\n\r\n"):
            pass
        return status, keep, end
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return status, keep, await reader.readexactly(length)


def chat(model: str, **more: Any) -> Callable[[Soak, int], Any]:
    body = json.dumps({"model": model, "messages": HI, **more}).encode()
    return lambda _soak, _number: body


def _own_place(soak: Soak, _: int) -> Any:
    return {
        "model": "openai/bench",
        "messages": HI,
        "api_key": "sk-mine",
        "api_base": f"http://127.0.0.1:{soak.upstream}/v1",
    }


def _own_config(soak: Soak, number: int) -> Any:
    params = {
        "model": "openai/bench",
        "api_base": f"http://127.0.0.1:{soak.upstream}/v1",
        "api_key": f"sk-{number % 40}",
    }
    return {
        "model": "mine",
        "messages": HI,
        "user_config": {"model_list": [{"model_name": "mine", "litellm_params": params}]},
    }


MIXED = {
    "plain": Kind(30, chat("bench")),
    "streamed": Kind(16, chat("bench", stream=True)),
    "text": Kind(4, chat("bench", prompt="hi"), path=TEXT),
    "text streamed": Kind(3, chat("bench", prompt="hi", stream=True), path=TEXT),
    "embeddings": Kind(4, chat("bench", input="hi"), path="/v1/embeddings"),
    "moderations": Kind(3, chat("bench", input="hi"), path="/v1/moderations"),
    "error 500": Kind(3, chat("error-500"), (500,)),
    "error 429": Kind(3, chat("error-429"), (429,)),
    "error 500 streamed": Kind(2, chat("error-500", stream=True), (500,)),
    "fallback": Kind(3, chat("falls")),
    "left before the answer": Kind(3, chat("slow"), leave="before"),
    "left before the stream": Kind(2, chat("slow", stream=True), leave="before"),
    "left in the middle": Kind(3, chat("slow", stream=True), leave="middle"),
    "unknown model": Kind(3, lambda _, number: {"model": f"nobody-{number}", "messages": HI}, (400,)),
    "wildcard": Kind(4, lambda _, number: {"model": f"wild/name-{number}", "messages": HI}),
    "wrong key": Kind(2, chat("bench"), (401,), key="sk-somebody-elses-key"),
    "no JSON": Kind(2, lambda _, number: b'{"model": %d,' % number, (400,)),
    "no such path": Kind(1, chat("bench"), (404,), path="/v1/nothing"),
    "credentials of the client": Kind(3, _own_place),
    "user_config": Kind(3, _own_config),
    "several models": Kind(2, chat("bench,error-500,nobody")),
    "the fastest of several": Kind(1, chat("bench,slow", fastest_response=True)),
    "handler": Kind(2, chat("mocked")),
    "own timeout": Kind(2, chat("hole", timeout=0.02, num_retries=0), (408,)),
}
NAMES = {"wildcard": MIXED["wildcard"]}
PLAIN = {"plain": MIXED["plain"]}
FAULTY = {
    "plain": Kind(1, chat("faulty"), (200, 429, 500, 408)),
    "streamed": Kind(1, chat("faulty", stream=True), (200, 429, 500, 408)),
}
