"""The table and the JSON file."""

import json
import math
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import middle

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Line:
    figure: str
    title: str
    digits: int = 0
    minus_direct: str = ""  # the figure of the direct row that is subtracted, round by round


GATEWAYS = [
    Line("chat32_rate", "32 connections: requests/s"),
    Line("chat32_cpu", "32 connections: CPU µs per request"),
    Line("chat1_rate", "1 connection: requests/s"),
    Line("chat1_cpu", "1 connection: CPU µs per request"),
    Line("chat1_p50", "1 connection: latency p50, µs"),
    Line("chat1_p50", "   added to direct", minus_direct="chat1_p50"),
    Line("chat1_p99", "1 connection: latency p99, µs"),
    Line("chat1_p99", "   added to direct", minus_direct="chat1_p99"),
    Line("stream_cpu", "64 streams: CPU µs per chunk", 1),
    Line("stream_p50", "64 streams: first token p50, ms", 2),
    Line("stream_p50", "   added to direct", 2, minus_direct="stream_p50"),
    Line("stream_p99", "64 streams: first token p99, ms", 2),
    Line("stream_p99", "   added to direct", 2, minus_direct="stream_p99"),
    Line("stream1_p50", "1 stream: first token p50, ms", 2),
    Line("stream1_p50", "   added to direct", 2, minus_direct="stream1_p50"),
    Line("rss_idle", "resident when idle, MB", 1),
    Line("rss_after", "resident after the load, MB", 1),
    Line("rss_peak", "resident at most, MB", 1),
    Line("start", "start until it serves, s", 2),
]
SDKS = [
    Line("sdk_mock_cpu", "completion(mock_response=…): CPU µs", 1),
    Line("sdk_sync_cpu", "completion(): CPU µs", 1),
    Line("sdk_sync_wall", "completion(): wall µs", 1),
    Line("sdk_async_cpu", "acompletion() x 32: CPU µs per call", 1),
    Line("sdk_async_wall", "acompletion() x 32: wall µs per call", 1),
    Line("sdk_stream_cpu", "500 chunks at once: CPU µs per chunk", 1),
    Line("sdk_astream_cpu", "500 chunks at once, async: CPU µs per chunk", 1),
    Line("import_wall", "import, ms", 1),
    Line("import_mb", "import, MB resident", 1),
    Line("first_wall", "import and first mock call, ms", 1),
    Line("first_mb", "import and first mock call, MB resident", 1),
]


@dataclass
class Results:
    """Every figure of every round: rows[name][figure] is a list."""

    rows: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, row: str, figures: dict[str, float], prefix: str = "") -> None:
        for name, value in figures.items():
            self.rows.setdefault(row, {}).setdefault(prefix + name, []).append(value)

    def series(self, row: str, line: Line) -> list[float]:
        own = self.rows.get(row, {}).get(line.figure, [])
        if not line.minus_direct:
            return own
        direct = self.rows.get("direct", {}).get(line.minus_direct, [])
        return [] if row == "direct" else [mine - other for mine, other in zip(own, direct, strict=False)]


def _cell(results: Results, row: str, line: Line, base: str) -> str:
    own = results.series(row, line)
    value = middle(own)
    if math.isnan(value):
        return "-"
    text = f"{value:,.{line.digits}f}".replace(",", " ")
    other = results.series(base, line)
    if row in (base, "direct") or not other:
        return text
    # The rounds are interleaved, so rounds are compared with each other where there are as many.
    pairs = zip(own, other, strict=True) if len(own) == len(other) else [(value, middle(other))]
    ratio = middle([mine / theirs for mine, theirs in pairs if theirs > 0])
    return text if math.isnan(ratio) or ratio <= 0 else f"{text}  x{ratio:.3g}"


def table(results: Results, title: str, lines: list[Line], names: list[str]) -> str:
    shown = [name for name in names if any(results.series(name, line) for line in lines)]
    if not shown:
        return ""
    base = next((name for name in shown if name != "direct"), shown[0])
    cells = [[title, *shown]]
    for line in lines:
        row = [_cell(results, name, line, base) for name in shown]
        if any(cell != "-" for cell in row):
            cells.append([line.title, *row])
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    text = []
    for row in cells:
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        text.append("  ".join([row[0].ljust(widths[0]), *rest]))
    text.insert(1, "─" * len(text[0]))
    return "\n".join(text) + f"\n(x = ratio to {base})\n"


def spread(results: Results, figure: str) -> str:
    """How far the rounds of a figure lie apart, row by row: what a difference must exceed to mean something."""
    parts = []
    for name, figures in results.rows.items():
        known = [value for value in figures.get(figure, []) if not math.isnan(value)]
        if len(known) > 1 and middle(known):
            parts.append(f"{name} {100 * (max(known) - min(known)) / middle(known):.0f} %")
    return ", ".join(parts)


def save(results: Results, head: dict) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(head | asdict(results), indent=1) + "\n", encoding="utf-8")
    return path
