"""What docs/clients.md shows runs as it stands there, and all of it prints what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.processes import Gateway

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
BLOCKS = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL).findall(PAGE)
SNIPPETS = [text for language, text in BLOCKS if language == "python"]
COMMANDS = [text for language, text in BLOCKS if language == "sh"]
(PRINTED,) = (text for language, text in BLOCKS if language == "text")
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def served():
    with Gateway(args=["--config", str(ROOT / "examples" / "mock.yaml")]) as gateway:
        yield gateway.url


@pytest.mark.parametrize("code", SNIPPETS, ids=["openai", "langchain", "llama-index"])
def test_snippets(served, code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code.replace("http://localhost:4000", served)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HTTPS_PROXY": NOWHERE, "LANGSMITH_TRACING": "false"},
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", PRINTED)


@pytest.mark.parametrize("command", COMMANDS, ids=["curl"])
def test_commands(served, command):
    text = command.replace("http://localhost:4000", served).replace("--fail", "--fail -sS")
    done = subprocess.run(["/bin/sh", "-e", "-c", text], capture_output=True, encoding="utf-8", timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("data: [DONE]\n\n")
