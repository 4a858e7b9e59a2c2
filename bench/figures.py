"""Every figure of every round, and what can be said about them: medians, ratios, spreads."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.measure import middle

DIRECT = "direct"
SDK = " SDK"  # ends the names of rows that are no gateways


@dataclass(frozen=True)
class Line:
    """A figure as it is shown. minus_direct: less what the row `direct` had in the same round. compared: with a ratio."""

    figure: str
    title: str
    digits: int = 0
    minus_direct: bool = False
    more_is_better: bool = False
    compared: bool = True


ADDED = "   added to direct"
CHAT = [
    line
    for at in (32, 256)
    for line in (
        Line(f"chat{at}_cpu", f"{at} connections: CPU µs per request", 1),
        Line(f"chat{at}_per_core", f"{at} connections: requests/s per core", more_is_better=True),
        Line(f"chat{at}_rate", f"{at} connections: requests/s", more_is_better=True),
    )
] + [
    Line("chat1_cpu", "1 connection: CPU µs per request", 1),
    Line("chat1_rate", "1 connection: requests/s", more_is_better=True),
    Line("chat1_p50", "1 connection: latency p50, µs"),
    Line("chat1_p50", ADDED, minus_direct=True),
    Line("chat1_p99", "1 connection: latency p99, µs"),
    Line("chat1_p99", ADDED, minus_direct=True),
]
STREAMS = [
    Line("stream_cpu", "64 streams: CPU µs per chunk", 1),
    Line("stream_p50", "64 streams: first token p50, ms", 2),
    Line("stream_p50", ADDED, 2, minus_direct=True),
    Line("stream_p99", "64 streams: first token p99, ms", 2),
    Line("stream_p99", ADDED, 2, minus_direct=True),
    Line("stream1_p50", "1 stream: first token p50, ms", 2),
    Line("stream1_p50", ADDED, 2, minus_direct=True),
    Line("smooth", "streams of 100 chunks/s without a stall", more_is_better=True),
]
BODIES = [
    line
    for content, title in (("1kb", "1 KB"), ("100kb", "100 KB"), ("5mb", "5 MB"))
    for line in (
        Line(f"body{content}_cpu", f"{title}: CPU µs per request"),
        Line(f"body{content}_p50", f"{title}: latency p50, µs"),
        Line(f"body{content}_p50", ADDED, minus_direct=True),
    )
]
MEMORY = [
    Line("start", "start until it serves, s", 2),
    Line("rss_idle", "resident when idle, MB", 1),
    Line("rss_after_chat", "resident after requests and streams, MB", 1),
    Line("peak_chat", "   at most, MB", 1),
    Line("rss_open", "resident with open streams, MB", 1),
    Line("open", "   open streams"),
    Line("rss_stream", "   KB more for each", 1),
    Line("rss_after_million", "resident after many requests, MB", 1),
    Line("million", "   requests", more_is_better=True),
    Line("rss_after_bodies", "resident after large bodies, MB", 1),
    Line("peak_bodies", "   at most, MB", 1),
]
GROWTH = [
    line
    for size in (10, 1_000, 10_000)
    for line in (
        Line(f"grow{size}_cpu", f"{size} deployments: CPU µs per request", 1),
        Line(f"grow{size}_start", "   start until it serves, s", 2),
        Line(f"grow{size}_rss", "   resident, MB", 1),
    )
]
SDKS = [
    Line("sdk_mock_cpu", "completion(mock_response=…): CPU µs", 1),
    Line("sdk_sync_cpu", "completion(): CPU µs", 1),
    Line("sdk_sync_wall", "completion(): wall µs", 1),
    Line("sdk_async_cpu", "acompletion() x 32: CPU µs per call", 1),
    Line("sdk_async_wall", "acompletion() x 32: wall µs per call", 1),
    Line("sdk_router_cpu", "Router.completion(): CPU µs", 1),
    Line("sdk_arouter_cpu", "Router.acompletion() x 32: CPU µs per call", 1),
    Line("sdk_stream_cpu", "500 chunks at once: CPU µs per chunk", 1),
    Line("sdk_astream_cpu", "500 chunks at once, async: CPU µs per chunk", 1),
    # A lazy import beside one that is not: only what follows it means the same for both.
    Line("import_wall", "import, ms", 1, compared=False),
    Line("import_mb", "import, MB resident", 1, compared=False),
    Line("first_wall", "import and first mock call, ms", 1),
    Line("first_mb", "import and first mock call, MB resident", 1),
]
TABLES: Mapping[str, list[Line]] = {
    "Requests": CHAT,
    "Streams": STREAMS,
    "Bodies": BODIES,
    "Start and memory": MEMORY,
    "Many deployments": GROWTH,
    "SDK": SDKS,
}


@dataclass
class Results:
    """rows[name][figure] is a list, one value a round."""

    rows: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)

    def add(self, row: str, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            self.rows.setdefault(row, {}).setdefault(name, []).append(value)

    def skip(self, row: str, why: object) -> None:
        self.skipped[row] = str(why)
        print(f"skipped: {row}: {why}", flush=True)

    def series(self, row: str, line: Line) -> list[float]:
        """The line's values of a row, round by round."""
        own = self.rows.get(row, {}).get(line.figure, [])
        if not line.minus_direct:
            return own
        direct = self.rows.get(DIRECT, {}).get(line.figure, [])
        return [] if row == DIRECT else [mine - other for mine, other in zip(own, direct, strict=False)]

    def value(self, row: str, line: Line) -> float:
        return middle(self.series(row, line))

    def ratio(self, row: str, line: Line, base: str) -> float:
        """How many times the base's. The rounds are interleaved, so rounds are compared where there are as many."""
        own, other = self.series(row, line), self.series(base, line)
        pairs = zip(own, other, strict=True) if len(own) == len(other) else [(middle(own), middle(other))]
        return middle([mine / theirs for mine, theirs in pairs if theirs > 0])

    def spread(self, row: str, line: Line) -> float:
        """How far the rounds lie apart, in percent of their median: what a difference must exceed to mean something."""
        known = [value for value in self.series(row, line) if not math.isnan(value)]
        return 100 * (max(known) - min(known)) / middle(known) if len(known) > 1 and middle(known) else math.nan

    def shown(self, lines: list[Line]) -> list[str]:
        """The rows that have something to say in these lines."""
        return [name for name in self.rows if any(not math.isnan(self.value(name, line)) for line in lines)]

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_known(asdict(self)), indent=1, allow_nan=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Results":
        """What `save` wrote. Raises OSError and ValueError."""
        said = json.loads(path.read_text(encoding="utf-8"))
        for figures in said["rows"].values():
            for name, values in figures.items():
                figures[name] = [math.nan if value is None else value for value in values]
        return cls(**said)


def _known(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {name: _known(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_known(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
