"""From the lists of callbacks to the observers that a call carries."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context, copy_context
from typing import Any, NamedTuple

import msgspec

from litellm._bounded import Bounded
from litellm._log import log
from litellm.exceptions import BadRequestError
from litellm.hooks.call_hooks import CallHooks
from litellm.hooks.dispatch import Ask, Dispatcher, Work
from litellm.hooks.logger import NOT_CALLED, overrides
from litellm.hooks.payload import Payload, call_type, with_error
from litellm.hooks.redact import opted_out, redact, redaction_wanted
from litellm.types.hooks import CallRecord

# Callbacks that have a name → "module:factory". The module is imported when the name is used.
BUILT_IN: Mapping[str, str] = {"langfuse": "litellm.hooks.builtin.langfuse:LangfuseLogger"}

SNAPSHOTS = 64  # different contents of the lists that are remembered
OPEN_CALLS = 10_000  # calls whose kwargs are kept from "input" until they end
OPEN_BYTES = 128 << 20  # that they keep in memory

Arguments = Callable[[Payload, dict[str, Any], Any], tuple[Any, ...]]


def _of_input(_payload: Payload, kwargs: dict[str, Any], _response: Any) -> tuple[Any, ...]:
    return (kwargs,)


def _of_pre_call(payload: Payload, kwargs: dict[str, Any], _response: Any) -> tuple[Any, ...]:
    return (payload.model, kwargs["messages"], kwargs)


def _of_event(payload: Payload, kwargs: dict[str, Any], response: Any) -> tuple[Any, ...]:
    return (kwargs, response, payload.start, payload.end)


def _of_fallback(payload: Payload, kwargs: dict[str, Any], _response: Any) -> tuple[Any, ...]:
    return (payload.record.model, kwargs, payload.record.error)


def _of_exhausted(payload: Payload, kwargs: dict[str, Any], _response: Any) -> tuple[Any, ...]:
    return (payload.record.error, payload.record.model, kwargs)


# event → (method, whether for async calls; None: for both; arguments). A logger's methods are called in this order.
METHODS: Mapping[str, tuple[tuple[str, bool | None, Arguments], ...]] = {
    "input": (
        ("log_pre_api_call", None, _of_pre_call),
        ("async_log_pre_api_call", True, _of_pre_call),
    ),
    "stream": (
        ("log_stream_event", False, _of_event),
        ("async_log_stream_event", True, _of_event),
    ),
    "success": (
        ("log_post_api_call", None, _of_event),
        ("log_success_event", False, _of_event),
        ("async_log_success_event", True, _of_event),
    ),
    "failure": (
        ("log_failure_event", False, _of_event),
        ("async_log_failure_event", True, _of_event),
    ),
    "success_fallback": (("log_success_fallback_event", None, _of_fallback),),
    "failure_fallback": (("log_failure_fallback_event", None, _of_fallback),),
    "exhausted": (("log_model_group_rate_limit_error", None, _of_exhausted),),
}
_OF_FUNCTIONS = frozenset({"input", "success", "failure"})  # for plain functions
_ENDS = frozenset({"success", "failure"})  # one of them is the last of each call
_ALTERING = {False: "logging_hook", True: "async_logging_hook"}
_ALL = frozenset(METHODS)


class Subscription(NamedTuple):
    """One callback, as far as one event of one kind of call (sync or async) concerns it."""

    callback: object
    steps: tuple[tuple[Callable[..., Any], Arguments], ...]
    remembers: bool  # gets "input" too, and may have put something into kwargs then


class Observers:
    """An immutable snapshot of the callbacks. Made by Callbacks; None where there are none."""

    def __init__(
        self,
        callbacks: Callbacks,
        events: Mapping[int, tuple[Any, frozenset[str]]],
        *,
        redacted: bool,
        hooks: CallHooks | None = None,
    ) -> None:
        self.hooks = hooks  # those of them that run inline
        self._callbacks = callbacks
        self._put = callbacks.dispatcher.put
        self._redacted = redacted
        self.subscriptions: dict[tuple[str, bool], tuple[Subscription, ...]] = {
            (event, is_async): tuple(_subscriptions(events.values(), event, is_async))
            for event in METHODS
            for is_async in (False, True)
        }
        loggers = [observer for observer, _ in events.values()]
        self.altering = {
            is_async: tuple(getattr(logger, name) for logger in loggers if overrides(logger, name))
            for is_async, name in _ALTERING.items()
        }
        self.per_chunk = bool(self.subscriptions["stream", False] or self.subscriptions["stream", True])

    def emit(self, event: str, record: CallRecord, chunk: Any = None) -> None:
        """Queue `event`, one of METHODS, for all subscriptions. Never waits, never raises."""
        if self.subscriptions[event, record.is_async] and not record.params.get("no-log"):
            self._put(_Item(self, event, record, chunk, copy_context()), record.size)

    def works(self, item: _Item) -> Sequence[Work]:
        """What there is to do for an item. Redaction is decided here, once for all callbacks."""
        record = with_error(item.record, item.event)
        record = msgspec.structs.replace(record, response=_read(record.response))
        plain = quiet = Payload(record, item.event, _read(item.chunk))
        everybody = redaction_wanted(record, self._redacted)
        if everybody or any(opted_out(each.callback) for each in self.subscriptions[item.event, record.is_async]):
            quiet = plain.without_words(redact(record))
        if everybody:
            plain = quiet
        if item.event in _ENDS and (hooks := self.altering[item.record.is_async]):
            return (_Alter(self, item, hooks, plain, quiet),)
        return self.deliveries(item, plain, quiet)

    def deliveries(self, item: _Item, plain: Payload, quiet: Payload) -> Sequence[Work]:
        subscriptions = self.subscriptions[item.event, item.record.is_async]
        memory = self._callbacks.memory
        return [
            _Delivery(each, quiet if opted_out(each.callback) else plain, item.context, memory)
            for each in subscriptions
        ]


class Callbacks:
    """Makes Observers of the lists of callbacks, and remembers them for as long as the lists stay as they are.

    dispatcher: who delivers. lenient: leave out a named callback that cannot be made, for want of its keys or its package,
    with a warning in the log, and once for good; else that is raised.

    >>> from litellm.hooks.dispatch import default_dispatcher
    >>> callbacks = Callbacks(default_dispatcher())
    >>> callbacks.snapshot() is None
    True
    >>> callbacks.snapshot(success_callback=[print]) is callbacks.snapshot(success_callback=[print])
    True
    """

    def __init__(self, dispatcher: Dispatcher, *, lenient: bool = False) -> None:
        self.dispatcher = dispatcher
        self.lenient = lenient
        self.memory = Memory()
        self._snapshots: Bounded[tuple[Any, ...], tuple[Observers, list[Any]]] = Bounded(SNAPSHOTS)
        self._built_in: dict[str, Any] = {}
        self._warned: set[str] = set()  # methods in the code of callbacks; there are only so many

    def snapshot(
        self,
        *,
        input_callback: Sequence[Any] | str = (),
        success_callback: Sequence[Any] | str = (),
        failure_callback: Sequence[Any] | str = (),
        callbacks: Sequence[Any] | str = (),
        turn_off_message_logging: bool = False,
    ) -> Observers | None:
        """The observers, or None if the lists are empty. They hold functions, loggers and names; a name may
        stand alone.

        Raises BadRequestError for a name that is not known and for what is no callback; unless lenient, ValueError for
        one whose keys are missing, ImportError for one whose package is not installed.
        """
        if not (callbacks or success_callback or failure_callback or input_callback):
            return None
        begun, succeeded, failed, all_ = map(_as_list, (input_callback, success_callback, failure_callback, callbacks))
        items = [*begun, None, *succeeded, None, *failed, None, *all_]
        key = (turn_off_message_logging, *map(id, items))  # `items` are kept, so no id is used twice
        known = self._snapshots.get(key)
        if known is None:
            events: dict[int, tuple[Any, frozenset[str]]] = {}
            for listed, kinds in (
                (begun, frozenset({"input"})),
                (succeeded, frozenset({"success", "stream"})),
                (failed, frozenset({"failure"})),
                (all_, _ALL),
            ):
                for item in listed:
                    observer = self._observer(item)
                    if observer is None:
                        continue
                    wanted_of = kinds if kinds is not _ALL or _is_logger(observer) else _ALL - {"input"}
                    before = events.get(id(observer), (observer, frozenset[str]()))[1]
                    events[id(observer)] = (observer, before | wanted_of)
            self._warn_of_not_called(observer for observer, _ in events.values())
            hooks = CallHooks.of(all_)
            known = (Observers(self, events, redacted=turn_off_message_logging, hooks=hooks), items)
            self._snapshots[key] = known
        return known[0]

    def _warn_of_not_called(self, observers: Iterable[Any]) -> None:
        for kind, observer in ((type(each), each) for each in observers):
            for name in NOT_CALLED:
                method = f"{kind.__module__}.{kind.__qualname__}.{name}"
                if method not in self._warned and overrides(observer, name):
                    self._warned.add(method)
                    log.warning("%s is not called by this release", method)

    def _observer(self, item: Any) -> Any:
        if isinstance(item, str):
            return self._named(item)
        if isinstance(item, type) and _is_logger(item):
            raise BadRequestError(f"a callback must be an instance: pass {item.__name__}(), not the class")
        if _is_logger(item) or callable(item):
            return item
        raise BadRequestError(f"a callback is a function, a CustomLogger or a name, not {type(item).__name__}")

    def _named(self, name: str) -> Any:
        if name not in self._built_in:
            if name not in BUILT_IN:
                known = ", ".join(sorted(BUILT_IN))
                raise BadRequestError(f"there is no callback named {name!r}; the known ones: {known}")
            self._built_in[name] = self._made(name)
        return self._built_in[name]

    def _made(self, name: str) -> Any:
        module, _, factory = BUILT_IN[name].partition(":")
        try:
            logger = getattr(importlib.import_module(module), factory)()
        except (ImportError, ValueError) as error:
            if not self.lenient:
                raise
            log.warning("the callback %s is left out: %s", name, error)
            return None
        self.dispatcher.at_flush(logger.flush)
        return logger


def _as_list(items: Sequence[Any] | str) -> Sequence[Any]:
    return [items] if isinstance(items, str) else items


class Memory:
    """What callbacks were given at the beginning of calls that have not ended, by callback and call. When there is too much
    of it the oldest is forgotten: a stream that is not read to its end, or a call whose end was dropped. Touched on the
    dispatcher's thread only.

    >>> memory = Memory()
    >>> memory.keep((1, "call"), {"span": 5}, 100)
    >>> memory.take((1, "call")), memory.take((1, "call"))
    (({'span': 5}, 100), ({}, 0))
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[int, str], tuple[dict[str, Any], int]] = {}
        self._size = 0  # bytes

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, key: tuple[int, str]) -> tuple[dict[str, Any], int]:
        """What was kept, if there is something, and its size."""
        kwargs, size = self._kept.pop(key, ({}, 0))
        self._size -= size
        return kwargs, size

    def keep(self, key: tuple[int, str], kwargs: dict[str, Any], size: int) -> None:
        """Remember `kwargs`, which keep about `size` bytes in memory."""
        while self._kept and (len(self._kept) >= OPEN_CALLS or self._size + size > OPEN_BYTES):
            self.take(next(iter(self._kept)))
        self._kept[key] = kwargs, size
        self._size += size


class _Item(msgspec.Struct, frozen=True):
    observers: Observers
    event: str
    record: CallRecord
    chunk: Any
    context: Context

    def works(self) -> Sequence[Work]:
        return self.observers.works(self)


def _read(answer: Any) -> Any:
    """The engine leaves reading to this thread: an answer, or a chunk, may be a function that gives it. None for one that
    cannot be read: the call was made, and its usage and cost are reported all the same."""
    if not callable(answer):
        return answer
    try:
        return answer()
    except Exception as error:  # noqa: BLE001 - whatever an upstream's nonsense leads to
        log.warning("callbacks are told of a call without its answer, which has no shape: %s", type(error).__name__)
        return None


class _Delivery:
    """One event, delivered to one callback."""

    def __init__(self, subscription: Subscription, payload: Payload, context: Context, memory: Memory) -> None:
        self.callback = id(subscription.callback)
        self.call = payload.record.id
        self._subscription, self._payload, self._context, self._memory = subscription, payload, context, memory

    async def run(self, ask: Ask) -> Sequence[Work]:
        kwargs, response = self._kwargs(), self._payload.response
        for function, arguments in self._subscription.steps:
            await ask(function, arguments(self._payload, kwargs, response), self._context)
        return ()

    def _kwargs(self) -> dict[str, Any]:
        """A dict of this callback's own, at each event of a call the same: sentry keeps its span in it."""
        fresh = dict(self._payload.kwargs)
        if not self._subscription.remembers:
            return fresh
        key, event = (self.callback, self.call), self._payload.event
        kwargs, size = self._memory.take(key)
        kwargs.update(fresh)
        if event not in _ENDS:
            self._memory.keep(key, kwargs, max(size, self._payload.record.size))  # a chunk's is only its own
        return kwargs


class _Alter:
    """Loggers that alter what is logged, before it is delivered."""

    callback = 0

    def __init__(
        self, observers: Observers, item: _Item, hooks: tuple[Callable[..., Any], ...], plain: Payload, quiet: Payload
    ) -> None:
        self.call = item.record.id
        self._observers, self._item, self._hooks, self._payloads = observers, item, hooks, (plain, quiet)

    async def run(self, ask: Ask) -> Sequence[Work]:
        for payload in dict.fromkeys(self._payloads):
            for hook in self._hooks:
                kwargs, response = payload.kwargs, payload.response
                altered = await ask(hook, (kwargs, response, call_type(payload.record)), self._item.context)
                if isinstance(altered, tuple) and len(altered) == 2 and isinstance(altered[0], dict):
                    payload.replace(*altered)
        return self._observers.deliveries(self._item, *self._payloads)


def _subscriptions(
    observers: Iterable[tuple[Any, frozenset[str]]], event: str, is_async: bool
) -> Iterable[Subscription]:
    for observer, events in observers:
        if event in events and (steps := tuple(_steps(observer, event, is_async))):
            yield Subscription(observer, steps, "input" in events)


def _steps(observer: Any, event: str, is_async: bool) -> Iterable[tuple[Callable[..., Any], Arguments]]:
    if not _is_logger(observer):
        # A function gets whole calls; one that must be awaited, async calls only.
        if event in _OF_FUNCTIONS and (is_async or not _is_async(observer)):
            yield observer, _of_input if event == "input" else _of_event
        return
    for name, for_async, arguments in METHODS[event]:
        if for_async in (None, is_async) and overrides(observer, name):
            yield getattr(observer, name), arguments


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _is_logger(item: object) -> bool:
    """Anything with a logger's methods; it need not be a CustomLogger."""
    return any(callable(getattr(item, name, None)) for methods in METHODS.values() for name, _, _ in methods)
