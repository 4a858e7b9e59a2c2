"""Keys that the schema does not have: unknown, not supported yet, or too important to be ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from litellm.proxy.config import known
from litellm.proxy.config.report import KeyPath, did_you_mean, nearest

if TYPE_CHECKING:
    from litellm.proxy.config.load import Loaded

# In a free-form map a key may well be the provider's own; only what is one slip away from one of ours is worth a word.
_ONE_SLIP = 0.9


def remove_unknown(loaded: Loaded, schema: type[BaseModel]) -> set[KeyPath]:
    """Report and remove from `loaded.data` what `schema` has no place for.

    Returns the keys that were probably meant instead, so that their absence is not reported as well.
    """
    meant: set[KeyPath] = set()
    _walk(loaded, schema, loaded.data, (), meant)
    return meant


def _walk(loaded: Loaded, annotation: Any, value: Any, path: KeyPath, meant: set[KeyPath]) -> None:
    """Follow the values and their declared types down together."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if isinstance(value, dict):
            _judge(loaded, annotation, value, path, meant)
            for name, field in annotation.model_fields.items():
                if name in value:
                    _walk(loaded, field.annotation, value[name], (*path, name), meant)
        return
    inner = [argument for argument in get_args(annotation) if argument not in (type(None), ...)]
    if get_origin(annotation) is tuple and isinstance(value, list):
        for index, item in enumerate(value):
            _walk(loaded, inner[0], item, (*path, index), meant)
    elif get_origin(annotation) is dict and isinstance(value, dict):
        for key, item in value.items():
            _walk(loaded, inner[-1], item, (*path, key), meant)


def _judge(loaded: Loaded, model: type[BaseModel], value: dict[str, Any], path: KeyPath, meant: set[KeyPath]) -> None:
    section = ".".join(part for part in path if isinstance(part, str))
    free_form = model.model_config.get("extra") == "allow"
    for key in [key for key in value if key not in model.model_fields]:
        here = (*path, key)
        fate = known.verdict(section, key)
        if fate is None and free_form:
            if hint := did_you_mean(key, model.model_fields, cutoff=_ONE_SLIP):
                loaded.report(here, f"not a parameter of ours, passed to the provider{hint}", "warning")
            continue
        # `max_budget: null` and `enable_jwt_auth: false` ask for what their absence gives.
        if fate == "refused" and value[key] is not None and value[key] is not False:
            loaded.report(here, "not supported in this release, and unsafe to ignore; remove it to start")
        elif fate:
            loaded.report(here, "not supported yet; ignored", "warning")
        else:
            names = known.names(section) | model.model_fields.keys()
            loaded.report(here, f"unknown key{did_you_mean(key, names)}")
            meant.add((*path, nearest(key, names) or key))
        del value[key]
