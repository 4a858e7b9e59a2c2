"""The protocol of applications."""

from __future__ import annotations

from typing import Any, Protocol

from litellm.server.exchange import Exchange
from litellm.server.head import Head
from litellm.server.limits import Limits
from litellm.server.refusal import Headers
from litellm.server.routing import Match


class Application(Protocol):
    """exchange: the class of exchanges that it wants. limits: how much it lets in at this moment; the same object for as
    long as that does not change."""

    @property
    def exchange(self) -> type[Exchange]:
        """See above."""

    @property
    def limits(self) -> Limits:
        """See above."""

    def route(self, head: Head) -> Match:
        """Who answers, and how the body is read. Asked when the head is here; raises Refusal."""

    def admit(self, head: Head) -> bool:
        """Whether the caller is known by the head. Asked before a body is waited for; raises Refusal for a wrong one."""

    async def __call__(self, exchange: Any, /) -> None:
        """Answer."""

    def render(self, exchange: Any, error: Exception, /) -> tuple[int, bytes, Headers]:
        """An error as an answer: status, body and headers. Never raises."""

    async def close(self) -> None:
        """The last request has been answered, and the process is about to end."""
