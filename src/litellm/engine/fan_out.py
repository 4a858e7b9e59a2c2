"""Several prompts to somebody who takes one at a time: asked side by side, so many at once, and answered as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from litellm.engine.call import Answer, Call
from litellm.engine.opened import Opened
from litellm.exceptions import BadRequestError
from litellm.net.steps import Fan, Flow
from litellm.providers.target import Target
from litellm.wire.bridge import TextOverChat, merged, prompts_of

MOST_PROMPTS = 100  # that one request may have sent one by one
AT_ONCE = 16  # requests under way for one request, as many as it may name models


def prompts_apart(call: Call, target: Target) -> list[Any]:
    """The prompts that have to be sent one by one, if there are several: an endpoint for chat takes no more.

    Raises BadRequestError for more than one request may have sent.
    """
    if call.stream or not (target.handler is not None or isinstance(target.wire, TextOverChat)):
        return []
    prompts = prompts_of(call.body.get("prompt"))
    if len(prompts) > MOST_PROMPTS:
        text = (
            f"{len(prompts)} prompts would be as many requests of {target.provider.name}, which takes one at a time: "
        )
        text += f"send at most {MOST_PROMPTS} together"
        raise BadRequestError(text, target.model, target.provider.name, param="prompt")
    return prompts if len(prompts) > 1 else []


def ask_each(call: Call, prompts: list[Any], ask: Callable[[Call], Flow[Answer | Opened]]) -> Flow[Answer]:
    """`ask` for each of the prompts; one answer with all choices. Raises the first error there was."""
    calls = [msgspec.structs.replace(call, body={**call.body, "prompt": prompt}, relay="") for prompt in prompts]
    answers = yield Fan([ask(each) for each in calls], at_once=AT_ONCE)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    whole = merged([answer.data for answer in answers])
    first: Answer = answers[0]
    return msgspec.structs.replace(first, data=whole, usage=whole.get("usage"))
