"""The benchmark's own upstream and load generator, against each other: what the row `direct` is."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import drive
from bench.drive import Target
from bench.figures import Results
from bench.gateways import ROWS, Missing
from bench.questions import CONTENTS, Plan, Question, with_deployments
from bench.run import ask, upstream

from litellm.proxy.config import load_config

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="CPU time and memory are read from /proc")


@pytest.fixture(scope="module")
def direct() -> Iterator[Target]:
    with upstream() as (port, pid):
        yield Target("direct", port, pid, {})


@pytest.mark.parametrize("content", ["sentence", *CONTENTS])
def test_requests_of_every_size(direct: Target, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Answered, counted, and without a complaint."""
    found = drive.chat(direct, 2, 0.3, content=content)
    assert found["rate"] > 0
    assert found["p50"] <= found["p99"]
    assert capsys.readouterr().out == ""


def test_streams_come_whole(direct: Target, capsys: pytest.CaptureFixture[str]) -> None:
    """A hundred chunks each, one after the other on two connections."""
    found = drive.stream(direct, 2, 1, 20)
    assert not math.isnan(found["cpu"])
    assert 0 < found["p50"] < 1_000
    assert capsys.readouterr().out == ""


def test_open_streams(direct: Target) -> None:
    """They begin, and are let go."""
    with drive.held(direct, 5) as begun:
        assert begun == 5


def test_nobody_there() -> None:
    """Told, and nothing is measured."""
    nobody = Target("nobody", 1, os.getpid(), {})
    assert not drive.smooth(nobody, 1, 1)
    with drive.held(nobody, 1) as begun:
        assert begun == 0


def test_questions_are_asked_in_turning_order() -> None:
    """Every other round the other way round, so that nobody is always the first."""
    asked: list[str] = []

    def question(target: Target, _: Plan) -> dict[str, float]:
        asked.append(target.name)
        return {"figure": float(len(asked))}

    results = Results()
    targets = [Target(name, 0, os.getpid(), {}) for name in ("direct", "a", "b")]
    ask([Question("q", question)], targets, Plan(rounds=2), results)
    assert asked == ["direct", "a", "b", "b", "a", "direct"]
    assert results.rows["a"]["figure"] == [2.0, 5.0]
    assert results.rows["a"]["rss_after_q"][0] > 1
    assert "rss_after_q" not in results.rows["direct"]


def test_the_config_of_many_deployments_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten to a model name, and `bench` is one of them."""
    monkeypatch.setenv("BENCH_API_BASE", "http://127.0.0.1:1/v1")
    row = with_deployments(ROWS[0], 25)
    file = tmp_path / "many.yaml"
    file.write_text(row.files["many.yaml"].format(), encoding="utf-8")
    names = [entry.model_name for entry in load_config(file).model_list]
    assert names == ["bench"] * 10 + ["bench-1"] * 10 + ["bench-2"] * 5
    assert "{scratch}/many.yaml" in row.arguments


def test_what_is_not_installed_is_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    """With a line that says so."""
    results = Results()
    results.skip("nginx", Missing("not installed"))
    assert results.skipped == {"nginx": "not installed"}
    assert capsys.readouterr().out == "skipped: nginx: not installed\n"
