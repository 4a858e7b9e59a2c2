"""The protocols of transports, which perform the steps of net/steps.py."""

from __future__ import annotations

from typing import Any, Protocol

from litellm.net.steps import Step


class SyncTransport(Protocol):
    def perform(self, step: Step) -> Any:
        """Do what `step` asks and return its result, or raise TransportFault."""


class AsyncTransport(Protocol):
    async def perform(self, step: Step) -> Any:
        """Do what `step` asks and return its result, or raise TransportFault."""
