"""Auth that needs more than a header known beforehand: a flow over the encoded request, as httpx's auth_flow is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from litellm.net.messages import Request
from litellm.net.sealed import Sealed
from litellm.net.steps import Ask, Flow


class Auth(Protocol):
    """Adds to a request what says on whose account it is.

    It sees the final bytes, URL and headers, so it may sign them; and it may ask (`yield Ask(…)`), so it may fetch a token.
    A key that goes into a header as it is needs none of this: see scheme.py.
    """

    def apply(self, request: Request) -> Flow[Request]:
        """The request to send. Raises what the user's code raises, NoCredentials, TimeoutError or TransportFault."""


class NoCredentials(Exception):  # noqa: N818 - never leaves the engine
    """There is nothing to sign with; the text says why."""


class TokenAuth(Sealed, msgspec.Struct, frozen=True):
    """A bearer token from a function, which may be a coroutine function. Tokens expire: it is asked for each request."""

    function: Callable[[], Any]

    def apply(self, request: Request) -> Flow[Request]:
        """The request with the token that the function gives for it."""
        function = self.function
        sync_fn, async_fn = (None, function) if inspect.iscoroutinefunction(function) else (function, None)
        token = yield Ask(sync_fn, async_fn, (), request.timeouts.total)
        if not isinstance(token, str):
            raise NoCredentials(f"the function for it must return text, not {type(token).__name__}")
        headers = {**request.headers, "Authorization": f"Bearer {token}"}
        return msgspec.structs.replace(request, headers=headers, cacheable_head=False)
