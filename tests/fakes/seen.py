"""One request, as an upstream remembers it."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .http1 import Request


@dataclass
class Seen:
    """A request an upstream received completely. All times are time.monotonic()."""

    number: int  # 1 for the first request of this upstream; the N of its "chatcmpl-fake-N"
    method: str
    path: str  # without the query, still percent-encoded
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    json: Any  # None when the body is not JSON
    connection_id: int
    started: float  # its last byte arrived
    finished_at: float | None = None  # we did all that we meant to do, faults included
    aborted_at: float | None = None  # the client closed the connection before that

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON body if it is an object."""
        return self.json if isinstance(self.json, dict) else {}

    @classmethod
    def of(cls, request: Request, *, number: int, connection_id: int, now: float) -> "Seen":
        url = urlsplit(request.target)
        return cls(
            number=number,
            method=request.method,
            path=url.path,
            query=url.query,
            headers=request.headers,
            body=request.body,
            json=_json_or_none(request.body),
            connection_id=connection_id,
            started=now,
        )


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
