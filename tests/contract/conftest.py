"""These tests mean the same on every machine: no key, proxy or setting of whoever runs them counts."""

import os

import pytest

OURS = ("LITELLM_", "OPENAI_", "GROQ_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _nobodys_environment(monkeypatch):
    for name in tuple(os.environ):
        if name.upper().startswith(OURS):
            monkeypatch.delenv(name)
