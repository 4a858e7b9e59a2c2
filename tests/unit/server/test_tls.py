"""TLS: who has not shaken hands counts, and does not stay."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest
import trustme
import uvloop
from tests.unit.server.test_connection import Place, answer, request

from litellm.server import tls
from litellm.server.connection import Connections
from litellm.server.limits import Limits
from litellm.server.serve import ListenOptions, bind


@asynccontextmanager
async def served(limits: Limits):
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    place = Place(limits)
    place.connections = Connections(place)
    sock = bind(ListenOptions("127.0.0.1", 0))
    port = sock.getsockname()[1]
    handshakes = tls.Handshakes(place.connections, sock, context)

    writers = []

    async def dial(**options):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
        writers.append(writer)
        return reader, writer

    async def dial_tls():
        return await dial(ssl=trusting, server_hostname="localhost")

    try:
        yield place, dial, dial_tls
    finally:
        handshakes.close()
        for writer in writers:
            writer.transport.abort()
        place.connections.abort()
        await place.until(lambda: not place.connections.open)


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_it_is_spoken(runner):
    """By both loops, for short bodies and long ones."""

    async def main():
        async with served(Limits()) as (_, _dial, dial_tls):
            reader, writer = await dial_tls()
            for length in (5, 500_000):
                writer.write(request(length))
                assert (await answer(reader))[::2] == (200, b"%d" % length)
            writer.close()

    runner(main())


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_the_silent_take_no_more_than_their_number(runner):
    """One connection too many is closed at once, also while the others say nothing; those that do are served."""

    async def main():
        async with served(Limits(connections=4)) as (_, dial, dial_tls):
            reader, writer = await dial_tls()
            silent = [await dial() for _ in range(3)]
            late, _ = await dial()
            assert await asyncio.wait_for(late.read(), 5) == b""
            writer.write(request(1))
            assert (await answer(reader))[0] == 200
            for _, each in silent:
                each.transport.abort()

    runner(main())


async def test_who_does_not_shake_hands_is_gone_soon(monkeypatch):
    """And makes room for others."""
    monkeypatch.setattr(tls, "HANDSHAKE", 0.05)
    async with served(Limits(connections=1)) as (_, dial, dial_tls):
        silent, _ = await dial()
        assert await asyncio.wait_for(silent.read(), 5) == b""
        reader, writer = await dial_tls()
        writer.write(request(1))
        assert (await answer(reader))[0] == 200


async def test_who_speaks_something_else_gets_nothing():
    """And the next one is served."""
    async with served(Limits()) as (_, dial, dial_tls):
        reader, writer = await dial()
        writer.write(request(1))
        assert b"HTTP" not in await asyncio.wait_for(reader.read(), 5)
        reader, writer = await dial_tls()
        writer.write(request(1))
        assert (await answer(reader))[0] == 200
