"""A routing strategy that is user code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from typing import Any

from litellm.router.choosing import Custom
from litellm.wire.protocol import Body


def custom_choice(strategy: Any) -> Custom:
    """What asks `strategy` for a deployment's id. Raises TypeError for an object that has neither method."""
    ask = getattr(strategy, "get_available_deployment", None)
    ask_async = getattr(strategy, "async_get_available_deployment", None)
    if ask is None and ask_async is None:
        raise TypeError("a routing strategy has get_available_deployment or async_get_available_deployment")

    def choose(model: str, body: Body) -> str | None:
        words = {
            "model": model, "messages": body.get("messages"), "input": body.get("input"), "specific_deployment": False,
            "request_kwargs": dict(body),
        }  # fmt: skip
        entry = None if ask is None else ask(**words)
        if entry is None and ask_async is not None:
            entry = _finished(ask_async(**words))
        return _id_of(entry)

    return choose


def _id_of(entry: Any) -> str | None:
    if entry is None:
        return None
    info = entry.get("model_info") if isinstance(entry, Mapping) else getattr(entry, "model_info", None)
    found = info.get("id") if info is not None else None
    return found if isinstance(found, str) else type(entry).__name__  # which is nobody's id


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns. One that waits for something does so on a loop of its own, in a thread, and we with it."""
    results: list[Any] = []
    errors: list[Exception] = []

    def drive() -> None:
        try:
            results.append(asyncio.run(coroutine))
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
            errors.append(error)

    thread = threading.Thread(target=drive, name="litellm-custom-strategy")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
