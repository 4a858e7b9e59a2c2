"""The Proxy: everything that a configuration turns into. Built whole, swapped whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from litellm.engine.client import Client
from litellm.engine.watchers import Observe
from litellm.hooks.dispatch import default_dispatcher
from litellm.hooks.observers import Callbacks
from litellm.net.guard import Guard
from litellm.providers.target import Defaults
from litellm.proxy.auth.authenticator import Authenticator
from litellm.proxy.auth.custom import CustomAuth
from litellm.proxy.calls.client_credentials import ClientCredentialsPolicy
from litellm.proxy.config import ConfigError, Problem, reveal_all
from litellm.proxy.deployments import deployments_of
from litellm.proxy.hooks.request_hooks import RequestHooks
from litellm.proxy.user_configs import Store, UserConfigs
from litellm.router.pool import Pool
from litellm.router.routing import Routing
from litellm.router.settings import RoutingSettings
from litellm.router.state import LocalState, State
from litellm.server.limits import BUFFER_LIMIT, Limits

if TYPE_CHECKING:
    from litellm.proxy.config import Config

MAX_BODY = 100_000_000  # bytes; a request with a few images in base64 has some ten million

# Words that both sections know: what router_settings says counts, and its lists are added to the others'.
_SHARED = ("num_retries", "allowed_fails", "cooldown_time")
_CALLBACKS = ("input_callback", "success_callback", "failure_callback", "callbacks")
_NOT_OF_ROUTING = {"default_litellm_params", "default_max_parallel_requests", "optional_pre_call_checks"}
_MERGED = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "default_fallbacks")


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """What routes need. drop_params and the like are already in the targets."""

    routing: Routing
    client: Client
    authenticator: Authenticator
    limits: Limits
    heartbeat: float | None
    completion_model: str | None
    credentials_policy: ClientCredentialsPolicy
    user_configs: UserConfigs
    observe: Observe | None = None
    hooks: RequestHooks | None = None
    custom_auth: CustomAuth | None = None

    @property
    def pool(self) -> Pool:
        """The names that are served at this moment."""
        return self.routing.pool


class Carryover(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives a reload. All else is made anew from the file, and what is under way keeps what it began with.

    client: the connections to providers. state: what is used of deployments' limits, who cools down, how fast they were; by
    their ids, so that one that stays is held to what it was, and one that is gone is forgotten once nothing of it is under
    way. user_configs: the same for the deployments that clients bring along.
    """

    client: Client = msgspec.field(default_factory=lambda: Client(isolate_handlers=True))
    state: State = msgspec.field(default_factory=LocalState)
    user_configs: Store = msgspec.field(default_factory=Store)

    @classmethod
    def of(cls, proxy: Proxy) -> Carryover:
        """That of a Proxy whose place another one is to take."""
        return cls(client=proxy.client, state=proxy.routing.state, user_configs=proxy.user_configs.store)


def build(config: Config, master_key: str | None = None, carryover: Carryover | None = None) -> Proxy:
    """The Proxy for a configuration. master_key: overrules the file's. carryover: that of the Proxy in use.

    Raises ConfigError with all that is wrong; then `carryover` is as it was.
    """
    general, settings = config.general_settings, config.litellm_settings
    carryover = carryover or Carryover()
    handlers = {entry.provider: entry.custom_handler for entry in settings.custom_provider_map}
    defaults = Defaults(organization=settings.organization, handlers=handlers)
    key = master_key or (general.master_key.get_secret_value() if general.master_key else None)
    authenticator = Authenticator(key, custom_auth=general.uses_custom_auth)
    credentials_policy = ClientCredentialsPolicy(
        general.allow_client_side_credentials, Guard.of(*general.client_side_hosts)
    )
    proxy = Proxy(
        routing=Routing(deployments_of(config, defaults), routing_settings(config), state=carryover.state),
        client=carryover.client,
        authenticator=authenticator,
        limits=Limits.of(
            max_body=_bytes(general.max_request_size_mb, MAX_BODY),
            buffer_limit=_bytes(general.max_request_memory_mb, BUFFER_LIMIT),
        ),
        heartbeat=general.stream_heartbeat_seconds or None,
        completion_model=general.completion_model,
        credentials_policy=credentials_policy,
        user_configs=UserConfigs(credentials_policy.network, carryover.user_configs),
        observe=_observers(config),
        hooks=RequestHooks.of(settings.callbacks),
        custom_auth=_custom_auth(config, authenticator, carryover.client) if general.uses_custom_auth else None,
    )
    carryover.state.serve(proxy.pool.by_id)  # the last step: a file that is no good has changed nothing
    return proxy


def _bytes(megabytes: float | None, default: int) -> int:
    return default if megabytes is None else int(megabytes * 1_000_000)


def _observers(config: Config) -> Observe | None:
    """The callbacks; None if there are none, which then costs nothing."""
    settings = config.litellm_settings
    lists = {name: getattr(settings, name) for name in _CALLBACKS}
    redacted = settings.turn_off_message_logging
    with _reported(config, "litellm_settings.callbacks"):  # such as a package or a key that langfuse wants
        return _callbacks().snapshot(**lists, turn_off_message_logging=redacted)


@cache
def _callbacks() -> Callbacks:
    """One for all configurations of this process: what has a name is made once, however often the file is read."""
    return Callbacks(default_dispatcher())


def _custom_auth(config: Config, authenticator: Authenticator, client: Client) -> CustomAuth:
    function, mode = config.general_settings.custom_auth, config.general_settings.custom_auth_settings.mode
    with _reported(config, "general_settings.custom_auth"):
        return CustomAuth(function, mode, authenticator, client.async_io)


@contextmanager
def _reported(config: Config, path: str) -> Iterator[None]:
    """What is missing or wrong in the surroundings, as a problem of the setting that needs it."""
    try:
        yield
    except (ImportError, ValueError) as error:
        raise ConfigError([Problem(str(config.path), None, path, str(error))]) from error


def routing_settings(config: Config) -> RoutingSettings:
    """What the configuration says about routing, in both of its sections."""
    settings, routing = config.litellm_settings, config.router_settings
    words = routing.model_dump(exclude=_NOT_OF_ROUTING)
    for name in _SHARED:
        if words[name] is None:
            words[name] = getattr(settings, name)
    for name in _MERGED:
        words[name] = reveal_all([*getattr(settings, name), *getattr(routing, name)])
    if words["timeout"] is None:
        words["timeout"] = settings.request_timeout
    return RoutingSettings.of(**words)
