"""One call, many conversations; or one conversation, many models."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from litellm.engine.drivers import run
from litellm.exceptions import BadRequestError
from litellm.net.steps import Fan, Flow
from litellm.sdk._call import default_client, make_call
from litellm.sdk._present import present

MAX_WORKERS = 100


def batch_completion(
    model: str, messages: Sequence[list[Any]], *, max_workers: int = MAX_WORKERS, **params: Any
) -> list[Any]:
    """Have a model continue several conversations, side by side.

    messages: a list of conversations. max_workers: how many are under way at once. params: as for completion. Gives the
    answers in the order of the conversations; the exception, for one that failed. Raises nothing of theirs.

    >>> hello, bye = ([{"role": "user", "content": text}] for text in ("Hello", "Bye"))
    >>> [answer.choices[0].message.content for answer in batch_completion("mock/echo", [hello, bye])]
    ['Hello', 'Bye']
    """
    stream = params.pop("stream", None)
    return _at_once([_flow(model, each, stream, params) for each in messages], max_workers=max_workers)


def batch_completion_models(*args: Any, messages: list[Any] | None = None, **params: Any) -> Any:
    """Ask several models at once; the first answer counts.

    models: their names; or deployments: a list of dicts, each with a `model` and what is special about it (api_key,
    api_base, …). params: as for completion. Raises the first model's exception when all of them fail.

    >>> hello = [{"role": "user", "content": "Hello"}]
    >>> batch_completion_models(models=["mock/error-500", "mock/echo"], messages=hello, num_retries=0).model
    'echo'
    """
    results = _at_once(_flows(args, messages, params), first=True)
    if isinstance(results[0], Exception):
        raise results[0]
    return results[0]


def batch_completion_models_all_responses(*args: Any, messages: list[Any] | None = None, **params: Any) -> list[Any]:
    """Ask several models at once; all the answers that come, in the order of the models. Those that fail are left out.

    Takes what batch_completion_models takes.

    >>> hello = [{"role": "user", "content": "Hello"}]
    >>> both = batch_completion_models_all_responses(models=["mock/echo", "mock/error-400"], messages=hello)
    >>> [answer.model for answer in both]
    ['echo']
    """
    return [result for result in _at_once(_flows(args, messages, params)) if not isinstance(result, Exception)]


def _flows(args: Sequence[Any], messages: list[Any] | None, params: Mapping[str, Any]) -> list[Flow[Any]]:
    params = dict(params)
    models, deployments = params.pop("models", None), params.pop("deployments", None)
    stream = params.pop("stream", None)
    if args or not (models or deployments):
        raise BadRequestError("name the models: models=['openai/gpt-4o', …], or deployments=[{'model': …}, …]")
    names = [models] if isinstance(models, str) else models
    requested: list[Any] = deployments or [{"model": name} for name in names]
    if not all(isinstance(each, Mapping) and each.get("model") for each in requested):
        raise BadRequestError("each of the deployments needs a model, such as openai/gpt-4o", param="deployments")
    return [_flow(each["model"], messages, stream, {**params, **_without_model(each)}) for each in requested]


def _without_model(deployment: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in deployment.items() if name != "model"}


def _flow(model: str, messages: Any, stream: bool | None, params: dict[str, Any]) -> Flow[Any]:
    """One call from its parameters to its object; also what is wrong with the parameters is this one's own affair."""
    started, client = time.monotonic(), default_client()
    plan = make_call(model, messages, stream, params)
    return present(plan.call, (yield from client.flow(*plan)), client.sync_io, started)


def _at_once(flows: Sequence[Flow[Any]], *, first: bool = False, max_workers: int = MAX_WORKERS) -> list[Any]:
    def all_of_them() -> Flow[list[Any]]:
        results: list[Any] = yield Fan(flows, first=first, at_once=max(1, max_workers))
        return results

    return run(all_of_them(), default_client().sync_io)
