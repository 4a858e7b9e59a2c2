"""What only the gateway itself can know, told by a model of its configuration: bench/soak.py copies this file beside it.

`introspect/x` answers with JSON: how many objects the collector tracks, by type, and how many tasks and threads there are.
"""

# ruff: noqa: ARG002 - what LiteLLM passes

import asyncio
import gc
import json
import sys
import threading
from collections import Counter

from soak_watch import install, watch

from litellm import CustomLLM, ModelResponse
from litellm.integrations.custom_logger import CustomLogger

MOST = 60  # types


def look() -> dict:
    gc.collect()
    objects = gc.get_objects()
    types = Counter(type(each).__qualname__ for each in objects)
    return {
        "objects": len(objects),
        "tasks": sum(isinstance(each, asyncio.Task) and not each.done() for each in objects),
        "threads": threading.active_count(),
        "blocks": sys.getallocatedblocks(),
        "types": dict(types.most_common(MOST)),
        "watch": watch.told(),
    }


class Introspect(CustomLLM):
    async def acompletion(self, model, messages, model_response: ModelResponse, **_) -> ModelResponse:
        model_response.choices[0].message.content = json.dumps(look())
        return model_response


class Told(CustomLogger):
    def __init__(self) -> None:
        super().__init__()
        self.heard = Counter()

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time) -> None:
        self.heard["success"] += 1

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time) -> None:
        self.heard["failure"] += 1


install()
introspect = Introspect()
told = Told()
