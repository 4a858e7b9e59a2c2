"""Tables: rows of cells, as text for the terminal and as Markdown."""

import math

from bench import budgets
from bench.figures import DIRECT, TABLES, Line, Results

Cells = list[list[str]]


def number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}".replace(",", " ")


def _times(ratio: float) -> str:
    return number(ratio, 0 if ratio >= 20 else 1 if ratio >= 2 else 2 if ratio >= 0.1 else 3)


def _cell(results: Results, row: str, line: Line, base: str) -> str:
    value = results.value(row, line)
    if math.isnan(value):
        return "-"
    ratio = math.nan if row in (base, DIRECT) or not line.compared else results.ratio(row, line, base)
    return number(value, line.digits) + ("" if math.isnan(ratio) or ratio <= 0 else f"  x{_times(ratio)}")


def cells(results: Results, lines: list[Line]) -> Cells:
    """A line for each figure, a column for each row of the results. Ratios are to the first that is not `direct`."""
    names = results.shown(lines)
    base = next((name for name in names if name != DIRECT), "")
    found = [["", *names]]
    for line in lines:
        said = [_cell(results, name, line, base) for name in names]
        if any(cell != "-" for cell in said):
            found.append([line.title, *said])
    return found


def text(title: str, table: Cells) -> str:
    table = [[title, *table[0][1:]], *table[1:]]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = []
    for row in table:
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join([row[0].ljust(widths[0]), *rest]))
    lines.insert(1, "─" * len(lines[0]))
    return "\n".join(lines) + "\n"


def markdown(table: Cells) -> str:
    head = [table[0], ["---", *("---:" for _ in table[0][1:])]]
    body = [[row[0].replace("   ", "&emsp;"), *row[1:]] for row in table[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in head + body) + "\n"


def tables(results: Results) -> dict[str, Cells]:
    """All that something was measured for, by title."""
    found = {title: cells(results, lines) for title, lines in TABLES.items() if results.shown(lines)}
    promised = budgets.cells(results)
    return found | ({"Budgets": promised} if promised else {})


def show(results: Results) -> None:
    """Everything, for the terminal."""
    print()
    for title, table in tables(results).items():
        print(text(title, table))
    for line in said(results):
        print(line)


def said(results: Results) -> list[str]:
    """What must be known to read the tables, a line each."""
    head = results.head
    lines = [f"{name}: {note}" for name, note in results.notes.items()]
    lines += [f"{name}: skipped: {why}" for name, why in results.skipped.items()]
    lines.append(f"{head['machine']}; load average {head['load_before']:.1f} before the run")
    lines.append(
        f"medians of interleaved rounds; x is the ratio to the first gateway or SDK; {head['seconds']:.0f} s in all"
    )
    apart = [
        f"{name} {spread:.0f} %"
        for name in results.rows
        if not math.isnan(spread := results.spread(name, Line("chat32_cpu", "")))
    ]
    if apart:
        lines.append(f"rounds lie apart (highest minus lowest, CPU per request at 32): {', '.join(apart)}")
    return lines
