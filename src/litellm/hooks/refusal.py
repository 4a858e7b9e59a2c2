"""Refusals by code of the user's: which of its exceptions are meant as such, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from litellm import _json
from litellm.exceptions import LiteLLMError, of_status
from litellm.net.steps import Flow

T = TypeVar("T")


class Refusal(NamedTuple):
    """status: 400 to 599. headers: as they were given, such as Retry-After."""

    status: int
    words: str
    kind: str | None
    param: str | None
    headers: Mapping[Any, Any]


def refusal_of(error: Exception) -> Refusal | None:
    """What `error` says, if it says with which status to refuse.

    fastapi's HTTPException and what is like a ProxyException are known by their attributes: fastapi need not be installed.

    >>> class HTTPException(Exception):
    ...     status_code, detail, headers = 403, {"error": "not today"}, None
    >>> refusal_of(HTTPException()).words, refusal_of(KeyError("a bug"))
    ('not today', None)
    """
    if hasattr(error, "status_code") and hasattr(error, "detail"):
        status, detail, kind, param = error.status_code, error.detail, None, None
    elif all(hasattr(error, name) for name in ("code", "message", "type", "param")):
        status, detail = error.code, error.message  # type: ignore[attr-defined]
        kind, param = _text(error.type), _text(error.param)  # type: ignore[attr-defined]
    else:
        return None
    if not str(status).isdecimal() or not 400 <= int(status) < 600:
        return None
    return Refusal(int(status), _words(detail), kind, param, getattr(error, "headers", None) or {})


def refusing(flow: Flow[T]) -> Flow[T]:
    """`flow`, in which user code is asked: what that raises to refuse is raised as LiteLLM's error of its status."""
    try:
        return (yield from flow)
    except LiteLLMError:
        raise
    except Exception as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        headers = {str(name).lower(): str(value) for name, value in refusal.headers.items()}
        raise of_status(refusal.status, refusal.words, "", "", response_headers=headers) from error


def _words(detail: Any) -> str:
    """A detail in words. Those of {"error": "words"} alone are enough."""
    if isinstance(detail, Mapping) and len(detail) == 1:
        detail = next(iter(detail.values()))
    try:
        return detail if isinstance(detail, str) else _json.encode(detail).decode()
    except _json.UNWRITABLE:  # it holds what JSON has no form for
        return str(detail)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in ("", "None") else None  # "None" is LiteLLM's None
