"""Which parameters are sent. The default is: all of them, also those that we have never heard of.

Taken out are, in this order: what the caller lists in additional_drop_params, and what the provider documents as refused
(an error, or silently with drop_params). allowed_openai_params overrules the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from litellm._log import log
from litellm.exceptions import UnsupportedParamsError
from litellm.types.params import ALWAYS
from litellm.wire.protocol import Body


class Policy(msgspec.Struct, frozen=True):
    """What the settings and the call say about parameters."""

    drop_params: bool = False
    additional_drop_params: tuple[str, ...] = ()
    allowed_openai_params: tuple[str, ...] = ()

    def joined(self, other: Policy) -> Policy:
        """Both together: what either drops is dropped, what either allows is allowed."""
        if other is KEEP_ALL:
            return self
        return Policy(
            self.drop_params or other.drop_params,
            self.additional_drop_params + other.additional_drop_params,
            self.allowed_openai_params + other.allowed_openai_params,
        )


KEEP_ALL = Policy()


def with_defaults(defaults: Mapping[str, Any], body: Body) -> Body:
    """The deployment's own fields where the request does not have them; tools of both, as LiteLLM has it.

    >>> with_defaults({"temperature": 0, "tools": [1]}, {"temperature": 1, "tools": [2]})
    {'temperature': 1, 'tools': [1, 2]}
    """
    both = {**defaults, **body}
    ours, theirs = defaults.get("tools"), body.get("tools")
    if isinstance(ours, list) and isinstance(theirs, list):
        both["tools"] = [*ours, *theirs]
    return both


def apply(policy: Policy, unsupported: Iterable[str], body: Body, provider: str, model: str) -> Body:
    """`body` without what must not be sent. Raises UnsupportedParamsError, which names the three ways out."""
    if policy.additional_drop_params:
        body = without(body, policy.additional_drop_params)
    refused = [
        name for name in unsupported if name in body and name not in ALWAYS and name not in policy.allowed_openai_params
    ]
    if refused:
        if not policy.drop_params:
            names = ", ".join(refused)
            raise UnsupportedParamsError(
                f"{provider} does not take {names} (model {model}). Leave it out; or set drop_params=True (here, or "
                f"litellm.drop_params) to drop it silently; or allowed_openai_params={refused!r} to send it anyway",
                llm_provider=provider,
                model=model,
                param=refused[0],
            )
        log.debug("drop_params: %s are not sent to %s/%s", refused, provider, model)
        body = {name: value for name, value in body.items() if name not in refused}
    return body


_STEP = re.compile(r"([^.\[\]]+)|\[(\*|-?\d+)\]")
_CONTAINERS = (dict, list)
Paths = dict[str | int, "Paths | None"]  # a tree of steps; None: what lies here is dropped


def without(value: Any, paths: Iterable[str]) -> Any:
    """`value` without what lies at the ends of `paths`, whose places are those of `value` as it came; the original is not
    touched. Takes as long as `value` and `paths` are, however many the paths.

    >>> without({"tools": [{"x": 1, "y": 2}], "seed": 1}, ["tools[*].x", "seed"])
    {'tools': [{'y': 2}]}
    """
    return _pruned(value, [_tree(paths)])


def _tree(paths: Iterable[str]) -> Paths:
    """The paths as one: those that begin alike share their beginnings, and nothing lies below what is dropped.

    >>> _tree(["tools[*].x", "tools[*].y", "user", "user.id"])
    {'tools': {'*': {'x': None, 'y': None}}, 'user': None}
    """
    tree: Paths = {}
    for steps in filter(None, map(_steps, paths)):
        *way, last = steps
        at: Paths | None = tree
        for step in way:
            at = at.setdefault(step, {}) if at is not None else None
        if at is not None:
            at[last] = None
    return tree


def _steps(path: str) -> list[str | int]:
    r"""Split "tools[*].function.strict" into "tools", "*", "function", "strict"."""
    steps: list[str | int] = []
    for name, index in _STEP.findall(path):
        steps.append(name or (index if index == "*" else int(index)))
    return steps


def _pruned(value: Any, trees: Sequence[Paths]) -> Any:
    """`value` without what each of `trees` drops. More than one apply where a list's place has several names."""
    if isinstance(value, dict):
        places = ((name, item, _below(trees, name)) for name, item in value.items())
        return {name: _pruned(item, below) if below else item for name, item, below in places if None not in below}
    if isinstance(value, list):
        return _pruned_list(value, trees)
    return value


def _pruned_list(value: list[Any], trees: Sequence[Paths]) -> list[Any]:
    """Most of a list's items are of no interest, and there may be millions: nothing is called for one that is no object."""
    everywhere = _below(trees, "*")
    places = {step % len(value) for tree in trees for step in tree if _is_place(step, len(value))}
    kept = []
    for at, item in enumerate(value):
        below = _below(trees, "*", at, at - len(value)) if at in places else everywhere
        if None not in below:
            kept.append(_pruned(item, below) if below and isinstance(item, _CONTAINERS) else item)
    return kept


def _is_place(step: str | int, length: int) -> bool:
    return isinstance(step, int) and -length <= step < length


def _below(trees: Sequence[Paths], *names: str | int) -> list[Any]:
    return [tree[name] for tree in trees for name in names if name in tree]
