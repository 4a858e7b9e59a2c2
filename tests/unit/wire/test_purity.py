"""Dialects know nothing but what they are given: what they make of it is the same every day."""

from __future__ import annotations

import ast
from pathlib import Path

WIRE = Path(__file__).resolve().parents[3] / "src" / "litellm" / "wire"
IMPURE = {"time", "datetime", "uuid", "random", "secrets", "os", "socket", "asyncio", "threading"}


def test_dialects_know_no_clock_no_chance_and_no_environment() -> None:
    found = set()
    for path in WIRE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {(path.name, name) for name in names if name.partition(".")[0] in IMPURE}
    assert found == set()
