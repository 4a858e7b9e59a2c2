"""The house rule: import down, never up, and never sideways between siblings of one kind."""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "litellm"

# First path component under litellm → floor. Ten floors, 0 to 9.
FLOORS = {
    "_bounded": 0, "_containment": 0, "_credentials": 0, "_json": 0, "_log": 0, "_numbers": 0, "_threads": 0, "_version": 0, "net": 0,
    "server": 1,
    "exceptions": 2, "operations": 2, "types": 2, "catalog": 2, "tokens": 2,
    "wire": 3,
    "providers": 4,
    "engine": 5, "hooks": 5,
    "router": 6,
    "sdk": 7,
    "proxy": 8,
    "cli": 9,
}  # fmt: skip

# The roof and the porches: they import down, and nobody inside imports them.
ROOF = {"__init__", "_names"}
PORCHES = {"_logging", "caching", "cost_calculator", "integrations", "llms", "litellm_core_utils", "main", "utils"}

# Instances of one kind: they know each other only through their package's shared files.
SIBLINGS = {
    "wire": {
        "_shared",
        "bridge",
        "decoding",
        "dialects",
        "framing",
        "openai_client",
        "openai_format",
        "openai_stream",
        "protocol",
        "quirks",
        "texts",
    },
    "proxy.routes": set(),
    "router.pick": set(),
}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def origin(module: str, name: str) -> str:
    """What `from module import name` reads: a module of that package, or the module where the name stands."""
    inner = f"{module}.{name}"
    place = SOURCE.parent / inner.replace(".", "/")
    return inner if module == "litellm" or place.is_dir() or place.with_suffix(".py").exists() else module


def imports(path: Path) -> list[tuple[int, str]]:
    """Every module of ours that a file imports, also inside functions and under TYPE_CHECKING."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write imports in full"
            found += [(node.lineno, origin(node.module or "", alias.name)) for alias in node.names]
    return [(line, name.removeprefix("litellm.")) for line, name in found if name.startswith("litellm.")]


def broken_rule(importer: str, imported: str) -> str | None:
    mine, theirs = importer.partition(".")[0], imported.partition(".")[0]
    if mine in ROOF | PORCHES:
        return None
    if theirs in ROOF | PORCHES:
        return f"imports the {'roof' if theirs in ROOF else 'old address'} {imported}; import where it is defined"
    for package, shared in SIBLINGS.items():
        prefix = package + "."
        if importer.startswith(prefix) and imported.startswith(prefix):
            sibling = imported.removeprefix(prefix).partition(".")[0]
            if sibling not in shared and sibling != importer.removeprefix(prefix).partition(".")[0]:
                return f"imports its sibling {imported}; what both need goes to {package}/_shared.py"
    if FLOORS[theirs] > FLOORS[mine]:
        return f"imports {imported} (floor {FLOORS[theirs]}) from floor {FLOORS[mine]}; pass the value in instead"
    if FLOORS[theirs] == FLOORS[mine] and theirs != mine and FLOORS[mine] > 2:
        return f"imports {imported} from the same floor; whoever builds both passes it in"
    return None


def test_every_module_has_a_floor() -> None:
    """What is new says in FLOORS where it stands."""
    assert {name_of(path).partition(".")[0] for path in modules()} - FLOORS.keys() - ROOF - PORCHES == set()


def test_the_documentation_draws_every_floor() -> None:
    """Each package and file stands in the drawing of docs/architecture.md, on its floor."""
    page = (SOURCE.parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn, floor = {}, -1
    for line in page.split("```")[1].splitlines():
        number = re.match(r" (\d)  ", line)
        floor = int(number[1]) if number else floor
        drawn |= dict.fromkeys(re.findall(r"(?<!\S)(\w+)(?:/|\.py)(?!\S)", line), floor)
    assert drawn == FLOORS


def test_imports_go_down() -> None:
    broken = [
        f"{path.relative_to(SOURCE)}:{line} {rule}"
        for path in modules()
        for line, imported in imports(path)
        if (rule := broken_rule(name_of(path), imported))
    ]
    assert broken == []


def cycles(graph: Mapping[str, Collection[str]]) -> list[str]:
    """Every way round, as a path back to where it began: the shortest for each module that is on one."""
    found = {}
    for start in sorted(graph):
        ways = deque([[start]])
        seen = {start}
        while ways:
            way = ways.popleft()
            if start in graph[way[-1]]:
                found.setdefault(frozenset(way), " → ".join([*way, start]))
                break
            onward = [name for name in sorted(graph[way[-1]]) if name in graph and name not in seen]
            seen.update(onward)
            ways.extend([*way, name] for name in onward)
    return list(found.values())


def test_no_imports_go_round() -> None:
    """Also inside functions and under TYPE_CHECKING: what two modules know of each other belongs to a third, or is one."""
    graph = {name_of(path): {name for _, name in imports(path)} - {name_of(path)} for path in modules()}
    assert cycles(graph) == []


def test_the_cycle_check_finds_what_it_is_for() -> None:
    graph = {"a": {"b"}, "b": {"c", "json"}, "c": {"a"}, "d": {"e", "a"}, "e": {"d"}, "f": {"a"}}
    assert cycles(graph) == ["a → b → c → a", "d → e → d"]


def test_there_are_ten_floors() -> None:
    assert sorted(set(FLOORS.values())) == list(range(10))


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("wire.openai_chat", "engine.call"),
        ("net.steps", "types.chat"),
        ("wire.openai_chat", "wire.anthropic_messages"),
        ("proxy.routes.health", "proxy.routes.models"),
        ("engine.call", "utils"),
        ("router.pool", "sdk.chat"),
    ],
)
def test_the_check_finds_what_it_is_for(importer: str, imported: str) -> None:
    assert broken_rule(importer, imported)


def test_no_file_is_too_long() -> None:
    """G7: a file over 500 lines has a second job that wants a name of its own."""
    long = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {name: lines for name, lines in long.items() if lines > 500} == {}


def test_nobody_swallows_cancellation() -> None:
    """R6: `except BaseException` and `except CancelledError` re-raise, at the end of the handler at the latest, or
    leave it to `contained`.

    The exceptions, which are no task's: a forked worker must not run on into its parent's code, and what is raised in a
    thread of its own, by a callback or one of several calls, concerns nobody but the future that it is for.
    """
    swallowing = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = ast.unparse(node.type) if node.type else "BaseException"
            if "BaseException" not in caught and "CancelledError" not in caught:
                continue
            if not any(isinstance(inner, ast.Raise) or ast.unparse(inner) == "contained" for inner in ast.walk(node)):
                swallowing.append(f"{name_of(path)}:{node.lineno}")
    allowed = ("server.workers", "_threads")
    assert [place for place in swallowing if place.partition(":")[0] not in allowed] == []
