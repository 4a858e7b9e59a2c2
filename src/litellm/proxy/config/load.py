"""A config file → one plain dict that remembers the file and line of every value.

The node tree is turned into values in one pass, which is also the only place where `os.environ/NAME` is resolved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, ScalarNode

from litellm.proxy.config.include import TAG, FileTree, is_unicode, pairs_of, place
from litellm.proxy.config.report import KeyPath, Problem, Severity, dotted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from yaml.nodes import Node

_REFERENCE: Final = "os.environ/"
_EXPORTS: Final = "environment_variables"
_COLLECTIONS: Final = {TAG + "seq", TAG + "map"}
_CONSTRUCTED: Final = {TAG + name for name in ("null", "bool", "int", "float")}
# No setting is a date: `api_version: 2024-02-01` means its text. `=` and `<<` as values are texts too.
_TEXTS: Final = {TAG + name for name in ("str", "timestamp", "value", "merge")}

# Far above any real config: aliases of aliases can spell more values than memory holds.
_MOST_VALUES: Final = 1_000_000
_DEEPEST: Final = 64


class EnvText(str):
    """Text from the environment, which has no other way to write a number or a boolean."""

    __slots__ = ()


@dataclass(slots=True)
class Loaded:
    """What the files say, where they say it, and what is wrong with how they say it."""

    file: str
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, tuple[str, int]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)  # what environment_variables asks to export
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True  # False when a file could not be read: then a missing name proves nothing

    def place(self, path: KeyPath) -> tuple[str, int | None]:
        """File and line of the value at `path`, or of the nearest thing above it that has a line."""
        return locate(self.lines, path, self.file)

    def report(self, path: KeyPath, what: str, severity: Severity = "error") -> None:
        """Note a problem with the value at `path`."""
        self.problems.append(Problem(*self.place(path), dotted(path), what, severity))


def locate(lines: Mapping[KeyPath, tuple[str, int]], path: KeyPath, file: str) -> tuple[str, int | None]:
    """Look `path` up in `lines`, or what is nearest above it; `file` without a line when there is nothing."""
    above = next((path[:end] for end in range(len(path), 0, -1) if path[:end] in lines), None)
    return lines[above] if above else (file, None)


def load_files(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Read `path` and what it includes. What is wrong with the files is in `Loaded.problems`, not raised."""
    loaded = Loaded(str(path))
    try:
        tree = FileTree(path)
        loaded.problems, loaded.complete = tree.problems, tree.complete
        loaded.data = _Values(loaded, environ).mapping(tree.root, ())
    except RecursionError:
        loaded.complete = False
        loaded.report((), "nested too deeply, or made endless by aliases")
    return loaded


class _Values:
    """Nodes → values."""

    def __init__(self, loaded: Loaded, environ: Mapping[str, str]) -> None:
        self.loaded = loaded
        self.environ = dict(environ)
        self.constructor = SafeConstructor()

    def value(self, node: Node, path: KeyPath) -> Any:
        self.loaded.lines.setdefault(path, place(node))  # a map's values were given their key's line already
        if len(path) > _DEEPEST or len(self.loaded.lines) > _MOST_VALUES:
            raise RecursionError
        if isinstance(node, ScalarNode):
            return self.scalar(node, path)
        if node.tag not in _COLLECTIONS:
            self.report_tag(path)
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        pairs = pairs_of(node)
        if not path and _EXPORTS in pairs:  # first, because the rest may refer to what it sets
            pairs = {_EXPORTS: pairs.pop(_EXPORTS), **pairs}
        result = {}
        for name, (key, value) in pairs.items():
            self.loaded.lines[*path, name] = place(key)
            result[name] = self.value(value, (*path, name))
        return result

    def scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        exported = len(path) == 2 and path[0] == _EXPORTS and node.tag != TAG + "null"
        if exported or node.tag in _TEXTS:  # an exported `true` or `8080` is the text it is written as
            text = self.text(node.value, path)
            if exported:
                self.environ[str(path[1])] = self.loaded.environment[str(path[1])] = str(text)
            return text
        if node.tag not in _CONSTRUCTED:
            return self.report_tag(path)
        try:
            return self.constructor.construct_object(node)
        except (ValueError, LookupError):  # `0b_`, `!!bool maybe` and the like, which YAML's patterns let through
            self.loaded.report(path, f"cannot be read as {node.tag.removeprefix(TAG)}")
            return None

    def text(self, text: str, path: KeyPath) -> str:
        if not is_unicode(text):
            self.loaded.report(path, "not a text that UTF-8 can hold")
            return ""
        if not text.startswith(_REFERENCE):
            return text
        name = text.removeprefix(_REFERENCE)
        if name not in self.environ:
            self.loaded.report(path, f"environment variable {name or '(no name)'} is not set")
        return EnvText(self.environ.get(name, ""))

    def report_tag(self, path: KeyPath) -> None:
        # The tag is not repeated: `api_key: !sk-1234` is a tag to YAML.
        self.loaded.report(path, "YAML tags are not supported; quote a value that begins with '!'")
