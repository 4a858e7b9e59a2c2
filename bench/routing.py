"""What routing costs: choose and settle of one call, among 10, 1 000 and 10 000 deployments; looking a name up; adding one.

python -P bench/routing.py [REPEATS]

Deployments are either all in one group or one in each of as many groups. The figures are the least of REPEATS rounds, in
microseconds of wall time on one core: what is more than the least is the machine's other business.
"""

import sys
import time
from collections.abc import Callable
from functools import partial

from litellm.engine.call import Call, Outcome
from litellm.engine.route import Route
from litellm.router.deployments import Deployment, DeploymentDefaults, deployments_of
from litellm.router.routing import Routing
from litellm.router.settings import RoutingSettings

SIZES = (10, 1_000, 10_000)
CALLS = 2_000
NARROWING = {"enable_pre_call_checks", "enable_tag_filtering"}
SUCCESS = Outcome("success", usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}, seconds=0.1)
BODY = {"messages": [{"role": "user", "content": "Say something about the quick brown fox."}]}


def deployments(count: int, *, groups: int, **params: object) -> list[Deployment]:
    around = DeploymentDefaults(environ={})
    made: list[Deployment] = []
    for at in range(count):
        access = {"api_base": f"http://127.0.0.1:1/{at}/v1", "api_key": "sk-upstream"}
        entry = {"model_name": f"m{at % groups}", "litellm_params": {"model": "openai/m", **access, **params}}
        made += deployments_of(entry, around)
    return made


def least(work: Callable[[], object], calls: int, repeats: int) -> float:
    """Microseconds of one of the `calls` calls of `work`, in the fastest round."""
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        for _ in range(calls):
            work()
        best = min(best, time.perf_counter() - started)
    return best / calls * 1e6


def repeatable(work: Callable[[], object]) -> bool:
    """Whether it is quick enough to be done thousands of times."""
    return least(work, 1, 3) < 200


def main(repeats: int) -> None:
    print(f"{'':34}" + "".join(f"{size:>10}" for size in SIZES))
    by = "routing_strategy"
    for title, settings, params, one_group in (
        ("one group", {}, {}, True),
        ("cost", {by: "cost-based-routing"}, {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}, True),
        ("pre-call checks", {"enable_pre_call_checks": True}, {"model": "openai/gpt-4o"}, True),
        ("tags", {"enable_tag_filtering": True}, {"tags": ["default"]}, True),
        ("least-busy", {by: "least-busy"}, {}, True),
        ("usage", {by: "usage-based-routing"}, {}, True),
        ("latency", {by: "latency-based-routing"}, {}, True),
        ("one group, weights", {}, {"weight": 2}, True),
        ("one group, rpm and tpm", {}, {"rpm": 10**9, "tpm": 10**9}, True),
        ("a group for each", {}, {}, False),
    ):
        figures = []
        for size in SIZES:
            made = deployments(size, groups=1 if one_group else size, **params)
            routing = Routing(made, RoutingSettings.of(**settings))
            route = routing.route(Call(model="m0", body=BODY), routing.find("m0"))

            def again(route: Route = route) -> None:
                route.choose(()).settle(SUCCESS)

            def anew(routing: Routing = routing) -> None:
                call = Call(model="m0", body=BODY)
                routing.route(call, routing.find("m0")).choose(()).settle(SUCCESS)

            work = (
                anew if settings.keys() & NARROWING else again
            )  # what narrows the choice is found out once for a call
            figures.append(least(work, CALLS if repeatable(work) else 5, repeats))
        print(f"{'choose + settle, ' + title:34}" + "".join(f"{figure:>10.2f}" for figure in figures))
    routings = [Routing(deployments(size, groups=size)) for size in SIZES]
    found = [least(partial(routing.find, "m3"), CALLS, repeats) for routing in routings]
    print(f"{'find':34}" + "".join(f"{figure:>10.2f}" for figure in found))
    routed = []
    for routing in routings:
        call, group = Call(model="m3", body=BODY), routing.find("m3")
        routed.append(least(partial(routing.route, call, group), CALLS, repeats))
    print(f"{'route':34}" + "".join(f"{figure:>10.2f}" for figure in routed))
    (one,) = deployments(1, groups=1)
    added = [least(partial(routing.pool.changed, add=[one]), 10, 3) for routing in routings]
    print(f"{'add one':34}" + "".join(f"{figure:>10.0f}" for figure in added))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
