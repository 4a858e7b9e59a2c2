"""What can be asked of a model over HTTP: under which path, and what its body must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm.proxy.errors import RequestError
from litellm.wire.protocol import PATHS, Body, Operation

STREAMED: frozenset[Operation] = frozenset({"chat", "text"})
NAMELESS: frozenset[Operation] = frozenset({"moderations"})  # upstreams have a model of their own choice for these

# Under these, the model's name stands in the path, before the operation's own.
_HOLDERS = ("/engines/", "/v1/engines/", "/openai/deployments/")


def in_path(path: str) -> tuple[Operation, str] | None:
    """The operation and the model that a path names, or None if it does not name a model.

    >>> in_path("/engines/org/model/completions")
    ('text', 'org/model')
    """
    if not path.startswith(_HOLDERS):
        return None
    holder = next(holder for holder in _HOLDERS if path.startswith(holder))
    rest = path.removeprefix(holder)
    for operation, end in PATHS.items():
        model = rest.removesuffix(end)
        if model and model != rest:
            return operation, model
    return None


def check(operation: Operation, body: Body) -> None:
    """Raise RequestError 400 for a body that lacks what its operation is about, or has it in another shape."""
    name, kinds, wanted, advice = _SUBJECT[operation]
    if name not in body:
        raise missing(operation, name, advice)
    if not isinstance(body[name], kinds):
        raise wrong_type(name, wanted, body[name])
    for message in body[name] if operation == "chat" else ():
        if type(message) is not dict:
            raise RequestError(400, "every message must be an object with role and content", param=name)


# What an operation is about: its name, the types that it may have, these in words, and what to do about its absence.
_SUBJECT: Mapping[Operation, tuple[str, type | tuple[type, ...], str, str]] = {
    "chat": ("messages", list, "a list of messages", "send the conversation as a list of messages"),
    "text": ("prompt", (str, list), "text, tokens, or a list of these", "send the text to be continued"),
    "embeddings": ("input", (str, list), "text, tokens, or a list of these", "send the text to be embedded, or a list"),
    "moderations": ("input", (str, list), "text or a list", "send the text to be looked at, or a list"),
}


def missing(operation: Operation, name: str, advice: str) -> RequestError:
    """A parameter that is not there."""
    return RequestError(400, f"{PATHS[operation]}: Missing required parameter: '{name}'; {advice}", param=name)


def wrong_type(name: str, wanted: str, got: Any) -> RequestError:
    """A parameter that is something else than it must be."""
    kinds = {"str": "a string", "dict": "an object", "list": "a list", "NoneType": "null", "bool": "a boolean",
             "int": "a number", "float": "a number"}  # fmt: skip
    kind = kinds.get(type(got).__name__, type(got).__name__)
    return RequestError(400, f"{name} must be {wanted}, not {kind}", param=name if " " not in name else None)
