"""The entries of `fallbacks`, `context_window_fallbacks` and `content_policy_fallbacks`, read in one place.

    [{"gpt-4": ["gpt-35"]}]          a table: for the group gpt-4, these; it is what a Router and a config file take
    ["gpt-35"]                       a request's own list: for whatever it asked for
    [{"model": "x", "top_p": 1}]     the same, with other parameters
    [{"top_p": 1}]                   what was asked for, in other words

A map without `model` in which all values are lists is a table, also in a request, where all of these may be mixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from litellm.engine.route import FallbackKind

FallbackTable = Mapping[str, Sequence[Any]]
FALLBACKS: Sequence[FallbackKind] = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


def table_of(name: str, entries: Sequence[Mapping[str, Sequence[Any]]] | None) -> FallbackTable:
    """`[{group: [other, …]}, …]` as one table; a later entry for a group counts. Raises ValueError for another shape."""
    table: dict[str, Sequence[Any]] = {}
    for entry in entries or ():
        if not isinstance(entry, Mapping):
            text = f"{name} must be a list like [{{'group': ['other']}}], not with {entry!r} in it"
            raise ValueError(text)  # noqa: TRY004 - what is in a list is a value
        for group, targets in entry.items():
            if not isinstance(targets, list | tuple):
                text = f"{name}: the fallbacks of {group!r} must be a list, not {targets!r}"
                raise ValueError(text)  # noqa: TRY004
            table[group] = tuple(targets)
    return table


def find_fallbacks(table: FallbackTable, *names: str) -> Sequence[Any]:
    """The entry for the first of `names` that has one: as it is, without its provider, with any provider; else "*".

    >>> table = {"gpt-4o": ["b"], "groq/llama": ["c"]}
    >>> find_fallbacks(table, "openai/gpt-4o"), find_fallbacks(table, "llama")
    (['b'], ['c'])
    """
    if not table:
        return ()
    for name in names:
        for spelling in (name, name.partition("/")[2]):
            if spelling in table:
                return table[spelling]
        for known in table:
            if known.partition("/")[2] == name:
                return table[known]
    return table.get("*", ())


def parse_request_fallbacks(name: str, value: Any) -> Sequence[Any] | None:
    """A request's own fallbacks, if they have a shape that they may have; None where it says nothing.

    Raises ValueError, with the name under which they were sent.

    >>> parse_request_fallbacks("fallbacks", "gpt-35")
    Traceback (most recent call last):
    ...
    ValueError: fallbacks must be a list of model names, of maps with a model, or of tables like {'group': ['other']}
    """
    if not value:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(each, str | Mapping) for each in targets_in(value)):
        raise ValueError(
            f"{name} must be a list of model names, of maps with a model, or of tables like {{'group': ['other']}}"
        )
    return value


def is_table(entry: Any) -> bool:
    """Whether an entry of a request's fallbacks says for which groups it holds."""
    return (
        isinstance(entry, Mapping)
        and "model" not in entry
        and bool(entry)
        and all(isinstance(targets, list | tuple) for targets in entry.values())
    )


def tables_in(entries: Sequence[Any]) -> Sequence[Any]:
    """The tables among a request's fallbacks, which hold for the groups that it falls back on, too."""
    return [entry for entry in entries if is_table(entry)]


def targets_in(entries: Iterable[Any]) -> Iterator[Any]:
    """All that `entries` lead to, for whichever group."""
    for entry in entries:
        if is_table(entry):
            for targets in entry.values():
                yield from targets
        else:
            yield entry


def request_fallbacks(entries: Sequence[Any], *names: str) -> Sequence[Any]:
    """What a request's own fallbacks are for a group with these names: its list, and what its tables say.

    >>> request_fallbacks(["c", {"a": ["b"]}], "a"), request_fallbacks([{"a": ["b"]}], "x")
    (['c', 'b'], [])
    """
    plain = [entry for entry in entries if not is_table(entry)]
    return [*plain, *find_fallbacks(table_of("fallbacks", tables_in(entries)), *names)]


def name_of(target: Any) -> str | None:
    """The name that a fallback leads to; None where it is the same again in other words."""
    named = target if isinstance(target, str) else target.get("model")
    return named if isinstance(named, str) else None
