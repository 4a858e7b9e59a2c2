"""The same place again: with another key, by another API version, for another operation."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from litellm.operations import Operation
from litellm.providers.endpoint import check_headers, url_of, wire_for
from litellm.providers.secrets import added
from litellm.providers.target import Target


def without_key(target: Target) -> Target:
    """`target` without our credential, and without what says on whose account the call is."""
    signed = target.provider.auth.sign("", target.url)
    account = {"authorization", "openai-organization", *(name.lower() for name in signed)}
    headers = {name: value for name, value in target.headers.items() if name.lower() not in account}
    return msgspec.structs.replace(target, api_key=None, headers=headers, auth=None, lasting=False, others={})


def with_headers(target: Target, headers: Mapping[str, str]) -> Target:
    """`target`, as it is called once, with headers that its auth has made."""
    check_headers(headers, target.model, target.provider)
    signed = [value for name, value in headers.items() if target.headers.get(name) != value]
    return msgspec.structs.replace(
        target, headers=headers, auth=None, lasting=False, others={}, **added(target, *signed)
    )


def with_key(target: Target, key: str) -> Target:
    """`target`, to be called with another key: the place stays the same, its account does not."""
    if target.handler is not None:  # its headers are what the administrator set; the key is an argument of its own
        return msgspec.structs.replace(target, api_key=key, lasting=False, others={}, **added(target, key))
    bare = without_key(target)
    signed = target.provider.auth.sign(key, target.url)
    headers = {**bare.headers, **signed}
    check_headers(headers, target.model, target.provider)
    secrets = added(target, key, *signed.values())
    return msgspec.structs.replace(bare, api_key=key, headers=headers, unusable=None, **secrets)


def with_version(target: Target, version: str) -> Target:
    """`target`, to be called by another API version. Changes nothing for providers that have none."""
    changed = msgspec.structs.replace(target, version=version, others={})
    return _elsewhere(changed, target.operation)


def at(target: Target, operation: Operation) -> Target:
    """The same place, for another operation."""
    other = target.others.get(operation)
    if other is None:
        other = target.others[operation] = _elsewhere(target, operation)
    return other


def _elsewhere(target: Target, operation: Operation) -> Target:
    if target.handler is not None or not target.url:
        return msgspec.structs.replace(target, operation=operation, others={})
    wire = wire_for(target.provider, target.model, operation)
    base = target.api_base or ""
    url = url_of(target.provider, base, target.prefix, wire.PATH, target.model, target.version)
    edits = target.edits if operation.generates else ()
    return msgspec.structs.replace(target, operation=operation, wire=wire, url=url, edits=edits, others={})
