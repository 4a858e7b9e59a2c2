"""Gateways and SDKs side by side, in one run, in interleaved rounds. A report: no figure here makes anything fail.

Of its parts chat, streams, bodies and sdk are the default; --long adds stalls, open, million and growth. What they are is
told in docs/benchmarks.md.
"""

import argparse
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from bench import drive, gateways, measure, publish, report, sdk
from bench.drive import Target
from bench.figures import DIRECT, SDK, Results
from bench.gateways import Missing, Running
from bench.questions import DEFAULT, QUESTIONS, QUICK, SIZES, Plan, Question, growth

RESULTS = Path(__file__).parent / "results"
SHORT = ("chat", "streams", "bodies", "sdk")
PARTS = (*(question.name for question in QUESTIONS), "growth", "sdk")


@contextlib.contextmanager
def upstream() -> Iterator[tuple[int, int]]:
    """(port, process id) of a fresh upstream."""
    command = [sys.executable, "-m", "bench.upstream", "--seconds", "36000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.terminate()


def start(row: gateways.Row, port: int, times: int, results: Results, stack: contextlib.ExitStack) -> Running:
    """Starts it `times` times and leaves the last one running until the stack is left."""
    for left in reversed(range(times)):
        running = Running(row, port)
        stack.callback(running.stop)
        results.add(row.name, {"start": running.started})
        if left:
            running.stop()
    time.sleep(1)
    results.add(row.name, {"rss_idle": measure.memory(running.process.pid)["now"]})
    results.notes[row.name] = f"{row.config} ({running.version})"
    return running


def bench_gateways(rows: list[gateways.Row], questions: list[Question], plan: Plan, results: Results) -> None:
    wrk = drive.wrk_version()
    results.notes["load"] = (
        f"{wrk or 'bench/load.py'} at 32 and 256 connections; bench/load.py otherwise; its process is not counted"
    )
    if not wrk:
        print("skipped: wrk is not installed (scripts/bench --peers nginx installs it); bench/load.py does its work")
    with contextlib.ExitStack() as stack:
        port, pid = stack.enter_context(upstream())
        targets = [Target(DIRECT, port, pid, {})]
        results.notes[DIRECT] = "the upstream itself; its CPU columns are the upstream's own"
        results.rows[DIRECT] = {}
        for row in rows:
            try:
                running = start(row, port, plan.starts, results, stack)
            except Missing as why:
                results.skip(row.name, why)
                continue
            targets.append(Target(row.name, running.port, running.process.pid, running.headers))
        for target in targets:  # warm up
            drive.chat(target, 8, 1)
            drive.stream(target, 8, 1, 10)
        for _, group in itertools.groupby(questions, key=lambda question: question.rounds):
            ask(list(group), targets, plan, results)


def ask(questions: list[Question], targets: list[Target], plan: Plan, results: Results) -> None:
    """Round by round: each question to one target after the other, in turning order; then a look at their memory."""
    names, rounds = [question.name for question in questions], getattr(plan, questions[0].rounds)
    for number in range(rounds):
        for question in questions:
            for target in targets if number % 2 == 0 else reversed(targets):
                if question.of_direct or target.name != DIRECT:
                    results.add(target.name, question.ask(target, plan))
        print(f"{', '.join(names)}: round {number + 1} of {rounds} done", flush=True)
    for target in targets[1:]:
        used = measure.memory(target.pid)
        if used["now"]:  # it still runs
            results.add(target.name, {f"rss_after_{names[0]}": used["now"], f"peak_{names[0]}": used["peak"]})


def bench_growth(rows: list[gateways.Row], plan: Plan, results: Results) -> None:
    growing = [(size, row) for size in SIZES for row in rows if "config.yaml" in row.arguments]
    with upstream() as (port, _):
        for number in range(plan.growth_rounds):
            for size, row in list(growing):
                results.notes.setdefault(row.name, row.config)
                try:
                    results.add(row.name, growth(row, port, size, plan))
                except Missing as why:
                    growing.remove((size, row))
                    results.skip(f"{row.name}, {size} deployments", why)
            print(f"growth: round {number + 1} of {plan.growth_rounds} done", flush=True)


def bench_sdks(rows: list[sdk.Row], plan: Plan, results: Results) -> None:
    with upstream() as (port, _):
        for number in range(plan.sdk_rounds):
            for row in list(rows):
                name = row.name + SDK
                try:
                    version, found = sdk.measure(row, port, plan.sdk_seconds, plan.imports)
                except Missing as why:
                    rows.remove(row)
                    results.skip(name, why)
                    continue
                results.notes[name] = f"{row.package} {version}"
                for figures in found:
                    results.add(name, figures)
            print(f"sdk: round {number + 1} of {plan.sdk_rounds} done", flush=True)


def revision() -> str:
    """The commit that is measured, if git knows."""
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=Path(__file__).parent
        )
    except OSError:
        return "unknown"
    return said.stdout.strip() or "unknown"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, in four minutes")
    parser.add_argument("--long", action="store_true", help="all parts, in about half an hour")
    parser.add_argument("--part", metavar="NAMES", help=f"only these, of {', '.join(PARTS)}")
    parser.add_argument("--peers", default="", metavar="NAMES", help="install these first, say nginx,litellm,portkey")
    parser.add_argument("--only", metavar="NAMES", help="measure only these rows, say ours,nginx; direct always is")
    parser.add_argument(
        "--before", type=Path, metavar="DIR", help="another checkout with its .venv, beside ours in the same rounds"
    )
    parser.add_argument("--rounds", type=int, help="rounds of the gateways")
    parser.add_argument("--publish", action="store_true", help="write docs/benchmarks.md and docs/benchmarks/")
    given = parser.parse_args()
    known = {row.name: row for row in gateways.ROWS}
    given.peers = [name for name in given.peers.split(",") if name]
    given.only = given.only.split(",") if given.only else None
    given.part = given.part.split(",") if given.part else PARTS if given.long else SHORT
    unknown = {*given.peers} - {*known} | {*(given.only or ())} - {DIRECT, *known, *(row.name for row in sdk.ROWS)}
    if unknown:
        parser.error(f"no row is called {', '.join(sorted(unknown))}")
    if unknown := {*given.part} - {*PARTS}:
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    for name in given.peers:
        if install := known[name].install:
            install()
    return given


def main() -> None:
    given = arguments()
    plan = QUICK if given.quick else DEFAULT
    if given.rounds:
        plan = replace(plan, rounds=min(given.rounds, 50))
    wanted = [row for row in gateways.ROWS if given.only is None or row.name in given.only]
    sdks = [row for row in sdk.ROWS if given.only is None or row.name in given.only]
    if given.before:
        wanted.append(gateways.another(given.before))
        sdks.append(sdk.another(given.before))
    questions = [question for question in QUESTIONS if question.name in given.part]

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    began, now = time.monotonic(), datetime.now(UTC)
    results = Results(
        head={
            "machine": measure.machine(),
            "load_before": os.getloadavg()[0],
            "date": f"{now:%Y-%m-%d}",
            "revision": revision(),
            "command": f"scripts/bench {' '.join(sys.argv[1:])}".strip(),
            "plan": asdict(plan),
        }
    )
    if questions:
        bench_gateways(wanted, questions, plan, results)
    if "growth" in given.part:
        bench_growth(wanted, plan, results)
    if "sdk" in given.part:
        bench_sdks(sdks, plan, results)
    results.head["seconds"] = time.monotonic() - began
    path = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    results.save(path)
    report.show(results)
    print(f"every figure of every round: {os.path.relpath(path)}")
    if given.publish:
        print(f"written: {os.path.relpath(publish.write(results))}")


if __name__ == "__main__":
    main()
