"""Errors as answers: the telling itself cannot fail."""

from __future__ import annotations

import json

import pytest

from litellm.exceptions import RateLimitError
from litellm.proxy import errors
from litellm.proxy.errors import RequestError


class Untellable(Exception):  # noqa: N818 - a user's own
    """Something of a user's that breaks as soon as one looks at it."""

    def __repr__(self) -> str:
        raise RuntimeError("canary of the repr")


def test_what_is_told() -> None:
    """Status, body and headers of an error."""
    limited = RateLimitError("slow down", "openai", "m", response_headers={"retry-after": "2"})
    status, body, headers = errors.answer_of(limited)
    assert (status, headers) == (429, [(b"retry-after", b"2")])
    assert json.loads(body)["error"]["code"] == "429"


@pytest.mark.parametrize(
    "error",
    [Untellable(), RequestError(418, object()), RateLimitError("x", "p", "m", param=object())],  # type: ignore[arg-type]
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_told(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """G3: an error that cannot be told is a 500 that is, and the log has what was wrong with it."""
    status, body, headers = errors.answer_of(error)
    assert (status, headers) == (500, [])
    assert json.loads(body)["error"]["type"] == "internal_server_error"
    assert b"canary" not in body
    assert "cannot be told" in caplog.text
