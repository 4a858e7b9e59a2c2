"""From an answer to a client's bytes, whole or streamed. What nothing edits is relayed as the upstream wrote it."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from litellm import _json
from litellm._log import log
from litellm._version import version
from litellm.engine.call import Answer, Opened
from litellm.engine.stream import advance
from litellm.exceptions import LiteLLMError
from litellm.net import sse
from litellm.net.messages import TransportFault
from litellm.net.transport import AsyncTransport
from litellm.net.url import shown
from litellm.providers.resolve import Target
from litellm.proxy import errors
from litellm.proxy.http import Exchange, Headers
from litellm.types.chat import ModelResponse
from litellm.wire.openai_chat import Relabel

DONE = sse.event(sse.DONE)

# Headers of the upstream's connection, or of its body as it was before we took it apart; they would be wrong about ours.
_NOT_RELAYED = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding",
                          "set-cookie", "proxy-authenticate", "trailer", "upgrade"})  # fmt: skip
_RATE_LIMITS = "x-ratelimit-"


def whole(http: Exchange, answer: Answer, started: float) -> None:
    """Answer with the whole completion; `model` is the name that was asked for."""
    if answer.raw is not None:
        body = Relabel(answer.asked)(answer.raw, answer.model)
    else:
        data = answer.data
        if isinstance(data, ModelResponse):
            data = data.model_dump(exclude_none=True)
        body = _json.encode(data | {"model": answer.asked})
    http.answer(200, body, _headers(answer, http.call_id, started))


async def stream(http: Exchange, opened: Opened, io: AsyncTransport, started: float) -> None:
    """Answer with an event stream. A failure from here on is told inside it, followed by [DONE].

    However this ends, also by cancellation when the client has gone, the upstream's connection is let go.
    """
    relabel = Relabel(opened.asked)
    try:
        http.begin_stream(_headers(opened, http.call_id, started))
        ready = opened.first
        while not opened.finished:
            if ready:
                waiting = http.stream(_events(ready, relabel))
                if waiting is not None:
                    await waiting
            try:
                piece = await io.perform(opened.source.step)
            except TransportFault as fault:
                piece = fault
            ready = advance(opened, piece)
        http.stream(_events(ready, relabel) + DONE, more=False)
    except LiteLLMError as error:
        log.warning("a stream broke: %s", error)
        http.stream(sse.event(errors.encoded(error)) + DONE, more=False)
    finally:
        if not opened.finished:
            opened.source.close()


def _events(chunks: list[Any], relabel: Relabel) -> bytes:
    events = []
    for chunk in chunks:
        value = chunk.value
        if chunk.payload is not None:
            payload = relabel(chunk.payload, value.get("model"))
        else:
            value["model"] = relabel.name
            payload = _json.encode(value)
        events.append(b"data: %b\n\n" % payload if b"\n" not in payload else sse.event(payload))
    return b"".join(events)


def _headers(result: Answer | Opened, call_id: str, started: float) -> Headers:
    headers = [
        *_target_headers(result.target),
        (b"x-litellm-call-id", call_id.encode("latin-1", "replace")),
        (b"x-litellm-attempted-retries", b"%d" % result.retries),
        (b"x-litellm-attempted-fallbacks", b"%d" % result.fallbacks),
        (b"x-litellm-response-duration-ms", b"%.3f" % ((time.monotonic() - started) * 1000)),
    ]
    if result.model:
        headers.append((b"x-litellm-model-name", _safe(result.model)))
    for name, value in result.headers.items():
        lower = name.lower()
        if lower in _NOT_RELAYED:
            continue
        encoded = _safe(value)
        headers.append((b"llm_provider-" + lower.encode("latin-1"), encoded))
        if lower.startswith(_RATE_LIMITS):
            headers.append((lower.encode("latin-1"), encoded))
    return headers


@lru_cache(maxsize=4096)
def _target_headers(target: Target) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that say who answered; the same for every answer of a deployment."""
    pairs = [(b"x-litellm-version", version.encode())]
    if target.id:
        pairs.append((b"x-litellm-model-id", target.id.encode()))
    if target.api_base:
        pairs.append((b"x-litellm-model-api-base", _safe(shown(target.api_base))))
    if target.group:
        pairs.append((b"x-litellm-model-group", _safe(target.group)))
    return tuple(pairs)


def _safe(text: str) -> bytes:
    """Text as a header value: one line of latin-1, whatever an upstream put into it."""
    return text.encode("latin-1", "replace").replace(b"\r", b" ").replace(b"\n", b" ").replace(b"\0", b" ")
