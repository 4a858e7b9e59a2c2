"""Floor 5: many deployments behind one name. Also an old address: `from litellm.router import Router` finds the public
class, which lives a floor above and is not imported before somebody asks for it here."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if name == "Router":
        return importlib.import_module("litellm.sdk.router").Router
    raise AttributeError(f"module 'litellm.router' has no attribute {name!r}")
