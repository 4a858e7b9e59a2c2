"""What the tests of routing share: a clock that moves when told, deployments by their differences, and errors."""

from __future__ import annotations

from random import Random
from typing import Any

from litellm.engine.call import Call
from litellm.engine.opened import Outcome
from litellm.engine.route import Choice, Plan, Route
from litellm.exceptions import LiteLLMError, of_status
from litellm.providers.target import Target
from litellm.router.choosing import NO_OPTIONS, RoutingOptions
from litellm.router.deployments import Deployment, DeploymentDefaults, deployments_of
from litellm.router.pool import Group
from litellm.router.routing import Routing
from litellm.router.settings import RoutingSettings

HI = [{"role": "user", "content": "hi"}]
USAGE = {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}
GOOD = Outcome("success", usage=USAGE, seconds=0.1)


class Clock:
    """Seconds that pass when somebody says so."""

    def __init__(self, now: float = 6000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def entry(name: str, number: int = 0, *, info: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
    """An entry of a model_list; its id is the name and the number."""
    access = {"model": "openai/m", "api_base": f"http://127.0.0.1:1/{number}", "api_key": "sk-upstream"}
    return {
        "model_name": name,
        "litellm_params": access | params,
        "model_info": {"id": f"{name}-{number}"} | (info or {}),
    }


def deployments(*entries: dict[str, Any], environ: Any = {}) -> list[Deployment]:
    around = DeploymentDefaults(environ=environ)
    return [deployment for each in entries for deployment in deployments_of(each, around)]


def group_of(count: int, **params: Any) -> list[Deployment]:
    """A group "m" of so many deployments, "m-0" and so on, that differ in nothing."""
    return deployments(*(entry("m", at, **params) for at in range(count)))


def targets_of(group: Group | None) -> list[Target]:
    """Where the members of a group send to."""
    assert group is not None
    return [each.target for each in group.members if each.target is not None]


class World:
    """A Routing with a clock and a seed of its own.

    >>> World(group_of(1)).ids(3)
    ['m-0', 'm-0', 'm-0']
    """

    def __init__(self, made: list[Deployment], seed: int = 7, **settings: Any) -> None:
        self.clock = Clock()
        self.routing = Routing(made, RoutingSettings.of(**settings), clock=self.clock, rng=Random(seed))

    def plan(self, name: str = "m", *, options: RoutingOptions = NO_OPTIONS, body: Any = None, **fields: Any) -> Plan:
        made = Call(model=name, body=body or {"messages": HI}, **fields)
        return Plan(made, self.routing.route(made, self.routing.find(name, options), options))

    def route(self, name: str = "m", **about: Any) -> Route:
        return self.plan(name, **about).route

    def choose(self, name: str = "m", tried: Any = (), **about: Any) -> Choice:
        return self.route(name, **about).choose(tried)

    def settled(self, outcome: Outcome = GOOD, name: str = "m", **about: Any) -> Target:
        """Where a call goes that ends so."""
        choice = self.choose(name, **about)
        choice.settle(outcome)
        return choice.target

    def ids(self, count: int, name: str = "m", **about: Any) -> list[str]:
        """Where so many calls go, one after the other."""
        return [self.settled(name=name, **about).id for _ in range(count)]

    def fail(self, deployment: str, status: int, **about: Any) -> None:
        """A call that goes to this deployment, and fails."""
        for _ in range(1000):
            choice = self.choose()
            if choice.target.id == deployment:
                choice.settle(Outcome("failure", error_of(status, **about)))
                return
            choice.settle(Outcome("unused"))
        raise AssertionError(f"{deployment} is not chosen")

    def cooling_down(self) -> dict[str, float]:
        """Who cools down, and for how long still."""
        found = self.routing.state.cooling_down
        return {name: until - self.clock.now for name, until in found.items() if until > self.clock.now}


def error_of(status: int, *, kind: type[LiteLLMError] | None = None, after: float | None = None) -> LiteLLMError:
    headers = {} if after is None else {"retry-after": str(after)}
    return of_status(status, "no", "openai", "m", kind=kind, response_headers=headers)
