"""Measures one SDK in the interpreter that runs it and prints JSON; standard library only, so any environment can.

python -P bench/sdk_child.py {litellm,openai} UPSTREAM_PORT SECONDS_PER_CASE
python -P bench/sdk_child.py {litellm,openai} import
"""

import asyncio
import importlib
import json
import sys
import time
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from statistics import median

NAME = sys.argv[1]
MESSAGES = [{"role": "user", "content": "Say something about the quick brown fox."}]
AT_ONCE = 32
CHUNKS = 500
BATCHES = 200


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def batch_figures(batches: list[tuple[float, float]]) -> dict[str, float]:
    cpu, wall = ([1e6 * batch[column] for batch in batches] for column in (0, 1))
    return {"cpu": median(cpu), "wall": median(wall), "cpu_min": min(cpu), "wall_min": min(wall), "batches": len(cpu)}


class Meter:
    """Collects (CPU, wall) seconds per unit of work, batch by batch, until the time is up."""

    def __init__(self, seconds: float) -> None:
        self.batches: list[tuple[float, float]] = []
        self.end = time.perf_counter() + seconds

    def more(self) -> bool:
        return len(self.batches) < 3 or (len(self.batches) < BATCHES and time.perf_counter() < self.end)

    def __enter__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *_exc) -> None:
        self.last = time.process_time() - self.cpu, time.perf_counter() - self.wall

    def note(self, units: int) -> None:
        self.batches.append((self.last[0] / units, self.last[1] / units))


def repeat(call, units: int, calls: int, seconds: float) -> dict[str, float]:
    """`call` does `units` of work; a batch is `calls` calls."""
    for _ in range(3):
        call()
    meter = Meter(seconds)
    while meter.more():
        with meter:
            for _ in range(calls):
                call()
        meter.note(units * calls)
    return batch_figures(meter.batches)


async def arepeat(call, units: int, calls: int, seconds: float) -> dict[str, float]:
    """The same for a coroutine function, `calls` at once."""
    await asyncio.gather(*(call() for _ in range(calls)))
    meter = Meter(seconds)
    while meter.more():
        with meter:
            await asyncio.gather(*(call() for _ in range(calls)))
        meter.note(units * calls)
    return batch_figures(meter.batches)


def callables(base: str):
    """create(model, **options), the same as coroutine function, and the options that the SDK needs."""
    package = importlib.import_module(NAME)
    if NAME == "openai":
        return (
            package.OpenAI(base_url=base, api_key="sk-upstream").chat.completions.create,
            package.AsyncOpenAI(base_url=base, api_key="sk-upstream").chat.completions.create,
            "",
            {},
        )
    return package.completion, package.acompletion, "openai/", {"api_base": base, "api_key": "sk-upstream"}


def drain(chunks) -> None:
    for _ in chunks:
        pass


def cases(port: str, seconds: float) -> dict[str, dict[str, float]]:
    create, acreate, prefix, options = callables(f"http://127.0.0.1:{port}/v1")
    model, burst = f"{prefix}bench", f"{prefix}burst-{CHUNKS}"

    def call(**more):
        return create(model=model, messages=MESSAGES, **options, **more)

    async def acall():
        return await acreate(model=model, messages=MESSAGES, **options)

    async def astream() -> None:
        async for _ in await acreate(model=burst, messages=MESSAGES, stream=True, **options):
            pass

    def stream() -> None:
        drain(create(model=burst, messages=MESSAGES, stream=True, **options))

    async def awaited() -> dict[str, dict[str, float]]:
        return {
            "async": await arepeat(acall, 1, AT_ONCE, seconds),
            "astream": await arepeat(astream, CHUNKS, 1, seconds),
        }

    found = {}
    if NAME == "litellm":
        found["mock"] = repeat(lambda: call(mock_response="It is quick and brown."), 1, 20, seconds)
    found["sync"] = repeat(call, 1, 10, seconds)
    found["stream"] = repeat(stream, CHUNKS, 1, seconds)
    found |= asyncio.run(awaited())
    return found | (routed(options, seconds) if NAME == "litellm" else {})


def routed(options: dict[str, str], seconds: float) -> dict[str, dict[str, float]]:
    """The same calls through a Router with two deployments of one model."""
    entry = {"model_name": "bench", "litellm_params": {"model": "openai/bench", **options}}
    router = importlib.import_module(NAME).Router(model_list=[deepcopy(entry) for _ in range(2)])

    async def acall():
        return await router.acompletion(model="bench", messages=MESSAGES)

    async def awaited() -> dict[str, float]:
        return await arepeat(acall, 1, AT_ONCE, seconds)

    found = repeat(lambda: router.completion(model="bench", messages=MESSAGES), 1, 10, seconds)
    return {"router": found, "arouter": asyncio.run(awaited())}


def imported() -> dict[str, dict[str, float]]:
    before, cpu, wall = resident_mb(), time.process_time(), time.perf_counter()
    package = importlib.import_module(NAME)
    wall_after, cpu_after, after = time.perf_counter(), time.process_time(), resident_mb()
    found = {"import": {"cpu": 1e3 * (cpu_after - cpu), "wall": 1e3 * (wall_after - wall), "mb": after - before}}
    if NAME == "litellm":  # what lazy imports put off
        package.completion(model="openai/bench", messages=MESSAGES, mock_response="Yes.", api_key="sk-upstream")
        found["first"] = {
            "cpu": 1e3 * (time.process_time() - cpu),
            "wall": 1e3 * (time.perf_counter() - wall),
            "mb": resident_mb() - before,
        }
    return found


if __name__ == "__main__":
    figures = imported() if sys.argv[2] == "import" else cases(sys.argv[2], float(sys.argv[3]))
    print("\n" + json.dumps({"version": version(NAME), "figures": figures}))
