"""Targets made from targets: with another key, API version or operation, or with a script as their backend."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from litellm.operations import Operation
from litellm.providers.backend import Backend, Handler, Mock, Scripted, Unusable, Upstream, converted
from litellm.providers.endpoint import check_headers, dialect_for, url_of
from litellm.providers.secrets import added
from litellm.providers.target import Target
from litellm.wire.dialects import upstream_dialect


def without_key(target: Target) -> Target:
    """`target` without our credential, and without what says on whose account the call is."""
    signed = target.provider.auth.sign("", target.url)
    account = {"authorization", "openai-organization", *(name.lower() for name in signed)}
    headers = {name: value for name, value in target.headers.items() if name.lower() not in account}
    backend = target.backend
    if isinstance(backend, Upstream):
        backend = msgspec.structs.replace(backend, auth=None)
    return msgspec.structs.replace(
        target, api_key=None, headers=headers, backend=backend, cacheable_head=False, others={}
    )


def with_headers(target: Target, headers: Mapping[str, str]) -> Target:
    """`target`, as it is called once, with headers that its auth has made."""
    check_headers(headers, target.model, target.provider)
    signed = [value for name, value in headers.items() if target.headers.get(name) != value]
    return msgspec.structs.replace(target, headers=headers, cacheable_head=False, others={}, **added(target, *signed))


def with_key(target: Target, key: str) -> Target:
    """`target`, to be called with another key: the place stays the same, its account does not."""
    # A handler's headers are what the administrator set; the key is an argument of its own.
    if isinstance(target.backend, Handler):
        return msgspec.structs.replace(target, api_key=key, cacheable_head=False, others={}, **added(target, key))
    bare = without_key(target)
    signed = target.provider.auth.sign(key, target.url)
    headers = {**bare.headers, **signed}
    check_headers(headers, target.model, target.provider)
    backend = bare.backend
    if isinstance(backend, Unusable):
        backend = converted(backend, Upstream)
    secrets = added(target, key, *signed.values())
    return msgspec.structs.replace(bare, api_key=key, headers=headers, backend=backend, **secrets)


def with_version(target: Target, version: str) -> Target:
    """`target`, to be called by another API version. Changes nothing for providers that have none."""
    if isinstance(target.backend, Handler):
        return target
    backend = msgspec.structs.replace(target.backend, version=version)
    return _at_operation(msgspec.structs.replace(target, backend=backend), target.operation)


def with_mock(target: Target, mock: Mock) -> Target:
    """`target` as one that answers with `mock`, in the format that it has anyway, and so needs no key."""
    backend = target.backend
    if isinstance(backend, Handler):
        played = Scripted(url="", dialect=upstream_dialect(target.operation.dialect), mock=mock)
    else:
        played = converted(backend, Scripted, mock=mock)
    return msgspec.structs.replace(target, backend=played, others={})


def for_operation(target: Target, operation: Operation) -> Target:
    """The same place, for another operation."""
    other = target.others.get(operation)
    if other is None:
        other = target.others[operation] = _at_operation(target, operation)
    return other


def _at_operation(target: Target, operation: Operation) -> Target:
    edits = target.edits if operation.generates else ()
    backend = _backend_elsewhere(target, operation)
    return msgspec.structs.replace(target, operation=operation, backend=backend, edits=edits, others={})


def _backend_elsewhere(target: Target, operation: Operation) -> Backend:
    backend = target.backend
    if isinstance(backend, Handler):
        return backend
    if not backend.url:  # a script in a handler's stead
        return msgspec.structs.replace(backend, dialect=upstream_dialect(operation.dialect))
    dialect = dialect_for(target.provider, target.model, operation)
    base = target.api_base or ""
    url = url_of(target.provider, base, backend.prefix, dialect.PATH, target.model, backend.version)
    return msgspec.structs.replace(backend, dialect=dialect, url=url)
