"""YAML files → one tree of nodes, in which every node still knows its file and line.

What `include:` names is joined in: maps merge, lists append, and of two single values the including file's stands, then
the first include's. A file that is reached twice counts once, so that its lists are not appended twice.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from litellm.proxy.config.report import KeyPath, Problem, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TAG: Final = "tag:yaml.org,2002:"
INCLUDE: Final = "include"

Pair = tuple[Node, Node]  # of a key and its value

# What to do about the two commonest messages.
_ADVICE: Final = {
    "mapping values are not allowed here": " (is the line indented as it should be?)",
    "found undefined alias": "; quote a value that begins with '*'",
}

_KIND: Final[dict[type[Node], str]] = {ScalarNode: "single value", SequenceNode: "list", MappingNode: "map"}


class FileTree:
    """The joined files. `problems` says what is wrong with them; `complete` is false when one could not be read."""

    def __init__(self, file: Path) -> None:
        self.problems: list[Problem] = []
        self.complete = True
        self._seen: set[Path] = set()
        self.root = self._read(file, ()) or MappingNode(TAG + "map", [])

    def _read(self, file: Path, above: tuple[Path, ...]) -> MappingNode | None:
        root = self._compose(file)
        if root is None:
            return None
        above = (*above, file.resolve())
        self._seen.add(above[-1])
        entries = pairs_of(root).get(INCLUDE, (None, None))[1]
        for index, entry in enumerate(entries.value if isinstance(entries, SequenceNode) else ()):
            # Whatever else stands there is the schema's to complain about.
            if isinstance(entry, ScalarNode):
                other = self._included(file.parent / entry.value, entry, f"{INCLUDE}.{index}", above)
                root = self._joined(root, other, ()) if other else root
        return root

    def _included(self, file: Path, entry: Node, path: str, above: tuple[Path, ...]) -> MappingNode | None:
        try:
            identity = file.resolve() if file.is_file() else None
        except (OSError, ValueError):  # a name no file can have
            identity = None
        if identity is None:
            self._unreadable(*place(entry), "no such file", path)
        elif identity in above:
            self._unreadable(*place(entry), "a file cannot include itself, directly or through others", path)
        elif identity not in self._seen:
            return self._read(file, above)
        return None

    def _unreadable(self, file: str, line: int | None, what: str, path: str = "") -> None:
        self.complete = False
        self.problems.append(Problem(file, line, path, what))

    def _compose(self, file: Path) -> MappingNode | None:
        name, text = str(file), ""
        try:
            text = file.read_bytes().decode("utf-8-sig")
            loader = yaml.SafeLoader(text)
            loader.name = name  # every mark made from here on carries it
            root = loader.get_single_node()
        except (OSError, ValueError, yaml.YAMLError) as error:
            self._unreadable(name, *_line_and_reason(error, text))
        except RecursionError:
            self._unreadable(name, None, "nested too deeply")
        else:
            if root is None:  # an empty file is an empty map
                return MappingNode(TAG + "map", [])
            if isinstance(root, MappingNode):
                self.problems.extend(_bad_keys(root, (), set()))
                return root
            self._unreadable(*place(root), "should be a map of sections, such as model_list:")
        return None

    def _joined(self, mine: MappingNode, other: MappingNode, path: KeyPath) -> MappingNode:
        pairs = pairs_of(mine)
        for name, (key, value) in pairs_of(other).items():
            if name not in pairs:
                pairs[name] = (key, value)
            elif path or name != INCLUDE:
                pairs[name] = (pairs[name][0], self._one_of_two(pairs[name], (key, value), (*path, name)))
        # A new node, because an anchor may show the old one in other places too.
        return MappingNode(mine.tag, list(pairs.values()), mine.start_mark, mine.end_mark)

    def _one_of_two(self, mine: Pair, other: Pair, path: KeyPath) -> Node:
        (my_key, my_value), (key, value) = mine, other
        if isinstance(my_value, MappingNode) and isinstance(value, MappingNode):
            return self._joined(my_value, value, path)
        if isinstance(my_value, SequenceNode) and isinstance(value, SequenceNode):
            items = [*my_value.value, *value.value]
            return SequenceNode(my_value.tag, items, my_value.start_mark, my_value.end_mark)
        if type(my_value) is not type(value):
            file, line = place(my_key)
            what = (
                f"cannot be merged with {file}:{line}: that is a {_KIND[type(my_value)]}, this a {_KIND[type(value)]}"
            )
            self.problems.append(Problem(*place(key), dotted(path), what))
        return my_value


def place(node: Node) -> tuple[str, int]:
    """The file and line on which a node begins."""
    return node.start_mark.name, node.start_mark.line + 1


def pairs_of(node: MappingNode) -> dict[str, Pair]:
    """The keys of a map as they are written, with `<<` merged in. `on: 1` is the key "on", whatever YAML says of on."""
    inherited: dict[str, Pair] = {}
    own: dict[str, Pair] = {}
    for key, value in node.value:
        if key.tag == TAG + "merge":
            for base in _merged(value):
                if isinstance(base, MappingNode):
                    inherited = pairs_of(base) | inherited
        elif isinstance(key, ScalarNode) and is_unicode(key.value):
            own.setdefault(key.value, (key, value))
    return inherited | own


def _merged(value: Node) -> list[Node]:
    return value.value if isinstance(value, SequenceNode) else [value]


def _bad_keys(node: Node, path: KeyPath, seen: set[int]) -> Iterator[Problem]:
    """What `pairs_of` passes over in silence."""
    if id(node) in seen or isinstance(node, ScalarNode):  # an alias shows the same map again
        return
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _bad_keys(item, (*path, index), seen)
        return
    first: dict[str, Node] = {}
    for key, value in node.value:
        if key.tag == TAG + "merge":
            if not all(isinstance(base, MappingNode) for base in _merged(value)):
                yield Problem(*place(key), dotted(path), "only maps can be merged")
            continue
        if not isinstance(key, ScalarNode) or not is_unicode(key.value):
            yield Problem(*place(key), dotted(path), "a key should be plain text")
            continue
        here = (*path, key.value)
        if key.value in first:
            line = place(first[key.value])[1]
            yield Problem(*place(key), dotted(here), f"duplicate key (first on line {line})")
        first.setdefault(key.value, key)
        yield from _bad_keys(value, here, seen)


def is_unicode(text: str) -> bool:
    """False for text with a lone surrogate, which "\\ud800" in quotes makes and no encoding can hold."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _line_and_reason(error: Exception, text: str) -> tuple[int | None, str]:
    match error:
        case OSError():
            return None, f"cannot be read: {error.strerror}"
        case UnicodeDecodeError():
            return error.object.count(b"\n", 0, error.start) + 1, "not UTF-8 text"
        case yaml.reader.ReaderError():
            return text.count("\n", 0, error.position) + 1, "a character that YAML does not allow"
        case yaml.MarkedYAMLError(problem=str(problem), problem_mark=yaml.Mark(line=line)):
            context = error.context or "while"
            sentence = problem if context.startswith("while") else f"{context} {problem}"
            return line + 1, f"not valid YAML: {_without_names(sentence)}"
    return None, "cannot be read"


def _without_names(problem: str) -> str:
    """Drop the name PyYAML quotes from the file: `api_key: *k1234` is an alias to YAML and half a key to its owner."""
    text = re.sub(r"\b(alias|anchor|handle)\b.*", r"\1", problem)
    return text + _ADVICE.get(text, "")
