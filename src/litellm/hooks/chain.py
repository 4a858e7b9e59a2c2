"""Methods of users' loggers that run inline: found once, called one after the other, their results read in one way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from litellm._log import log
from litellm.hooks.logger import overrides
from litellm.net.steps import Ask, Flow

Hook = Callable[..., Any]


class HookSpec(msgspec.Struct, frozen=True):
    """One method that loggers may have.

    takes: the argument that it may replace, which the next logger then gets; "" where nothing is replaced. kinds: what it
    may return, with NoneType for "as it was"; wanted: the same in words. final: what ends the chain. lenient: anything
    else is only warned of, and not an error. is_async: whether it is a coroutine function.
    """

    name: str
    takes: str = ""
    kinds: tuple[type, ...] = (object,)
    wanted: str = ""
    final: tuple[type, ...] = ()
    lenient: bool = False
    is_async: bool = True

    def read(self, hook: Hook, result: Any) -> Any:
        """What `hook` gave, or None where it changes nothing. Raises an exception that it returned, and TypeError for what
        means nothing."""
        if isinstance(result, Exception):
            raise result
        if isinstance(result, self.kinds):
            return result
        if not self.lenient:
            raise TypeError(f"{name_of(hook)} gave {type(result).__name__}, but must give {self.wanted}")
        log.warning("%s gave %s, which means nothing: to refuse, raise", name_of(hook), type(result).__name__)
        return None


class Chain:
    """The methods that some callbacks override, by name, in the order of the callbacks.

    >>> from litellm.hooks.logger import CustomLogger
    >>> class First(CustomLogger):
    ...     async def async_filter_deployments(self, model, healthy_deployments, *_, **__):
    ...         return healthy_deployments[:1]
    >>> filters = HookSpec("async_filter_deployments", "healthy_deployments", (list,), "a list of deployments")
    >>> len(Chain.of([First(), "langfuse", CustomLogger(), First()], [filters])[filters])
    2
    >>> Chain.of([CustomLogger(), print], [filters]) is None
    True
    """

    __slots__ = ("_hooks",)

    def __init__(self, hooks: Mapping[str, tuple[Hook, ...]]) -> None:
        self._hooks = hooks

    @classmethod
    def of(cls, callbacks: Iterable[Any], specs: Iterable[HookSpec]) -> Chain | None:
        """The chain of these callbacks, or None if they override none of `specs`: then there is nothing to run."""
        listed = list(callbacks)
        hooks = {
            spec.name: tuple(getattr(each, spec.name) for each in listed if overrides(each, spec.name))
            for spec in specs
        }
        return cls(hooks) if any(hooks.values()) else None

    def __getitem__(self, spec: HookSpec) -> tuple[Hook, ...]:
        return self._hooks[spec.name]

    def run(self, spec: HookSpec, words: dict[str, Any]) -> Flow[Any]:
        """Ask each hook in turn, and give what they leave of the argument that `spec` takes: what one gives replaces it in
        `words`, for the next one. Something `final` ends the chain, and is what it gives."""
        for hook in self._hooks[spec.name]:
            ask = partial(hook, **words)
            changed = spec.read(hook, (yield Ask(None, ask) if spec.is_async else Ask(ask, None)))
            if isinstance(changed, spec.final):
                return changed
            if spec.takes and changed is not None:
                words[spec.takes] = changed
        return words.get(spec.takes)


def name_of(hook: Any) -> str:
    """A hook's name, for the log and for errors."""
    return getattr(hook, "__qualname__", type(hook).__qualname__)
