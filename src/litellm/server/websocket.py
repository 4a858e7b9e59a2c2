"""WebSockets (RFC 6455) on routes of the kind "socket". Frames and handshake are those of `websockets`' sans-I/O protocol:
bytes come from the exchange, and go there."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from litellm.server.exchange import Exchange
from litellm.server.refusal import Refusal

MAX_MESSAGE = 16 * 1024 * 1024  # bytes
CLOSING = 10.0  # seconds for the client to answer that it closes too


class WebSocket:
    """A client's WebSocket: `async with WebSocket(exchange) as socket`, then `async for message in socket`.

    Messages are str or bytes. Pings are answered while a message is awaited. Leaving closes it: with 1000, or with
    1011 for an exception.
    """

    def __init__(self, exchange: Exchange, *, max_size: int = MAX_MESSAGE) -> None:
        self._exchange = exchange
        self._arriving = exchange.stream()
        self._protocol = ServerProtocol(max_size=max_size)
        self._messages: deque[str | bytes] = deque()
        self._partial = bytearray()  # of a message that comes in fragments
        self._is_text = False

    async def __aenter__(self) -> Self:
        """Shake hands. Raises Refusal for a client that does it wrong."""
        self._protocol.receive_data(_head_of(self._exchange))
        (request,) = self._protocol.events_received()
        assert isinstance(request, Request)  # noqa: S101 - nothing else comes before the handshake
        response = self._protocol.accept(request)
        if response.status_code != 101:
            raise Refusal(response.status_code, response.body.decode().strip())
        self._protocol.send_response(response)
        self._protocol.data_to_send()  # the same as what the exchange writes
        headers = response.headers.raw_items()
        self._exchange.switch_protocols([(name.encode(), value.encode()) for name, value in headers])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.close(CloseCode.NORMAL_CLOSURE if error is None else CloseCode.INTERNAL_ERROR)
        finally:
            self._exchange.write(b"", more=False)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        while not self._messages:
            if self._protocol.state is not State.OPEN:
                raise StopAsyncIteration
            await self._read()
        return self._messages.popleft()

    async def send(self, message: str | bytes) -> None:
        """Send a message, and wait while the client reads slowly. Raises ConnectionError when it is closed."""
        if self._protocol.state is not State.OPEN:
            raise ConnectionError("the WebSocket is closed")
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        await self._flush()

    async def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Close it, and wait for the client to do so, for a while. Idempotent."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            await self._flush()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                while self._protocol.state is not State.CLOSED and not self._protocol.close_expected():
                    await self._read()

    async def _read(self) -> None:
        """Take what comes next from the client."""
        async for data in self._arriving:
            self._protocol.receive_data(data)
            break
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._take(event)
        await self._flush()

    def _take(self, frame: Frame) -> None:
        """A frame of a message; the protocol has seen to their order, and to the size of all of them."""
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._partial += frame.data
        if not frame.fin:
            return
        data, self._partial = bytes(self._partial), bytearray()
        try:
            self._messages.append(data.decode() if self._is_text else data)
        except UnicodeDecodeError:
            self._protocol.fail(CloseCode.INVALID_DATA, "a text must be UTF-8")

    async def _flush(self) -> None:
        """Send what the protocol has to say. An empty piece of it means that nothing more will come."""
        for data in self._protocol.data_to_send():
            drained = self._exchange.write(data) if data else None
            if drained is not None:
                await drained


def _head_of(exchange: Exchange) -> bytes:
    """The request's head, once more as bytes: it has been read already, and is known to be good."""
    query = b"?" + exchange.query if exchange.query else b""
    lines = b"".join(b"%b: %b\r\n" % field for field in exchange.fields)
    return b"%b %b%b HTTP/1.1\r\n%b\r\n" % (
        exchange.method.encode(), exchange.raw_path.encode("latin-1"), query, lines,
    )  # fmt: skip
