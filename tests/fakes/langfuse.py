"""Langfuse's ingestion: POST /api/public/otel/v1/traces takes OpenTelemetry spans as protobuf.

with Langfuse() as langfuse:
    ...                                   # LANGFUSE_HOST is langfuse.url
    observation = langfuse.wait_for(lambda: langfuse.observations)[0]
"""

import gzip
import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from . import http1
from .server import Connection, Server

PATH = "/api/public/otel/v1/traces"


@dataclass(frozen=True)
class Observation:
    """One span, as Langfuse understands it."""

    trace_id: str
    id: str
    parent_id: str | None
    name: str
    start: float  # seconds since 1970
    end: float
    attributes: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        """An attribute; "model.name" is short for "langfuse.observation.model.name". None if it is not there."""
        return self.attributes.get(f"langfuse.observation.{name}", self.attributes.get(name))

    def json(self, name: str) -> Any:
        return json.loads(self[name])


class Langfuse(Server):
    def __init__(self, public_key: str = "pk-lf-test", secret_key: str = "sk-lf-test", *, port: int = 0) -> None:
        super().__init__(port=port)
        self.connection_class = _LangfuseConnection
        self.authorization = "Basic " + b64encode(f"{public_key}:{secret_key}".encode()).decode()
        self.requests: list[http1.Request] = []
        self.observations: list[Observation] = []

    def take(self, request: http1.Request) -> int:
        self.requests.append(request)
        if request.headers.get("authorization") != self.authorization:
            return 401
        if (request.method, request.target) != ("POST", PATH):
            return 404
        body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
        self.observations += decode(body)
        return 200


class _LangfuseConnection(Connection):
    server: Langfuse

    def data_received(self, data: bytes) -> None:
        for request in self.read_requests(data):
            status = self.server.take(request)
            self.transport.write(
                http1.response_head(status, {"content-length": "0", "content-type": "application/x-protobuf"})
            )


def decode(body: bytes) -> list[Observation]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    return [
        Observation(
            trace_id=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex() or None,
            name=span.name,
            start=span.start_time_unix_nano / 1e9,
            end=span.end_time_unix_nano / 1e9,
            attributes={pair.key: _plain(pair.value) for pair in span.attributes},
        )
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    return getattr(value, kind)
