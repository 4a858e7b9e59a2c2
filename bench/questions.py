"""What the gateways are asked: a question is a row, its answer a few figures of one target."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench import drive, gateways, measure
from bench.drive import Target

DIRECT = "direct"
CONTENTS = ("1kb", "100kb", "5mb")
LEVELS = (
    *(5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 125, 150, 175, 200, 225, 250, 275, 300, 325, 350, 375, 400, 450, 500),
    *(550, 600, 650, 700, 750, 800, 900, 1000, 1200, 1400, 1600, 2000),
)
OPEN = 1_000
SIZES = (10, 1_000, 10_000)
GROUP = 10  # deployments behind one model name


@dataclass(frozen=True)
class Plan:
    """How much of everything. Seconds are those of one load."""

    rounds: int = 5
    seconds: float = 2.0
    streams: int = 2  # one after the other on each of 64 connections
    stream_patience: float = 40  # seconds for one round of streams; what is not done by then is cut off
    body_rounds: int = 3
    body_seconds: float = 1.0
    starts: int = 3
    sdk_rounds: int = 3
    sdk_seconds: float = 0.5  # per case
    imports: int = 2  # per SDK round
    stall_rounds: int = 3
    stall_streams: int = 3  # one after the other on each connection
    open_rounds: int = 1
    million_rounds: int = 1
    million_seconds: float = 240
    growth_rounds: int = 3
    growth_seconds: float = 2.0
    growth_patience: float = 300  # seconds for a gateway with many deployments to start


DEFAULT = Plan()
QUICK = replace(
    DEFAULT, rounds=1, streams=1, body_rounds=1, starts=1, sdk_rounds=1, sdk_seconds=0.4, imports=1,
    stall_rounds=1, stall_streams=2, million_seconds=5, growth_rounds=1, growth_seconds=1.0, growth_patience=60,
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """ask: the figures of one round. rounds: the field of Plan that says how many."""

    name: str
    ask: Callable[[Target, Plan], dict[str, float]]
    rounds: str = "rounds"
    of_direct: bool = True


def _prefixed(prefix: str, figures: dict[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in figures.items()}


def chat(target: Target, plan: Plan) -> dict[str, float]:
    wrk = drive.wrk_version() is not None
    found = _prefixed("chat1", drive.chat(target, 1, plan.seconds))
    for connections in (32, 256):
        found |= _prefixed(f"chat{connections}", drive.chat(target, connections, plan.seconds, wrk=wrk))
    return found


def streams(target: Target, plan: Plan) -> dict[str, float]:
    found = _prefixed("stream", drive.stream(target, 64, plan.streams, plan.stream_patience))
    return found | _prefixed("stream1", drive.stream(target, 1, plan.streams + 1, plan.stream_patience))


def bodies(target: Target, plan: Plan) -> dict[str, float]:
    found: dict[str, float] = {}
    for content in CONTENTS:
        found |= _prefixed(f"body{content}", drive.chat(target, 4, plan.body_seconds, content=content))
    return found


def stalls(target: Target, plan: Plan) -> dict[str, float]:
    """The most streams of 100 chunks a second that it passes on without a stall: a search by halves among LEVELS. One
    hiccup of the machine must not end it, so a level is failed only when it is failed twice."""
    low, high = 0, len(LEVELS)  # LEVELS[:low] are smooth, LEVELS[high:] are not
    while low < high:
        middle = (low + high) // 2
        if any(drive.smooth(target, LEVELS[middle], plan.stall_streams) for _ in range(2)):
            low = middle + 1
        else:
            high = middle
    return {"smooth": LEVELS[low - 1] if low else 0}


def open_streams(target: Target, _: Plan) -> dict[str, float]:
    measure.wait_until_idle(target.pid)
    before = measure.memory(target.pid)["now"]
    with drive.held(target, OPEN) as begun:
        time.sleep(2)  # with a chunk or two on each of them
        used = measure.memory(target.pid)["now"]
    each = 1024 * (used - before) / begun if begun else float("nan")
    return {"rss_open": used, "open": begun, "rss_stream": each}


def million(target: Target, plan: Plan) -> dict[str, float]:
    return {"million": drive.many(target, 32, plan.million_seconds)}


# Those that have as many rounds and follow each other share them.
QUESTIONS = (
    Question("chat", chat),
    Question("streams", streams),
    Question("open", open_streams, rounds="open_rounds", of_direct=False),
    Question("million", million, rounds="million_rounds", of_direct=False),
    Question("stalls", stalls, rounds="stall_rounds"),
    Question("bodies", bodies, rounds="body_rounds"),  # last, for what it leaves behind in their memory
)


# --- many deployments ----------------------------------------------------------------------------------------------------

ENTRY = """
  - model_name: {name}
    litellm_params: {{model: openai/bench, api_base: os.environ/BENCH_API_BASE, api_key: sk-upstream-{number}}}"""


def with_deployments(row: gateways.Row, count: int) -> gateways.Row:
    """The gateway with that many deployments, ten to a model name; the names are bench, bench-1, bench-2, …"""
    names = ["bench" if number < GROUP else f"bench-{number // GROUP}" for number in range(count)]
    entries = "".join(ENTRY.format(name=name, number=number) for number, name in enumerate(names))
    config = f"model_list:{entries}\ngeneral_settings: {{master_key: sk-1234}}\n".replace("{", "{{").replace("}", "}}")
    arguments = row.arguments.replace("{here}/config.yaml", "{scratch}/many.yaml")
    return replace(row, arguments=arguments, files={"many.yaml": config})


def growth(row: gateways.Row, upstream: int, count: int, plan: Plan) -> dict[str, float]:
    """What a request costs among that many deployments. Raises Missing when it does not start."""
    running = gateways.Running(with_deployments(row, count), upstream, plan.growth_patience)
    try:
        target = Target(row.name, running.port, running.process.pid, running.headers)
        drive.chat(target, 8, 0.5)
        measure.wait_until_idle(target.pid)
        found = {"start": running.started, "rss": measure.memory(target.pid)["now"]}
        found |= drive.chat(target, 32, plan.growth_seconds, wrk=drive.wrk_version() is not None)
    finally:
        running.stop()
    return _prefixed(f"grow{count}", found)
