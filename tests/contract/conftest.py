"""These tests mean the same on every machine: no key, proxy or setting of whoever runs them counts."""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture
def port_4000() -> Iterator[None]:
    """The port that the seeds are printed with: for one test at a time, whichever process it runs in."""
    with open(Path(tempfile.gettempdir()) / "litellm-tests-port-4000", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", 4000))
            except OSError as error:
                pytest.fail(f"the seeds are printed with port 4000; stop what uses it here ({error.strerror})")
        yield
