"""These tests mean the same on every machine: no key, proxy or setting of whoever runs them counts."""

import os

import pytest
from tests.fakes.behaviour import Behaviour
from tests.fakes.upstream import Upstream

OURS = ("LITELLM_", "OPENAI_", "GROQ_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _nobodys_environment(monkeypatch):
    for name in tuple(os.environ):
        if name.upper().startswith(OURS):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as up:
        yield up


@pytest.fixture
def up(upstream):
    """An upstream of whose past nobody knows."""
    upstream.requests.clear()
    upstream.models.clear()
    upstream._next.clear()
    upstream.default = Behaviour()
    return upstream
