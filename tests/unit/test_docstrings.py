"""Every example in a docstring of ours does what it says; every module can be imported by itself."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import litellm

# Running it is its purpose.
PROGRAMS = {"litellm.__main__"}
MODULES = ["litellm"] + sorted(
    module.name for module in pkgutil.walk_packages(litellm.__path__, "litellm.") if module.name not in PROGRAMS
)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name, monkeypatch):
    """Run the examples of one module."""
    monkeypatch.setattr(litellm, "custom_provider_map", [])  # examples may register theirs
    module = importlib.import_module(name)
    failures, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert failures == 0, "see the captured output for what was expected and what was got"


def test_docstrings_have_examples():
    """Should the finder find nothing, nothing would be tested."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(found) > 20
    assert any("completion" in test.name for test in found)
