"""What a wire module offers (its functions are the Protocol), and all that it may see of a call."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from litellm.exceptions import LiteLLMError

Body = dict[str, Any]


class Outgoing(msgspec.Struct):
    """All that a wire may see: no credentials, no metadata, no caller."""

    model: str
    body: Body
    stream: bool = False


class Fault(msgspec.Struct, frozen=True):
    """What went wrong according to the upstream's error object. `kind` refines the class that its status gives."""

    message: str
    kind: type[LiteLLMError] | None = None
    code: str | None = None
    param: str | None = None
    type: str | None = None
    body: Any = None


class Unsuitable(ValueError):  # noqa: N818 - the engine translates it
    """The request cannot be said in this format; the text says why, and what to do."""


class WrongShape(Exception):  # noqa: N818 - the engine translates it
    """The bytes are not an answer in this format."""


class StreamFault(Exception):  # noqa: N818 - the engine translates it
    """The upstream reported an error inside its stream."""

    def __init__(self, status: int, fault: Fault) -> None:
        super().__init__(fault.message)
        self.status = status
        self.fault = fault


class Chunk(msgspec.Struct):
    """One chunk of a stream, OpenAI-shaped. `payload` is how the upstream wrote it, or None if that was not OpenAI's
    format or had to be corrected: whoever relays sends the payload if there is one."""

    value: Body
    payload: bytes | None = None


class StreamDecoder(Protocol):
    """Bytes of a stream to chunks. It keeps what a stream has to keep: one id, stable tool indices, what has ended."""

    done: bool  # the upstream has said that this is all
    usage: Body | None
    include_usage: bool
    fault: Exception | None  # what broke the stream, after the chunks that were given; `end` raises it

    @property
    def complete(self) -> bool:
        """Whether every choice has finished, or the upstream has said that this is all."""

    def feed(self, data: bytes) -> list[Chunk]:
        """The chunks completed by `data`. What comes after a broken event is not read: see `fault`."""

    def end(self) -> list[Chunk]:
        """The last chunks, after the last bytes: the usage chunk, if the caller wants one. Raises `fault`, if there is
        one: a WrongShape or a StreamFault."""


class Seen(Protocol):
    """What is read of an answer that is relayed as it came."""

    model: str | None
    usage: Body | None


class Wire(Protocol):
    """A format for one operation. A module of functions is one."""

    NAME: str
    PATH: str

    def encode(self, out: Outgoing) -> bytes:
        """OpenAI-shaped body to the upstream's bytes. Raises Unsuitable, or TypeError and ValueError for no JSON."""

    def decode(self, data: bytes, out: Outgoing) -> Body:
        """The upstream's bytes to an OpenAI-shaped answer. Raises WrongShape, StreamFault."""

    def glance(self, data: bytes, out: Outgoing) -> Seen | None:
        """The little that is read of an answer whose bytes can be relayed, or None for one that has to be decoded."""

    def error(self, status: int, data: bytes) -> Fault:
        """What an error answer says, from its code field before its text."""


class StreamWire(Wire, Protocol):
    """A format that also streams."""

    def decoder(self, *, include_usage: bool) -> StreamDecoder:
        """A decoder for one stream."""
