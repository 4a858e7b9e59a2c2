"""models.json: every line is a fact about a model, in a shape that the rest can rely on."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from litellm.catalog import store

FILE = Path(store.__file__).with_name("models.json")
ENTRIES = json.loads(FILE.read_text(encoding="utf-8"))


def test_one_line_per_model_in_order() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    assert (lines[0], lines[-1]) == ("{", "}")
    assert [next(iter(json.loads("{" + line.rstrip(",") + "}"))) for line in lines[1:-1]] == sorted(ENTRIES)
    assert len(ENTRIES) > 4000


@pytest.mark.parametrize(
    ("fields", "right"),
    [
        ("litellm_provider mode", lambda value: isinstance(value, str) and value),
        ("max_tokens max_input_tokens max_output_tokens", lambda value: type(value) is int and value >= 0),
        ("supports_", lambda value: isinstance(value, bool)),
        (
            "cost_per_token token_cost",
            lambda value: type(value) in (int, float) and 0 <= value < 0.01 and math.isfinite(value),
        ),
    ],
)
def test_fields_have_the_type_that_their_readers_expect(fields: str, right) -> None:
    parts = fields.split()
    said = [
        (model, name, value)
        for model, entry in ENTRIES.items()
        for name, value in entry.items()
        if any(part == name or (part in name and ("cost" in part or part.endswith("_"))) for part in parts)
    ]
    assert len(said) > 1000
    assert [found for found in said if not right(found[2])] == []


def test_every_model_names_its_provider() -> None:
    assert [model for model, entry in ENTRIES.items() if "litellm_provider" not in entry] == []


def test_the_readme_says_where_the_facts_come_from() -> None:
    readme = FILE.with_name("README.md").read_text(encoding="utf-8")
    assert "as their vendors publish them, gathered for this" in readme
