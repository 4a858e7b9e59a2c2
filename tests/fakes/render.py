"""A reply as the bytes to write, in the pieces in which to write them. No sockets, no clock."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from . import http1
from .behaviour import Behaviour
from .replies import SSE, Plain, Raw, Reply, Stream


@dataclass(frozen=True)
class Rendered:
    head: bytes
    chunks: Iterable[bytes]  # framed; a generator for streams, which may be endless
    end: bytes = b""
    early: bytes = b""
    closes: bool = False
    parts_before_fault: int | None = None  # head and chunks; None: all of them


def render(reply: Reply, behaviour: Behaviour, *, request_id: str) -> Rendered:
    parts = _parts_before_fault(reply, behaviour)
    silent_close = behaviour.after_answer == "close_silently"
    if isinstance(reply, Raw):
        return Rendered(b"", reply.pieces, closes=silent_close, parts_before_fault=parts)

    headers = {"x-request-id": request_id}
    if isinstance(reply, Stream):
        headers |= {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        pieces: Iterable[bytes] = _events(reply, behaviour.sse)
    else:
        headers |= reply.headers
        pieces = _halves(reply.body)
    if behaviour.gzip:
        headers["content-encoding"] = "gzip"
        pieces = _gzipped(pieces)

    framing, end = _framing(reply, behaviour), b""
    if framing == "length":
        body = b"".join(pieces)
        headers["content-length"] = str(len(body))
        pieces = _halves(body)
    elif framing == "chunked":
        headers["transfer-encoding"] = "chunked"
        pieces = (http1.chunk(piece) for piece in pieces if piece)  # an empty chunk would be the end
        end = http1.last_chunk(behaviour.trailers)
    if behaviour.trailers:
        headers["trailer"] = ", ".join(behaviour.trailers)
    if behaviour.after_answer == "close":
        headers["connection"] = "close"
    return Rendered(
        head=http1.response_head(reply.status, _lower_case({**headers, **behaviour.headers})),
        chunks=pieces,
        end=end,
        early=b"".join(http1.response_head(status, about) for status, about in behaviour.early),
        closes=silent_close or behaviour.after_answer == "close" or framing == "until_close",
        parts_before_fault=parts,
    )


def _parts_before_fault(reply: Reply, behaviour: Behaviour) -> int | None:
    if not behaviour.fault:
        return None
    if behaviour.after is None:
        return 0
    return 1 + (min(behaviour.after, 1) if isinstance(reply, Plain) else behaviour.after)


def _framing(reply: Plain | Stream, behaviour: Behaviour) -> str:
    if behaviour.framing:
        return behaviour.framing
    chunked = isinstance(reply, Stream) or behaviour.trailers or behaviour.fault == "end"
    return "chunked" if chunked else "length"


def _lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}  # of two spellings the later one wins


def _events(reply: Stream, sse: SSE) -> Iterator[bytes]:
    return (sse.event(payload) for payload in chain(reply.payloads, ["[DONE]"] if sse.done else []))


def _halves(body: bytes) -> list[bytes]:
    middle = (len(body) + 1) // 2
    return [half for half in (body[:middle], body[middle:]) if half]


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)  # 31: with the header of gzip
    for piece in pieces:
        yield packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)  # readable at once, like an event has to be
    yield packer.flush()
