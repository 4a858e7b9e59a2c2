"""What the tests of the real process share. A module boots its gateway once; its upstream is as good as new for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.fakes.behaviour import Behaviour
from tests.fakes.upstream import Upstream


@pytest.fixture(scope="module")
def module_upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def up(module_upstream: Upstream) -> Upstream:
    """The upstream of this module's gateway, with nothing remembered and nothing lined up."""
    module_upstream.requests.clear()
    module_upstream.models.clear()
    module_upstream._next.clear()
    module_upstream.default = Behaviour()
    return module_upstream
