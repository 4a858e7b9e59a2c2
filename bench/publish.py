"""Writes the generated part of docs/benchmarks.md, its pictures, and the figures that they were made from.

python -m bench.publish RESULTS.json    does it again for a run of before
"""

import sys
from pathlib import Path

from bench import plots, report
from bench.figures import Results

DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def write(results: Results, docs: Path = DOCS) -> Path:
    """Replace what stands between the page's two marks. Raises ValueError when they are not there."""
    page, folder = docs / "benchmarks.md", docs / "benchmarks"
    text = page.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(f"{page} has no {BEGIN} and {END}")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    results.save(folder / "results.json")
    pictures = _pictures(results, folder)
    page.write_text(f"{before}{BEGIN}\n\n{_measured(results, pictures)}\n{END}{after}", encoding="utf-8")
    return page


def _pictures(results: Results, folder: Path) -> list[str]:
    """Draws those that there is something to draw for; their names."""
    drawn = {plot.name: plots.drawn(plot, results) for plot in plots.PLOTS}
    for name, picture in drawn.items():
        path = folder / f"{name}.svg"
        if picture:
            path.write_text(picture, encoding="utf-8")
        else:
            path.unlink(missing_ok=True)  # of a run that had more parts
    return [name for name, picture in drawn.items() if picture]


def _measured(results: Results, pictures: list[str]) -> str:
    head = results.head
    parts = [
        f"Measured on {head['date']} at revision `{head['revision']}` with `{head['command']}`, on {head['machine']}.",
        *(f"![{plot.title}](benchmarks/{plot.name}.svg)" for plot in plots.PLOTS if plot.name in pictures),
    ]
    for title, table in report.tables(results).items():
        parts.append(f"### {title}\n\n{report.markdown(table)}")
    parts.append("### Read with it\n\n" + "\n".join(f"- {line}" for line in report.said(results)))
    parts.append("Every figure of every round: [results.json](benchmarks/results.json).\n")
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


if __name__ == "__main__":
    write(Results.load(Path(sys.argv[1])))
