"""From a record to what callbacks are given: `kwargs`, and in it the StandardLoggingPayload.

Everything handed out is a copy: whatever a callback does with it, the caller's objects stay as they are.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import structs
from pydantic import BaseModel

from litellm._credentials import mask, masked
from litellm.exceptions import APIConnectionError
from litellm.hooks.redact import redact_answer
from litellm.net.url import redacted_url
from litellm.operations import of_name
from litellm.types.hooks import CallRecord, StandardLoggingPayload

EVENTS = {
    "input": "pre_api_call",
    "stream": "stream_api_call",
    "success": "successful_api_call",
    "failure": "failed_api_call",
    "success_fallback": "successful_fallback",
    "failure_fallback": "failed_fallback",
    "exhausted": "exhausted_model_group",
}
_INPUTS = ("messages", "input", "prompt")
_OF_THE_CALLER = ("user_api_key",)  # what begins so describes the gateway's client, and holds digests at most


class Payload:
    """What one call looks like to callbacks at one event, built when it is first asked for and then shared.

    event: one of EVENTS. chunk: with "stream", the chunk.
    """

    def __init__(self, record: CallRecord, event: str, chunk: Any = None) -> None:
        self.record = record
        self.event = event
        self.chunk = chunk
        self.model = record.target_model or record.model
        self.api_base = redacted_url(record.api_base) if record.api_base else ""  # people put passwords into URLs
        self.start = datetime.fromtimestamp(record.started)  # noqa: DTZ006 - local and naive, as LiteLLM's
        self.end = datetime.fromtimestamp(record.ended or record.started)  # noqa: DTZ006
        self._kwargs: dict[str, Any] | None = None
        self._response: Any = None

    @property
    def kwargs(self) -> dict[str, Any]:
        """Built once; give everyone a dict(kwargs) of their own."""
        if self._kwargs is None:
            self._kwargs = _kwargs(self)
        return self._kwargs

    @property
    def response(self) -> Any:
        """A copy of the answer, or of the chunk."""
        if self._response is None:
            self._response = copied(self.chunk if self.event == "stream" else self.record.response)
        return self._response

    def replace(self, kwargs: dict[str, Any], response: Any) -> None:
        """Tell observers these keyword arguments and this response from now on."""
        self._kwargs, self._response = kwargs, response

    def without_words(self, redacted: CallRecord) -> Payload:
        """The payload of the same event with a redacted record, and without the texts of the chunk."""
        return Payload(redacted, self.event, redact_answer(self.chunk))


def with_error(record: CallRecord, event: str) -> CallRecord:
    """`record` with an error after every failure."""
    if event == "failure":
        error = record.error or APIConnectionError(
            "the call was cancelled", record.provider, record.target_model or record.model, status_code=499
        )
        return structs.replace(record, error=error, response=None)
    return record


def call_type(record: CallRecord) -> str:
    """LiteLLM's name for the kind of call: "completion", "acompletion", "embedding" …"""
    return of_name(record.operation).call_type_of(is_async=record.is_async)


def copied(value: Any, known: dict[int, Any] | None = None) -> Any:
    """A deep copy of containers and of pydantic objects; whatever else is in them is shared.

    >>> lock = object()
    >>> copied({"a": [1, {"b": lock}]}) == {"a": [1, {"b": lock}]}
    True
    """
    known = {} if known is None else known
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, BaseModel):
        try:
            return value.model_copy(deep=True)
        except TypeError:  # it holds what cannot be copied, such as a lock or a span
            return value.model_copy()
    if isinstance(value, Mapping):
        made: dict[Any, Any] = {}
        known[id(value)] = made
        made.update((key, copied(inner, known)) for key, inner in value.items())
        return made
    if isinstance(value, list | tuple | set | frozenset):
        items: list[Any] = []
        known[id(value)] = items
        items += (copied(inner, known) for inner in value)
        return items if isinstance(value, list) else tuple(items)
    return value


def masked_copy(value: Any) -> Any:
    """A copy of what steered a call, in which whatever is, or looks like, a credential is masked.

    >>> masked_copy({"headers": {"Authorization": "Bearer x"}, "user_api_key_alias": "ada", "n": "see sk-abcdefghijklmnop"})
    {'headers': {'Authorization': '**********'}, 'user_api_key_alias': 'ada', 'n': 'see **********'}
    """
    return masked(value, _OF_THE_CALLER, copied)


def _kwargs(payload: Payload) -> dict[str, Any]:
    record, event = payload.record, payload.event
    body = copied(record.body)
    prompt = next((body[name] for name in _INPUTS if name in body), None)
    optional = masked_copy({name: value for name, value in record.body.items() if name not in _INPUTS})
    steering = {
        name: value for name, value in record.params.items() if name != "user_api_key_dict"
    }  # it is in metadata
    params, metadata = masked_copy(steering), masked_copy(record.metadata)
    if record.caller is not None:
        metadata = {**metadata, **about_caller(record.caller)}  # who it is, is not for the client to say
    metadata |= _deployment_metadata(payload)
    whole = payload.response if event == "success" else None
    kwargs = {
        "litellm_call_id": record.id,
        "litellm_trace_id": _trace_id(record),
        "call_type": call_type(record),
        "log_event_type": EVENTS[event],
        "model": payload.model,
        "messages": prompt,
        "input": prompt,
        "user": body.get("user"),
        "stream": record.stream,
        "optional_params": {**optional, "stream": True} if record.stream else optional,
        "litellm_params": {
            "proxy_server_request": None,
            **params,
            "metadata": metadata,
            "api_base": payload.api_base,
            "custom_llm_provider": record.provider,
            "litellm_call_id": record.id,
            "model_info": _model_info(record),
            "stream_response": {},
        },
        "custom_llm_provider": record.provider,
        "api_base": payload.api_base,
        "additional_args": {
            "complete_input_dict": {"model": payload.model, **optional, **_given(body)},
            "api_base": payload.api_base,
            "headers": {},
        },
        "start_time": payload.start,
        "end_time": payload.end,
        "api_call_start_time": payload.start,
        "completion_start_time": payload.end
        if record.first_chunk is None
        else datetime.fromtimestamp(record.first_chunk),  # noqa: DTZ006
        "response_cost": record.cost,
        "cache_hit": record.cache_hit,
        "original_response": None,
    }
    if event == "success":
        kwargs["original_response"] = whole.model_dump_json(warnings=False) if isinstance(whole, BaseModel) else whole
        if record.stream:
            kwargs["async_complete_streaming_response" if record.is_async else "complete_streaming_response"] = whole
    if event == "failure" and record.error is not None:  # elsewhere it is not yet known what the call comes to
        kwargs["exception"] = record.error
        kwargs["traceback_exception"] = _traceback(record.error)
    if event in ("success", "failure"):
        kwargs["standard_logging_object"] = _standard(payload, prompt, optional, params, metadata)
    return kwargs


def _deployment_metadata(payload: Payload) -> dict[str, Any]:
    """Which deployment of which group a call went to, as the Router's keys of metadata; before a choice, the group."""
    record = payload.record
    if not record.model_group:
        return {}
    group = {"model_group": record.model_group}
    if not record.deployment:
        return group
    info, base = _model_info(record), payload.api_base
    return {**group, "deployment": record.deployment, "model_info": info, "api_base": base}


def _model_info(record: CallRecord) -> dict[str, Any]:
    return {**masked_copy(record.model_info), "id": record.model_id}


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in _INPUTS if name in body}


def _standard(
    payload: Payload, prompt: Any, optional: dict[str, Any], params: dict[str, Any], metadata: dict[str, Any]
) -> StandardLoggingPayload:
    record, response = payload.record, payload.response
    usage = record.usage or {}
    return {
        "id": getattr(response, "id", None) or record.id,
        "trace_id": _trace_id(record),
        "call_type": call_type(record),
        "stream": record.stream,
        "cache_hit": record.cache_hit,
        "cache_key": None,
        "status": "success" if record.error is None and record.status == "success" else "failure",
        "custom_llm_provider": record.provider,
        "saved_cache_cost": 0.0,
        "startTime": record.started,
        "endTime": record.ended,
        "completionStartTime": record.ended if record.first_chunk is None else record.first_chunk,
        "response_time": max(0.0, record.ended - record.started),
        "model": payload.model,
        "metadata": metadata,
        "response_cost": record.cost,
        "total_tokens": usage.get("total_tokens") or 0,
        "prompt_tokens": usage.get("prompt_tokens") or 0,
        "completion_tokens": usage.get("completion_tokens") or 0,
        "request_tags": list(params.get("tags") or metadata.get("tags") or ()),
        "end_user": str(metadata.get("user_api_key_end_user_id") or record.body.get("user") or ""),
        "api_base": payload.api_base,
        "model_group": record.model_group or None,
        "model_id": record.model_id or None,
        "requester_ip_address": params.get("requester_ip_address") or metadata.get("requester_ip_address"),
        "messages": prompt,
        "response": response.model_dump(warnings=False) if isinstance(response, BaseModel) else response,
        "model_parameters": optional,
        "hidden_params": {
            "model_id": record.model_id or None,
            "cache_key": None,
            "api_base": payload.api_base or None,
            "response_cost": record.cost,
            "litellm_overhead_time_ms": None,
            "additional_headers": masked_copy(record.headers),
            "usage_object": copied(record.usage),
            "attempted_retries": record.retries,
            "attempted_fallbacks": record.fallbacks,
        },
        "guardrail_information": metadata.get("standard_logging_guardrail_information"),
        "error_str": None if record.error is None else mask(str(record.error)),
        "error_information": _error(record),
    }


def _trace_id(record: CallRecord) -> str:
    named = record.params.get("litellm_session_id") or record.params.get("litellm_trace_id")
    return str(named or record.id)


def _error(record: CallRecord) -> dict[str, Any]:
    error = record.error
    if error is None:
        return {}
    return {
        "error_code": str(getattr(error, "status_code", None) or ""),
        "error_class": type(error).__name__,
        "llm_provider": getattr(error, "llm_provider", None) or record.provider,
        "error_message": mask(str(error)),
        "traceback": _traceback(error),
    }


def _traceback(error: Exception) -> str:
    return mask("".join(traceback.format_exception(error)))


def about_caller(caller: Any) -> dict[str, Any]:
    """The gateway's client, as the documented keys of metadata."""
    names = {
        "user_api_key": "api_key",
        "user_api_key_hash": "api_key",
        "user_api_key_alias": "key_alias",
        "user_api_key_user_id": "user_id",
        "user_api_key_user_email": "user_email",
        "user_api_key_team_id": "team_id",
        "user_api_key_team_alias": "team_alias",
        "user_api_key_org_id": "org_id",
        "user_api_key_end_user_id": "end_user_id",
        "user_api_key_spend": "spend",
        "user_api_key_max_budget": "max_budget",
        "user_api_key_request_route": "request_route",
    }
    return {name: getattr(caller, field, None) for name, field in names.items()}
