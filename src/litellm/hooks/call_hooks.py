"""Hooks on the way of a call to a deployment: they may choose where it goes, change what it asks and what it is answered,
and refuse it.

A call waits for them, in the order of `litellm.callbacks`. Where no logger has one, there are no CallHooks, and nothing
here runs. What they raise with a status of HTTP is raised as the error of that status; anything else as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from types import NoneType
from typing import Any

from pydantic import BaseModel

from litellm.hooks.chain import Chain, HookSpec
from litellm.hooks.payload import about_caller, copied
from litellm.hooks.refusal import refusing
from litellm.net.steps import Ask, Flow
from litellm.operations import Operation

ROUTE = HookSpec("async_pre_routing_hook")
FILTER = HookSpec("async_filter_deployments", "healthy_deployments", (list, tuple), "a list of deployments")
CHECK = HookSpec("pre_call_check", is_async=False)
ASYNC_CHECK = HookSpec("async_pre_call_check")
BEFORE = HookSpec("async_pre_call_deployment_hook", "kwargs", (dict, NoneType), "kwargs or None")
AFTER = HookSpec(
    "async_post_call_success_deployment_hook", "response", (BaseModel, dict, NoneType), "an answer or None"
)
HOOKS = (ROUTE, FILTER, CHECK, ASYNC_CHECK, BEFORE, AFTER)


class CallHooks:
    """The hooks of some callbacks, by what they are for. routes, filters, edits_answers: whether any does.

    >>> from litellm.hooks.logger import CustomLogger
    >>> class First(CustomLogger):
    ...     async def async_filter_deployments(self, model, healthy_deployments, *_, **__):
    ...         return healthy_deployments[:1]
    >>> CallHooks.of([First()]).filters, CallHooks.of([CustomLogger(), print, "langfuse"])
    (True, None)
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.routes = bool(chain[ROUTE])
        self.filters = bool(chain[FILTER])
        self.edits_answers = bool(chain[AFTER])

    @classmethod
    def of(cls, callbacks: Iterable[Any]) -> CallHooks | None:
        """The hooks of these callbacks, or None if they have none."""
        chain = Chain.of(callbacks, HOOKS)
        return None if chain is None else cls(chain)

    def route(self, model: str, kwargs: dict[str, Any]) -> Flow[tuple[str, Any]]:
        """The model and the messages to ask for instead of those of a call; messages None: those that it has."""
        return (yield from refusing(self._route(model, _described(copied(kwargs)))))  # some write into them

    def _route(self, model: str, kwargs: dict[str, Any]) -> Flow[tuple[str, Any]]:
        messages = None
        for hook in self._chain[ROUTE]:
            asking = partial(
                hook, model=model, request_kwargs=kwargs, messages=messages or kwargs.get("messages"),
                input=kwargs.get("input"), specific_deployment=False,
            )  # fmt: skip
            chosen = ROUTE.read(hook, (yield Ask(None, asking)))
            model = _named(chosen, "model") or model
            messages = _named(chosen, "messages") or messages
        return model, messages

    def filter(self, group: str, entries: list[dict[str, Any]], kwargs: dict[str, Any]) -> Flow[frozenset[str]]:
        """The ids of those of a group's deployments that a call may use."""
        kwargs = _described(kwargs)
        filtered = yield from self._run(
            FILTER, model=group, healthy_deployments=entries, messages=kwargs.get("messages"), request_kwargs=kwargs,
            parent_otel_span=None,
        )  # fmt: skip
        return frozenset(str(_named(_named(each, "model_info"), "id")) for each in filtered)

    def check(self, entry: dict[str, Any], *, is_async: bool) -> Flow[None]:
        """Show the chosen deployment to the hooks that may refuse it, by raising."""
        if is_async:
            yield from self._run(ASYNC_CHECK, deployment=entry, parent_otel_span=None)
        else:
            yield from self._run(CHECK, deployment=entry)

    def before(self, kwargs: dict[str, Any], operation: Operation, *, is_async: bool) -> Flow[dict[str, Any] | None]:
        """Other kwargs for a try, or None where no hook wants them."""
        if not self._chain[BEFORE]:
            return None
        kwargs = _described(copied(kwargs))  # some change them where they are, and the caller's own stay as they are
        changed = yield from self._run(BEFORE, kwargs=kwargs, call_type=operation.call_type_of(is_async=is_async))
        return changed  # type: ignore[no-any-return]  # its kinds are those of BEFORE

    def after(self, kwargs: dict[str, Any], response: Any, operation: Operation, *, is_async: bool) -> Flow[Any]:
        """The answer that the caller gets: an object, or a dict like one."""
        call_type = operation.call_type_of(is_async=is_async)
        return (yield from self._run(AFTER, request_data=kwargs, response=response, call_type=call_type))

    def _run(self, spec: HookSpec, **words: Any) -> Flow[Any]:
        return refusing(self._chain.run(spec, words))


def _described(kwargs: dict[str, Any]) -> dict[str, Any]:
    """With the gateway's caller in the metadata, as callbacks get it."""
    caller = kwargs.get("user_api_key_dict")
    return kwargs if caller is None else {**kwargs, "metadata": {**kwargs["metadata"], **about_caller(caller)}}


def _named(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
