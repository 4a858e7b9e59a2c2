"""litellm.moderation and litellm.amoderation."""

from __future__ import annotations

import time
from typing import Any

from litellm.engine.drivers import arun, run
from litellm.engine.route import Plan
from litellm.operations import MODERATIONS
from litellm.sdk._call import default_client, make_call
from litellm.sdk._present import present
from litellm.sdk._signature import set_signature
from litellm.types.moderation import ModerationCreateResponse
from litellm.types.params import ModerationParams


def moderation(input: Any, model: str | None = None, **params: Any) -> ModerationCreateResponse:  # noqa: A002
    """Ask whether texts are objectionable.

    input: a text, or a list of texts or of OpenAI's parts. model: as for completion; without one the upstream chooses:
    OpenAI, or the server at api_base. Further parameters are those that steer any call.

    Raises what completion raises.

    >>> found = moderation("I hate Mondays", "mock/moderator").results[0]
    >>> found.flagged, found.categories.hate, found.categories["self-harm/intent"]
    (True, True, False)
    """
    started = time.monotonic()
    plan, client = _call(input, model, params), default_client()
    answer: ModerationCreateResponse = present(
        plan.call, run(client.flow(*plan), client.sync_io), client.sync_io, started
    )
    return answer


async def amoderation(input: Any, model: str | None = None, **params: Any) -> ModerationCreateResponse:  # noqa: A002
    """The same as moderation, for asyncio."""
    started = time.monotonic()
    plan, client = _call(input, model, params, is_async=True), default_client()
    answer: ModerationCreateResponse
    answer = present(plan.call, await arun(client.flow(*plan), client.async_io), client.async_io, started)
    return answer


def _call(subject: Any, model: str | None, params: dict[str, Any], *, is_async: bool = False) -> Plan:
    if not model and not params.get("custom_llm_provider"):
        params["custom_llm_provider"] = MODERATIONS.default_provider
    return make_call(model or "", subject, None, params, MODERATIONS, is_async=is_async)


for _function in (moderation, amoderation):
    set_signature(_function, ModerationParams)
