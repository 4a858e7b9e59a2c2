"""The same place again: with another key, by another API version, for another operation, or with a script in its stead."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from litellm.operations import Operation
from litellm.providers.backend import Backend, Handler, Mock, Scripted, Unusable, Upstream, turned
from litellm.providers.endpoint import check_headers, url_of, wire_for
from litellm.providers.secrets import added
from litellm.providers.target import Target
from litellm.wire.dialects import dialect


def without_key(target: Target) -> Target:
    """`target` without our credential, and without what says on whose account the call is."""
    signed = target.provider.auth.sign("", target.url)
    account = {"authorization", "openai-organization", *(name.lower() for name in signed)}
    headers = {name: value for name, value in target.headers.items() if name.lower() not in account}
    backend = target.backend
    if isinstance(backend, Upstream):
        backend = msgspec.structs.replace(backend, auth=None)
    return msgspec.structs.replace(target, api_key=None, headers=headers, backend=backend, lasting=False, others={})


def with_headers(target: Target, headers: Mapping[str, str]) -> Target:
    """`target`, as it is called once, with headers that its auth has made."""
    check_headers(headers, target.model, target.provider)
    signed = [value for name, value in headers.items() if target.headers.get(name) != value]
    return msgspec.structs.replace(target, headers=headers, lasting=False, others={}, **added(target, *signed))


def with_key(target: Target, key: str) -> Target:
    """`target`, to be called with another key: the place stays the same, its account does not."""
    if isinstance(
        target.backend, Handler
    ):  # its headers are what the administrator set; the key is an argument of its own
        return msgspec.structs.replace(target, api_key=key, lasting=False, others={}, **added(target, key))
    bare = without_key(target)
    signed = target.provider.auth.sign(key, target.url)
    headers = {**bare.headers, **signed}
    check_headers(headers, target.model, target.provider)
    backend = bare.backend
    if isinstance(backend, Unusable):
        backend = turned(backend, Upstream)
    secrets = added(target, key, *signed.values())
    return msgspec.structs.replace(bare, api_key=key, headers=headers, backend=backend, **secrets)


def with_version(target: Target, version: str) -> Target:
    """`target`, to be called by another API version. Changes nothing for providers that have none."""
    if isinstance(target.backend, Handler):
        return target
    backend = msgspec.structs.replace(target.backend, version=version)
    return _elsewhere(msgspec.structs.replace(target, backend=backend), target.operation)


def with_mock(target: Target, mock: Mock) -> Target:
    """`target` as one that answers with `mock`, in the format that it has anyway, and so needs no key."""
    backend = target.backend
    if isinstance(backend, Handler):
        played = Scripted(url="", dialect=dialect(target.operation.dialect), mock=mock)
    else:
        played = turned(backend, Scripted, mock=mock)
    return msgspec.structs.replace(target, backend=played, others={})


def at(target: Target, operation: Operation) -> Target:
    """The same place, for another operation."""
    other = target.others.get(operation)
    if other is None:
        other = target.others[operation] = _elsewhere(target, operation)
    return other


def _elsewhere(target: Target, operation: Operation) -> Target:
    edits = target.edits if operation.generates else ()
    backend = _backend_elsewhere(target, operation)
    return msgspec.structs.replace(target, operation=operation, backend=backend, edits=edits, others={})


def _backend_elsewhere(target: Target, operation: Operation) -> Backend:
    backend = target.backend
    if isinstance(backend, Handler):
        return backend
    if not backend.url:  # a script in a handler's stead
        return msgspec.structs.replace(backend, dialect=dialect(operation.dialect))
    wire = wire_for(target.provider, target.model, operation)
    base = target.api_base or ""
    url = url_of(target.provider, base, backend.prefix, wire.PATH, target.model, backend.version)
    return msgspec.structs.replace(backend, dialect=wire, url=url)
