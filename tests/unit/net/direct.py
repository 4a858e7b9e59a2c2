"""What tests of the direct way need: a Pool that must be empty in the end, and helpers to wait and read."""

import asyncio
import contextlib

import uvloop
from tests.unit.net.asking import request

from litellm.net.async_pool import AsyncPool

LOOPS = {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


@contextlib.asynccontextmanager
async def pool(**options):
    made = AsyncPool(**options)
    try:
        yield made
    finally:
        made.close()
        await asyncio.sleep(0.01)
        assert made.size == (0, 0)


def to(server, **options):
    return request(server.base + "/chat/completions", **options)


async def drained(reply):
    data = b""
    while piece := await reply.read():
        data += piece
    return data


async def until(predicate):
    async with asyncio.timeout(5):
        while not predicate():
            await asyncio.sleep(0.002)
