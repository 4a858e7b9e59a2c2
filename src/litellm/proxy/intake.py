"""From a request's bytes to a Call. Here a client's words are sorted: what OpenAI and upstreams understand stays in the
body; a short list may steer the call; what belongs to the administrator is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from litellm import _json
from litellm.engine.call import NO_FALLBACKS, Call, Fallbacks, MakeCall
from litellm.engine.retries import Retry
from litellm.net.messages import Timeouts
from litellm.providers.policy import KEEP_ALL, Policy, truthy
from litellm.proxy.errors import RequestError
from litellm.proxy.state import Proxy
from litellm.router.pool import Group
from litellm.types.params import OWNED

MOST_RETRIES = 10  # that a client may ask for
MOST_FALLBACKS = 10

# What a client may say to steer its own call. It is taken out of the body: no upstream sees it.
STEERING = frozenset({
    "metadata", "litellm_metadata", "tags", "timeout", "stream_timeout", "num_retries", "max_retries", "fallbacks",
    "disable_fallbacks", "additional_drop_params", "allowed_openai_params", "drop_params", "cache", "caching", "no-log",
    "litellm_call_id", "litellm_session_id", "litellm_trace_id", "enable_json_schema_validation", "guardrails",
    "retry_policy", "retry_strategy", "extra_body",
})  # fmt: skip
REFUSED = (OWNED | {"user_config"}) - STEERING
_CONTROL = STEERING | REFUSED
_STEERING_HEADERS = (b"x-litellm-timeout", b"x-litellm-stream-timeout", b"x-litellm-num-retries")


class Overrides(msgspec.Struct, frozen=True):
    """What a client said to steer its call, checked. It cannot hold a credential, a host or a server setting."""

    timeout: Any = None
    stream_timeout: Any = None
    policy: Policy = KEEP_ALL
    retries: int | None = None
    fallbacks: Sequence[Any] = ()
    disable_fallbacks: bool = False
    metadata: Mapping[str, Any] = {}


NO_OVERRIDES = Overrides()


def chat(proxy: Proxy, data: bytes, headers: Mapping[bytes, bytes], call_id: str) -> Call:
    """The call that a chat request asks for. Raises RequestError 400 that says what is wrong with it."""
    body = parse(data)
    overrides = _overrides(body, headers)
    model = body.pop("model", None)
    stream = body.pop("stream", None)
    if model is None:
        model = proxy.completion_model
    if model is None:
        raise _missing("model", 'name one, as in {"model": "my-model", …}')
    if not isinstance(model, str):
        raise _wrong_type("model", "a string", model)
    if "messages" not in body:
        raise _missing("messages", "send the conversation as a list of messages")
    if not isinstance(body["messages"], list):
        raise _wrong_type("messages", "a list of messages", body["messages"])
    if not all(type(message) is dict for message in body["messages"]):
        raise RequestError(400, "every message must be an object with role and content", param="messages")
    if stream is not None and not isinstance(stream, bool):
        raise _wrong_type("stream", "true or false", stream)
    group = find(proxy, proxy.completion_model or model)  # `litellm --model`: one model answers to every name
    call = _call(proxy, group, model, body, bool(stream), overrides, call_id)
    if not overrides.disable_fallbacks:
        call.fallbacks = _fallbacks(proxy, group, model, body, call, overrides)
    return call


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object in a body, or RequestError 400 with line and column."""
    try:
        body = _json.decode(data)
    except _json.UNREADABLE as error:
        if not data.strip():
            raise RequestError(400, "The request has no body; send a JSON object", param="request_body") from None
        where = _json.position(data, error)
        said = str(error).partition(" (byte")[0]
        raise RequestError(
            400, f"Invalid JSON payload: {said}{f' at {where}' if where else ''}", param="request_body"
        ) from None
    if not isinstance(body, dict):
        raise _wrong_type("request body", "a JSON object", body)
    return body


def find(proxy: Proxy, model: str) -> Group:
    """The group that serves `model`, or RequestError 400 in LiteLLM's words."""
    group = proxy.pool.find(model)
    if group is None:
        raise RequestError(
            400,
            f"/chat/completions: Invalid model name passed in model={model[:200]}. Call `/v1/models` to view available "
            "models for your key.",
            param="model",
        )
    return group


def _call(
    proxy: Proxy, group: Group, model: str, body: dict[str, Any], stream: bool, overrides: Overrides, call_id: str
) -> Call:
    show_usage = False
    if stream:
        options = body.get("stream_options")
        show_usage = isinstance(options, dict) and options.get("include_usage") is True
    return Call(
        model=model,
        body=body,
        choose=group.choose,
        stream=stream,
        relay=True,
        ask_usage=stream,
        show_usage=show_usage,
        timeouts=_clocks(proxy, overrides, stream=stream),
        own_timeouts=overrides.timeout is not None or (stream and overrides.stream_timeout is not None),
        retry=proxy.retry if overrides.retries is None else Retry(overrides.retries, floor=proxy.retry.floor),
        policy=overrides.policy,
        own_retries=overrides.retries is not None,
        metadata=overrides.metadata,
        id=call_id,
    )


def _overrides(body: dict[str, Any], headers: Mapping[bytes, bytes]) -> Overrides:
    extra = body.pop("extra_body", None) if "extra_body" in body else None
    if extra is not None:
        if not isinstance(extra, dict):
            raise _wrong_type("extra_body", "an object", extra)
        body |= {name: value for name, value in extra.items() if name != "model"}
    said = body.keys() & _CONTROL
    if not said and not any(name in headers for name in _STEERING_HEADERS):
        return NO_OVERRIDES
    for name in said & REFUSED:
        raise RequestError(
            400,
            f"{name} is not allowed in a request body on this server: it is set in the server's configuration. "
            "Leave it out of the request",
            param=name,
        )
    taken = {name: body.pop(name) for name in said}
    timeout = taken.get("timeout", _number(headers, b"x-litellm-timeout"))
    stream_timeout = taken.get("stream_timeout", _number(headers, b"x-litellm-stream-timeout"))
    retries = taken.get("num_retries", taken.get("max_retries", _number(headers, b"x-litellm-num-retries")))
    metadata = taken.get("metadata") or taken.get("litellm_metadata") or {}
    if not isinstance(metadata, dict):
        raise _wrong_type("metadata", "an object", metadata)
    fallbacks = taken.get("fallbacks") or ()
    if not isinstance(fallbacks, list | tuple) or len(fallbacks) > MOST_FALLBACKS:
        raise _wrong_type("fallbacks", f"a list of at most {MOST_FALLBACKS} model names", fallbacks)
    for entry in fallbacks:
        _check_fallback(entry)
    _timeouts(timeout, stream_timeout)
    return Overrides(
        timeout=timeout,
        stream_timeout=stream_timeout,
        policy=_policy(taken),
        retries=None if retries is None else _retries(retries),
        fallbacks=fallbacks,
        disable_fallbacks=taken.get("disable_fallbacks") in (True, "true", 1),
        metadata=metadata,
    )


def _check_fallback(entry: Any) -> None:
    """A client's fallback: a name, or an object with a name and parameters that it could also send itself."""
    if isinstance(entry, str):
        return
    if not isinstance(entry, dict) or not isinstance(entry.get("model"), str):
        raise _wrong_type("fallbacks", "a list of model names", entry)
    for name in entry.keys() & _CONTROL:
        raise RequestError(400, f"{name} is not allowed in the fallbacks of a request", param="fallbacks")


def _number(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def _policy(taken: Mapping[str, Any]) -> Policy:
    """What the client says about parameters. It may drop and allow; the deployment's own policy holds besides."""
    lists = {}
    for name in ("additional_drop_params", "allowed_openai_params"):
        lists[name] = taken.get(name) or ()
        if not isinstance(lists[name], list | tuple) or not all(isinstance(entry, str) for entry in lists[name]):
            raise _wrong_type(name, "a list of names", lists[name])
    drop = truthy(taken.get("drop_params"))
    if not drop and not any(lists.values()):
        return KEEP_ALL
    return Policy(drop, tuple(lists["additional_drop_params"]), tuple(lists["allowed_openai_params"]))


def _clocks(proxy: Proxy, overrides: Overrides, *, stream: bool) -> Timeouts:
    stream_timeout = overrides.stream_timeout if stream else None
    if overrides.timeout is None and stream_timeout is None:
        return proxy.stream_timeouts if stream else proxy.timeouts
    return _timeouts(overrides.timeout, stream_timeout)


def _timeouts(timeout: Any, stream_timeout: Any) -> Timeouts:
    try:
        return Timeouts.of(timeout, stream_timeout)
    except ValueError as error:
        raise RequestError(400, str(error), param="timeout") from None


def _retries(value: Any) -> int:
    try:
        retries = int(value)
    except (TypeError, ValueError):
        raise _wrong_type("num_retries", "a whole number", value) from None
    return max(0, min(MOST_RETRIES, retries))


def _fallbacks(
    proxy: Proxy, group: Group, model: str, body: dict[str, Any], call: Call, overrides: Overrides
) -> Fallbacks:
    """The server's fallbacks for this group, or the client's own. Made into calls only when they are needed."""
    general = overrides.fallbacks or proxy.fallbacks.get(model) or proxy.fallbacks.get(group.name)
    general = general or proxy.fallbacks.get("*") or proxy.default_fallbacks
    longer = proxy.context_window_fallbacks.get(model) or proxy.context_window_fallbacks.get(group.name) or ()
    if not general and not longer:
        return NO_FALLBACKS

    for entry in overrides.fallbacks:
        find(proxy, entry if isinstance(entry, str) else entry["model"])

    def plans(entries: Sequence[Any]) -> tuple[MakeCall, ...]:
        return tuple(partial(_fallback_call, proxy, entry, body, call) for entry in entries if entry != model)

    return Fallbacks(general=plans(general), context_window=plans(longer))


def _fallback_call(proxy: Proxy, entry: Any, body: dict[str, Any], call: Call) -> Call:
    changes: dict[str, Any] = {}
    if isinstance(entry, Mapping):
        changes = dict(entry)
        entry = changes.pop("model", call.model)
    group = find(proxy, entry)
    return msgspec.structs.replace(
        call, model=entry, body={**body, **changes}, choose=group.choose, fallbacks=NO_FALLBACKS
    )


def _missing(name: str, advice: str) -> RequestError:
    return RequestError(400, f"/chat/completions: Missing required parameter: '{name}'; {advice}", param=name)


def _wrong_type(name: str, wanted: str, got: Any) -> RequestError:
    kinds = {"str": "a string", "dict": "an object", "list": "a list", "NoneType": "null", "bool": "a boolean",
             "int": "a number", "float": "a number"}  # fmt: skip
    kind = kinds.get(type(got).__name__, type(got).__name__)
    return RequestError(400, f"{name} must be {wanted}, not {kind}", param=name if " " not in name else None)
