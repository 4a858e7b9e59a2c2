"""`python -m tests.fuzz [--seconds N] [TARGET …]`: each target in a process of its own, until it breaks or its time is over.

What was found to lead somewhere new is kept in .fuzz/, so that the next run begins there. A case that breaks a check is
written to .fuzz/broken-TARGET-…, and the exit code is 1.
"""

import argparse
import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".fuzz"
CUTS = 4  # bytes at the beginning of a case, which say where the rest is cut


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="scripts/fuzz", description="Attack the parsers with bytes nobody thought of."
    )
    arguments.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    arguments.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments.add_argument("targets", nargs="*")
    options = arguments.parse_args()
    if options.here:
        return attack(options.targets[0], options.seconds)
    broken = []
    for name in options.targets or names():
        command = [sys.executable, "-m", "tests.fuzz", "--here", "--seconds", str(options.seconds), name]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            broken.append(name)
        print(f"{name}: {'broken' if name in broken else 'holds'}", flush=True)
    return 1 if broken else 0


def names() -> list[str]:
    from tests.fuzz.targets import TARGETS

    return list(TARGETS)


def attack(name: str, seconds: int) -> int:
    """Runs one target in this process. It does not return when atheris finds something."""
    corpus = KEPT / name
    corpus.mkdir(parents=True, exist_ok=True)
    try:
        import atheris
    except ImportError:
        from tests.fuzz.targets import TARGETS

        return by_chance(name, TARGETS[name].check, list(TARGETS[name].seeds), seconds)
    with atheris.instrument_imports(include=["litellm.net", "litellm.server", "litellm.wire.framing"]):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[name]
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(bytes(CUTS) + seed)
    limits = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10", "-verbosity=0"]
    atheris.Setup(
        [sys.argv[0], str(corpus), *limits, f"-artifact_prefix={KEPT}/broken-{name}-"],
        lambda case: target.check(case[CUTS:], places(case)),
    )
    with contextlib.suppress(SystemExit):  # its time is over
        atheris.Fuzz()
    return 0


def places(case: bytes) -> list[int]:
    """Where a case says that it is cut: early and late places, near each other and far apart."""
    return [number * scale for number in case[:CUTS] for scale in (1, 17)]


def by_chance(name: str, check: Callable[[bytes, list[int]], None], seeds: list[bytes], seconds: int) -> int:
    """Seeds with changes, where there is no atheris for this Python."""
    end = time.monotonic() + seconds
    dice = random.Random()
    while time.monotonic() < end:
        case = bytes(dice.randrange(256) for _ in range(CUTS)) + changed(dice, seeds)
        try:
            check(case[CUTS:], places(case))
        except BaseException:
            (KEPT / f"broken-{name}-{time.time_ns()}").write_bytes(case)
            raise
    return 0


def changed(dice: random.Random, seeds: list[bytes]) -> bytes:
    """A seed with some bytes put in, taken out, doubled or brought from another."""
    data = bytearray(dice.choice(seeds))
    for _ in range(dice.randint(1, 6)):
        at, length = dice.randrange(len(data) + 1), dice.randint(0, 9)
        other = dice.choice(seeds)
        start = dice.randrange(len(other) + 1)
        put = dice.choice(
            [b"", bytes([dice.randrange(256)]), b"\r\n", data[at : at + length] * 2, other[start : start + 20]]
        )
        data[at : at + length] = put
    return bytes(data)


if __name__ == "__main__":
    sys.exit(main())
