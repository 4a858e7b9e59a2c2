"""Endurance: does the gateway stay as it is? Says so in a table and in verdicts, and exits with 1 if it does not.

    python -m bench.soak                        # 200 000 mixed requests, then faults and overload: some minutes
    python -m bench.soak --quick                # 5 000, and a small overload
    python -m bench.soak --callbacks            # with a logger that is told of every call
    python -m bench.soak --only mixed --requests 1000000

mixed: every kind of request there is (bench/soak_client.py). Memory, objects, tasks, threads and sockets must be flat.
faults: an upstream of which one answer in ten goes wrong. Every request ends before its deadline, and nothing is left.
overload: two thousand clients at once with 5 MB each, slow readers, slow writers. Memory is bounded, it says
    that it lives, and it recovers.
In all of them: no callback holds its event loop for 100 ms (bench/soak_watch.py).
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import median

import uvloop
from bench import measure, soak_overload
from bench.soak_client import FAULTY, MIXED, NAMES, PLAIN, Soak
from bench.soak_gateway import KEY, Gateway, config, gateway, model_server, stats
from bench.soak_probe import probed

LOOKS = 12  # samples in all, of which the first three are compared with the last three
FILL = 6000  # requests for names that were never asked for: more than any cache takes
HURRY = 12_000  # requests in a hurry, so that the queue of callbacks becomes as long as it ever will
CLIENTS = 48
HARDER = 4  # times as many at the beginning, so that the most that is ever under way at once has been already
GROWTH = 0.05  # of memory
DEADLINE = 2 + 0.5  # seconds: the timeout of the deployment that goes wrong, and a little for the machine
BLOCKING = 0.1  # seconds of CPU that one callback of its loop may take
REST = 0.5  # seconds between two looks inside
PATIENCE = 60  # looks


@dataclass
class Sample:
    """The gateway when nothing is under way."""

    requests: int
    rss: float  # MB
    objects: int
    blocks: int
    tasks: int
    threads: int
    files: int
    types: Counter[str] = field(repr=False, default_factory=Counter)


COLUMNS = ("requests", "rss", "objects", "blocks", "tasks", "threads", "files")
# What may be more at the end than at the beginning: a part of it, and a number. Connections to the upstream come and go.
FLAT = {
    "rss": (GROWTH, 0),
    "objects": (0.01, 200),
    "blocks": (0.02, 1000),
    "tasks": (0, 2),
    "threads": (0, 4),
    "files": (0, 16),
}


class Verdicts:
    """What was promised, and whether it was kept."""

    def __init__(self) -> None:
        self.broken = 0

    def add(self, kept: bool, text: str) -> None:
        self.broken += not kept
        print(f"{'kept  ' if kept else 'BROKEN'}  {text}", flush=True)


async def look(soak: Soak, server: Gateway) -> Sample:
    tasks, inside = -1, await soak.tell("introspect/x")
    for _ in range(PATIENCE):  # until connections have ended, and callbacks have been told
        if inside["tasks"] == tasks:
            break
        tasks = inside["tasks"]
        await asyncio.sleep(REST)
        inside = await soak.tell("introspect/x")
    numbers = {name: inside[name] for name in ("objects", "blocks", "tasks")}
    return Sample(
        requests=soak.number, rss=server.rss, threads=server.threads, files=server.files,
        types=Counter(inside["types"]), **numbers,
    )  # fmt: skip


async def mixed(soak: Soak, server: Gateway, requests: int, verdicts: Verdicts) -> None:
    """The same traffic for a long time."""
    idle = server.rss
    await soak.run(NAMES, FILL, CLIENTS)
    await soak.run(PLAIN, HURRY, HARDER * CLIENTS)
    await soak.run(MIXED, max(4000, requests // 10), HARDER * CLIENTS)
    samples = [await look(soak, server)]
    began, sent = time.monotonic(), soak.number
    waits: list[float] = []
    for _ in range(LOOKS - 1):
        async with probed(server.port) as seen:
            await soak.run(MIXED, requests // (LOOKS - 1), CLIENTS)
        waits += seen.kept + seen.new
        samples.append(await look(soak, server))
    rate = (soak.number - sent) / (time.monotonic() - began)
    table(samples)
    print(f"{soak.number} requests in all, {rate:.0f}/s; idle it had {idle:.0f} MB")
    verdicts.add(idle <= 80, f"idle: {idle:.0f} MB of 80")
    verdicts.add(server.peak <= 100, f"at most, with {HARDER * CLIENTS} clients: {server.peak:.0f} MB of 100")
    verdicts.add(not soak.wrong, f"every answer was the expected one {soak.wrong or ''}")
    waits.sort()
    slow = measure.percentile(waits, 99)
    verdicts.add(
        slow < 0.05, f"asked whether it lives: p99 {1e3 * slow:.0f} ms of 50, slowest {1e3 * waits[-1]:.0f} ms"
    )
    for name, (part, number) in FLAT.items():
        before, after = (median(getattr(each, name) for each in some) for some in (samples[:3], samples[-3:]))
        flat = after <= before * (1 + part) + number
        verdicts.add(flat, f"{name}: {before:.6g} → {after:.6g} ({100 * (after - before) / before:+.2f} %)")
        if not flat and name in ("objects", "blocks", "rss"):
            print("        more of:", (samples[-1].types - samples[0].types).most_common(8))


async def faults(soak: Soak, server: Gateway, upstream: int, requests: int, verdicts: Verdicts) -> None:
    """One upstream answer in ten goes wrong."""
    await soak.run(FAULTY, 200, CLIENTS)
    before = await look(soak, server)
    soak.outcomes.clear()
    soak.slowest, soak.number = 0.0, 0
    await soak.run(FAULTY, requests, CLIENTS)
    after = await look(soak, server)
    print("\n".join(f"  {count:7} {name}" for name, count in sorted(soak.outcomes.items())))
    seen = stats(upstream)
    print(f"  the upstream went wrong {sum(seen['faults'].values())} times: {seen['faults']}")
    verdicts.add(sum(soak.outcomes.values()) == requests, f"faults: {requests} requests, as many ends")
    verdicts.add(not soak.wrong, f"faults: every one has an answer {soak.wrong or ''}")
    verdicts.add(soak.slowest < DEADLINE, f"faults: the slowest ended after {soak.slowest:.2f} s, its deadline is 2 s")
    for name, allowed in (("tasks", 2), ("threads", 4), ("files", 16), ("objects", before.objects // 100 + 200)):
        one, other = getattr(before, name), getattr(after, name)
        verdicts.add(other <= one + allowed, f"faults: {name} {one} → {other}")
    verdicts.add(seen["streams"] == 0, "faults: the upstream streams to nobody any more")


async def watched(soak: Soak, verdicts: Verdicts) -> None:
    """What has held up the gateway's event loop, in all parts so far."""
    seen = (await soak.tell("introspect/x"))["watch"]
    for wall, cpu, name in seen["slow"]:
        print(f"        {1e3 * wall:.0f} ms, of which {1e3 * cpu:.0f} ms of CPU: {name}")
    wall, cpu, name = seen["longest"]
    verdicts.add(
        cpu <= BLOCKING,
        f"P3: of {seen['callbacks']} callbacks none took {1e3 * BLOCKING:.0f} ms of CPU; the longest {1e3 * cpu:.0f} ms "
        f"({1e3 * wall:.0f} ms by the clock) in {name}",
    )
    wall, cpu = seen["late"]
    print(f"        its loop was late by {1e3 * wall:.0f} ms at the most, of which it worked for {1e3 * cpu:.0f} ms")


def table(samples: list[Sample]) -> None:
    print("".join(f"{name:>10}" for name in COLUMNS))
    for sample in samples:
        print("".join(f"{getattr(sample, name):>10.6g}" for name in COLUMNS))


async def run(options: argparse.Namespace) -> int:
    verdicts = Verdicts()
    parts = [options.only] if options.only else ["mixed", "faults", "overload"]
    requests = options.requests or (5000 if options.quick else 200_000)
    unread = 4 if options.callbacks else 0.5  # for callbacks, a stream is kept to its end
    room, clients, size = (64, 200, 1_000_000) if options.quick else (512, 2000, 5_000_000)
    print(measure.machine(), flush=True)
    with model_server() as upstream, gateway(config(upstream, callbacks=options.callbacks, memory_mb=room)) as server:
        for part in parts:
            print(f"\n{part}{' with callbacks' if options.callbacks else ''}", flush=True)
            soak = Soak(server.port, upstream, KEY)
            if part == "mixed":
                await mixed(soak, server, requests, verdicts)
            elif part == "faults":
                await faults(soak, server, upstream, requests // 10, verdicts)
            else:
                await soak_overload.overload(
                    soak, server, soak_overload.Burst(clients, size, room, unread), verdicts.add
                )
        await watched(soak, verdicts)
        verdicts.add(not server.complaints, f"its log has no bug in it {server.complaints[:3] or ''}")
    print(f"\n{verdicts.broken} broken" if verdicts.broken else "\nall kept")
    return 1 if verdicts.broken else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, help="how many mixed ones: 200000")
    parser.add_argument("--quick", action="store_true", help="5000, and a small overload")
    parser.add_argument("--callbacks", action="store_true", help="with a logger in the configuration")
    parser.add_argument("--only", choices=["mixed", "faults", "overload"], help="one part")
    sys.exit(uvloop.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
