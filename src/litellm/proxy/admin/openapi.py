"""What the gateway serves, as OpenAPI: the cold routes by FastAPI, the hot ones out of the table of operations."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from litellm.operations import OPERATIONS, Operation, load

_SCHEMAS = "#/components/schemas/"
_JSON_TYPES: dict[type, str] = {str: "string", list: "array", dict: "object"}
_MODE: JsonSchemaMode = "serialization"
_SECURITY = {"key": {"type": "http", "scheme": "bearer", "description": "A key of this gateway"}}
_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {name: {"type": ["string", "null"]} for name in ("message", "type", "param", "code")},
        }
    },
}
_MODEL = {
    "type": "object",
    "properties": {
        "id": {"type": "string"}, "object": {"const": "model"}, "created": {"type": "integer"},
        "owned_by": {"type": "string"},
    },
}  # fmt: skip
_MODELS = {"type": "object", "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": _MODEL}}}


def described(app: FastAPI) -> dict[str, Any]:
    """The document for `app`, and for what is served beside it."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    classes = [load(address) for row in OPERATIONS for address in (row.answer, row.chunk) if address]
    _, definitions = models_json_schema([(cls, _MODE) for cls in classes], ref_template=_SCHEMAS + "{model}")
    hot = {f"/v1{row.path}": {row.method.lower(): _route_of(row)} for row in OPERATIONS}
    document["paths"] = hot | _listed() | document["paths"]
    components = document.setdefault("components", {})
    components["schemas"] = definitions.get("$defs", {}) | components.get("schemas", {})
    components["securitySchemes"] = _SECURITY
    document["security"] = [{name: []} for name in _SECURITY]
    return document


def _route_of(row: Operation) -> dict[str, Any]:
    """The route that asks a model for an operation."""
    content = {"application/json": {"schema": _reference(load(row.answer))}}
    if row.chunk:
        content["text/event-stream"] = {"schema": _reference(load(row.chunk))}
    return {
        "operationId": row.call_type,
        "summary": row.label.capitalize(),
        "tags": ["models"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _body(row)}}},
        "responses": {"200": {"description": "The answer", "content": content}, "default": _failed()},
    }


def _body(row: Operation) -> dict[str, Any]:
    """What is sent: all that OpenAI knows goes, so only what has to be there, or is ours to act on, is spelled out."""
    subject = row.subject
    types = subject.types if isinstance(subject.types, tuple) else (subject.types,)
    model = {"type": "string", "description": "a name of GET /v1/models"}
    properties: dict[str, Any] = {"model": model, subject.name: {"anyOf": [_schema(kind) for kind in types]}}
    properties[subject.name]["description"] = subject.words
    if row.streams:
        properties["stream"] = {"type": "boolean", "default": False}
    required = [subject.name] if row.model_optional else ["model", subject.name]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": True}


def _schema(kind: type) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _JSON_TYPES[kind]}
    return schema | {"items": {}} if kind is list else schema


def _reference(cls: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": _SCHEMAS + cls.__name__}


def _listed() -> dict[str, Any]:
    """The routes that list models."""
    place = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/v1/models": {"get": _read("The models that your key may use", _MODELS)},
        "/v1/models/{model}": {"get": _read("One of them", _MODEL) | {"parameters": [place]}},
    }


def _read(summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    responses = {"200": {"description": summary, "content": content}, "default": _failed()}
    return {"summary": summary, "tags": ["models"], "responses": responses}


def _failed() -> dict[str, Any]:
    return {"description": "An error in OpenAI's shape", "content": {"application/json": {"schema": _ERROR}}}
