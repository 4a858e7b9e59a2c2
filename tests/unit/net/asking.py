"""Requests for the transports, below all that the engine makes of them."""

import pytest

from litellm.net.messages import Request, Timeouts
from litellm.net.network import DIRECT

BODY = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
STREAMED = BODY[:-1] + b', "stream": true}'
QUICK = Timeouts(connect=5, first_byte=5, between=5, total=5)

# For what a proxy would answer in the upstream's place: that nobody listens there, or no such host exists.
STRAIGHT = pytest.mark.parametrize("caller", ["sync", "async", "uvloop"], indirect=True)


def request(url, *, stream=False, timeouts=QUICK, headers=None, body=None, method="POST"):
    headers = {"content-type": "application/json", "accept-encoding": "identity", **(headers or {})}
    body = body if body is not None else STREAMED if stream else BODY
    return Request(url=url, headers=headers, body=body, timeouts=timeouts, network=DIRECT, stream=stream, method=method)


def read_all(caller, reply):
    try:
        return b"".join(iter(lambda: caller.read(reply), b""))
    finally:
        reply.close()
