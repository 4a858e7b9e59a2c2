"""Methods of loggers that stand on the way of a call to a deployment: they may choose where it goes, change what it asks
and what it is answered, and refuse it.

A call waits for them, in the order of `litellm.callbacks`. Where no logger has one, there are no CallHooks, and nothing
here runs. What they raise with a status of HTTP is raised as the error of that status; anything else as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import BaseModel

from litellm.exceptions import LiteLLMError, of_status
from litellm.hooks.logger import overrides
from litellm.hooks.payload import about_caller, copied
from litellm.hooks.refusal import refusal_of
from litellm.net.steps import Ask, Flow
from litellm.operations import Operation

ROUTE = "async_pre_routing_hook"
FILTER = "async_filter_deployments"
CHECK = "pre_call_check"
ASYNC_CHECK = "async_pre_call_check"
BEFORE = "async_pre_call_deployment_hook"
AFTER = "async_post_call_success_deployment_hook"
HOOKS = (ROUTE, FILTER, CHECK, ASYNC_CHECK, BEFORE, AFTER)

Hook = Callable[..., Any]


class CallHooks:
    """The hooks of some callbacks, by what they are for. routes, filters, edits_answers: whether any does.

    >>> from litellm.hooks.logger import CustomLogger
    >>> class First(CustomLogger):
    ...     async def async_filter_deployments(self, model, healthy_deployments, *_, **__):
    ...         return healthy_deployments[:1]
    >>> CallHooks.of([First()]).filters, CallHooks.of([CustomLogger(), print, "langfuse"])
    (True, None)
    """

    def __init__(self, callbacks: Iterable[Any]) -> None:
        listed = list(callbacks)
        self._hooks: Mapping[str, tuple[Hook, ...]] = {
            name: tuple(getattr(each, name) for each in listed if overrides(each, name)) for name in HOOKS
        }
        self.routes = bool(self._hooks[ROUTE])
        self.filters = bool(self._hooks[FILTER])
        self.edits_answers = bool(self._hooks[AFTER])

    @classmethod
    def of(cls, callbacks: Iterable[Any]) -> CallHooks | None:
        """The hooks of these callbacks, or None if they have none."""
        hooks = cls(callbacks)
        return hooks if any(hooks._hooks.values()) else None

    def route(self, model: str, kwargs: dict[str, Any]) -> Flow[tuple[str, Any]]:
        """The model and the messages to ask for instead of those of a call; messages None: those that it has."""
        messages, kwargs = None, _described(copied(kwargs))  # some write into them
        for hook in self._hooks[ROUTE]:
            said = yield from _asked(
                hook, model=model, request_kwargs=kwargs, messages=messages or kwargs.get("messages"),
                input=kwargs.get("input"), specific_deployment=False,
            )  # fmt: skip
            model = _named(said, "model") or model
            messages = _named(said, "messages") or messages
        return model, messages

    def filter(self, group: str, entries: list[dict[str, Any]], kwargs: dict[str, Any]) -> Flow[frozenset[str]]:
        """The ids of those of a group's deployments that a call may use."""
        left: Sequence[Any] = entries
        kwargs = _described(kwargs)
        for hook in self._hooks[FILTER]:
            left = yield from _asked(
                hook, model=group, healthy_deployments=list(left), messages=kwargs.get("messages"),
                request_kwargs=kwargs, parent_otel_span=None,
            )  # fmt: skip
            if not isinstance(left, list | tuple):
                raise TypeError(f"{_name(hook)} gave {type(left).__name__}, but must give a list of deployments")
        return frozenset(str(_named(_named(each, "model_info"), "id")) for each in left)

    def check(self, entry: dict[str, Any], *, is_async: bool) -> Flow[None]:
        """Show a deployment that was chosen to those who may refuse it, by raising."""
        if is_async:
            for hook in self._hooks[ASYNC_CHECK]:
                yield from _asked(hook, deployment=entry, parent_otel_span=None)
        else:
            for hook in self._hooks[CHECK]:
                yield from _answered(Ask(partial(hook, deployment=entry), None))

    def before(self, kwargs: dict[str, Any], operation: Operation, *, is_async: bool) -> Flow[dict[str, Any] | None]:
        """Other kwargs for a try, or None where nobody wants to see them."""
        hooks = self._hooks[BEFORE]
        if not hooks:
            return None
        kwargs = _described(copied(kwargs))  # some change them where they are, and the caller's own stay as they are
        for hook in hooks:
            changed = yield from _asked(hook, kwargs=kwargs, call_type=operation.call_type_of(is_async=is_async))
            if not isinstance(changed, dict | None):
                raise TypeError(f"{_name(hook)} gave {type(changed).__name__}, but must give kwargs or None")
            kwargs = kwargs if changed is None else changed
        return kwargs

    def after(self, kwargs: dict[str, Any], response: Any, operation: Operation, *, is_async: bool) -> Flow[Any]:
        """The answer that the caller gets: an object, or a dict like one."""
        for hook in self._hooks[AFTER]:
            call_type = operation.call_type_of(is_async=is_async)
            changed = yield from _asked(hook, request_data=kwargs, response=response, call_type=call_type)
            if not isinstance(changed, BaseModel | dict | None):
                raise TypeError(f"{_name(hook)} gave {type(changed).__name__}, but must give an answer or None")
            response = response if changed is None else changed
        return response


def _asked(hook: Hook, **words: Any) -> Flow[Any]:
    """What an async hook returns; a caller who does not await runs it to its end."""
    return (yield from _answered(Ask(None, partial(hook, **words))))


def _answered(ask: Ask) -> Flow[Any]:
    try:
        return (yield ask)
    except LiteLLMError:
        raise
    except Exception as error:
        said = refusal_of(error)
        if said is None:
            raise
        headers = {str(name).lower(): str(value) for name, value in said.headers.items()}
        raise of_status(said.status, said.words, "", "", response_headers=headers) from error


def _described(kwargs: dict[str, Any]) -> dict[str, Any]:
    """With who calls the gateway in the metadata, as callbacks are told."""
    caller = kwargs.get("user_api_key_dict")
    return kwargs if caller is None else {**kwargs, "metadata": {**kwargs["metadata"], **about_caller(caller)}}


def _named(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _name(hook: Any) -> str:
    return getattr(hook, "__qualname__", type(hook).__qualname__)
