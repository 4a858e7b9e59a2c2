"""Fetching what is compared with, each into an environment of its own outside this repository, and only when asked for."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

PEERS = Path(os.environ.get("BENCH_PEERS") or Path(tempfile.gettempdir()) / "litellm-bench-peers")
SYSTEM = f"{os.environ['PATH']}:/usr/sbin"
LITELLM = "1.106.2"
# With a newer @hono/node-server, which its package.json allows, this version answers every stream with a 500:
# https://github.com/Portkey-AI/gateway/issues/1389
PORTKEY, HONO = "1.15.2", "1.14.0"
PORTKEY_PACKAGE = PEERS / "portkey/node_modules/@portkey-ai/gateway"


def system(name: str) -> Callable[[], str | None]:
    """Where a program of the system's is; None when it is not here."""
    return lambda: shutil.which(name, path=SYSTEM)


def in_venv(venv: Path) -> Callable[[], str | None]:
    """The same for the command `litellm` of a virtual environment."""
    return lambda: shutil.which("litellm", path=str(venv / "bin"))


def node_with(package: Path) -> Callable[[], str | None]:
    """Node.js, if it is here and so is the package that it is to run."""
    return lambda: shutil.which("node") if package.exists() else None


def apt(*packages: str) -> None:
    wanted = [name for name in packages if not shutil.which(name, path=SYSTEM)]
    if not wanted:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"skipped: installing {', '.join(wanted)} (needs root and apt-get)")
        return
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted], check=False)


def litellm() -> None:
    venv = PEERS / "litellm"
    print(f"installing litellm[proxy]=={LITELLM} into {venv}", flush=True)
    if not (venv / "bin/pip").exists() and subprocess.run([sys.executable, "-m", "venv", venv]).returncode:
        return
    subprocess.run([venv / "bin/pip", "install", "--quiet", f"litellm[proxy]=={LITELLM}"], check=False)


def portkey() -> None:
    if PORTKEY_PACKAGE.exists():
        return
    if not shutil.which("npm"):
        print("skipped: installing portkey (needs npm)")
        return
    folder = PEERS / "portkey"
    print(f"installing @portkey-ai/gateway {PORTKEY} into {folder}", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {
        "private": True,
        "dependencies": {"@portkey-ai/gateway": PORTKEY},
        "overrides": {"@hono/node-server": HONO},
    }
    (folder / "package.json").write_text(json.dumps(wanted), encoding="utf-8")
    subprocess.run(
        ["npm", "install", "--silent", "--no-fund", "--no-audit", "--ignore-scripts"], cwd=folder, check=False
    )
