"""What the benchmark makes of its figures: medians, ratios, budgets, pages, and what has become slower."""

from __future__ import annotations

import math
import xml.dom.minidom
from pathlib import Path

import pytest
from bench import budgets, compare, plots, publish, report
from bench.figures import CHAT, Line, Results
from hypothesis import given
from hypothesis import strategies as st

CPU = Line("chat32_cpu", "CPU", 1)
ADDED = Line("chat1_p50", "added", minus_direct=True)
HEAD = {
    "machine": "2 x Slow", "load_before": 0.5, "seconds": 60.0, "date": "2026-01-02", "revision": "abc", "command": "bench"
}  # fmt: skip


def results(**rows: dict[str, list[float]]) -> Results:
    return Results(rows={name.replace("_", " "): figures for name, figures in rows.items()}, head=dict(HEAD))


MEASURED = results(
    direct={"chat1_p50": [10.0, 30.0, 20.0], "chat32_cpu": [6.0, 6.0, 6.0]},
    ours={"chat1_p50": [100.0, 120.0, 130.0], "chat32_cpu": [60.0, 66.0, 63.0]},
    nginx={"chat32_cpu": [10.0, 11.0, math.nan]},
)


def test_medians_of_what_was_measured() -> None:
    """A round without a value does not count."""
    assert MEASURED.value("ours", CPU) == 63
    assert MEASURED.value("nginx", CPU) == 10.5
    assert math.isnan(MEASURED.value("litellm", CPU))


def test_ratios_and_differences_are_made_round_by_round() -> None:
    """Rounds are interleaved: a slow minute is in both."""
    assert MEASURED.value("ours", ADDED) == 90  # of 90, 90, 110
    assert MEASURED.ratio("ours", CPU, "nginx") == pytest.approx(6.0)
    assert MEASURED.series("direct", ADDED) == []


def test_budgets_say_met_or_missed() -> None:
    """A budget for which nothing was measured is not in the table."""
    told = {row[0]: row[1:] for row in budgets.cells(MEASURED)[1:]}
    assert told["latency added at one connection, p50"] == ["90 µs", "≤ 250 µs", "met"]
    assert told["CPU per request, where it should go"][2] == "missed"
    assert "import litellm" not in told
    assert budgets.cells(Results()) == []


def test_a_saved_run_comes_back(tmp_path: Path) -> None:
    """JSON has no NaN, and the file is JSON."""
    path = tmp_path / "folder" / "run.json"
    MEASURED.save(path)
    assert "NaN" not in path.read_text(encoding="utf-8")
    again = Results.load(path)
    assert again.head == MEASURED.head
    assert math.isnan(again.rows["nginx"]["chat32_cpu"][2])
    assert report.tables(again) == report.tables(MEASURED)


def test_a_table_shows_ratios_to_the_first_gateway() -> None:
    """The row `direct` is no yardstick, and has none."""
    table = report.cells(MEASURED, CHAT)
    assert table[0] == ["", "direct", "ours", "nginx"]
    assert ["32 connections: CPU µs per request", "6.0", "63.0", "10.5  x0.17"] in table
    assert report.markdown(table).splitlines()[1] == "| --- | ---: | ---: | ---: |"
    assert "32 connections: CPU µs per request     6.0  63.0  10.5  x0.17" in report.text("", table)


def page(folder: Path, text: str) -> Path:
    made = folder / "benchmarks.md"
    made.write_text(text, encoding="utf-8")
    return made


def test_publishing_replaces_what_was_measured_and_nothing_else(tmp_path: Path) -> None:
    """Twice, and the second leaves nothing of the first."""
    made = page(tmp_path, f"before\n\n{publish.BEGIN}\nold\n{publish.END}\n\nafter\n")
    (tmp_path / "benchmarks").mkdir()
    stale = tmp_path / "benchmarks" / "sdk.svg"
    stale.write_text("<svg/>", encoding="utf-8")
    publish.write(MEASURED, tmp_path)
    first = made.read_text(encoding="utf-8")
    publish.write(MEASURED, tmp_path)
    assert made.read_text(encoding="utf-8") == first
    assert first.startswith("before\n")
    assert first.endswith("\n\nafter\n")
    assert "old" not in first
    for said in ("](benchmarks/requests.svg)", "abc", "2 x Slow"):
        assert said in first
    assert not stale.exists()


def test_publishing_wants_a_page_with_marks(tmp_path: Path) -> None:
    """Rather than overwrite a page that is not ours."""
    made = page(tmp_path, "nothing\n")
    with pytest.raises(ValueError, match="measured: begin"):
        publish.write(MEASURED, tmp_path)
    assert made.read_text(encoding="utf-8") == "nothing\n"


@given(st.dictionaries(st.sampled_from(["ours", "nginx", "<litellm>"]), st.floats(1e-3, 1e9), min_size=1))
def test_pictures_are_svg_and_stay_inside(values: dict[str, float]) -> None:
    """Whatever was measured: well-formed, and no dot outside."""
    plot = plots.Plot("p", "a < b", (("group", CPU),))
    made = Results(rows={name: {"chat32_cpu": [value]} for name, value in values.items()})
    picture = xml.dom.minidom.parseString(plots.drawn(plot, made))
    dots = picture.getElementsByTagName("circle")
    assert len(dots) == len(values)
    assert all(plots.LEFT - 1 <= float(dot.getAttribute("cx")) <= plots.WIDTH - plots.RIGHT + 1 for dot in dots)


def test_no_picture_of_nothing() -> None:
    """Not an empty frame."""
    assert plots.drawn(plots.PLOTS[0], Results()) == ""


@pytest.mark.parametrize(
    ("now", "worse"),
    [
        ([80.0, 82.0, 81.0], ["ours"]),  # clearly
        ([40.0, 41.0, 42.0], []),  # better
        ([61.0, 90.0, 92.0], []),  # one round as quick as before: chance
        ([67.0, 67.0, 68.0], []),  # apart, but by less than the margin
    ],
)
def test_what_has_regressed(
    now: list[float],
    worse: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command ends with 1 for a regression; what others have become is no regression."""
    MEASURED.save(tmp_path / "old.json")
    new = results(ours={"chat32_cpu": now}, nginx={"chat32_cpu": [50.0, 50.0, 50.0]})
    new.save(tmp_path / "new.json")
    monkeypatch.setattr("sys.argv", ["compare", str(tmp_path / "old.json"), str(tmp_path / "new.json")])
    assert compare.main() == len(worse)
    said = capsys.readouterr().out
    assert f"{len(worse)} figures have regressed" in said
    assert "nginx: 32 connections: CPU µs per request" in said  # under "the machine"


def test_more_is_better_where_it_is() -> None:
    """Fewer requests a second are a regression."""
    rate = Line("chat32_rate", "rate", more_is_better=True)
    old, new = (results(ours={"chat32_rate": [value]}) for value in (100.0, 80.0))
    found = compare.change("ours", rate, old, new)
    assert found is not None
    assert found.worse == pytest.approx(20)
    assert found.apart
    assert compare.change("litellm", rate, old, new) is None
