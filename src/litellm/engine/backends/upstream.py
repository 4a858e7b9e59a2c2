"""Asking an upstream once: encode, sign, send, decode, or raise. For a stream, up to its first meaningful chunk."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec

from litellm import _json
from litellm._bounded import Bounded
from litellm.engine.call import Answer, Call
from litellm.engine.faults import (
    StreamOptionsRefused,
    answer_error,
    error_text,
    stream_error,
    transport_error,
    wrong_shape,
)
from litellm.engine.opened import Opened, Source, read_first_chunk
from litellm.engine.outgoing import outgoing
from litellm.engine.retries import capped
from litellm.exceptions import AuthenticationError, BadRequestError
from litellm.net.faults import TransportFault
from litellm.net.messages import Reply, Request, Script, Timeouts, streams
from litellm.net.steps import Flow, Read, Send
from litellm.providers import policy as params_policy
from litellm.providers.auth.flow import Auth, NoCredentials
from litellm.providers.backend import Upstream
from litellm.providers.endpoint import url_for
from litellm.providers.policy import KEEP_ALL
from litellm.providers.rekey import with_headers
from litellm.providers.secrets import redacted_headers
from litellm.providers.target import Target
from litellm.wire.chunks import as_chunks
from litellm.wire.decoding import EventDecoder
from litellm.wire.protocol import JSON, Body, Outgoing, StreamDialect, StreamFault, Unsuitable, WrongShape

MAX_REMEMBERED = 1024

Play = Callable[[Call, Target, Outgoing], Script]


class Upstreams:
    """Asks upstreams for one client, and remembers which of them refuse stream_options."""

    __slots__ = ("_no_stream_options",)

    def __init__(self) -> None:
        self._no_stream_options: Bounded[tuple[str, str], None] = Bounded(MAX_REMEMBERED)

    def takes_stream_options(self, target: Target) -> bool:
        """Whether nothing is known to the contrary."""
        return (target.backend.url, target.model) not in self._no_stream_options

    def refuses_stream_options(self, target: Target) -> None:
        """Ask it without from now on."""
        self._no_stream_options[target.backend.url, target.model] = None

    def attempt(
        self, call: Call, target: Target, timeouts: Timeouts, play: Play | None = None
    ) -> Flow[Answer | Opened]:
        """Encode, send, decode, or raise. play: gives the script that is played instead of sending."""
        if call.stream and call.ask_usage and self.takes_stream_options(target):
            return self._asking_usage(call, target, timeouts, play)
        return _exchange(call, target, timeouts, play, asks_usage=False)

    def _asking_usage(self, call: Call, target: Target, timeouts: Timeouts, play: Play | None) -> Flow[Answer | Opened]:
        try:
            return (yield from _exchange(call, target, timeouts, play, asks_usage=True))
        except StreamOptionsRefused as refused:
            # Some servers know no stream_options. Ask again without, once, and remember it.
            self.refuses_stream_options(target)
            try:
                return (yield from _exchange(call, target, timeouts, play, asks_usage=False))
            except StreamOptionsRefused as again:
                raise again.error from refused.error


def _signed(target: Target, auth: Auth, request: Request) -> Flow[tuple[Target, Request]]:
    """The request as the target's auth leaves it, in what is left of the time; and the target, which knows what is secret
    about that."""
    began = time.monotonic()
    try:
        request = yield from auth.apply(request)
    except NoCredentials as error:
        raise AuthenticationError(f"no token: {error}", target.provider.name, target.model) from None
    except (TransportFault, TimeoutError) as error:
        raise transport_error(TransportFault("timeout", f"no token in time: {error}"), target) from error
    except Exception as error:
        text = error_text(target, f"no token: {error!r}")
        raise AuthenticationError(text, target.provider.name, target.model) from error
    remaining = request.timeouts.total - (time.monotonic() - began)
    return with_headers(target, request.headers), msgspec.structs.replace(
        request, timeouts=capped(request.timeouts, remaining)
    )


def _exchange(
    call: Call, target: Target, timeouts: Timeouts, play: Play | None, *, asks_usage: bool
) -> Flow[Answer | Opened]:
    call.budget.take(target.model)
    upstream: Upstream = target.backend  # type: ignore[assignment]  # by which this was picked
    dialect = upstream.dialect
    body = _body(call, target, asks_usage=asks_usage)
    out = outgoing(target.model, body, stream=call.stream, show_usage=call.show_usage)
    try:
        payload = dialect.request(out)
    except Unsuitable as unsuitable:
        raise BadRequestError(str(unsuitable), target.model, target.provider.name) from None
    except _json.UNWRITABLE as unsuitable:
        raise BadRequestError(f"the request is not JSON: {unsuitable}", target.model, target.provider.name) from None
    url = url_for(target, upstream, payload) if payload.path or payload.query else upstream.url
    request = Request(
        url=url, headers=target.headers, body=payload.body, timeouts=timeouts, network=target.network,
        stream=call.stream, method=payload.method, cacheable_head=target.cacheable_head,
        extra_headers=call.headers,
    )  # fmt: skip
    if payload.content_type != JSON:
        request.headers, request.cacheable_head = {**target.headers, "Content-Type": payload.content_type}, False
    if play is not None:
        request.script = play(call, target, out)
    elif upstream.auth is not None:
        target, request = yield from _signed(target, upstream.auth, request)
    try:
        reply = yield Send(request)
    except TransportFault as fault:
        raise transport_error(fault, target) from fault
    if reply.status >= 300:
        raise _failure_of(reply, target, dialect, asks_usage=asks_usage)
    if call.stream:
        return (yield from _open(call, target, dialect, reply, out))
    return _read_answer(call, target, dialect, reply, out)


def _failure_of(reply: Reply, target: Target, dialect: StreamDialect, *, asks_usage: bool) -> Exception:
    error = answer_error(reply, target, dialect)
    refused = asks_usage and reply.status in (400, 422) and "stream_options" in str(error)
    return StreamOptionsRefused(error) if refused else error


def _body(call: Call, target: Target, *, asks_usage: bool) -> Body:
    body = call.body if not target.defaults else params_policy.with_defaults(target.defaults, call.body)
    if asks_usage:
        options = body.get("stream_options")
        body = body | {"stream_options": {**(options if isinstance(options, dict) else {}), "include_usage": True}}
    elif call.ask_usage and "stream_options" in body:  # refused there before
        body = {name: value for name, value in body.items() if name != "stream_options"}
    unsupported = target.provider.unsupported
    if unsupported or target.policy is not KEEP_ALL or call.policy is not KEEP_ALL:
        policy = target.policy.joined(call.policy)
        body = params_policy.apply(policy, unsupported, body, target.provider.name, target.model)
    for edit in target.edits:
        body = edit(body)
    return body


def _read_answer(call: Call, target: Target, dialect: StreamDialect, reply: Reply, out: Outgoing) -> Answer:
    headers = _headers(reply, target)
    if call.relay == dialect.NAME:
        summary = dialect.peek(reply.body, out)
        if summary is not None:
            return Answer(
                origin=target,
                requested_model=call.model,
                headers=headers,
                raw=reply.body,
                model=summary.model,
                usage=summary.usage,
            )
    data = _decoded(target, dialect, reply, out)
    return Answer(
        origin=target,
        requested_model=call.model,
        headers=headers,
        data=data,
        model=data.get("model"),
        usage=data.get("usage"),
    )


def _headers(reply: Reply, target: Target) -> Mapping[str, str]:
    """The headers of a good answer, redacted if they repeat a credential that the request was sent with."""
    headers = reply.headers
    text = "\n".join((*headers, *headers.values())).lower()
    return (
        redacted_headers(headers, target)
        if any(map(text.__contains__, map(str.lower, target.credentials)))
        else headers
    )


def _decoded(target: Target, dialect: StreamDialect, reply: Reply, out: Outgoing) -> Body:
    try:
        return dialect.decode(reply.body, out)
    except WrongShape as error:
        raise wrong_shape(error, target, reply.headers) from None
    except StreamFault as error:
        raise stream_error(error, target, reply.headers) from None


def _open(call: Call, target: Target, dialect: StreamDialect, reply: Reply, out: Outgoing) -> Flow[Opened]:
    opened = Opened(
        origin=target, requested_model=call.model, headers=_headers(reply, target), dialect=dialect.NAME, first=[],
        source=Source(Read(reply), reply.close, reply.finish, reply.stream_to),
        decoder=EventDecoder(dialect.framing(), dialect.rules(out)),
    )  # fmt: skip
    if not streams(reply.status, reply.headers):
        _as_stream(opened, target, dialect, reply, out)
    return (yield from read_first_chunk(opened))


def _as_stream(opened: Opened, target: Target, dialect: StreamDialect, reply: Reply, out: Outgoing) -> None:
    """An upstream that was asked to stream and answered whole: its answer becomes a stream of one piece."""
    try:
        answer = _decoded(target, dialect, reply, out)
    finally:
        reply.close()
    opened.first = as_chunks(answer, show_usage=out.show_usage)
    opened.usage = answer.get("usage")
    opened.finish()
