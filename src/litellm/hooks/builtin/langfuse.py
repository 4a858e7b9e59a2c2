"""The callback "langfuse": one generation per call, sent to Langfuse over its OpenTelemetry endpoint.

Langfuse's own client keeps one exporter per public key in the process, with the settings of whoever came first, and makes
itself the process's tracer provider. An application that traces with it too must not be disturbed, so we have an exporter
of our own, and take from the client what gives spans their meaning: the names of attributes and the form of trace ids.
"""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from litellm import _json
from litellm.hooks.logger import CustomLogger
from litellm.hooks.redact import REDACTED

CLOUD = "https://cloud.langfuse.com"
TRACES = "/api/public/otel/v1/traces"

# Words of `metadata` that have a place of their own in Langfuse; all others go to the generation's metadata.
_OURS = frozenset({
    "generation_name", "generation_id", "parent_observation_id", "version", "mask_input", "mask_output", "trace_id",
    "existing_trace_id", "trace_name", "trace_user_id", "trace_metadata", "trace_version", "trace_release", "session_id",
    "tags",
})  # fmt: skip


class LangfuseLogger(CustomLogger):
    """Tells Langfuse of calls that succeeded or failed.

    public_key, secret_key, host: by default LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY, and LANGFUSE_BASE_URL or
    LANGFUSE_HOST. Raises ImportError without the package langfuse, ValueError without keys.
    """

    def __init__(
        self, public_key: str | None = None, secret_key: str | None = None, host: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        public = public_key or os.environ.get("LANGFUSE_PUBLIC_KEY")
        secret = secret_key or os.environ.get("LANGFUSE_SECRET_KEY")
        if not public or not secret:
            raise ValueError("langfuse needs LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY in the environment")
        where = host or os.environ.get("LANGFUSE_BASE_URL") or os.environ.get("LANGFUSE_HOST") or CLOUD
        self._ids = _Ids()
        self._provider = _provider(self._ids, where.rstrip("/") + TRACES, public, secret)
        self._tracer = self._provider.get_tracer("litellm")

    def log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """A generation with the answer, its usage and its cost."""
        self._record(kwargs, _output(response_obj), start_time, end_time)

    def log_failure_event(
        self,
        kwargs: dict[str, Any],
        response_obj: Any,  # noqa: ARG002 - None after a failure
        start_time: datetime,
        end_time: datetime,
    ) -> None:
        """A generation of level ERROR, with the error's text."""
        self._record(kwargs, None, start_time, end_time)

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """The same: ending a span only queues it."""
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """The same."""
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    def flush(self, timeout: float = 5.0) -> bool:
        """Send what is queued, within `timeout` seconds."""
        return bool(self._provider.force_flush(max(1, int(timeout * 1000))))

    def _record(self, kwargs: dict[str, Any], output: Any, start: datetime, end: datetime) -> None:
        from opentelemetry import context

        steering, log = kwargs["litellm_params"], kwargs["standard_logging_object"]
        metadata = {"session_id": steering.get("litellm_session_id"), **steering["metadata"]}
        trace = metadata.get("existing_trace_id") or metadata.get("trace_id") or steering.get("litellm_trace_id")
        trace = trace or kwargs["litellm_call_id"]
        own = metadata.get("generation_id") or kwargs["litellm_call_id"]
        attributes = {**_trace(metadata, log), **_generation(metadata, kwargs, log, output)}
        with self._ids.next_are(trace_id(str(trace)), observation_id(str(own))):
            span = self._tracer.start_span(
                str(metadata.get("generation_name") or f"litellm-{log['call_type']}"),
                context=_parent(trace, metadata.get("parent_observation_id")) or context.Context(),
                attributes={name: value for name, value in attributes.items() if value is not None},
                start_time=_nanoseconds(start),
            )
        span.end(end_time=_nanoseconds(end))


def trace_id(name: str) -> str:
    """The 32 hexadecimal digits that Langfuse wants: `name` if it is that, or a UUID, and else a digest of it.

    It is the one that Langfuse's create_trace_id(seed=name) makes, so a trace can be found by the name that it was given.
    """
    plain = name.replace("-", "").lower()
    if len(plain) == 32 and _is_hex(plain) and int(plain, 16):
        return plain
    from langfuse import Langfuse

    return str(Langfuse.create_trace_id(seed=name))


def observation_id(name: str) -> str:
    """Likewise 16 digits for an observation.

    >>> observation_id("00f067aa0ba902b7"), observation_id("openai-client-gen-id22")
    ('00f067aa0ba902b7', '6a6f284f4da963d5')
    """
    if len(name) == 16 and _is_hex(name) and int(name, 16):
        return name.lower()
    return sha256(name.encode()).hexdigest()[:16]


def _is_hex(text: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in text)


def _trace(metadata: Mapping[str, Any], log: Mapping[str, Any]) -> dict[str, Any]:
    from langfuse import LangfuseOtelSpanAttributes as Name

    if metadata.get("existing_trace_id"):  # it has its name, user and session: they are not written over
        return {}
    return {
        Name.TRACE_NAME: metadata.get("trace_name"),
        Name.TRACE_USER_ID: _text(metadata.get("trace_user_id") or log["end_user"] or None),
        Name.TRACE_SESSION_ID: _text(metadata.get("session_id")),
        Name.TRACE_TAGS: [str(tag) for tag in log["request_tags"]] or None,
        Name.RELEASE: _text(metadata.get("trace_release") or os.environ.get("LANGFUSE_RELEASE")),
        Name.ENVIRONMENT: os.environ.get("LANGFUSE_TRACING_ENVIRONMENT"),
        **_flat(Name.TRACE_METADATA, metadata.get("trace_metadata") or {}),
    }


def _generation(
    metadata: Mapping[str, Any], kwargs: Mapping[str, Any], log: Mapping[str, Any], output: Any
) -> dict[str, Any]:
    from langfuse import LangfuseOtelSpanAttributes as Name

    failed = log["status"] == "failure"
    streamed = log["stream"] and log["completionStartTime"]
    first = kwargs["completion_start_time"].astimezone().isoformat() if streamed else None
    given = {name: metadata[name] for name in ("trace_id", "existing_trace_id", "generation_id") if name in metadata}
    rest = {name: value for name, value in metadata.items() if name not in _OURS}
    call_metadata = {
        **rest, **given, "litellm_call_id": kwargs["litellm_call_id"], "provider": log["custom_llm_provider"],
        "model_group": log["model_group"], "model_id": log["model_id"], "cache_hit": log["cache_hit"],
    }  # fmt: skip
    cost = kwargs["response_cost"]
    return {
        Name.OBSERVATION_TYPE: "embedding" if "embedding" in log["call_type"] else "generation",
        Name.OBSERVATION_MODEL: log["model"],
        Name.OBSERVATION_MODEL_PARAMETERS: _text(log["model_parameters"]),
        Name.OBSERVATION_INPUT: REDACTED if metadata.get("mask_input") else _text(_input(kwargs)),
        Name.OBSERVATION_OUTPUT: REDACTED if metadata.get("mask_output") else _text(output),
        Name.OBSERVATION_USAGE_DETAILS: None if failed else _text(_usage(log)),
        Name.OBSERVATION_COST_DETAILS: None if cost is None else _text({"total": cost}),
        Name.OBSERVATION_COMPLETION_START_TIME: first,
        Name.OBSERVATION_LEVEL: "ERROR" if failed else "DEFAULT",
        Name.OBSERVATION_STATUS_MESSAGE: log["error_str"],
        Name.VERSION: _text(metadata.get("version") or metadata.get("trace_version")),
        **_flat(Name.OBSERVATION_METADATA, call_metadata),
    }  # fmt: skip


def _input(kwargs: Mapping[str, Any]) -> Any:
    tools = kwargs["optional_params"].get("tools")
    return {"messages": kwargs["messages"], "tools": tools} if tools else kwargs["messages"]


def _output(response: Any) -> Any:
    choices = getattr(response, "choices", None)
    if choices:
        message = getattr(choices[0], "message", None)
        return (
            getattr(choices[0], "text", None)
            if message is None
            else message.model_dump(exclude_none=True, warnings=False)
        )
    return None if getattr(response, "data", None) else response  # vectors are nothing to read


def _usage(log: Mapping[str, Any]) -> dict[str, int]:
    counted = {"input": log["prompt_tokens"], "output": log["completion_tokens"], "total": log["total_tokens"]}
    usage = log["hidden_params"]["usage_object"] or {}
    for name, kind in (("prompt_tokens_details", "input"), ("completion_tokens_details", "output")):
        details = usage.get(name)
        counted |= {f"{kind}_{key}": value for key, value in dict(details or {}).items() if isinstance(value, int)}
    return counted


def _flat(prefix: str, values: Any) -> dict[str, Any]:
    """Metadata, one attribute per key: that is how Langfuse can filter by it."""
    if not isinstance(values, Mapping):
        return {prefix: _text(values)}
    return {f"{prefix}.{name}": _text(value) for name, value in values.items()}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    try:
        return _json.encode(value).decode()
    except _json.UNWRITABLE:  # metadata may hold anything
        return str(value)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000_000)


def _parent(trace: Any, parent: Any) -> Any:
    if not parent:
        return None
    from opentelemetry import trace as otel

    flags = otel.TraceFlags(otel.TraceFlags.SAMPLED)
    ids = int(trace_id(str(trace)), 16), int(observation_id(str(parent)), 16)
    return otel.set_span_in_context(otel.NonRecordingSpan(otel.SpanContext(*ids, is_remote=True, trace_flags=flags)))


class _Ids(threading.local):
    """OpenTelemetry asks for the ids of a span that it makes; here we say which ones they are to be."""

    trace, span = 0, 0

    def next_are(self, trace: str, span: str) -> _Ids:
        self.trace, self.span = int(trace, 16), int(span, 16)
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self.trace, self.span = 0, 0

    def is_trace_id_random(self) -> bool:
        return False

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


def _provider(ids: _Ids, endpoint: str, public_key: str, secret_key: str) -> Any:
    try:
        import langfuse  # noqa: F401 - its names are needed later
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON
    except ImportError as error:
        raise ImportError(
            f"the callback langfuse needs the package langfuse: pip install 'litellm[langfuse]' ({error})"
        ) from error
    pair = base64.b64encode(f"{public_key}:{secret_key}".encode()).decode()
    exporter = OTLPSpanExporter(
        endpoint=endpoint, headers={"Authorization": f"Basic {pair}", "x-langfuse-ingestion-version": "4"}, timeout=5
    )
    # Not shut down by OpenTelemetry at exit but flushed by our dispatcher, which still has something to tell then.
    provider = TracerProvider(
        id_generator=ids,  # type: ignore[arg-type]  # its base class is not there until langfuse is
        sampler=ALWAYS_ON,
        resource=Resource.create({"service.name": "litellm"}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
