"""Lookup of the deployments that serve a name: a frozen snapshot, as fast for ten thousand as for ten."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import accumulate
from random import Random
from threading import Lock
from typing import Any, TypeVar

import msgspec

from litellm._bounded import Bounded
from litellm.providers.backend import Unusable
from litellm.providers.target import Target
from litellm.router.deployments import Deployment
from litellm.router.ranking import Ranking

K = TypeVar("K")
T = TypeVar("T")
Rank = Callable[[Deployment], float]  # of equals by order, those with the lowest come first

MAX_PARTS = 64  # of a group, by tags and checks; the oldest are forgotten
MAX_EXPANDED = 1024  # names that clients made up and a wildcard answered; the oldest are forgotten
_MISSING: Any = object()
MAX_EXPANDED_LENGTH = 512  # characters; comparing a pattern of several stars with a long name takes long


class Level:
    """Deployments of one order, and how to draw one of them in a time that does not depend on how many they are.

    ranking: their order by how busy or fast they are, kept here for the strategy that asked for it last.
    """

    __slots__ = ("_sums", "members", "ranking")

    def __init__(self, members: Sequence[Deployment]) -> None:
        self.members = tuple(members)
        self.ranking: tuple[object, Ranking] | None = None
        shares = [each.share for each in members]
        self._sums = None if len(set(shares)) == 1 else list(accumulate(shares))

    def draw(self, rng: Random) -> int:
        """The place of one of them, with the likelihood of its share."""
        if self._sums is None:
            return int(rng.random() * len(self.members))
        return bisect(self._sums, rng.random() * self._sums[-1], 0, len(self.members) - 1)


class Group:
    """The deployments that answer to one name, by their order. wild: the name was made from a pattern.

    One that lacks its key is asked only when there is no other, to say so; one of weight 0 when all are.
    """

    __slots__ = ("_known", "_levels", "_lock", "_parts", "can_cool_down", "members", "name", "wild")

    def __init__(
        self, name: str, members: tuple[Deployment, ...], *, wild: bool = False, can_cool_down: bool = False
    ) -> None:
        self.name = name
        self.wild = wild
        self.members = members
        self.can_cool_down = can_cool_down
        self._lock = Lock()
        self._known: dict[Callable[[Group], Any], Any] = {}
        self._levels: dict[Rank | None, tuple[Level, ...]] = {}
        # None: the group itself, which must not hold itself.
        self._parts: Bounded[Hashable, Group | None] = Bounded(MAX_PARTS)

    @classmethod
    def serving(cls, name: str, deployments: Sequence[Deployment], *, wild: bool = False) -> Group:
        """The group of those deployments that can be used, with their shares."""
        usable = [each for each in deployments if _usable(each)]
        members = tuple(_with_shares(usable or list(deployments)))
        # One alone never cools down. One behind a pattern serves many names, of which a single one may be wrong. And those
        # that lack their keys go on saying so.
        return cls(name, members, wild=wild, can_cool_down=len(members) > 1 and not wild and bool(usable))

    @classmethod
    def of(cls, name: str, target: Target) -> Group:
        """A group of one target that is not in a model_list."""
        return cls(
            name, (Deployment(name=name, model=target.model, id=target.id, make=lambda _: target, target=target),)
        )

    @classmethod
    def empty(cls, name: str) -> Group:
        """The group of a name that is not served, and that fallbacks may stand in for."""
        return cls(name, ())

    def once(self, find_out: Callable[[Group], T]) -> T:
        """What a function finds out about the group, which must not change while there is this group. It is asked once."""
        if find_out not in self._known:
            self._known[find_out] = find_out(self)
        return self._known[find_out]  # type: ignore[no-any-return]

    def levels(self, rank: Rank | None = None) -> tuple[Level, ...]:
        """The members by order and then by `rank`, the lowest first; sorted once."""
        found = self._levels.get(rank)
        if found is None:
            by_place: dict[tuple[int, float], list[Deployment]] = {}
            for each in self.members:
                by_place.setdefault((each.order, 0.0 if rank is None else rank(each)), []).append(each)
            found = self._levels[rank] = tuple(Level(by_place[place]) for place in sorted(by_place))
        return found

    def part(self, key: Hashable, keep: Callable[[Sequence[Deployment]], Sequence[Deployment]]) -> Group:
        """The group with only those of its members that `keep` returns; itself, if these are all. Asked once for a key."""
        part = self._parts.get(key, _MISSING)
        if part is _MISSING:
            members, part = tuple(keep(self.members)), None
            if len(members) < len(self.members):
                part = Group(self.name, members, wild=self.wild, can_cool_down=self.can_cool_down)
            with self._lock:
                self._parts[key] = part
        return part or self

    def __repr__(self) -> str:
        return f"Group({self.name!r}, {len(self.members)} deployments)"


def _usable(deployment: Deployment) -> bool:
    return deployment.target is None or not isinstance(deployment.target.backend, Unusable)


def _with_shares(deployments: Sequence[Deployment]) -> list[Deployment]:
    """The deployments with their shares: their weights where one has any, else their rpm or tpm where all have it."""
    shares: list[float]
    if any(each.weight is not None for each in deployments):
        shares = [1.0 if each.weight is None else each.weight for each in deployments]
    elif all(each.limits.rpm for each in deployments):
        shares = [each.limits.rpm or 0.0 for each in deployments]
    elif all(each.limits.tpm for each in deployments):
        shares = [each.limits.tpm or 0.0 for each in deployments]
    else:
        return list(deployments)
    if not any(shares):
        return list(deployments)
    pairs = zip(deployments, shares, strict=True)
    return [msgspec.structs.replace(each, share=share) for each, share in pairs if share]


class _Wildcard(msgspec.Struct, frozen=True):
    pattern: re.Pattern[str]
    deployments: tuple[Deployment, ...]

    def expand(self, name: str) -> Group | None:
        match = self.pattern.match(name)
        if match is None:
            return None
        captured = list(match.groups())
        members = []
        for deployment in self.deployments:
            if deployment.target is not None:
                members.append(deployment)
                continue
            parts = deployment.model.split("*")
            model = parts[0]
            for at, part in enumerate(parts[1:]):
                model += (captured[min(at, len(captured) - 1)] if captured else name) + part
            members.append(msgspec.structs.replace(deployment, target=deployment.make(model)))
        return Group.serving(name, members, wild=True)


def _wildcards(by_name: Mapping[str, tuple[Deployment, ...]]) -> list[_Wildcard]:
    """The names with a `*`, the longest first."""
    names = sorted((name for name in by_name if "*" in name), key=len, reverse=True)
    return [_Wildcard(re.compile(re.escape(name).replace(r"\*", "(.*)") + "$"), by_name[name]) for name in names]


class Pool:
    """All names that are served, looked up in this order: alias, group, deployment id, longest wildcard, "*", the model
    that a deployment sends to. Make one with `of`; it never changes but for what wildcards answered."""

    def __init__(
        self,
        by_name: dict[str, tuple[Deployment, ...]],
        by_id: dict[str, Deployment],
        by_model: dict[str, Deployment],
        groups: dict[str, Group],
        aliases: Mapping[str, tuple[str, bool]] = {},
    ) -> None:
        self.by_name = by_name
        self.by_id = by_id
        self.by_model = by_model
        self.groups = groups
        self.aliases = aliases
        self._wildcards = _wildcards(by_name)
        self._expanded: Bounded[str, Group] = Bounded(MAX_EXPANDED)
        self._lock = Lock()

    @classmethod
    def of(cls, deployments: Iterable[Deployment] = (), aliases: Mapping[str, tuple[str, bool]] = {}) -> Pool:
        """The pool of these. aliases: other names for groups, as name → (group, hidden)."""
        gathered: dict[str, list[Deployment]] = {}
        by_id: dict[str, Deployment] = {}
        for each in deployments:
            gathered.setdefault(each.name, []).append(each)
            by_id[each.id] = each
        by_name = {name: tuple(members) for name, members in gathered.items()}
        by_model = {each.model: each for each in reversed(by_id.values())}
        groups = {name: Group.serving(name, members) for name, members in by_name.items() if "*" not in name}
        return cls(by_name, by_id, by_model, groups, aliases)

    def changed(self, *, add: Sequence[Deployment] = (), remove: Sequence[str] = ()) -> Pool:
        """A Pool without the deployments with the ids `remove`, and with `add`; one of these takes the place of the one
        with its id. Groups that do not change are shared."""
        removed = {*remove, *(each.id for each in add)} & self.by_id.keys()
        names = {self.by_id[each].name for each in removed} | {each.name for each in add}
        by_name = dict(self.by_name)
        groups = dict(self.groups)
        for name in names:
            remaining = [each for each in self.by_name.get(name, ()) if each.id not in removed]
            remaining += [each for each in add if each.name == name]
            by_name[name] = tuple(remaining)
            groups.pop(name, None)
            if not remaining:
                del by_name[name]
            elif "*" not in name:
                groups[name] = Group.serving(name, remaining)
        by_id = (
            {each: known for each, known in self.by_id.items() if each not in removed} if removed else dict(self.by_id)
        )
        by_id |= {each.id: each for each in add}
        by_model = {each.model: each for each in reversed(by_id.values())} if removed else dict(self.by_model)
        for each in add:
            by_model.setdefault(each.model, each)
        return Pool(by_name, by_id, by_model, groups, self.aliases)

    def find(self, name: str) -> Group | None:
        """The group that serves `name`, or None."""
        alias = self.aliases.get(name)
        if alias is not None:
            name = alias[0]
        return self.groups.get(name) or self._alone(self.by_id.get(name)) or self._expand(name) or self._modelled(name)

    def permitted_as(self, name: str) -> str:
        """The name that a right to ask for `name` is about: an alias's own, as it was given away on purpose; else that of
        the group that `find` finds, by whichever of its deployments' names."""
        group = None if name in self.aliases else self.find(name)
        return name if group is None else group.name

    def _alone(self, deployment: Deployment | None) -> Group | None:
        return None if deployment is None or deployment.target is None else Group(deployment.name, (deployment,))

    def _modelled(self, model: str) -> Group | None:
        deployment = self.by_model.get(model)
        return None if deployment is None or deployment.wild else self.groups.get(deployment.name)

    def _expand(self, name: str) -> Group | None:
        group = self._expanded.get(name)
        if group is not None:
            return group
        for wildcard in self._wildcards if len(name) <= MAX_EXPANDED_LENGTH else ():
            group = wildcard.expand(name)
            if group is not None:
                with self._lock:
                    self._expanded[name] = group
                return group
        return None

    def lists(self, name: str) -> bool:
        """Whether `name` was configured as it stands; not one that only a pattern answers to."""
        return name in self.aliases or name in self.groups or name in self.by_id

    def names(self) -> list[str]:
        """The names to show to clients, in the order of the configuration. Wildcards stand as they are."""
        return [*self.by_name, *(name for name, (_, hidden) in self.aliases.items() if not hidden)]

    def __repr__(self) -> str:
        return f"Pool({len(self.by_id)} deployments)"
