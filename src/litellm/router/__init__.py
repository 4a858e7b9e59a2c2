"""Many deployments behind one name. Also an old address: `from litellm.router import Router, RetryPolicy` finds
the public classes. They are imported when they are looked up here: Router lives a floor above."""

from __future__ import annotations

import importlib
from typing import Any

_SHAPES = ("AllowedFailsPolicy", "CustomRoutingStrategyBase", "Deployment", "LiteLLM_Params", "RetryPolicy")
_HOMES = dict.fromkeys(_SHAPES, "litellm.types.router") | {"Router": "litellm.sdk.router"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'litellm.router' has no attribute {name!r}")
