"""What the body of a request to a model must hold."""

from __future__ import annotations

from typing import Any

from litellm.operations import Operation
from litellm.proxy.errors import RequestError
from litellm.wire.protocol import Body


def check(operation: Operation, body: Body) -> None:
    """Raise RequestError 400 for a body that lacks what its operation is about, or has it in another shape."""
    subject = operation.subject
    name = subject.name
    if name not in body:
        raise missing(operation, name, subject.advice)
    if not isinstance(body[name], subject.types):
        raise wrong_type(name, subject.words, body[name])
    for item in body[name] if subject.item else ():
        if type(item) is not dict:
            raise RequestError(400, subject.item, param=name)


def missing(operation: Operation, name: str, advice: str) -> RequestError:
    """A parameter that is not there."""
    return RequestError(400, f"{operation.path}: Missing required parameter: '{name}'; {advice}", param=name)


def wrong_type(name: str, wanted: str, got: Any) -> RequestError:
    """A parameter that is something else than it must be."""
    kinds = {"str": "a string", "dict": "an object", "list": "a list", "NoneType": "null", "bool": "a boolean",
             "int": "a number", "float": "a number"}  # fmt: skip
    kind = kinds.get(type(got).__name__, type(got).__name__)
    return RequestError(400, f"{name} must be {wanted}, not {kind}", param=name if " " not in name else None)
