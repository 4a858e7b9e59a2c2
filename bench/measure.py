"""What /proc knows about a process tree, and the little arithmetic the tables need."""

import math
import os
import platform
import time
from pathlib import Path
from statistics import median

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def percentile(ordered: list[float], percent: float) -> float:
    """The nearest-rank percentile of numbers already in order; NaN of none."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else math.nan


def middle(numbers: list[float]) -> float:
    known = [number for number in numbers if not math.isnan(number)]
    return median(known) if known else math.nan


def _stat(pid: int) -> list[str]:
    return (PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def tree(root: int) -> list[int]:
    """The process and everything below it."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
            except OSError:
                continue
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the tree so far, children that have ended and were waited for included.

    Of those that live, by their CPU clocks, as clock_getcpuclockid(3) numbers them: /proc counts in hundredths of a second,
    of which some loads take a dozen.
    """
    seconds = 0.0
    for pid in tree(root):
        try:
            ended = sum(int(field) for field in _stat(pid)[13:15])
            seconds += time.clock_gettime((~pid << 3) | 2) + ended / TICKS
        except OSError:
            continue
    return seconds


def wait_until_idle(root: int, patience: float = 15) -> None:
    """Until the tree has used next to no CPU time for a moment: what it was cut off from is cleared up."""
    end = time.monotonic() + patience
    used = cpu_seconds(root)
    while time.monotonic() < end:
        time.sleep(0.2)
        before, used = used, cpu_seconds(root)
        if used - before <= 2 / TICKS:
            return


def memory(root: int) -> dict[str, float]:
    """MB resident now and at the highest, summed over the tree."""
    total = {"VmRSS": 0, "VmHWM": 0}
    for pid in tree(root):
        try:
            for line in (PROC / str(pid) / "status").read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition(":")
                if name in total:
                    total[name] += int(value.split()[0])
        except OSError:
            continue
    return {"now": total["VmRSS"] / 1024, "peak": total["VmHWM"] / 1024}


def _field(file: str, name: str) -> str | None:
    lines = (PROC / file).read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)


def machine() -> str:
    model = _field("cpuinfo", "model name") or platform.machine()
    gigabytes = int((_field("meminfo", "MemTotal") or "0").split()[0]) / 1e6
    system = f"Linux {platform.release()}, CPython {platform.python_version()}"
    return f"{os.cpu_count()} x {model}, {gigabytes:.0f} GB, {system}"
