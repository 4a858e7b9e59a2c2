"""Which deployments serve a name. A frozen snapshot: looking a name up takes the same time for ten and ten thousand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random

import msgspec

from litellm.providers.resolve import Target
from litellm.router.pick import shuffle

MAX_EXPANDED = 1024  # names that clients made up and a wildcard answered; the oldest are forgotten

_RNG = Random()  # noqa: S311 - spreading load, not secrets


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint behind a name. target: where to send; None for a wildcard, whose `make` builds one for each name."""

    name: str
    model: str
    make: Callable[[str], Target]
    id: str
    target: Target | None = None
    weight: float | None = None
    order: int = 0


class Group:
    """The deployments that answer to one name."""

    __slots__ = ("_order", "_weights", "name", "targets")

    def __init__(
        self, name: str, targets: Sequence[Target], weights: Sequence[float | None], order: Sequence[int]
    ) -> None:
        self.name = name
        usable = [at for at, target in enumerate(targets) if target.unusable is None]
        if usable:  # one that lacks its key is asked only when there is no other, to say so
            targets = [targets[at] for at in usable]
            weights = [weights[at] for at in usable]
            order = [order[at] for at in usable]
        self.targets = tuple(targets)
        given = any(weight is not None for weight in weights)
        self._weights = tuple(1.0 if weight is None else weight for weight in weights) if given else None
        self._order = tuple(order) if len(set(order)) > 1 else None

    def choose(self, tried: Sequence[Target]) -> Target:
        """A deployment that was not tried yet, of the lowest order there is; when all were, any of them."""
        targets = self.targets
        if len(targets) == 1:
            return targets[0]
        if not tried and self._order is None:
            return shuffle.pick(targets, self._weights, _RNG)
        left = [at for at, target in enumerate(targets) if target not in tried] or list(range(len(targets)))
        if self._order is not None:
            lowest = min(self._order[at] for at in left)
            left = [at for at in left if self._order[at] == lowest]
        weights = None if self._weights is None else [self._weights[at] for at in left]
        return targets[shuffle.pick(left, weights, _RNG)]


class _Wildcard(msgspec.Struct, frozen=True):
    pattern: re.Pattern[str]
    deployments: tuple[Deployment, ...]

    def expand(self, name: str) -> Group | None:
        match = self.pattern.match(name)
        if match is None:
            return None
        captured = list(match.groups())
        targets = []
        for deployment in self.deployments:
            parts = deployment.model.split("*")
            filled = parts[0]
            for at, part in enumerate(parts[1:]):
                filled += (captured[min(at, len(captured) - 1)] if captured else name) + part
            targets.append(deployment.make(filled))
        return Group(name, targets, [d.weight for d in self.deployments], [d.order for d in self.deployments])


class Pool:
    """All names that are served, looked up in this order: alias, group, deployment id, longest wildcard, "*".

    aliases: other names for groups, as name → (group, hidden).
    """

    def __init__(self, deployments: Iterable[Deployment], aliases: Mapping[str, tuple[str, bool]] = {}) -> None:
        members: dict[str, list[Deployment]] = {}
        for deployment in deployments:
            members.setdefault(deployment.name, []).append(deployment)
        self._groups: dict[str, Group] = {}
        self._by_id: dict[str, Group] = {}
        wildcards: dict[str, list[Deployment]] = {}
        for name, group in members.items():
            if "*" in name:
                wildcards[name] = group
                continue
            targets = [deployment.target or deployment.make(deployment.model) for deployment in group]
            self._groups[name] = Group(name, targets, [d.weight for d in group], [d.order for d in group])
            for deployment, target in zip(group, targets, strict=True):
                self._by_id[deployment.id] = Group(name, [target], [None], [0])
        self._wildcards = [
            _Wildcard(re.compile(re.escape(name).replace(r"\*", "(.*)") + "$"), tuple(wildcards[name]))
            for name in sorted(wildcards, key=len, reverse=True)
        ]
        self._expanded: dict[str, Group] = {}
        self._aliases = {name: group for name, (group, _) in aliases.items()}
        self._shown = [*members, *(name for name, (_, hidden) in aliases.items() if not hidden)]

    def find(self, name: str) -> Group | None:
        """The group that serves `name`, or None."""
        name = self._aliases.get(name, name)
        return self._groups.get(name) or self._by_id.get(name) or self._expanded.get(name) or self._expand(name)

    def _expand(self, name: str) -> Group | None:
        for wildcard in self._wildcards:
            group = wildcard.expand(name)
            if group is not None:
                if len(self._expanded) >= MAX_EXPANDED:
                    del self._expanded[next(iter(self._expanded))]
                self._expanded[name] = group
                return group
        return None

    def names(self) -> list[str]:
        """The names to show to clients, in the order of the configuration. Wildcards stand as they are."""
        return self._shown
