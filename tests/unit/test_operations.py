"""The table of operations: its rows hold together, and no other module knows one by its name."""

from __future__ import annotations

import ast
import copy
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm.operations import BY_NAME, CHAT, OPERATIONS, load

SOURCE = Path(__file__).resolve().parents[2] / "src" / "litellm"

# Names that are also words of the formats themselves: a part of a message has a "text".
WORDS = {"text"}
# LiteLLM's names for kinds of calls, which callbacks import; one of them is spelled like one of ours.
PUBLIC = {"types/hooks.py": {"embeddings"}}


def spelled(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Where a string is an operation's name: everywhere, but for WORDS only in a statement, or a dict, tuple or set, that
    speaks of operations otherwise."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in BY_NAME and node.value not in WORDS:
            yield node.lineno, node.value
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict | ast.Tuple | ast.Set | ast.List | ast.Compare | ast.Call | ast.keyword | ast.arguments
                      | ast.AnnAssign | ast.Assign):  # fmt: skip
            inside = [inner for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.Constant)]
            words = [inner for inner in inside if inner.value in WORDS]
            if words and _about_operations(node, inside):
                yield from ((word.lineno, word.value) for word in words)


def _about_operations(node: ast.AST, inside: list[ast.Constant]) -> bool:
    names = [getattr(inner, field, None) for inner in ast.walk(node) for field in ("id", "attr", "arg")]
    others = any(inner.value in BY_NAME and inner.value not in WORDS for inner in inside)
    return others or any("operation" in name.lower() for name in names if isinstance(name, str))


def test_no_other_module_spells_an_operation() -> None:
    """Another operation is another row, and nothing else: whoever knew one by name would have to learn the new one's."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        where = path.relative_to(SOURCE).as_posix()
        if where != "operations.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += [f"{where}:{line} {name}" for line, name in spelled(tree) if name not in PUBLIC.get(where, ())]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        'if operation == "chat": pass', 'call(model, params, "embeddings")', 'TABLE = {"chat": 1, "text": 2}',
        'if call.operation == "text": pass', 'TALKS = frozenset({"chat", "text"})', 'ask(operation="text")',
        'def ask(operation: Operation = "text"): pass', 'class Call:\n    operation: Operation = "text"',
        'name = Literal["moderations"]',
    ],
)  # fmt: skip
def test_the_search_finds_names(code: str) -> None:
    assert list(spelled(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ['part.get("text")', 'choice["text"]', 'part["type"] == "text"', '{"type": "text", "text": said}']
)
def test_the_search_leaves_fields_alone(code: str) -> None:
    assert not list(spelled(ast.parse(code)))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda row: pickle.loads(pickle.dumps(row))])
def test_a_row_is_one_object(again) -> None:
    """So that `is` tells one from another, wherever a call or a target has been copied."""
    assert again(CHAT) is CHAT
    assert again({"operation": CHAT})["operation"] is CHAT


@pytest.mark.parametrize("row", OPERATIONS, ids=str)
def test_a_row_names_what_is_there(row) -> None:
    """Classes, functions with their asynchronous siblings, parameters, and the operation that it can be asked by."""
    addresses = [row.answer, row.chunk, row.sdk, row.sdk.replace(":", ":a"), row.params]
    assert all(load(address) is not None for address in addresses if address)
    assert bool(row.chunk) == row.streams
    assert not row.via or row.via in BY_NAME
