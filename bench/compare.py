"""What has become slower, or larger, between two runs: python -m bench.compare OLD.json NEW.json

A figure has regressed when its median is worse by more than --margin percent and its rounds do not overlap with the old
ones: its best round is worse than the worst of before. Of runs with one round that says little. Only figures of ours are
judged; if nginx and the upstream have changed as well, it is the machine. Ends with 1 if anything has regressed.
"""

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from bench import report
from bench.figures import DIRECT, SDK, TABLES, Line, Results

OURS = ("ours", f"ours{SDK}")
YARDSTICKS = (DIRECT, "nginx")


@dataclass(frozen=True)
class Change:
    """worse: in percent of the old median; below zero for better. apart: whether the rounds do not overlap."""

    row: str
    line: Line
    old: float
    new: float
    worse: float
    apart: bool

    def beyond(self, margin: float) -> bool:
        return self.apart and abs(self.worse) > margin


def change(row: str, line: Line, old: Results, new: Results) -> Change | None:
    """How a figure has changed; None when one of the runs does not have it."""
    before, after = ([v for v in run.series(row, line) if not math.isnan(v)] for run in (old, new))
    if not before or not after or not (was := old.value(row, line)):
        return None
    sign = -1 if line.more_is_better else 1
    worse = 100 * sign * (new.value(row, line) - was) / abs(was)
    apart = max(before) < min(after) or max(after) < min(before)
    return Change(row, line, was, new.value(row, line), worse, apart)


def changes(rows: tuple[str, ...], old: Results, new: Results) -> list[Change]:
    lines = [line for table in TABLES.values() for line in table if not line.minus_direct]
    found = [change(row, line, old, new) for row in rows for line in lines]
    return [one for one in found if one is not None]


def shown(title: str, found: list[Change]) -> None:
    if not found:
        return
    table = [["", "old", "new", "change"]]
    for one in sorted(found, key=lambda one: -one.worse):
        digits = one.line.digits
        percent = f"{(-one.worse if one.line.more_is_better else one.worse):+.0f} %"
        name = f"{one.row}: {one.line.title.strip()} [{one.line.figure}]"
        table.append([name, report.number(one.old, digits), report.number(one.new, digits), percent])
    print(report.text(title, table))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--margin", type=float, default=10, help="percent that may be chance")
    given = parser.parse_args()
    old, new = Results.load(given.old), Results.load(given.new)
    if old.head.get("machine") != new.head.get("machine"):
        print(f"not the same machine: {old.head.get('machine')} and {new.head.get('machine')}")
    beyond = [one for one in changes(OURS, old, new) if one.beyond(given.margin)]
    regressed = [one for one in beyond if one.worse > 0]
    shown("regressed", regressed)
    shown("improved", [one for one in beyond if one.worse < 0])
    shown("the machine", [one for one in changes(YARDSTICKS, old, new) if one.beyond(given.margin)])
    print(f"{len(regressed)} figures have regressed by more than {given.margin:g} %")
    return 1 if regressed else 0


if __name__ == "__main__":
    sys.exit(main())
