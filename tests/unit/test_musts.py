"""docs/musts.md defines the short names by which tests say what they keep, and no others."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"(?<![\w%/\\-])(?:[A-Z]\d{1,2}|[Dd]ecision \d+)(?!\w)")


def names_in(text):
    return {name.capitalize() for name in NAME.findall(text)}


def cited():
    """Short name → the files that use it."""
    found = {}
    for folder in ("src", "tests", "bench"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "seeds" in path.parts or path == Path(__file__):
                continue
            for name in names_in(path.read_text(encoding="utf-8")):
                found.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    return found


def test_what_is_cited_is_defined_and_what_is_defined_is_cited():
    page = (ROOT / "docs" / "musts.md").read_text(encoding="utf-8")
    defined = re.findall(r"^\| ([\w ]+) \| .*\.", page, re.MULTILINE)
    assert len(defined) == len(set(defined)), "each is defined once"
    assert {name: files for name, files in cited().items() if name not in defined} == {}
    assert set(defined) - cited().keys() == set()


def test_names_are_told_from_what_looks_like_one():
    assert names_in("S8, G2: as decision 5 says; Must C11") == {"S8", "G2", "Decision 5", "C11"}
    assert names_in("/V1/chat %C3%A8 A002 utf-8 HTTP1 x-A1 0xC4") == set()
