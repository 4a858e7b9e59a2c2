"""Exceptions as HTTP: OpenAI's error object, and headers that say when to come back."""

from __future__ import annotations

import math
from collections.abc import Callable
from traceback import clear_frames
from typing import Any

from litellm import _json
from litellm._credentials import mask
from litellm._log import log
from litellm.engine.retry_policy import retry_after
from litellm.exceptions import LiteLLMError
from litellm.operations import Operation
from litellm.server.refusal import Headers, Refusal

MAX_CHAIN = 50  # of errors, each the reason of the one before it
_TYPES = {
    400: "invalid_request_error", 401: "auth_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
    405: "invalid_request_error", 408: "timeout_error", 413: "invalid_request_error", 422: "invalid_request_error",
    426: "invalid_request_error", 429: "throttling_error", 431: "invalid_request_error", 503: "service_unavailable",
}  # fmt: skip
# What to do about a refusal of the server's, which does not know the gateway's settings.
_ADVICE = {404: "; see docs/proxy.md", 413: "; send less, or raise general_settings.max_request_size_mb"}
_BUG = {
    "message": "Internal server error; the server's log has the details.", "type": "internal_server_error", "param": None
}  # fmt: skip


def _type_of(status: int) -> str:
    return _TYPES.get(status, "invalid_request_error" if 400 <= status < 500 else "internal_server_error")


class RequestError(Refusal):
    """What the proxy itself finds wrong with a request. `message` says what to do."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        kind: str | None = None,
        headers: Headers | None = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.param = param
        self.kind = kind or _type_of(status)


def missing(operation: Operation, name: str, advice: str) -> RequestError:
    """A parameter that is not there."""
    return RequestError(400, f"{operation.path}: Missing required parameter: '{name}'; {advice}", param=name)


def wrong_type(name: str, wanted: str, got: Any) -> RequestError:
    """A parameter that is something else than it must be."""
    kinds = {"str": "a string", "dict": "an object", "list": "a list", "NoneType": "null", "bool": "a boolean",
             "int": "a number", "float": "a number"}  # fmt: skip
    kind = kinds.get(type(got).__name__, type(got).__name__)
    return RequestError(400, f"{name} must be {wanted}, not {kind}", param=name if " " not in name else None)


def status_of(error: Exception) -> int:
    """The HTTP status that an exception becomes."""
    if isinstance(error, Refusal):
        return error.status
    status = error.status_code if isinstance(error, LiteLLMError) else None
    return status if isinstance(status, int) and 200 <= status <= 999 else 500  # handlers and hooks make errors too


def body_of(error: Exception) -> dict[str, Any]:
    """OpenAI's error object for an exception. Bugs of ours are logged and say nothing about our insides."""
    if isinstance(error, RequestError):
        error_object: dict[str, Any] = {"message": error.message, "type": error.kind, "param": error.param}
    elif isinstance(error, Refusal):
        message = error.message + _ADVICE.get(error.status, "")
        error_object = {"message": message, "type": _type_of(error.status), "param": None}
    elif isinstance(error, LiteLLMError):
        kind = error.type or _type_of(status_of(error))
        error_object = {"message": str(error), "type": kind, "param": error.param}
        if error.code is not None:
            error_object["provider_specific_fields"] = {"code": error.code}
    else:
        log.error("a bug: %s", mask(repr(error)), exc_info=error)
        error_object = dict(_BUG)
    error_object["code"] = str(status_of(error))
    return {"error": error_object}


def headers_of(error: Exception) -> Headers:
    """Headers that go with an error answer, besides its type and length."""
    if isinstance(error, Refusal):
        return error.headers
    if isinstance(error, LiteLLMError):
        seconds = retry_after(error.response_headers)
        if seconds is not None:
            return [(b"retry-after", str(max(1, math.ceil(seconds))).encode())]
    return []


Present = Callable[[int, dict[str, Any]], bytes]


def as_json(_: int, error: dict[str, Any]) -> bytes:
    """OpenAI's error object as OpenAI writes it."""
    return _json.encode(error)


def answer_of(error: Exception, present: Present = as_json) -> tuple[int, bytes, Headers]:
    """Status, body and headers of an error's answer, which is the last that is made of it. Never raises: an error that
    cannot be told, because it is a user's or an upstream said it oddly, is a bug that can. present: writes the body as
    the client wants it, of the status and of OpenAI's error object."""
    try:
        status = status_of(error)
        return status, present(status, body_of(error)), headers_of(error)
    except Exception:  # noqa: BLE001 - the client is to be answered
        log.exception("an error cannot be told: %s", type(error).__name__)
        return 500, present(500, {"error": {**_BUG, "code": "500"}}), []
    finally:
        _clear_frames(error)


def encoded(error: Exception, present: Present) -> bytes:
    """The body of an error's answer by itself: for a stream, or for one of several."""
    return answer_of(error, present)[1]


def _clear_frames(error: BaseException | None) -> None:
    """Empty the frames that an error came through. They hold the request, and often the error itself, and so would wait
    for the collector together. The traceback's lines stay, for callbacks."""
    for _ in range(MAX_CHAIN):
        if error is None:
            return
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
