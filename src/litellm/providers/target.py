"""Where a call goes, as values: as it was specified (EndpointSpec), and as it is called (Target)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from litellm.net.messages import Timeouts
from litellm.net.network import DIRECT, Network
from litellm.net.sealed import Sealed
from litellm.net.url import redacted_url
from litellm.operations import CHAT, Operation
from litellm.providers.backend import Backend, Handler
from litellm.providers.policy import KEEP_ALL, Policy
from litellm.providers.spec import Provider
from litellm.wire.protocol import Body

Edit = Callable[[Body], Body]


class EndpointSpec(Sealed, msgspec.Struct, kw_only=True, frozen=True):
    """Where a call is to go, in LiteLLM's words. None: not given.

    environ: where keys, bases and the like are looked up that were not given. Empty for what a gateway's client sent: the
    environment is the administrator's.
    """

    model: str
    custom_llm_provider: str | None = None
    api_base: str | None = None
    api_key: str | None = None
    api_version: str | None = None
    organization: str | None = None
    extra_headers: Mapping[str, str] = {}
    network: Network = DIRECT
    policy: Policy = KEEP_ALL
    supports_system_message: bool = True
    params: Mapping[str, Any] = {}
    operation: Operation = CHAT
    environ: Mapping[str, str] = os.environ


class Target(Sealed, msgspec.Struct, kw_only=True, eq=False):
    """An endpoint, ready to be called: everything that does not change from call to call is made here, once. It is made for
    one operation; see `for_operation` for others.

    backend: what is asked there, and how. defaults: parameters that the deployment sets and a call may overrule. edits:
    what is done to each body.
    id, group: the deployment and the public name it serves, where there are such. timeouts, stream_timeouts: or
    None for the call's.
    cacheable_head: it serves more than one call, and with the same headers.
    secrets: what must not be seen in a message, should an upstream or a handler repeat it, in each of its spellings;
    credentials: those that must not be seen in a good answer's headers either. others: the same place for
    other operations, made when they are first asked for.
    """

    provider: Provider
    model: str
    backend: Backend
    api_base: str | None = None
    api_key: str | None = None
    headers: Mapping[str, str] = {}
    network: Network = DIRECT
    operation: Operation = CHAT
    edits: tuple[Edit, ...] = ()
    defaults: Body = {}
    params: Mapping[str, Any] = {}
    id: str = ""
    group: str = ""
    timeouts: Timeouts | None = None
    stream_timeouts: Timeouts | None = None
    policy: Policy = KEEP_ALL
    max_retries: int | None = None
    cacheable_head: bool = False
    secrets: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    others: dict[Operation, Target] = {}

    @property
    def url(self) -> str:
        """Where its operation is asked; "" for a handler."""
        return self.backend.url

    def __repr__(self) -> str:
        return f"Target({self.provider.name}/{self.model} at {redacted_url(self.url)})"


# Where what comes from no target comes from.
NOWHERE = Target(provider=Provider(name=""), model="", backend=Handler(None))


class Defaults(Sealed, msgspec.Struct, frozen=True):
    """What module settings say where a call does not: litellm.api_key, litellm.openai_key, litellm.api_base."""

    api_key: str | None = None
    openai_key: str | None = None
    api_base: str | None = None
    organization: str | None = None
    handlers: Mapping[str, Any] = {}


NO_DEFAULTS = Defaults()
