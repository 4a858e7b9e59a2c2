"""The objects that callers read, named after what they describe.

Also an old address: dspy, openai-agents and opik read `litellm.types.utils` and `litellm.types.llms.openai` without
importing them.
"""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name in ("llms", "utils"):
        return importlib.import_module(f"litellm.types.{name}")
    raise AttributeError(f"module 'litellm.types' has no attribute {name!r}")
