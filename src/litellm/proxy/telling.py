"""What the administrator's callbacks and hooks are told of a request, besides the call that it became. No keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from litellm.proxy.auth.gate import Caller
from litellm.proxy.http import Exchange
from litellm.proxy.operations import wrong_type
from litellm.wire.protocol import Body

_SECRET_HEADER = re.compile(rb"key|auth|token|secret|cookie|password")
_ONLY_TO_SEE = ("litellm_call_id", "proxy_server_request")


def of_request(http: Exchange, caller: Caller, body: Body, told: Mapping[str, Any]) -> dict[str, Any]:
    """For callbacks. told: what the client said to them."""
    return {
        **told,
        "user_api_key_dict": caller.described().model_copy(),  # custom_auth may have given the same one before
        "requester_ip_address": http.peer and http.peer[0],
        "proxy_server_request": _request(http, body),
    }


def for_hooks(http: Exchange, caller: Caller, body: Body) -> Body:
    """A body as hooks get it: with what they want to know of its sender. Raises RequestError 400 for metadata that is no
    object, in which they could not be told."""
    metadata = body.get("metadata") or body.get("litellm_metadata") or {}
    if not isinstance(metadata, dict):
        raise wrong_type("metadata", "an object", metadata)
    return {
        **body,
        "metadata": {**metadata, "user_api_key": caller.key_hash, "headers": headers_of(http)},
        "litellm_call_id": http.call_id,
        "proxy_server_request": _request(http, body),
    }


def from_hooks(data: Body) -> Body:
    """A body as hooks leave it, without what was only there for them to see."""
    return {name: value for name, value in data.items() if name not in _ONLY_TO_SEE}


def _request(http: Exchange, body: Body) -> dict[str, Any]:
    return {"url": http.path, "method": http.method, "headers": headers_of(http), "body": dict(body)}


def headers_of(http: Exchange) -> dict[str, str]:
    """The headers of a request as texts, without those that are secret."""
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in http.headers.items()
        if not _SECRET_HEADER.search(name)
    }
