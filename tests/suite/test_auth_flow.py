"""Auth as a flow: whoever signs sees the request that is sent, may ask for what it takes, and gives nothing away."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import msgspec
import pytest
from tests.fakes import behaviour as act

from litellm.engine.call import Call
from litellm.engine.client import Client
from litellm.engine.drivers import arun, run
from litellm.engine.retry_policy import Retry
from litellm.engine.route import FixedRoute
from litellm.exceptions import AuthenticationError, InternalServerError, LiteLLMError, Timeout
from litellm.net.messages import Request
from litellm.net.steps import Ask, Flow
from litellm.providers.auth.flow import NoCredentials
from litellm.providers.resolve import resolve
from litellm.providers.target import EndpointSpec

HI = [{"role": "user", "content": "hi"}]


class Signer:
    """Signs method, URL and bytes with a key that it has to ask for."""

    def __init__(self, key: Any = "canary.of.the.signer") -> None:
        self.key = key
        self.asked = 0

    def _key(self) -> Any:
        self.asked += 1
        if isinstance(self.key, BaseException):
            raise self.key
        return self.key

    def apply(self, request: Request) -> Flow[Request]:
        key = yield Ask(self._key, None, (), request.timeouts.total)
        signature = digest(request.method, request.url, request.body, key)
        headers = {**request.headers, "X-Signature": signature, "X-Session-Token": key}
        return msgspec.structs.replace(request, headers=headers, cacheable_head=False)


def digest(method: str, url: str, body: bytes, key: str) -> str:
    return hashlib.sha256(f"{method} {url} {key} ".encode() + body).hexdigest()


def ask(up: Any, auth: Any, *, is_async: bool = False, retries: int = 0, **fields: Any) -> Any:
    target = resolve(EndpointSpec(model="openai/m", api_base=up.base, api_key="sk-1"))
    backend = msgspec.structs.replace(target.backend, auth=auth)
    route = FixedRoute(target=msgspec.structs.replace(target, backend=backend), retry=Retry(retries))
    client, call = Client(), Call(model="m", body={"messages": HI}, is_async=is_async, **fields)
    if not is_async:
        return run(client.flow(call, route), client.sync_io)

    async def main() -> Any:
        result = await arun(client.flow(call, route), client.async_io)
        getattr(result, "abort", lambda: None)()
        return result

    return asyncio.run(main())


both = pytest.mark.parametrize("is_async", [False, True])


@both
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_signed_is_what_is_sent(up, is_async, stream):
    """Method, URL and the very bytes; anew for each request."""
    signer = Signer()
    for _ in range(2):
        result = ask(up, signer, is_async=is_async, stream=stream)
        if stream and not is_async:
            result.abort()
    assert signer.asked == 2
    for seen in up.requests:
        assert seen.headers["x-signature"] == digest("POST", f"{up.base}/chat/completions", seen.body, signer.key)
        assert seen.headers["authorization"] == "Bearer sk-1"  # what is known beforehand stays


@both
def test_what_was_added_is_a_secret(up, is_async):
    """An upstream that repeats it, in an error or in a header of an answer, gives nothing away."""
    up.next(act.error(500, message="canary.of.the.signer is no good"))
    with pytest.raises(InternalServerError) as raised:
        ask(up, Signer(), is_async=is_async)
    assert "canary.of.the.signer" not in str(raised.value)
    up.next(act.answer("good", headers={"x-echo": "canary.of.the.signer"}))
    assert "canary.of.the.signer" not in str(ask(up, Signer(), is_async=is_async).headers)


@both
@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (NoCredentials("nobody is logged in"), AuthenticationError),
        (RuntimeError("the vault is sealed"), AuthenticationError),
        (TimeoutError("the vault is slow"), Timeout),
        ("two\r\nlines", LiteLLMError),
    ],
)
def test_what_cannot_be_signed_is_not_sent(up, is_async, key, kind):
    with pytest.raises(kind):
        ask(up, Signer(key), is_async=is_async)
    assert up.requests == []


def test_each_try_is_signed_anew(up):
    up.next(act.error(500))
    signer = Signer()
    ask(up, signer, retries=1)
    assert (signer.asked, len(up.requests)) == (2, 2)
    bodies = [json.loads(seen.body) for seen in up.requests]
    assert bodies[0] == bodies[1]


@both
def test_headers_of_one_call_go_with_it_and_with_no_other(up, is_async):
    """They stand beside the target's own."""
    ask(up, None, is_async=is_async, headers={"traceparent": "00-1-2-01"})
    ask(up, None, is_async=is_async)
    first, second = (seen.headers for seen in up.requests)
    assert (first["traceparent"], first["authorization"]) == ("00-1-2-01", "Bearer sk-1")
    assert "traceparent" not in second
