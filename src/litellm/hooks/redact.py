"""Redacted records: nothing that is built of one can quote the call, for success, failure and stream alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from litellm._numbers import truthy
from litellm.exceptions import LiteLLMError
from litellm.types.hooks import CallRecord
from litellm.wire.texts import without_answers, without_texts

REDACTED = "redacted-by-litellm"

_SWITCH = "turn_off_message_logging"
_ON = frozenset({"x-litellm-enable-message-redaction", "litellm-enable-message-redaction"})
_OFF = frozenset({"x-litellm-disable-message-redaction", "litellm-disable-message-redaction"})


def opted_out(logger: object) -> bool:
    """Whether this logger never gets prompts and answers."""
    return (
        getattr(logger, "message_logging", True) is False or getattr(logger, "turn_off_message_logging", False) is True
    )


def redaction_wanted(record: CallRecord, default: bool) -> bool:
    """Whether this call is to be redacted for every logger: the call's own word, or else the setting's `default`."""
    for place in (record.params, record.metadata):
        if place.get(_SWITCH) is not None:
            return truthy(place[_SWITCH])
    headers = {str(name).lower(): value for name, value in _headers(record).items()}
    if any(truthy(headers.get(name)) for name in _ON):
        return True
    return default and not any(truthy(headers.get(name)) for name in _OFF)


def redact(record: CallRecord) -> CallRecord:
    """`record` with REDACTED in the place of prompts, answers and of errors' texts, which may quote them.

    >>> said = CallRecord(id="1", operation="chat", is_async=False, model="m", stream=False, metadata={}, params={},
    ...                   body={"messages": [{"role": "user", "content": "secret"}], "temperature": 0})
    >>> redact(said).body
    {'messages': [{'role': 'user', 'content': 'redacted-by-litellm'}], 'temperature': 0}
    """
    return replace(
        record,
        body=without_texts(record.body, REDACTED),
        params=_without_bodies(record.params),
        metadata=_without_bodies(record.metadata),
        response=redact_answer(record.response),
        error=None if record.error is None else _without_text(record.error),
    )


def redact_answer(answer: Any) -> Any:
    """A copy of an answer or a chunk without its texts."""
    if answer is None:
        return None
    fields = answer if isinstance(answer, Mapping) else answer.model_dump(exclude_unset=True, warnings=False)
    silent: dict[str, Any] = without_answers(fields, REDACTED)
    if isinstance(answer, Mapping):
        return silent
    read = getattr(type(answer), "read", type(answer).model_validate)
    return read(silent)


def _without_bodies(params: Mapping[str, Any]) -> dict[str, Any]:
    """The gateway's request is there once more, as the client sent it."""
    kept = dict(params)
    request = kept.get("proxy_server_request")
    if isinstance(request, Mapping) and isinstance(request.get("body"), Mapping):
        kept["proxy_server_request"] = {**request, "body": without_texts(request["body"], REDACTED)}
    return kept


def _without_text(error: Exception) -> Exception:
    """An error of the same kind without its text: of the nearest public class, for others are made in their own ways."""
    if not isinstance(error, LiteLLMError):
        return RuntimeError(f"{type(error).__name__}: {REDACTED}")
    ours = LiteLLMError.__module__
    kind = next(each for each in type(error).__mro__ if issubclass(each, LiteLLMError) and each.__module__ == ours)
    return kind(
        message=REDACTED,
        llm_provider=error.llm_provider,
        model=error.model,
        code=error.code,
        param=error.param,
        type=error.type,
        status_code=error.status_code,
        num_retries=error.num_retries,
        max_retries=error.max_retries,
    )


def _headers(record: CallRecord) -> Mapping[str, Any]:
    request = record.params.get("proxy_server_request")
    for place in (request, record.metadata, record.params):
        if isinstance(place, Mapping) and isinstance(place.get("headers"), Mapping):
            return place["headers"]  # type: ignore[no-any-return]
    return {}
