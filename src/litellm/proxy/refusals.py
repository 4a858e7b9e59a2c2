"""What code of the administrator's (hooks, custom_auth) raises, as an answer to the client."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from litellm import _json
from litellm._log import mask
from litellm.exceptions import LiteLLMError
from litellm.proxy.errors import RequestError
from litellm.proxy.http import Headers

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")  # RFC 9110, 5.6.2
_OURS = frozenset({"connection", "content-encoding", "content-length", "content-type", "transfer-encoding"})


def as_answer(error: Exception) -> Exception:
    """`error`, as a RequestError if it says with which status (400 to 599) to refuse; any other as it is.

    fastapi's HTTPException and what is like a ProxyException are known by their attributes: fastapi need not be installed.

    >>> class HTTPException(Exception):
    ...     status_code, detail, headers = 403, {"error": "not today"}, None
    >>> as_answer(HTTPException())
    RequestError('not today')
    """
    if isinstance(error, RequestError | LiteLLMError):
        return error
    if hasattr(error, "status_code") and hasattr(error, "detail"):
        status, said, kind, param = error.status_code, error.detail, None, None
    elif all(hasattr(error, name) for name in ("code", "message", "type", "param")):
        status, said = error.code, error.message  # type: ignore[attr-defined]
        kind, param = _text(error.type), _text(error.param)  # type: ignore[attr-defined]
    else:
        return error
    if not str(status).isdecimal() or not 400 <= int(status) < 600:
        return error
    return RequestError(
        int(status),
        mask(_words(said)),
        kind=kind,
        param=param,
        headers=header_lines(getattr(error, "headers", None) or {}),
    )


def _words(detail: Any) -> str:
    """A detail in words. Those of {"error": "words"} alone are enough."""
    if isinstance(detail, Mapping) and len(detail) == 1:
        detail = next(iter(detail.values()))
    try:
        return detail if isinstance(detail, str) else _json.encode(detail).decode()
    except (TypeError, ValueError):  # it holds what JSON has no form for
        return str(detail)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value not in ("", "None") else None  # "None" is LiteLLM's None


def header_lines(headers: Mapping[Any, Any]) -> Headers:
    """Headers that code of the administrator's gave, such as Retry-After: without what is no header, or is ours to say.

    >>> header_lines({"Retry-After": 7, "x-two": "lines\\r\\nin one", "a b": "", "Content-Length": "0"})
    [(b'retry-after', b'7'), (b'x-two', b'lines in one')]
    """
    names = {str(name).lower(): value for name, value in headers.items()}
    return [
        (name.encode(), " ".join(str(value).split()).encode("latin-1", "replace"))
        for name, value in names.items()
        if _NAME.fullmatch(name) and name not in _OURS
    ]
