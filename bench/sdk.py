"""The SDKs that are compared, each measured in subprocesses of its own environment (see sdk_child.py)."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.gateways import BARE, HERE, Missing
from bench.peers import PEERS

CHILD = HERE / "sdk_child.py"
ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}


@dataclass(frozen=True)
class Row:
    name: str
    package: str
    python: Path


ROWS = [
    Row("ours", "litellm", HERE.parent / ".venv/bin/python"),
    Row("litellm", "litellm", PEERS / "litellm/bin/python"),
    Row("openai", "openai", HERE.parent / ".venv/bin/python"),
]


def another(checkout: Path) -> Row:
    """Our SDK of another revision, in a checkout of its own."""
    return Row("before", "litellm", checkout.resolve() / ".venv/bin/python")


# figure → (case, field of the case) in what the child prints
CASES = {
    "sdk_mock_cpu": ("mock", "cpu"),
    "sdk_sync_cpu": ("sync", "cpu"),
    "sdk_sync_wall": ("sync", "wall"),
    "sdk_async_cpu": ("async", "cpu"),
    "sdk_async_wall": ("async", "wall"),
    "sdk_router_cpu": ("router", "cpu"),
    "sdk_arouter_cpu": ("arouter", "cpu"),
    "sdk_stream_cpu": ("stream", "cpu"),
    "sdk_astream_cpu": ("astream", "cpu"),
}
IMPORTS = {
    "import_wall": ("import", "wall"),
    "import_mb": ("import", "mb"),
    "first_wall": ("first", "wall"),
    "first_mb": ("first", "mb"),
}


def _run(row: Row, *arguments: str, patience: float) -> dict:
    if not row.python.exists():
        raise Missing("its environment is not installed")
    command = [str(row.python), "-P", str(CHILD), row.package, *arguments]
    try:
        said = subprocess.run(
            command, capture_output=True, text=True, env=BARE | ENVIRONMENT, cwd="/", timeout=patience
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"not done in {patience:.0f} s") from None
    if said.returncode:
        raise Missing((said.stderr.strip() or "it said nothing").rpartition("\n")[2])
    return json.loads(said.stdout.strip().rpartition("\n")[2])


def measure(row: Row, upstream: int, seconds: float, imports: int) -> tuple[str, list[dict[str, float]]]:
    """The SDK's version and its figures: one set of cases, and `imports` fresh interpreters."""
    said = _run(row, str(upstream), str(seconds), patience=60 + 20 * seconds)
    found = [_pick(said["figures"], CASES)]
    found += [_pick(_run(row, "import", patience=60)["figures"], IMPORTS) for _ in range(imports)]
    return said["version"], found


def _pick(figures: dict, wanted: dict[str, tuple[str, str]]) -> dict[str, float]:
    return {name: figures[case][column] for name, (case, column) in wanted.items() if case in figures}
