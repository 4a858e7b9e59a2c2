"""What a client's own configuration (`user_config`) costs: read for the first time, and known from an earlier request.

    .venv/bin/python bench/user_config.py

Prints milliseconds, the median of many runs, for 1, 10 and 100 deployments.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any

from litellm.net.guard import Guard
from litellm.net.network import Network
from litellm.proxy.user_configs import UserConfigs

NETWORK = Network(guard=Guard())
RUNS = 500


def config_of(models: int, number: int) -> dict[str, Any]:
    """A configuration as in the documentation, of which no two are the same."""
    params = {"api_key": f"my-key-{number}", "api_version": "2024-10-21", "api_base": "https://me.openai.azure.com"}
    deployments = [
        {"model_name": f"m{at}", "litellm_params": {"model": f"azure/m{at}", "timeout": 10, **params}, "rpm": 1800}
        for at in range(models)
    ]
    return {"model_list": deployments, "num_retries": 2, "fallbacks": [{"m0": [f"m{models - 1}"]}]}


def median(read: Callable[[Mapping[str, Any]], object], configs: Iterator[Mapping[str, Any]]) -> float:
    """Milliseconds that `read` takes for one of `configs`."""
    seconds = []
    for _ in range(RUNS):
        config = next(configs)
        started = time.perf_counter()
        read(config)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) * 1000


def main() -> None:
    """Measure, and print a line for each size."""
    for models in (1, 10, 100):
        configs = UserConfigs(NETWORK)
        fresh = median(partial(configs.routing, "me"), (config_of(models, at) for at in count()))
        known = config_of(models, 0)
        again = median(partial(configs.routing, "me"), (known for _ in count()))
        print(f"{models:3} deployments: {fresh:.3f} ms new, {again:.3f} ms known")


if __name__ == "__main__":
    main()
