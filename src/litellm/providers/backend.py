"""What stands behind a target, as values: a server, a handler of the user's own, a script that plays one. How each is asked
is the engine's to know (engine/backends/)."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import msgspec

from litellm.exceptions import LiteLLMError
from litellm.net.sealed import Sealed
from litellm.providers.auth.flow import Auth
from litellm.wire.protocol import StreamDialect


class Mock(msgspec.Struct, frozen=True):
    """An answer that is known beforehand (mock_response and its relatives)."""

    response: Any = None
    tool_calls: list[Any] | None = None
    timeout: bool = False
    delay: float = 0.0


class Upstream(Sealed, msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A server that is asked over HTTP.

    url: where one operation is asked. dialect: the format in which. prefix: what stands between the base and the
    dialect's path. version: of the provider's API, where it has such. auth: what each request goes through once it is
    encoded, for those that need more than a target's headers.
    """

    url: str
    dialect: StreamDialect
    prefix: str = ""
    version: str | None = None
    auth: Auth | None = None

    @property
    def max_prompts(self) -> int | None:
        """How many prompts one request may bring; None: any number."""
        return self.dialect.MAX_PROMPTS


class Scripted(Upstream, frozen=True, kw_only=True, eq=False):
    """An upstream whose answers are played rather than sent for, in its own dialect.

    mock: what it answers; None leaves that to the model's name, as the provider `mock/` does.
    """

    mock: Mock | None = None


class Unusable(Upstream, frozen=True, kw_only=True, eq=False):
    """An upstream that cannot be asked yet, of a deployment that is listed all the same: a call with a key of its own
    can use it. error: why, raised when it is asked."""

    error: LiteLLMError


class Handler(Sealed, msgspec.Struct, frozen=True, eq=False):
    """A user's CustomLLM, or what else has its methods. It chats about one prompt at a time, and has no address."""

    handler: Any

    url: ClassVar[str] = ""
    max_prompts: ClassVar[int | None] = 1


Backend = Upstream | Handler  # or one of their kinds

Kind = TypeVar("Kind", bound=Upstream)


def converted(upstream: Upstream, kind: type[Kind], **more: Any) -> Kind:
    """The same server as another kind of upstream."""
    return kind(
        url=upstream.url, dialect=upstream.dialect, prefix=upstream.prefix, version=upstream.version, auth=upstream.auth,
        **more,
    )  # fmt: skip
