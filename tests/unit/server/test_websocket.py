"""WebSockets, with the client of `websockets` at the other end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from tests.unit.server.application import serving
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from litellm.server.limits import Limits
from litellm.server.routing import Route
from litellm.server.websocket import WebSocket


async def echo(exchange):
    async with WebSocket(exchange) as socket:
        async for message in socket:
            await socket.send(message)


@asynccontextmanager
async def talking_to(handler, limits=Limits(), **options):
    async with serving([Route("GET", "/echo", handler, "socket")], limits=limits) as (app, port):
        async with connect(f"ws://127.0.0.1:{port}/echo", proxy=None, **options) as client:
            yield client, app


async def test_what_is_said_comes_back():
    async with talking_to(echo) as (client, _):
        for message in ("Hello", b"\x00\xff", "", "ü" * 100_000):
            await client.send(message)
            assert await client.recv() == message


async def test_fragments_are_one_message():
    async with talking_to(echo) as (client, _):
        await client.send(["in ", "three ", "pieces"])
        assert await client.recv() == "in three pieces"


async def test_many_at_once_keep_their_order():
    async with talking_to(echo) as (client, _):
        for number in range(200):
            await client.send(str(number))
        assert [await client.recv() for _ in range(200)] == [str(number) for number in range(200)]


async def test_a_ping_is_answered():
    async with talking_to(echo) as (client, _):
        async with asyncio.timeout(5):
            await (await client.ping())


async def test_all_that_is_sent_in_its_life_may_be_more_than_a_body():
    async with talking_to(echo, Limits(max_body=10_000)) as (client, _):
        for _ in range(20):
            await client.send("x" * 1000)
            assert len(await client.recv()) == 1000


async def test_the_client_closes():
    ended = asyncio.Event()

    async def handler(exchange):
        await echo(exchange)
        ended.set()

    async with talking_to(handler) as (client, app):
        await client.close(code=1001)
        async with asyncio.timeout(5):
            await ended.wait()
            while app.connections.open:
                await asyncio.sleep(0.001)
        assert client.close_code == 1001


async def test_the_server_closes():
    async def handler(exchange):
        async with WebSocket(exchange) as socket:
            await socket.send("bye")

    async with talking_to(handler) as (client, _):
        assert await client.recv() == "bye"
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1000


async def test_a_handler_that_fails_closes_with_1011():
    async def handler(exchange):
        async with WebSocket(exchange):
            raise LookupError

    async with talking_to(handler) as (client, _):
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1011


async def test_a_client_that_vanishes_ends_its_handler():
    ended = asyncio.Event()

    async def handler(exchange):
        try:
            await echo(exchange)
        finally:
            ended.set()

    async with talking_to(handler) as (client, _):
        client.transport.abort()
        async with asyncio.timeout(5):
            await ended.wait()


@pytest.mark.parametrize(
    ("opcode", "payload", "code"), [(1, b"\xff\xfe", 1007), (3, b"", 1002)], ids=["no UTF-8", "no such frame"]
)
async def test_what_breaks_the_protocol_closes_it(opcode, payload, code):
    async with talking_to(echo) as (client, _):
        mask = b"\0\0\0\0"
        client.transport.write(bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + payload)
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == code


async def test_a_message_has_a_greatest_size():
    async def handler(exchange):
        async with WebSocket(exchange, max_size=1000) as socket:
            async for message in socket:
                await socket.send(message)

    async with talking_to(handler) as (client, _):
        await client.send(["x" * 600, "x" * 600])
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1009


async def test_without_a_websocket_route_there_is_none():
    async def plain(exchange):
        exchange.answer(200, b"{}", [])

    async with serving([Route("GET", "/plain", plain)]) as (_, port):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"ws://127.0.0.1:{port}/plain", proxy=None):
                pass
        assert refused.value.response.status_code == 426
