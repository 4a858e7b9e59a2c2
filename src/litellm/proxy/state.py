"""The Proxy: everything that a configuration turns into. Built whole, swapped whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from litellm import _json
from litellm._log import log
from litellm.engine.client import Client
from litellm.engine.retries import Retry
from litellm.exceptions import AuthenticationError, LiteLLMError
from litellm.net.messages import Timeouts
from litellm.net.tls import Network
from litellm.providers.policy import Policy
from litellm.providers.resolve import Defaults, Place, Target, resolve
from litellm.providers.spec import Provider
from litellm.providers.table import BY_NAME
from litellm.proxy.auth.gate import Gate
from litellm.proxy.config.secrets import reveal_all
from litellm.router.pool import Deployment, Pool
from litellm.types.params import ALWAYS, SAMPLING

if TYPE_CHECKING:
    from litellm.proxy.config import Config
    from litellm.proxy.config import Deployment as DeploymentConfig

RETRIES = 2
MAX_BODY = 100_000_000  # bytes; a request with a few images in base64 has some ten million

FallbackTable = Mapping[str, Sequence[Any]]

# Deployment parameters that are read here by name; what remains of litellm_params and is OpenAI's is a default of the
# requests, and what is not is for the provider's handler.
_DEFAULTED = frozenset(SAMPLING) - ALWAYS


class StartError(Exception):
    """The configuration is well-formed but cannot be served. Each problem is one line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """What routes need. drop_params and the like are already in the targets."""

    pool: Pool
    client: Client
    gate: Gate
    max_body: int
    timeouts: Timeouts
    retry: Retry
    fallbacks: FallbackTable
    context_window_fallbacks: FallbackTable
    default_fallbacks: Sequence[Any]
    completion_model: str | None
    handlers: Mapping[str, Any]


def build(config: Config, master_key: str | None = None, client: Client | None = None) -> Proxy:
    """The Proxy for a configuration. master_key: overrules the file's. Raises StartError with all that is wrong."""
    general, settings, routing = config.general_settings, config.litellm_settings, config.router_settings
    handlers = {entry.provider: entry.custom_handler for entry in settings.custom_provider_map}
    problems: list[str] = []
    deployments = []
    for at, entry in enumerate(config.model_list):
        deployment = _deployment(entry, config, Defaults(handlers=handlers))
        deployments.append(deployment)
        if "*" not in deployment.model:
            try:
                deployment.make(deployment.model)
            except (LiteLLMError, ValueError) as error:
                problems.append(f"model_list.{at} ({entry.model_name}): {_reason(error)}")
    if problems:
        raise StartError(problems)
    key = master_key or (general.master_key.reveal() if general.master_key else None)
    timeout = routing.timeout if routing.timeout is not None else settings.request_timeout
    retries = next((n for n in (routing.num_retries, settings.num_retries) if n is not None), RETRIES)
    aliases = {name: (alias.model, alias.hidden) for name, alias in routing.model_group_alias.items()}
    return Proxy(
        pool=Pool(deployments, aliases),
        client=client or Client(isolate_handlers=True),
        gate=Gate(key),
        max_body=MAX_BODY if general.max_request_size_mb is None else int(general.max_request_size_mb * 1_000_000),
        timeouts=Timeouts.of(timeout, routing.stream_timeout),
        retry=Retry(retries),
        fallbacks=_table([*settings.fallbacks, *routing.fallbacks]),
        context_window_fallbacks=_table([*settings.context_window_fallbacks, *routing.context_window_fallbacks]),
        default_fallbacks=[*settings.default_fallbacks, *routing.default_fallbacks],
        completion_model=general.completion_model,
        handlers=handlers,
    )


def _reason(error: Exception) -> str:
    return str(error).removeprefix("litellm.").partition(": ")[2] or str(error)


def _table(entries: Sequence[Mapping[str, Sequence[Any]]]) -> FallbackTable:
    return {group: targets for entry in entries for group, targets in entry.items()}


def _deployment(entry: DeploymentConfig, config: Config, defaults: Defaults) -> Deployment:
    params: dict[str, Any] = reveal_all(entry.litellm_params.model_dump(exclude_none=True))
    settings = config.litellm_settings
    own_id = entry.model_info.id or _stable_id(entry.model_name, params)
    clocks = None
    if "timeout" in params or "stream_timeout" in params:
        total = params.get("timeout", settings.request_timeout)
        clocks = Timeouts.of(total, params.get("stream_timeout"))
    place = Place(
        model="",
        custom_llm_provider=params.get("custom_llm_provider"),
        api_base=params.get("base_url") or params.get("api_base"),
        api_key=params.get("api_key"),
        organization=params.get("organization"),
        extra_headers={**params.get("headers", {}), **params.get("extra_headers", {})},
        network=Network.of(params.get("ssl_verify", settings.ssl_verify), settings.ssl_certificate),
        policy=Policy(
            bool(params.get("drop_params", settings.drop_params)),
            tuple(params.get("additional_drop_params", ())),
            tuple(params.get("allowed_openai_params", ())),
        ),
        supports_system_message=params.get("supports_system_message", True),
        params=params | {"model_info": entry.model_info.model_dump(exclude_none=True)},
    )
    body_defaults = {name: value for name, value in params.items() if name in _DEFAULTED}
    body_defaults |= params.get("extra_body", {})
    make = partial(
        _target, place, defaults, id=own_id, group=entry.model_name, clocks=clocks, defaults_of_body=body_defaults,
        max_retries=params.get("max_retries"),
    )  # fmt: skip
    return Deployment(
        name=entry.model_name, model=params["model"], make=make, id=own_id, weight=params.get("weight"),
        order=params.get("order", 0),
    )  # fmt: skip


def _target(
    place: Place,
    defaults: Defaults,
    model: str,
    *,
    id: str,  # noqa: A002 - a deployment's id
    group: str,
    clocks: Timeouts | None,
    defaults_of_body: dict[str, Any],
    max_retries: int | None,
) -> Target:
    try:
        target = resolve(msgspec.structs.replace(place, model=model), defaults)
    except AuthenticationError as error:  # a missing key concerns those who ask for this model, nobody else
        log.warning("%s: %s", group, error.message)
        target = Target(provider=BY_NAME.get(error.llm_provider or "", Provider(name="")), model=model, unusable=error)
    return msgspec.structs.replace(
        target, id=id, group=group, clocks=clocks, defaults=defaults_of_body, max_retries=max_retries
    )


def _stable_id(name: str, params: Mapping[str, Any]) -> str:
    """The same for the same deployment in every worker and after a restart. A digest, so nothing in it can be read."""
    return hashlib.sha256(name.encode() + _json.encode({k: repr(v) for k, v in sorted(params.items())})).hexdigest()
