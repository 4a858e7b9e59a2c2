"""More prompts than an endpoint takes at a time: sent side by side, so many at once, and answered as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from litellm.engine.call import Answer, Call
from litellm.engine.opened import Opened
from litellm.exceptions import BadRequestError
from litellm.net.steps import Fan, Flow
from litellm.providers.target import Target
from litellm.wire.bridge import merged, prompts_of

MAX_SPLIT_PROMPTS = 100  # requests that one may become


def prompts_apart(call: Call, target: Target) -> list[list[Any]]:
    """The lists of prompts that have to be sent one by one, if there are more prompts than the backend takes at once.

    Raises BadRequestError for more than one request may have sent.
    """
    most = target.backend.max_prompts
    if most is None or call.stream:
        return []
    prompts = prompts_of(call.body.get("prompt"))
    apart = [prompts[at : at + most] for at in range(0, len(prompts), most)]
    if len(apart) > MAX_SPLIT_PROMPTS:
        text = (
            f"{len(prompts)} prompts would be {len(apart)} requests of {target.provider.name}, which takes {most} at a "
        )
        text += f"time: send at most {MAX_SPLIT_PROMPTS * most} together"
        raise BadRequestError(text, target.model, target.provider.name, param="prompt")
    return apart if len(apart) > 1 else []


def ask_each(call: Call, apart: list[list[Any]], ask: Callable[[Call], Flow[Answer | Opened]]) -> Flow[Answer]:
    """`ask` for each of these lists of prompts; one answer with all choices. Raises the first error there was."""
    calls = [msgspec.structs.replace(call, body={**call.body, "prompt": prompts}, relay="") for prompts in apart]
    answers = yield Fan([ask(each) for each in calls], at_once=call.budget.at_once)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    whole = merged([answer.data for answer in answers])
    first: Answer = answers[0]
    return msgspec.structs.replace(first, data=whole, usage=whole.get("usage"))
