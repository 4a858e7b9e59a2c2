"""`response_format` given as a pydantic class."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, TypeAdapter

from litellm.exceptions import BadRequestError


def as_json_schema(cls: type) -> dict[str, Any]:
    """The json_schema block that asks for exactly this class, in the strict form that OpenAI wants:
    every property required, none additional. Source: https://platform.openai.com/docs/guides/structured-outputs.

    >>> class Answer(BaseModel):
    ...     text: str
    >>> as_json_schema(Answer)["json_schema"]["schema"]["required"]
    ['text']
    """
    try:
        schema = cls.model_json_schema() if issubclass(cls, BaseModel) else TypeAdapter(cls).json_schema()
    except Exception as error:
        raise BadRequestError(
            f"response_format must be a dict or a pydantic class; {cls.__name__} is neither ({error})",
            param="response_format",
        ) from error
    return {"type": "json_schema", "json_schema": {"name": cls.__name__, "schema": _strict(schema), "strict": True}}


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:  # strict mode allows nothing beside a reference
        return {"$ref": schema["$ref"]}
    result: dict[str, Any] = {}
    for name, value in schema.items():
        if name in ("properties", "$defs", "definitions") and isinstance(value, dict):
            result[name] = {key: _strict(item) for key, item in value.items()}  # keys are names here, not keywords
        elif name != "default":
            result[name] = _strict(value)
    if result.get("type") == "object":
        result["additionalProperties"] = False
        result["required"] = list(result.get("properties", {}))
    return result
