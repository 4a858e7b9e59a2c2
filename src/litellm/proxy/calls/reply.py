"""From an answer to a client's bytes, whole or streamed. What nothing edits is relayed as the upstream wrote it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from functools import lru_cache
from typing import Any

from litellm._credentials import mask
from litellm._log import log
from litellm._version import version
from litellm.engine.call import Answer
from litellm.engine.opened import Opened
from litellm.engine.present import chunk_class, to_plain
from litellm.net.faults import TransportFault
from litellm.net.transport import AsyncTransport
from litellm.net.url import redacted_url
from litellm.operations import Operation
from litellm.providers.secrets import redacted_text
from litellm.providers.target import NOWHERE
from litellm.proxy import errors
from litellm.proxy.http import Exchange
from litellm.server.refusal import Headers
from litellm.wire.protocol import Chunk, ClientDialect, Encoder

# Headers of the upstream's connection, or of its body as it was before we took it apart; they would be wrong about ours.
_NOT_RELAYED = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding",
                          "set-cookie", "proxy-authenticate", "trailer", "upgrade"})  # fmt: skip
_RATE_LIMITS = "x-ratelimit-"


def send_json(http: Exchange, answer: Answer, dialect: ClientDialect, started: float, more: Headers = []) -> None:  # noqa: B006 - never changed
    """Answer with the whole completion; its model is the name that was asked for. more: headers to add."""
    http.answer(200, body_of(answer, dialect), [*_headers(answer, http.call_id, started), *more])


def body_of(answer: Answer, dialect: ClientDialect) -> bytes:
    """An answer, as clients read it who speak this dialect."""
    if answer.raw is None:
        return dialect.present(answer.data, answer.requested_model)
    return dialect.relabel(answer.raw, answer.model, answer.requested_model) if answer.requested_model else answer.raw


def several(http: Exchange, results: Sequence[Answer | Exception], dialect: ClientDialect, started: float) -> None:
    """Answer with a list: of answers, and of error objects in the places of those that failed. The status is that of the
    first failure, if all have failed."""
    bodies, failures = [], []
    for result in results:
        if isinstance(result, Answer):
            bodies.append(body_of(result, dialect))
        else:
            bodies.append(errors.encoded(result, dialect.present_error))
            failures.append(result)
    status = errors.status_of(failures[0]) if len(failures) == len(results) else 200
    headers = errors.headers_of(failures[0]) if status != 200 else []
    http.answer(status, b"[" + b",".join(bodies) + b"]", [*_gateway_headers(http.call_id, started), *headers])


async def stream(http: Exchange, opened: Opened, dialect: ClientDialect, io: AsyncTransport, started: float) -> None:
    """Answer with an event stream. A failure from here on is an event in it.

    However this ends, also by cancellation when the client has gone, the upstream's connection is let go.
    """
    encoder = dialect.encoder(opened.requested_model, relays=opened.dialect == dialect.NAME)
    try:
        http.begin_stream(_headers(opened, http.call_id, started))
        last = _events(opened, opened.first, encoder)
        if not opened.finished:
            waiting = http.write(last)
            if waiting is not None:
                await waiting
            pulled = opened.source.stream_to is None
            last = await (_pulled(http, opened, encoder, io) if pulled else _pushed(http, opened, encoder))
        http.write(last, more=False)
    finally:
        opened.abort()


async def _pulled(http: Exchange, opened: Opened, encoder: Encoder, io: AsyncTransport) -> bytes:
    """Ask for one piece after the other, and pass it on; gives the last."""
    while True:
        events = _events(opened, await opened.anext(io), encoder)
        if opened.finished:
            return events
        waiting = http.write(events) if events else None
        if waiting is not None:
            await waiting


async def _pushed(http: Exchange, opened: Opened, encoder: Encoder) -> bytes:
    """Have pieces passed on where they come in; gives the last. No task is woken for them, which is a part of what one
    costs."""
    last: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def take(piece: bytes | TransportFault) -> Awaitable[None] | None:
        if last.done():
            return None
        try:
            events = _events(opened, opened.advance(piece), encoder)
            if opened.finished:
                last.set_result(events)
                return None
            return http.write(events) if events else None
        except Exception as error:  # noqa: BLE001 - it is raised where the last piece is awaited
            last.set_exception(error)
            return None

    assert opened.source.stream_to is not None  # noqa: S101 - the caller has looked
    opened.source.stream_to(take)
    return await last


def _events(opened: Opened, chunks: list[Chunk], encoder: Encoder) -> bytes:
    """What a client is sent for these chunks; the last of a stream with its end, or with why it broke."""
    events = encoder.feed(chunks)
    if not opened.finished:
        return events
    return events + (encoder.end() if opened.failure is None else _error_events(opened.failure, encoder))


def _error_events(error: Exception, encoder: Encoder) -> bytes:
    log.warning("a stream broke: %s", mask(str(error)))
    return errors.encoded(error, encoder.fail)


async def objects(opened: Opened, io: AsyncTransport, operation: Operation) -> AsyncIterator[Any]:
    """A stream's chunks as the objects that hooks work with. Raises what breaks it."""
    read = chunk_class(operation).read
    ready = opened.first
    while True:
        for chunk in ready:
            yield read({**chunk.value, "model": opened.requested_model})
        if opened.failure is not None:
            raise opened.failure
        if opened.finished:
            return
        ready = await opened.anext(io)


async def stream_objects(
    http: Exchange, opened: Opened, dialect: ClientDialect, chunks: AsyncIterator[Any], started: float
) -> None:
    """`stream`, for chunks that went through hooks. Whatever a hook raises is an event in it."""
    encoder = dialect.encoder(opened.requested_model, relays=False)
    try:
        http.begin_stream(_headers(opened, http.call_id, started))
        async for chunk in chunks:
            waiting = http.write(
                encoder.text(chunk) if isinstance(chunk, str) else encoder.feed([Chunk(to_plain(chunk))])
            )
            if waiting is not None:
                await waiting
        http.write(encoder.end(), more=False)
    except Exception as error:  # noqa: BLE001 - whatever a hook raises is an event in the stream
        http.write(_error_events(error, encoder), more=False)
    finally:
        opened.abort()


def _headers(result: Answer | Opened, call_id: str, started: float) -> Headers:
    target = result.origin or NOWHERE
    # What belongs to one client is not remembered for the next.
    about = _target_headers if target.cacheable_head and target.network.guard is None else _target_headers.__wrapped__
    headers = [
        *about(target.api_base, target.id, target.group),
        (b"x-litellm-call-id", call_id.encode("latin-1", "replace")),
        (b"x-litellm-attempted-retries", b"%d" % result.retries),
        (b"x-litellm-max-retries", b"%d" % result.max_retries),
        (b"x-litellm-attempted-fallbacks", b"%d" % result.fallbacks),
        (b"x-litellm-response-duration-ms", b"%.3f" % ((time.monotonic() - started) * 1000)),
    ]
    model = result.model
    if model:
        repeats = any(map(model.__contains__, target.credentials))
        headers.append((b"x-litellm-model-name", _encoded(redacted_text(model, target) if repeats else model)))
    for name, value in result.headers.items():
        lower = name.lower()
        if lower in _NOT_RELAYED:
            continue
        encoded = value.encode("latin-1", "replace")
        headers.append((b"llm_provider-" + lower.encode("latin-1"), encoded))
        if lower.startswith(_RATE_LIMITS):
            headers.append((lower.encode("latin-1"), encoded))
    return headers


def _gateway_headers(call_id: str, started: float) -> Headers:
    """The headers of an answer that is not one target's."""
    return [
        (b"x-litellm-version", version.encode()),
        (b"x-litellm-call-id", call_id.encode("latin-1", "replace")),
        (b"x-litellm-response-duration-ms", b"%.3f" % ((time.monotonic() - started) * 1000)),
    ]


@lru_cache(maxsize=4096)
def _target_headers(api_base: str | None, deployment: str, group: str) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that say who answered; the same for every answer of a deployment."""
    pairs = [(b"x-litellm-version", version.encode())]
    if deployment:
        pairs.append((b"x-litellm-model-id", deployment.encode()))
    if api_base:
        pairs.append((b"x-litellm-model-api-base", _encoded(redacted_url(api_base))))
    if group:
        pairs.append((b"x-litellm-model-group", _encoded(group)))
    return tuple(pairs)


def _encoded(text: str) -> bytes:
    """Text as a header value. That it stays one line is seen to where lines are written."""
    return text.encode("latin-1", "replace")
