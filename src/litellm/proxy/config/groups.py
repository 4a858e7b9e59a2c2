"""The names under which deployments can be asked for, to tell a fallback to nowhere from a real one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Groups:
    """Names of groups, aliases and single deployments; a name with `*` stands for many.

    >>> groups = Groups(["gpt-4", "openai/*"])
    >>> "gpt-4" in groups, "openai/o3" in groups, "gpt-5" in groups
    (True, True, False)
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        wildcards = (".*".join(map(re.escape, name.split("*"))) for name in self.names if "*" in name)
        self._wildcard = re.compile("|".join(wildcards) or r"(?!)")

    def __contains__(self, name: str) -> bool:
        return name in self.names or bool(self._wildcard.match(name))

    def has_source(self, name: str) -> bool:
        """Whether a fallback from `name` can apply: it is looked up with and without its provider; `*` is for all."""
        return (
            name == "*"
            or name in self
            or name.partition("/")[2] in self.names
            or any(known.partition("/")[2] == name for known in self.names)
        )


def groups_in(data: dict[str, Any]) -> Groups | None:
    """The names in a config's data as loaded; None when one of them is not readable."""
    deployments = data.get("model_list") or []
    if not isinstance(deployments, list):
        return None
    names = []
    for deployment in deployments:
        if not isinstance(deployment, dict) or not isinstance(deployment.get("model_name"), str):
            return None
        names.append(deployment["model_name"])
        names.append(str(_map(deployment, "model_info").get("id", "")))
    return Groups([*filter(None, names), *_map(_map(data, "router_settings"), "model_group_alias")])


def _map(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}
