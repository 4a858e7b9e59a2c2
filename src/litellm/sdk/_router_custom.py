"""A routing strategy that is user code."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from litellm.net.steps import Ask
from litellm.router.choosing import Custom
from litellm.wire.protocol import Body


def custom_choice(strategy: Any) -> Custom:
    """What asks `strategy` for a deployment's id: in async calls the method that can be awaited, in others the other one;
    the second of the two where the first is not there, or leaves the choice to it. Raises TypeError for an object that has
    neither method."""
    ask = getattr(strategy, "get_available_deployment", None) or _undecided
    ask_async = getattr(strategy, "async_get_available_deployment", None) or _undecided_async
    if ask is _undecided and ask_async is _undecided_async:
        raise TypeError("a routing strategy has get_available_deployment or async_get_available_deployment")

    def choose(words: dict[str, Any]) -> str | None:
        entry = ask(**words)
        if entry is None and ask_async is not _undecided_async:
            entry = _finished(ask_async(**words))
        return _id_of(entry)

    async def choose_async(words: dict[str, Any]) -> str | None:
        entry = await ask_async(**words)
        return _id_of(ask(**words) if entry is None else entry)

    def question(model: str, body: Body) -> Ask:
        words = {
            "model": model, "messages": body.get("messages"), "input": body.get("input"), "specific_deployment": False,
            "request_kwargs": dict(body),
        }  # fmt: skip
        return Ask(choose, choose_async, (words,))

    return question


def _undecided(**_: Any) -> None:
    """The method that a strategy lacks."""


async def _undecided_async(**_: Any) -> None:
    """The same, to be awaited."""


def _id_of(entry: Any) -> str | None:
    if entry is None:
        return None
    info = entry.get("model_info") if isinstance(entry, Mapping) else getattr(entry, "model_info", None)
    found = info.get("id") if info is not None else None
    return found if isinstance(found, str) else type(entry).__name__  # which is no id


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns or raises, for a caller that is not async. It has a loop and a thread of its own: a pool
    that others use might be full of calls that wait for this very thing."""
    with ThreadPoolExecutor(1, thread_name_prefix="litellm-custom-strategy") as executor:
        return executor.submit(asyncio.run, coroutine).result()
