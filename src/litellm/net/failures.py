"""The errors of transports: the same words, whichever way a request went.

Each function makes a TransportFault for `request`. None of them repeats the URL's query or password, where people put keys.
"""

from __future__ import annotations

from litellm.net.faults import TransportFault
from litellm.net.messages import Request
from litellm.net.url import redacted_url


def connect_timeout(request: Request) -> TransportFault:
    """The connection did not come about in time."""
    seconds = request.timeouts.connect
    return TransportFault("timeout", f"no connection to {_where(request)} within {seconds:g} s (connect timeout)")


def cannot_connect(request: Request, why: object) -> TransportFault:
    """The connection did not come about, because of `why`."""
    return TransportFault("connect", f"cannot connect to {_where(request)}: {why}")


def tls_failed(request: Request, why: object) -> TransportFault:
    """The connection stood, and TLS did not come about."""
    return TransportFault("tls", f"TLS with {_where(request)} failed: {why}")


def first_byte_timeout(request: Request) -> TransportFault:
    """The answer did not begin in time; or one that is no stream did not go on."""
    seconds = request.timeouts.first_byte
    return TransportFault("timeout", f"no answer from {_where(request)} within {seconds:g} s (first byte)")


def silence(request: Request) -> TransportFault:
    """A stream did not go on in time."""
    return TransportFault("timeout", f"{_where(request)} was silent for {request.timeouts.between:g} s in mid-stream")


def total_timeout(request: Request) -> TransportFault:
    """All of it took too long, whether or not bytes kept coming."""
    seconds = request.timeouts.total
    return TransportFault("timeout", f"the answer from {_where(request)} was not complete after {seconds:g} s")


def closed(request: Request, how: object) -> TransportFault:
    """The connection ended before the answer did."""
    return TransportFault("closed", f"{_where(request)} closed the connection before the answer was complete: {how}")


def not_http(request: Request, why: object) -> TransportFault:
    """What came is no answer in HTTP/1.1, or a larger one than any may be."""
    return TransportFault("protocol", f"{_where(request)} did not answer in HTTP: {why}")


def unusable_url(request: Request) -> TransportFault:
    """Its URL is none that anything can be sent to."""
    return TransportFault("url", f"{_where(request)} is no usable URL")


def _where(request: Request) -> str:
    return redacted_url(request.url)
