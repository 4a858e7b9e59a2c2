"""Dots on a logarithmic scale, as SVG: what differs by three orders of magnitude, in one picture."""

import math
from dataclasses import dataclass
from html import escape

from bench.figures import DIRECT, SDK, Line, Results
from bench.report import number

WIDTH, LEFT, RIGHT = 760, 200, 70  # pixels
ROW, TOP, BOTTOM = 22, 40, 28
COLOURS = {"ours": "#c2410c", "nginx": "#15803d", "portkey": "#1d4ed8", "litellm": "#7e22ce"}
OTHER = "#525252"
STYLE = "font-family='system-ui, sans-serif' font-size='12' fill='#171717'"


@dataclass(frozen=True)
class Plot:
    """One picture: the values of some lines, a dot for each row. title says the unit, and what is better."""

    name: str
    title: str
    groups: tuple[tuple[str, Line], ...]  # what is written beside the dots, and what they show


PLOTS = (
    Plot(
        "requests",
        "CPU µs per request, less is better",
        tuple((f"{at} at a time", Line(f"chat{at}_cpu", "")) for at in (1, 32, 256)),
    ),
    Plot(
        "latency",
        "latency added at one connection, µs, less is better",
        (("p50", Line("chat1_p50", "", minus_direct=True)), ("p99", Line("chat1_p99", "", minus_direct=True))),
    ),
    Plot("chunks", "64 streams: CPU µs per chunk, less is better", (("", Line("stream_cpu", "")),)),
    Plot("stalls", "streams of 100 chunks/s without a stall, more is better", (("", Line("smooth", "")),)),
    Plot(
        "bodies",
        "CPU µs per request, by the size of its body, less is better",
        tuple(
            (title, Line(f"body{name}_cpu", ""))
            for name, title in (("1kb", "1 KB"), ("100kb", "100 KB"), ("5mb", "5 MB"))
        ),
    ),
    Plot(
        "memory",
        "resident MB, less is better",
        (
            ("idle", Line("rss_idle", "")),
            ("1 000 open streams", Line("rss_open", "")),
            ("many requests", Line("rss_after_million", "")),
        ),
    ),
    Plot(
        "growth",
        "CPU µs per request, by the number of deployments, less is better",
        tuple((number(size, 0), Line(f"grow{size}_cpu", "")) for size in (10, 1_000, 10_000)),
    ),
    Plot(
        "sdk",
        "SDK: CPU µs, less is better",
        (
            ("mock", Line("sdk_mock_cpu", "")),
            ("completion", Line("sdk_sync_cpu", "")),
            ("acompletion x 32", Line("sdk_async_cpu", "")),
            ("Router x 32", Line("sdk_arouter_cpu", "")),
            ("streamed chunk", Line("sdk_stream_cpu", "")),
            ("async chunk", Line("sdk_astream_cpu", "")),
        ),
    ),
)


def drawn(plot: Plot, results: Results) -> str:
    """The picture; "" when there is nothing to show."""
    groups = [(label, _values(results, line)) for label, line in plot.groups]
    groups = [group for group in groups if group[1]]
    if not groups:
        return ""
    values = [value for _, found in groups for value in found.values()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    height = TOP + BOTTOM + sum(ROW * len(found) + ROW // 2 for _, found in groups)

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(value) - low) / (high - low)

    parts = [_text(12, 20, f"{plot.title}, logarithmic scale", "font-weight='600'")]
    for power in range(low, high + 1):
        at = x(10.0**power)
        parts.append(f"<path d='M{at:.1f} {TOP - 8}V{height - BOTTOM}' stroke='#d4d4d4'/>")
        parts.append(_text(at, height - 10, number(10.0**power, max(0, -power)), "text-anchor='middle'"))
    y = TOP + ROW // 2
    for label, found in groups:
        parts.append(_text(12, y, label, "fill='#525252'"))
        for name, value in found.items():
            colour = COLOURS.get(name, OTHER)
            parts.append(_text(LEFT - 8, y, name, "text-anchor='end'"))
            parts.append(f"<path d='M{LEFT} {y - 4}H{x(value):.1f}' stroke='{colour}' stroke-opacity='.35'/>")
            parts.append(f"<circle cx='{x(value):.1f}' cy='{y - 4}' r='5' fill='{colour}'/>")
            parts.append(_text(x(value) + 9, y, number(value, 0 if value >= 100 else 1)))
            y += ROW
        y += ROW // 2
    head = f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' viewBox='0 0 {WIDTH} {height}' "
    ground = "<rect width='100%' height='100%' rx='6' fill='#ffffff'/>"
    return "\n".join([f"{head}{STYLE} role='img'>", f"<title>{escape(plot.title)}</title>", ground, *parts, "</svg>\n"])


def _values(results: Results, line: Line) -> dict[str, float]:
    """Above nothing, for each row but `direct`."""
    values = {name: results.value(name, line) for name in results.rows if name != DIRECT}
    return {name.removesuffix(SDK): value for name, value in values.items() if value > 0}


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y}' {more}>{escape(text)}</text>"
