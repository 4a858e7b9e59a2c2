"""What code of the administrator's (hooks, custom_auth) raises, as an answer to the client."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from litellm._credentials import mask
from litellm.exceptions import LiteLLMError
from litellm.hooks.refusal import refusal_of
from litellm.net.request_head import TOKEN
from litellm.proxy.errors import RequestError
from litellm.server.refusal import Headers

_NAME = re.compile(f"{TOKEN}+")
_OURS = frozenset({"connection", "content-encoding", "content-length", "content-type", "transfer-encoding"})


def as_answer(error: Exception) -> Exception:
    """`error`, as a RequestError if it says with which status (400 to 599) to refuse; any other as it is.

    >>> class HTTPException(Exception):
    ...     status_code, detail, headers = 403, {"error": "not today"}, None
    >>> as_answer(HTTPException())
    RequestError('not today')
    """
    if isinstance(error, RequestError | LiteLLMError):
        return error
    refusal = refusal_of(error)
    if refusal is None:
        return error
    headers = hook_headers(refusal.headers)
    return RequestError(refusal.status, mask(refusal.words), kind=refusal.kind, param=refusal.param, headers=headers)


def hook_headers(headers: Mapping[Any, Any]) -> Headers:
    """Headers that code of the administrator's gave, such as Retry-After: without what is no header, or is ours to say.

    >>> hook_headers({"Retry-After": 7, "x-two": "lines\\r\\nin one", "a b": "", "Content-Length": "0"})
    [(b'retry-after', b'7'), (b'x-two', b'lines in one')]
    """
    names = {str(name).lower(): value for name, value in headers.items()}
    return [
        (name.encode(), " ".join(str(value).split()).encode("latin-1", "replace"))
        for name, value in names.items()
        if _NAME.fullmatch(name) and name not in _OURS
    ]
