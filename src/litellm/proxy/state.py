"""The Proxy: everything that a configuration turns into. Built whole, swapped whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from litellm.engine.client import Client
from litellm.engine.retries import Retry
from litellm.net.messages import Timeouts
from litellm.providers.resolve import Defaults
from litellm.proxy.auth.gate import Gate
from litellm.proxy.config import reveal_all
from litellm.proxy.deployments import deployments_of
from litellm.router.pool import Pool

if TYPE_CHECKING:
    from litellm.proxy.config import Config

RETRIES = 2
MAX_BODY = 100_000_000  # bytes; a request with a few images in base64 has some ten million

FallbackTable = Mapping[str, Sequence[Any]]


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """What routes need. drop_params and the like are already in the targets."""

    pool: Pool
    client: Client
    gate: Gate
    max_body: int
    timeouts: Timeouts
    stream_timeouts: Timeouts
    retry: Retry
    fallbacks: FallbackTable
    context_window_fallbacks: FallbackTable
    default_fallbacks: Sequence[Any]
    completion_model: str | None
    handlers: Mapping[str, Any]


def build(config: Config, master_key: str | None = None, client: Client | None = None) -> Proxy:
    """The Proxy for a configuration. master_key: overrules the file's. Raises ConfigError with all that is wrong."""
    general, settings, routing = config.general_settings, config.litellm_settings, config.router_settings
    handlers = {entry.provider: entry.custom_handler for entry in settings.custom_provider_map}
    deployments = deployments_of(config, Defaults(handlers=handlers))
    key = master_key or (general.master_key.reveal() if general.master_key else None)
    timeout = routing.timeout if routing.timeout is not None else settings.request_timeout
    retries = next((n for n in (routing.num_retries, settings.num_retries) if n is not None), RETRIES)
    aliases = {name: (alias.model, alias.hidden) for name, alias in routing.model_group_alias.items()}
    return Proxy(
        pool=Pool(deployments, aliases),
        client=client or Client(isolate_handlers=True),
        gate=Gate(key),
        max_body=MAX_BODY if general.max_request_size_mb is None else int(general.max_request_size_mb * 1_000_000),
        timeouts=Timeouts.of(timeout),
        stream_timeouts=Timeouts.of(timeout, routing.stream_timeout),
        retry=Retry(retries, floor=routing.retry_after),
        fallbacks=_table([*settings.fallbacks, *routing.fallbacks]),
        context_window_fallbacks=_table([*settings.context_window_fallbacks, *routing.context_window_fallbacks]),
        default_fallbacks=reveal_all([*settings.default_fallbacks, *routing.default_fallbacks]),
        completion_model=general.completion_model,
        handlers=handlers,
    )


def _table(entries: Sequence[Mapping[str, Sequence[Any]]]) -> FallbackTable:
    return {group: reveal_all(targets) for entry in entries for group, targets in entry.items()}
