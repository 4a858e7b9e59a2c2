"""From the entries of `model_list` to deployments that can be called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from litellm import _json
from litellm._log import log
from litellm.exceptions import AuthenticationError, LiteLLMError
from litellm.net.messages import Timeouts
from litellm.net.tls import Network
from litellm.providers.policy import KEEP_ALL, Policy
from litellm.providers.resolve import Defaults, Mock, Place, Target, resolve
from litellm.providers.spec import Provider
from litellm.providers.table import BY_NAME
from litellm.proxy.config import ConfigError, LitellmParams, Problem, dotted, reveal_all
from litellm.proxy.config.secrets import names_credential
from litellm.router.pool import Deployment
from litellm.types.params import ALWAYS, OWNED, SAMPLING

if TYPE_CHECKING:
    from litellm.proxy.config import Config
    from litellm.proxy.config import Deployment as DeploymentConfig

# Access to clouds that have providers of their own; such words mean nothing to an OpenAI-compatible upstream.
_FOREIGN = ("aws_", "azure_", "hf_", "litellm_", "s3_", "sagemaker_", "vertex_", "watsonx_")


def deployments_of(config: Config, defaults: Defaults) -> list[Deployment]:
    """All deployments of `model_list`, with their targets made. Raises ConfigError with all that is wrong with them."""
    deployments, problems = [], []
    for at, entry, organization in _with_organizations(config):
        deployment = _deployment(entry, config, defaults, organization)
        try:
            if "*" not in deployment.model:
                deployment = msgspec.structs.replace(deployment, target=deployment.make(deployment.model))
        except LiteLLMError as error:
            path = ("model_list", at, "litellm_params", error.param or "model")
            problems.append(Problem(*config.place(path), dotted(path), _reason(error)))
        deployments.append(deployment)
    problems += _fallback_problems(config)
    if problems:
        raise ConfigError(problems)
    return deployments


def unreachable(entry: DeploymentConfig, providers: frozenset[str]) -> tuple[str, str] | None:
    """Why a deployment could never be called: the key of litellm_params that is at fault, and a sentence. None if it can.

    providers: the names of the configuration's own ones. For load_config(examine=…).
    """
    params = reveal_all(entry.litellm_params.model_dump(exclude_none=True))
    place = Place(
        model=params["model"],
        custom_llm_provider=params.get("custom_llm_provider"),
        api_base=params.get("base_url") or params.get("api_base"),
        api_key=params.get("api_key"),
    )
    try:
        if "*" not in place.model:
            resolve(place, Defaults(handlers=dict.fromkeys(providers, True)))
    except AuthenticationError:
        return None  # a missing key concerns those who ask for this model, nobody else
    except LiteLLMError as error:
        return error.param or "model", _reason(error)
    return None


def _fallback_problems(config: Config) -> Iterator[Problem]:
    """Fallback maps that try to bring their own access: credentials and addresses belong to deployments."""
    for section in ("litellm_settings", "router_settings"):
        settings = getattr(config, section)
        lists = [
            ((section, kind, at, group), targets)
            for kind in ("fallbacks", "context_window_fallbacks")
            for at, entry in enumerate(getattr(settings, kind))
            for group, targets in entry.items()
        ]
        for path, targets in [*lists, ((section, "default_fallbacks"), settings.default_fallbacks)]:
            for number, target in enumerate(targets):
                for name in sorted(target.keys() & OWNED) if isinstance(target, Mapping) else ():
                    at = (*path, number, name)
                    what = f"{name} belongs to a deployment: add one to model_list and name it here"
                    yield Problem(*config.place(at), dotted(at), what)


def _with_organizations(config: Config) -> Iterator[tuple[int, DeploymentConfig, str | None]]:
    """The deployments, those with a list of organizations once for each."""
    for at, entry in enumerate(config.model_list):
        organization = entry.litellm_params.organization
        for each in (organization,) if isinstance(organization, str) or organization is None else organization:
            yield at, entry, each


def _reason(error: Exception) -> str:
    return str(error).removeprefix("litellm.").partition(": ")[2] or str(error)


def _deployment(entry: DeploymentConfig, config: Config, defaults: Defaults, organization: str | None) -> Deployment:
    params: dict[str, Any] = reveal_all(entry.litellm_params.model_dump(exclude_none=True))
    if organization is not None:
        params["organization"] = organization
    settings = config.litellm_settings
    own_id = entry.model_info.id or _stable_id(entry.model_name, params)
    clocks = stream_clocks = None
    if "timeout" in params or "stream_timeout" in params:
        total = params.get("timeout", settings.request_timeout)
        clocks, stream_clocks = Timeouts.of(total), Timeouts.of(total, params.get("stream_timeout"))
    policy = Policy(
        bool(params.get("drop_params", settings.drop_params)),
        tuple(params.get("additional_drop_params", ())),
        tuple(params.get("allowed_openai_params", ())),
    )
    place = Place(
        model="",
        custom_llm_provider=params.get("custom_llm_provider"),
        api_base=params.get("base_url") or params.get("api_base"),
        api_key=params.get("api_key"),
        organization=organization,
        extra_headers={**params.get("headers", {}), **params.get("extra_headers", {})},
        network=Network.of(
            params.get("ssl_verify", settings.ssl_verify), params.get("ssl_certificate", settings.ssl_certificate)
        ),
        policy=KEEP_ALL if policy == KEEP_ALL else policy,  # the very one, by which callers know it
        supports_system_message=params.get("supports_system_message", True),
        params=params | {"model_info": entry.model_info.model_dump(exclude_none=True)},
    )
    made = {
        "id": own_id,
        "group": entry.model_name,
        "clocks": clocks,
        "stream_clocks": stream_clocks,
        "max_retries": params.get("max_retries", params.get("num_retries")),
        "defaults": {name: value for name, value in params.items() if _is_default(name)} | params.get("extra_body", {}),
        "mock": Mock(params["mock_response"], delay=params.get("mock_delay", 0.0))
        if "mock_response" in params
        else None,
    }
    return Deployment(
        name=entry.model_name, model=params["model"], make=partial(_target, place, defaults, made), id=own_id,
        weight=params.get("weight"), order=params.get("order", 0),
    )  # fmt: skip


def _is_default(name: str) -> bool:
    """Whether a deployment's parameter goes into its requests' bodies: OpenAI's, and those that we do not know. What
    steers us, belongs to another provider's access, or may be a credential does not."""
    ours = name in ALWAYS or name in OWNED or (name in LitellmParams.model_fields and name not in SAMPLING)
    return not ours and not name.startswith(_FOREIGN) and not names_credential(name)


def _target(place: Place, defaults: Defaults, made: Mapping[str, Any], model: str) -> Target:
    try:
        target = resolve(msgspec.structs.replace(place, model=model), defaults)
    except AuthenticationError as error:  # a missing key concerns those who ask for this model, nobody else
        if made["mock"] is None:
            log.warning("%s: %s", made["group"], error.message)
        target = Target(provider=BY_NAME.get(error.llm_provider or "", Provider(name="")), model=model, unusable=error)
    return msgspec.structs.replace(target, **made, unusable=None if made["mock"] else target.unusable)


def _stable_id(name: str, params: Mapping[str, Any]) -> str:
    """The same for the same deployment in every worker and after a restart. A digest, so nothing in it can be read."""
    return hashlib.sha256(name.encode() + _json.encode({k: repr(v) for k, v in sorted(params.items())})).hexdigest()
