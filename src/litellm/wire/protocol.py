"""What a dialect offers, in its half for upstreams and in that for clients, and all that it may see of a call. A module of
functions is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from litellm.exceptions import LiteLLMError

Body = dict[str, Any]

JSON = "application/json"


class Outgoing(msgspec.Struct):
    """All that a dialect may see of a call: no credentials, no metadata, no caller; and no clock and no ids but these.

    show_usage: the caller wants the usage of a stream. now: the time, in seconds since 1970. new_id: gives a unique
    id.
    """

    model: str
    body: Body
    now: Callable[[], float]
    new_id: Callable[[], str]
    stream: bool = False
    show_usage: bool = False


class Payload(msgspec.Struct, frozen=True):
    """What is sent. path: where to, below the base; "" for the dialect's own PATH. query: what follows it, encoded."""

    body: bytes
    method: str = "POST"
    path: str = ""
    query: str = ""
    content_type: str = JSON


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
    """One chunk of a stream, OpenAI-shaped. `payload` is how the upstream wrote it, in its own dialect, or None if that was
    not one event or had to be corrected. It is sent to clients who speak the same dialect."""

    value: Body
    payload: bytes | None = None


class Broken(msgspec.Struct):
    """Where a stream broke: the last of its items, after the chunks that still count."""

    error: Exception


Item = Chunk | Broken


class Framing(Protocol):
    """A stream's bytes to payloads."""

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads completed by `data`. Raises ValueError for what cannot be one."""

    def end(self) -> list[bytes]:
        """What is left at the end of the bytes, if that is a payload."""


class ChunkRules(Protocol):
    """Turns the events of one stream into chunks, and remembers what they share: id, indices of tools, what has ended."""

    @property
    def usage(self) -> Body | None:
        """The usage, once an event has told it."""

    @property
    def done(self) -> bool:
        """Whether an event has said that the stream is over."""

    @property
    def complete(self) -> bool:
        """Whether the stream is done, or every choice has a finish reason."""

    def take(self, value: Body, payload: bytes | None) -> list[Chunk]:
        """The chunks of an event. value: its JSON, decoded; payload: the same as bytes, if it may be relayed.

        Raises WrongShape, StreamFault, or one of openai_format.SHAPE_ERRORS.
        """

    def close(self) -> list[Chunk]:
        """The stream is over: the chunks that it owes, such as a finish reason that never came."""

    def end(self) -> list[Chunk]:
        """The last chunks: the usage, if the caller wants it."""


class Decoder(Protocol):
    """Turns the bytes of a stream, as they arrive, into its items, in order."""

    rules: ChunkRules

    def feed(self, piece: Any) -> list[Item]:
        """The items completed by a piece; nothing follows a Broken one."""

    def end(self) -> list[Item]:
        """The items that the end of the pieces completes."""


class Summary(Protocol):
    """What is read of an answer that is relayed as it came."""

    model: str | None
    usage: Body | None


class Dialect(Protocol):
    """A format for one operation, as it is spoken to upstreams.

    NAME: the module's. PATH: where it is asked, unless a request says otherwise. MAX_PROMPTS: how many prompts one request
    may bring; None: any number, or it is about none.
    """

    NAME: str
    PATH: str
    MAX_PROMPTS: int | None

    def request(self, out: Outgoing) -> Payload:
        """An OpenAI-shaped body as the upstream wants it. Raises Unsuitable, or TypeError and ValueError for no JSON."""

    def decode(self, data: bytes, out: Outgoing) -> Body:
        """The upstream's bytes to an OpenAI-shaped answer. Raises WrongShape, StreamFault."""

    def peek(self, data: bytes, out: Outgoing) -> Summary | None:
        """The little that is read of an answer whose bytes can be relayed, or None for one that has to be decoded."""

    def error(self, status: int, data: bytes) -> Fault:
        """What an error answer says, from its code field before its text."""


class StreamDialect(Dialect, Protocol):
    """A format that also streams."""

    def framing(self) -> Framing:
        """How one stream's bytes are read."""

    def rules(self, out: Outgoing) -> ChunkRules:
        """What one stream's events mean."""


class Text(Protocol):
    """A text that stands somewhere in a body."""

    value: str

    def replace(self, value: str) -> None:
        """Put another one there."""


class Encoder(Protocol):
    """A stream's chunks to a client's bytes."""

    def feed(self, chunks: Sequence[Chunk]) -> bytes:
        """Their events."""

    def text(self, text: str) -> bytes:
        """One event with a text of a hook's own, which may be anything."""

    def end(self) -> bytes:
        """That this was all."""

    def fail(self, status: int, error: Body) -> bytes:
        """That it broke, and why: OpenAI's error object."""


class ClientDialect(Protocol):
    """A format for one operation, as clients speak it to us."""

    NAME: str

    def accept(self, body: Body) -> Body:
        """A client's body, OpenAI-shaped. Raises Unsuitable."""

    def present(self, answer: Body, model: str) -> bytes:
        """An OpenAI-shaped answer as the client wants it, from `model`; "" leaves it as it is named."""

    def relabel(self, data: bytes, old: str | None, new: str) -> bytes:
        """An answer in this format as it came from `old`, as one from `new`."""

    def encoder(self, model: str, *, relays: bool) -> Encoder:
        """For one stream from `model`. relays: its payloads are in this format, and are passed on as they are."""

    def present_error(self, status: int, error: Body) -> bytes:
        """OpenAI's error object as the client wants it."""

    def texts(self, body: Body) -> Iterator[Text]:
        """Every text in a body or an answer of this format that people or models wrote."""
