"""What is wrong with a config: one line per problem, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from litellm._credentials import MASK, names_credential

if TYPE_CHECKING:
    from collections.abc import Iterable

KeyPath = tuple[str | int, ...]
Severity = Literal["error", "warning"]

_LONGEST_KEY = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where it stands and what it is.

    >>> print(Problem("config.yaml", 6, "model_list.0.litellm_params.rpm", "Input should be a valid integer"))
    config.yaml:6: model_list.0.litellm_params.rpm: Input should be a valid integer
    """

    file: str
    line: int | None  # from 1; None when the fault is the whole file's
    path: str  # "model_list.0.model_name"; empty when the fault is not a setting's
    what: str
    severity: Severity = "error"

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        label = "warning" if self.severity == "warning" else ""
        return _one_line(": ".join(part for part in (place, label, self.path, self.what) if part))


class ConfigError(ValueError):
    """A config that cannot be used. Its text is the whole report; `problems` are the same as values.

    >>> print(ConfigError([Problem("b.yaml", 2, "", "second"), Problem("a.yaml", 7, "x", "first")]))
    a.yaml:7: x: first
    b.yaml:2: second
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sorted by file and line, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line or 0)))


def dotted(path: KeyPath) -> str:
    """A path as it is written in messages.

    >>> dotted(("model_list", 0, "litellm_params", "rpm"))
    'model_list.0.litellm_params.rpm'
    """
    return ".".join(_shown_key(part) for part in path)


def _shown_key(key: str | int) -> str:
    name, colon, rest = str(key).partition(":")
    # `{api_key:sk-1234}` without the space is a key with no value, and would be printed with the credential in it.
    text = f"{name}:{MASK}" if colon and rest and names_credential(name) else str(key)
    if len(text) > _LONGEST_KEY:
        text = text[:_LONGEST_KEY] + "…"
    return text or "''"


def _one_line(text: str) -> str:
    """Names come from files: a line break or a terminal's escape code in one must not act when it is printed."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def did_you_mean(name: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The nearest of `names` as a bracket to end a sentence with, or nothing when none is near.

    >>> "unknown key" + did_you_mean("litelm_params", ["model_name", "litellm_params"])
    'unknown key (did you mean litellm_params?)'
    """
    near = nearest(name, names, cutoff=cutoff)
    return f" (did you mean {near}?)" if near else ""


def nearest(name: str, names: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The one of `names` that looks most like `name`, if any does."""
    return next(iter(get_close_matches(name[:_LONGEST_KEY], sorted(set(names)), n=1, cutoff=cutoff)), None)
