"""Functions of others in the place of litellm.completion and the like, as instrumentation and tests put them there. A
Router calls them for each try, as LiteLLM's does; so they see every request, and what they raise is retried."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from litellm.sdk import chat, embedding
from litellm.types.params import is_ours
from litellm.wire.protocol import Operation

_OURS: Mapping[tuple[Operation, bool], Callable[..., Any]] = {
    ("chat", False): chat.completion,
    ("chat", True): chat.acompletion,
    ("embeddings", False): embedding.embedding,
    ("embeddings", True): embedding.aembedding,
}


def stand_in(operation: Operation, *, is_async: bool) -> Any:
    """A handler that calls what stands in the place of our function; None if that is our function."""
    ours = _OURS.get((operation, is_async))
    if ours is None:
        return None
    function = vars(sys.modules["litellm"]).get(ours.__name__, ours)
    return None if function is ours else _handler(function, operation, is_async=is_async)


def _handler(function: Callable[..., Any], operation: Operation, *, is_async: bool) -> Any:
    def ask(**told: Any) -> Any:
        return function(**_arguments(**told))

    async def aask(**told: Any) -> Any:
        return await function(**_arguments(**told))

    if operation == "embeddings":
        return SimpleNamespace(aembedding=aask) if is_async else SimpleNamespace(embedding=ask)
    if is_async:
        return SimpleNamespace(acompletion=aask, astreaming=aask)
    return SimpleNamespace(completion=ask, streaming=ask)


def _arguments(
    *, model: str, optional_params: Mapping[str, Any], litellm_params: Mapping[str, Any], timeout: float, **told: Any
) -> dict[str, Any]:
    """What a handler is told, as the arguments of completion(…): for one try, which the Router tells its callbacks of."""
    subject: dict[str, Any] = {name: told[name] for name in ("messages", "input") if name in told}
    said = {name: value for name, value in litellm_params.items() if is_ours(name) and name != "custom_llm_provider"}
    return {
        **said,
        **subject,
        **optional_params,
        "model": f"{litellm_params['custom_llm_provider']}/{model}",
        "timeout": timeout,
        "num_retries": 0,
        "no-log": True,
    }
