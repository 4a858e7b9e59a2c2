"""What was promised, beside what was measured."""

import math
from dataclasses import dataclass

from bench.figures import CHAT, GROWTH, MEMORY, SDKS, STREAMS, Line, Results

LINES = {(line.figure, line.minus_direct): line for line in (*CHAT, *STREAMS, *MEMORY, *GROWTH, *SDKS)}


@dataclass(frozen=True)
class Budget:
    """limit: the most, or the least if at_least. against: the row of which it is a multiple; otherwise in the unit."""

    title: str
    figure: str
    limit: float
    unit: str
    row: str = "ours"
    against: str = ""
    at_least: bool = False
    minus_direct: bool = False

    @property
    def line(self) -> Line:
        return LINES[self.figure, self.minus_direct]

    def measured(self, results: Results) -> float:
        if self.against:
            return results.ratio(self.row, self.line, self.against)
        return results.value(self.row, self.line)

    def met(self, measured: float) -> bool:
        return measured >= self.limit if self.at_least else measured <= self.limit


SDK = "ours SDK"
BUDGETS = (
    Budget("requests/s per core", "chat32_per_core", 80, "x LiteLLM", against="litellm", at_least=True),
    Budget("requests/s per core", "chat32_per_core", 8, "x Portkey", against="portkey", at_least=True),
    Budget("CPU per request", "chat32_cpu", 8, "x nginx", against="nginx"),
    Budget("CPU per chunk", "stream_cpu", 2, "x nginx", against="nginx"),
    Budget("CPU per request", "chat32_cpu", 110, "µs"),
    Budget("CPU per request, target", "chat32_cpu", 100, "µs"),
    Budget("CPU per request, where it should go", "chat32_cpu", 50, "µs"),
    Budget("CPU per request among 10 000 deployments", "grow10000_cpu", 110, "µs"),
    Budget("CPU per chunk", "stream_cpu", 25, "µs"),
    Budget("latency added at one connection, p50", "chat1_p50", 250, "µs", minus_direct=True),
    Budget("resident at most, requests and streams", "peak_chat", 80, "MB"),
    Budget("start until it serves", "start", 1.5, "s"),
    Budget("import litellm", "import_wall", 150, "ms", SDK),
    Budget("import litellm and a first mocked call", "first_wall", 150, "ms", SDK),
    Budget("completion(), CPU", "sdk_sync_cpu", 350, "µs", SDK),
    Budget("acompletion() x 32, CPU", "sdk_async_cpu", 130, "µs", SDK),
    Budget("a chunk of completion(stream=True), CPU", "sdk_stream_cpu", 20, "µs", SDK),
    Budget("a chunk of acompletion(stream=True), CPU", "sdk_astream_cpu", 20, "µs", SDK),
    Budget("completion(mock_response=…), CPU", "sdk_mock_cpu", 80, "µs", SDK),
)


def cells(results: Results) -> list[list[str]]:
    """A table of the budgets that something was measured for; empty if for none."""
    found = [["", "measured", "budget", ""]]
    for budget in BUDGETS:
        measured = budget.measured(results)
        if math.isnan(measured):
            continue
        limit = f"{'≥' if budget.at_least else '≤'} {budget.limit:g} {budget.unit}"
        said = "met" if budget.met(measured) else "missed"
        found.append([budget.title, f"{measured:.3g} {budget.unit}", limit, said])
    return found if len(found) > 1 else []
