"""What callbacks and hooks get of a request, besides the call that it became.

No keys, with one exception: hooks may change the body, so they get it as it is, with the credentials of its own that a
client may have put there. The copy of the request beside it is for logs, and has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm._credentials import names_credential
from litellm.proxy.auth.authenticator import Caller
from litellm.proxy.calls.client_credentials import CREDENTIAL_FIELDS
from litellm.proxy.calls.overrides import without_reserved_names
from litellm.proxy.errors import wrong_type
from litellm.proxy.http import Exchange
from litellm.wire.protocol import Body

_READ_ONLY = ("litellm_call_id", "proxy_server_request")


def request_info(http: Exchange, caller: Caller, body: Body, for_callbacks: Mapping[str, Any]) -> dict[str, Any]:
    """A request as callbacks get it. for_callbacks: the client's words for them, such as tags."""
    return {
        **for_callbacks,
        "user_api_key_dict": caller.described().model_copy(),  # custom_auth may have given the same one before
        "requester_ip_address": http.peer and http.peer[0],
        "proxy_server_request": _request(http, body),
    }


def to_hook_data(http: Exchange, caller: Caller, body: Body) -> Body:
    """A body as hooks get it: with what they want to know of its sender. Raises RequestError 400 for metadata that is no
    object, in which they could not be told."""
    metadata = body.get("metadata") or body.get("litellm_metadata") or {}
    if not isinstance(metadata, dict):
        raise wrong_type("metadata", "an object", metadata)
    return {
        **body,
        "metadata": {**without_reserved_names(metadata), "user_api_key": caller.key_hash, "headers": headers_of(http)},
        "litellm_call_id": http.call_id,
        "proxy_server_request": _request(http, body),
    }


def from_hook_data(data: Body) -> Body:
    """A body as hooks leave it, without what was only there for them to see."""
    return {name: value for name, value in data.items() if name not in _READ_ONLY}


def _request(http: Exchange, body: Body) -> dict[str, Any]:
    """For logs: without the client's own keys and addresses, whichever of the two places they were sent in."""
    kept = _without_credentials(body)
    if isinstance(kept.get("extra_body"), dict):
        kept["extra_body"] = _without_credentials(kept["extra_body"])
    return {"url": http.path, "method": http.method, "headers": headers_of(http), "body": kept}


def _without_credentials(body: Body) -> Body:
    return {name: value for name, value in body.items() if name not in CREDENTIAL_FIELDS}


def headers_of(http: Exchange) -> dict[str, str]:
    """The headers of a request as texts, without those that are secret."""
    texts = {name.decode("latin-1"): value.decode("latin-1") for name, value in http.headers.items()}
    return {name: value for name, value in texts.items() if not names_credential(name)}
