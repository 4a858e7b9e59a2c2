"""From an engine's result to the objects that the SDK's callers read."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from litellm.engine.call import Answer, Call
from litellm.engine.cost import price
from litellm.engine.opened import Opened
from litellm.engine.present import answer_class, build_object, chunk_class
from litellm.engine.stream import CustomStreamWrapper
from litellm.net.url import redacted_url
from litellm.providers.target import NOWHERE
from litellm.types.base import OpenAIObject


def present(call: Call, result: Answer | Opened, io: Any, started: float) -> Any:
    """The operation's object for a whole answer, a CustomStreamWrapper for a stream. started: time.monotonic()."""
    hidden = _hidden_params(call, result, started)
    if isinstance(result, Answer):
        if isinstance(result.native, OpenAIObject):  # a handler's own answer: what it knows stays
            native: Any = result.native
            known = {name: value for name, value in native._hidden_params.items() if value is not None}  # noqa: SLF001 - ours
            headers = {**known.get("additional_headers", {}), **hidden["additional_headers"]}
            native._hidden_params = {**hidden, **known, "additional_headers": headers}  # noqa: SLF001
            return native
        response = build_object(answer_class(call.operation), result.data, result)
        response._hidden_params = hidden  # noqa: SLF001
        return response
    wrapper = CustomStreamWrapper(result, io, partial(_chunk, chunk_class(call.operation), result, hidden))
    wrapper._hidden_params = hidden  # noqa: SLF001
    return wrapper


def _chunk(cls: type[OpenAIObject], opened: Opened, hidden: dict[str, Any], value: Mapping[str, Any]) -> Any:
    chunk = build_object(cls, dict(value), opened)
    chunk._hidden_params = hidden  # noqa: SLF001
    return chunk


def _hidden_params(call: Call, result: Answer | Opened, started: float) -> dict[str, Any]:
    target = result.origin or NOWHERE
    return {
        "custom_llm_provider": target.provider.name or None,
        "model_id": target.id or None,
        "api_base": _redacted(target.api_base),
        "litellm_model_name": target.model or None,
        "litellm_call_id": call.id or str(uuid.uuid4()),
        "response_cost": price(result.origin, result.usage) if isinstance(result, Answer) else None,
        "additional_headers": _additional_headers(result),
        "_response_ms": (time.monotonic() - started) * 1000,
    }


def _redacted(base: str | None) -> str | None:
    """An API base as it may be shown."""
    return redacted_url(base) if base and any(map(base.__contains__, "@?#")) else base


def _additional_headers(result: Answer | Opened) -> dict[str, Any]:
    """The upstream's headers with a prefix, its rate limits also without one, and how many tries it took."""
    headers: dict[str, Any] = {}
    for name, value in result.headers.items():
        lower = name.lower()
        headers["llm_provider-" + lower] = value
        if lower.startswith("x-ratelimit-"):
            headers[lower] = value
    headers["x-litellm-attempted-retries"] = result.retries
    headers["x-litellm-attempted-fallbacks"] = result.fallbacks
    return headers
