"""An exchange as the gateway has it: with an id for the call, and OpenAI's event streams."""

from __future__ import annotations

from random import getrandbits

from litellm.server import exchange
from litellm.server.refusal import Headers
from litellm.wire.framing import sse

HEARTBEAT = b": heartbeat\n\n"
EVENTS = b"text/event-stream; charset=utf-8"
_UNBUFFERED: Headers = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"*"),
    (b"access-control-allow-headers", b"*, authorization"),
    (b"access-control-max-age", b"600"),
]


def _new_id() -> str:
    """A random UUID (version 4), at a third of uuid.uuid4()'s cost. It tells calls apart; it is no secret."""
    digits = f"{getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


class Exchange(exchange.Exchange):
    """A request to the gateway, and the means to answer it."""

    _call_id = ""
    _early = False  # the stream was begun by a heartbeat

    @property
    def call_id(self) -> str:
        """The id of this call: the client's own, or a new one."""
        if not self._call_id:
            given = self.headers.get(b"x-litellm-call-id")
            self._call_id = given.decode("latin-1") if given else _new_id()
        return self._call_id

    def answer(self, status: int, body: bytes, headers: Headers, content_type: bytes = b"application/json") -> None:
        """Answer whole, in one write. After a heartbeat it can only be told in the stream, whose last event it is."""
        if not self._early:
            super().answer(status, body, headers, content_type)
            return
        self.started = True
        self.write(sse.event(body) + sse.event(sse.DONE), more=False)

    def begin_stream(self, headers: Headers) -> None:
        """Begin an event stream, unless a heartbeat was before it."""
        if self._early:
            self.started = True
        else:
            self.begin(200, [*_UNBUFFERED, *headers], EVENTS)

    def heartbeat(self) -> None:
        """Put a comment into the stream, so that silence is not taken for its end. It may begin the stream, and so decide
        that the status is 200, but not yet what is answered."""
        if not (self.started or self._early):
            self.begin_stream([(b"x-litellm-call-id", self.call_id.encode("latin-1", "replace"))])
            self._early = True
            self.started = False
        if not self.ended and self._channel.drain() is None:
            self.write(HEARTBEAT)
