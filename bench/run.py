"""Gateways and SDKs side by side, in one run, in interleaved rounds. A report: no figure here makes anything fail."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench import drive, gateways, measure, report, sdk
from bench.gateways import Missing, Running
from bench.report import Results

DIRECT = "direct"


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float  # of non-streamed load, each at 32 connections and at one
    streams: int  # one after the other on each of 64 connections
    starts: int
    sdk_rounds: int
    sdk_seconds: float  # per case
    imports: int  # per SDK round


DEFAULT = Plan(rounds=5, seconds=3, streams=2, starts=3, sdk_rounds=3, sdk_seconds=1.0, imports=2)
QUICK = Plan(rounds=1, seconds=2, streams=1, starts=1, sdk_rounds=1, sdk_seconds=0.4, imports=1)
STREAM_PATIENCE = 40  # seconds for one round of streams; what is not done by then is cut off


@contextlib.contextmanager
def upstream() -> Iterator[tuple[int, int]]:
    """(port, process id) of a fresh upstream."""
    command = [sys.executable, "-m", "bench.upstream"]
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


def bench_gateways(names: list[str] | None, plan: Plan, results: Results) -> None:
    wrk = drive.wrk_version()
    results.notes["load"] = (
        f"{wrk or 'bench/load.py'} at 32 connections; bench/load.py otherwise; its process is not counted"
    )
    if not wrk:
        print("skipped: wrk is not installed (scripts/bench --peers nginx installs it); bench/load.py does its work")
    with contextlib.ExitStack() as stack:
        port, pid = stack.enter_context(upstream())
        targets = [drive.Target(DIRECT, port, pid, {})]
        results.notes[DIRECT] = "the upstream itself; its CPU columns are the upstream's own"
        for row in gateways.ROWS:
            if names is not None and row.name not in names:
                continue
            try:
                running = start(row, port, plan.starts, results, stack)
            except Missing as why:
                results.skipped[row.name] = str(why)
                print(f"skipped: {row.name}: {why}", flush=True)
                continue
            targets.append(drive.Target(row.name, running.port, running.process.pid, running.headers))
        for target in targets:  # warm up
            drive.chat(target, 8, 1, wrk=False)
            drive.stream(target, 8, 1, 10)
        for number in range(plan.rounds):
            for target in targets if number % 2 == 0 else reversed(targets):
                measure_once(target, plan, results, wrk=bool(wrk))
            print(f"round {number + 1} of {plan.rounds} done", flush=True)
        for target in targets[1:]:
            used = measure.memory(target.pid)
            if used["now"]:  # it still runs
                results.add(target.name, {"rss_after": used["now"], "rss_peak": used["peak"]})


def measure_once(target: drive.Target, plan: Plan, results: Results, *, wrk: bool) -> None:
    results.add(target.name, drive.chat(target, 32, plan.seconds, wrk=wrk), "chat32_")
    results.add(target.name, drive.chat(target, 1, plan.seconds, wrk=False), "chat1_")
    found = drive.stream(target, 64, plan.streams, STREAM_PATIENCE)
    results.add(target.name, found | {name: found[name] / 1e3 for name in ("p50", "p99")}, "stream_")
    found = drive.stream(target, 1, plan.streams + 1, STREAM_PATIENCE)
    results.add(target.name, {"p50": found["p50"] / 1e3}, "stream1_")


def bench_sdks(names: list[str] | None, plan: Plan, results: Results) -> None:
    rows = [row for row in sdk.ROWS if names is None or row.name in names]
    with upstream() as (port, _):
        for number in range(plan.sdk_rounds):
            for row in list(rows):
                try:
                    version, found = sdk.measure(row, port, plan.sdk_seconds, plan.imports)
                except Missing as why:
                    rows.remove(row)
                    results.skipped[f"{row.name} SDK"] = str(why)
                    print(f"skipped: {row.name} SDK: {why}", flush=True)
                    continue
                results.notes[f"{row.name} SDK"] = f"{row.package} {version}"
                for figures in found:
                    results.add(f"{row.name} SDK", figures)
            print(f"SDK round {number + 1} of {plan.sdk_rounds} done", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of everything, in under two minutes")
    parser.add_argument("--peers", default="", metavar="NAMES", help="install these first, say nginx,litellm")
    parser.add_argument("--only", metavar="NAMES", help="measure only these rows, say ours,nginx; direct always is")
    parser.add_argument("--part", choices=["gateways", "sdk"], help="only one half")
    parser.add_argument("--rounds", type=int, help="rounds of the gateways")
    options = parser.parse_args()
    plan = QUICK if options.quick else DEFAULT
    if options.rounds:
        plan = Plan(**(vars(plan) | {"rounds": min(options.rounds, 50)}))
    names = options.only.split(",") if options.only else None
    known = {row.name: row for row in gateways.ROWS}
    unknown = [name for name in [*filter(None, options.peers.split(","))] if name not in known]
    unknown += [name for name in names or [] if name not in {DIRECT, *known, *(row.name for row in sdk.ROWS)}]
    if unknown:
        parser.error(f"no row is called {', '.join(unknown)}")
    for name in filter(None, options.peers.split(",")):
        if known[name].install:
            known[name].install()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    results = Results()
    began, load_before = time.monotonic(), os.getloadavg()[0]
    if options.part != "sdk":
        bench_gateways(names, plan, results)
    if options.part != "gateways":
        bench_sdks(names, plan, results)
    head = {"machine": measure.machine(), "plan": vars(plan), "load_before": load_before}
    path = report.save(results, head)
    show(results, plan, head, path, time.monotonic() - began)


def show(results: Results, plan: Plan, head: dict, path, seconds: float) -> None:
    gateway_names = [DIRECT, *(row.name for row in gateways.ROWS)]
    sdk_names = [f"{row.name} SDK" for row in sdk.ROWS]
    print()
    print(report.table(results, "gateway", report.GATEWAYS, gateway_names))
    print(report.table(results, "SDK", report.SDKS, sdk_names))
    for name, note in results.notes.items():
        print(f"{name}: {note}")
    for name, why in results.skipped.items():
        print(f"{name}: skipped: {why}")
    print(f"{head['machine']}; load average {head['load_before']:.1f} before the run")
    print(
        f"medians of interleaved rounds ({plan.rounds} of gateways, {plan.sdk_rounds} of SDKs), {seconds:.0f} s in all"
    )
    if apart := report.spread(results, "chat32_cpu"):
        print(f"rounds lie apart (highest minus lowest, CPU µs per request at 32): {apart}")
    print(f"every figure of every round: {os.path.relpath(path)}")


if __name__ == "__main__":
    main()
