"""What clients may override for their own calls: read out of the body and the headers, checked, as a type of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from litellm._numbers import truthy
from litellm.net.messages import Timeouts
from litellm.providers.policy import KEEP_ALL, Policy
from litellm.proxy.calls.client_credentials import (
    CONFIGURABLE,
    CREDENTIAL_FIELDS,
    NO_CREDENTIALS,
    ClientCredentials,
    not_allowed,
    read_credentials,
)
from litellm.proxy.errors import RequestError, wrong_type
from litellm.router.fallbacks import FALLBACKS, parse_request_fallbacks, targets_in
from litellm.router.regions import Region, parse_region
from litellm.types.params import FOREIGN, OWNED

MOST_FIELDS = 1000  # of a body; each call copies them, more than once
MAX_RETRIES = 10  # that a client may ask for
MAX_NAMED_FALLBACKS = 10
MAX_NAMES = 100  # in each of its lists of parameters, dropped or allowed
MAX_NAME_LENGTH = 256  # characters; a path in a list of them may be as deep as this is long
MAX_TIMEOUT = 6000  # seconds

# What a client may say to steer its own call. It is taken out of the body: no upstream sees it.
STEERING = frozenset({
    "metadata", "litellm_metadata", "tags", "timeout", "stream_timeout", "num_retries", "max_retries", *FALLBACKS,
    "disable_fallbacks", "additional_drop_params", "allowed_openai_params", "drop_params", "cache", "caching", "no-log",
    "litellm_call_id", "litellm_session_id", "litellm_trace_id", "enable_json_schema_validation", "guardrails",
    "retry_policy", "retry_strategy", "extra_body", "fastest_response", "allowed_model_region", "turn_off_message_logging",
})  # fmt: skip
_CONTROL = OWNED | STEERING | CREDENTIAL_FIELDS | {CONFIGURABLE}
# What of it callbacks get.
FOR_CALLBACKS = frozenset({"no-log", "tags", "litellm_session_id", "litellm_trace_id", "turn_off_message_logging"})
_TAGS = b"x-litellm-tags"
_IDS = {b"x-litellm-session-id": "litellm_session_id", b"x-litellm-trace-id": "litellm_trace_id"}
_STEERING_HEADERS = (b"x-litellm-timeout", b"x-litellm-stream-timeout", b"x-litellm-num-retries", _TAGS, *_IDS)


class Overrides(msgspec.Struct, frozen=True):
    """What a client said to steer its call, checked. It cannot hold a server setting; credentials and addresses stand
    apart, in `credentials`."""

    timeout: Any = None
    stream_timeout: Any = None
    policy: Policy = KEEP_ALL
    retries: int | None = None
    fallbacks: Sequence[Any] | None = None
    context_window_fallbacks: Sequence[Any] | None = None
    content_policy_fallbacks: Sequence[Any] | None = None
    disable_fallbacks: bool = False
    metadata: Mapping[str, Any] = {}
    for_callbacks: Mapping[str, Any] = {}
    fastest: bool = False
    region: Region | None = None
    credentials: ClientCredentials = NO_CREDENTIALS


NO_OVERRIDES = Overrides()


def read_overrides(body: dict[str, Any], headers: Mapping[bytes, bytes]) -> Overrides:
    """What the client says about its call, taken out of `body`, where only what is for the upstream stays.

    Raises RequestError 400 for what a client may not say, and for a value that makes no sense.
    """
    if "extra_body" in body:
        _merge(body, _object("extra_body", body.pop("extra_body") or {}))
    if len(body) > MOST_FIELDS:
        raise RequestError(
            400, f"a request may have at most {MOST_FIELDS} fields, not {len(body)}", param="request_body"
        )
    ours = [name for name in body if _is_ours(name)]
    if not ours and headers.keys().isdisjoint(_STEERING_HEADERS):
        return NO_OVERRIDES
    for name in ours:
        if name not in STEERING and name not in CREDENTIAL_FIELDS:
            raise not_allowed(name)
    taken = {name: body.pop(name) for name in ours}
    timeout = taken.get("timeout", _number(headers, b"x-litellm-timeout"))
    stream_timeout = taken.get("stream_timeout", _number(headers, b"x-litellm-stream-timeout"))
    retries = taken.get("num_retries", taken.get("max_retries", _number(headers, b"x-litellm-num-retries")))
    timeouts_of(timeout, stream_timeout)
    for_callbacks = {name: taken[name] for name in ours if name in FOR_CALLBACKS}
    for header in _IDS.keys() & headers.keys():
        for_callbacks.setdefault(_IDS[header], headers[header].decode("latin-1"))
    if _TAGS in headers:
        for_callbacks.setdefault("tags", _listed(headers[_TAGS]))
    return Overrides(
        timeout=timeout,
        stream_timeout=stream_timeout,
        policy=_policy(taken),
        retries=None if retries is None else _retries(retries),
        **{name: _fallbacks(name, taken.get(name)) for name in FALLBACKS},
        disable_fallbacks=truthy(taken.get("disable_fallbacks")),
        metadata=without_reserved_names(
            _object("metadata", taken.get("metadata") or taken.get("litellm_metadata") or {})
        ),
        for_callbacks=for_callbacks,
        fastest=truthy(taken.get("fastest_response")),
        region=_region(taken.get("allowed_model_region")),
        credentials=read_credentials(taken),
    )


def _merge(body: dict[str, Any], extra: dict[str, Any]) -> None:
    """Put the words of `extra_body` where openai's client would have put them. A model in it does not count."""
    body |= {name: value for name, value in extra.items() if name != "model"}


def without_reserved_names(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """`metadata` without the names under which callbacks and hooks find who calls: those are the gateway's to fill."""
    return {name: value for name, value in metadata.items() if not name.startswith("user_api_key")}


def _is_ours(name: str) -> bool:
    """Whether a word is for us: to be taken out of the body, or to be refused."""
    return name in _CONTROL or name.startswith(FOREIGN)


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong_type(name, "an object", value)
    return value


def timeouts_of(timeout: Any, stream_timeout: Any) -> Timeouts:
    """The clocks that a client asks for. Raises RequestError 400 for what is no time, or too long."""
    try:
        timeouts = Timeouts.of(timeout, stream_timeout)
    except ValueError as error:
        raise RequestError(400, str(error), param="timeout") from None
    for name, seconds in (("timeout", timeouts.total), ("stream_timeout", timeouts.first_byte)):
        if seconds > MAX_TIMEOUT:
            raise RequestError(400, f"{name} may be at most {MAX_TIMEOUT} seconds in a request", param=name)
    return timeouts


def _fallbacks(name: str, value: Any) -> Sequence[Any] | None:
    """A client's fallbacks, of which each may only change parameters that it could also send itself."""
    try:
        entries = parse_request_fallbacks(name, value)
    except ValueError as error:
        raise RequestError(400, str(error), param=name) from None
    targets = list(targets_in(entries or ()))
    if len(targets) > MAX_NAMED_FALLBACKS:
        raise RequestError(400, f"{name} may hold at most {MAX_NAMED_FALLBACKS} models", param=name)
    for target in targets:
        if isinstance(target, str):
            continue
        if not isinstance(target.get("model"), str):
            raise RequestError(400, f"a map in {name} needs a model, which is a text", param=name)
        for word in target:
            if word == "stream" or _is_ours(word):
                raise RequestError(400, f"{word} is not allowed in the {name} of a request", param=name)
    return entries


def _region(value: Any) -> Region | None:
    try:
        return parse_region(value)
    except ValueError as error:
        raise RequestError(400, str(error), param="allowed_model_region") from None


def _number(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def _listed(value: bytes) -> list[str]:
    return [tag for each in value.decode("latin-1").split(",") if (tag := each.strip())]


def _policy(taken: Mapping[str, Any]) -> Policy:
    """What the client says about parameters. It may drop and allow; the deployment's own policy holds besides."""
    dropped, allowed = _names("additional_drop_params", taken), _names("allowed_openai_params", taken)
    drop = truthy(taken.get("drop_params"))
    return Policy(drop, dropped, allowed) if drop or dropped or allowed else KEEP_ALL


def _names(name: str, taken: Mapping[str, Any]) -> tuple[str, ...]:
    """A list of parameters' names or paths: as long as people write, since each is looked for in the whole body."""
    names = taken.get(name) or ()
    if not isinstance(names, list | tuple) or not all(isinstance(entry, str) for entry in names):
        raise wrong_type(name, "a list of names", names)
    if len(names) > MAX_NAMES:
        raise RequestError(400, f"{name} may hold at most {MAX_NAMES} names", param=name)
    if any(len(entry) > MAX_NAME_LENGTH for entry in names):
        raise RequestError(400, f"a name in {name} may have at most {MAX_NAME_LENGTH} characters", param=name)
    return tuple(names)


def _retries(value: Any) -> int:
    try:
        retries = int(value)
    except (TypeError, ValueError):
        raise wrong_type("num_retries", "a whole number", value) from None
    return max(0, min(MAX_RETRIES, retries))
