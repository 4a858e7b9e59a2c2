"""Observers and inline hooks of calls, as protocols: the engine knows no callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from litellm.net.steps import Flow
from litellm.operations import Operation
from litellm.types.hooks import CallRecord


class Hooks(Protocol):
    """User hooks that run inline, on a call's way to a deployment. They may take their time, and raise.

    kwargs: the body, and what else there is to know of a call. entries, entry: deployments, as a model_list has them.
    """

    routes: bool
    filters: bool
    edits_answers: bool

    def route(self, model: str, kwargs: dict[str, Any]) -> Flow[tuple[str, Any]]:
        """The model and the messages to ask for instead; messages None: those that there are."""

    def filter(self, group: str, entries: list[dict[str, Any]], kwargs: dict[str, Any]) -> Flow[frozenset[str]]:
        """The ids of those that may be used."""

    def check(self, entry: dict[str, Any], *, is_async: bool) -> Flow[None]:
        """Raises to refuse a deployment that was chosen."""

    def before(self, kwargs: dict[str, Any], operation: Operation, *, is_async: bool) -> Flow[dict[str, Any] | None]:
        """Other kwargs for a try; None for the same."""

    def after(self, kwargs: dict[str, Any], response: Any, operation: Operation, *, is_async: bool) -> Flow[Any]:
        """The answer that the caller gets."""


class Observe(Protocol):
    """The observers of calls. Emitting never blocks and never raises. hooks: those that run inline."""

    per_chunk: bool

    @property
    def hooks(self) -> Hooks | None: ...

    def emit(self, event: str, record: CallRecord, chunk: Any = None) -> None:
        """event: "input"; "stream", with `chunk`, a function that reads it; "exhausted" and "success_fallback" or
        "failure_fallback", with what happened before as the record's error; "success" or "failure"."""


class Watchers(msgspec.Struct, frozen=True):
    """The observers of one call. about: what they get besides the call itself."""

    observe: Observe
    about: Mapping[str, Any] = {}
