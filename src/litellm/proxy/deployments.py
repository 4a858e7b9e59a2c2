"""From the entries of the configuration's `model_list` to deployments, and what can be wrong with them, by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from litellm.exceptions import AuthenticationError, LiteLLMError, text_of
from litellm.providers.resolve import resolve
from litellm.providers.target import Defaults, EndpointSpec
from litellm.proxy.config import ConfigError, Problem, dotted, reveal_all
from litellm.router import deployments as router
from litellm.router.deployments import Deployment, DeploymentDefaults
from litellm.types.params import OWNED

if TYPE_CHECKING:
    from litellm.proxy.config import Config, DeploymentConfig

_FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


def defaults_for(config: Config, defaults: Defaults) -> DeploymentDefaults:
    """What the configuration says for all deployments."""
    settings, routing = config.litellm_settings, config.router_settings
    return DeploymentDefaults(
        defaults=defaults,
        params=reveal_all(routing.default_litellm_params),
        timeout=settings.request_timeout,
        drop_params=settings.drop_params,
        ssl_verify=settings.ssl_verify,
        ssl_certificate=settings.ssl_certificate,
        force_ipv4=settings.force_ipv4,
        headers=reveal_all(settings.headers),
        max_parallel_requests=routing.default_max_parallel_requests,
    )


def entry_of(deployment: DeploymentConfig) -> dict[str, Any]:
    """A deployment of the configuration as a plain entry of a model_list, with its secrets."""
    return {
        "model_name": deployment.model_name,
        "litellm_params": reveal_all(deployment.litellm_params.model_dump(exclude_none=True)),
        "model_info": deployment.model_info.model_dump(exclude_none=True),
        "rpm": deployment.rpm,
        "tpm": deployment.tpm,
    }


def deployments_of(config: Config, defaults: Defaults) -> list[Deployment]:
    """All deployments of `model_list`, with their targets made. Raises ConfigError with all that is wrong with them."""
    inherited = defaults_for(config, defaults)
    deployments: list[Deployment] = []
    problems: list[Problem] = []
    for at, entry in enumerate(config.model_list):
        try:
            deployments += router.deployments_of(entry_of(entry), inherited)
        except (LiteLLMError, ValueError) as error:
            path = ("model_list", at, "litellm_params", getattr(error, "param", None) or "model")
            problems.append(Problem(*config.place(path), dotted(path), text_of(error)))
    problems += _fallback_problems(config)
    if problems:
        raise ConfigError(problems)
    return deployments


def unreachable(entry: DeploymentConfig, providers: frozenset[str]) -> tuple[str, str] | None:
    """Why a deployment could never be called: the key of litellm_params that is at fault, and a sentence. None if it can.

    providers: the names of the configuration's own ones. For load_config(examine=…).
    """
    params = reveal_all(entry.litellm_params.model_dump(exclude_none=True))
    spec = EndpointSpec(
        model=params["model"],
        custom_llm_provider=params.get("custom_llm_provider"),
        api_base=params.get("base_url") or params.get("api_base"),
        api_key=params.get("api_key"),
    )
    try:
        if "*" not in spec.model:
            resolve(spec, Defaults(handlers=dict.fromkeys(providers, True)))
    except AuthenticationError:
        return None  # a missing key concerns calls of this model alone
    except LiteLLMError as error:
        return error.param or "model", text_of(error)
    return None


def _fallback_problems(config: Config) -> Iterator[Problem]:
    """Fallback maps that try to bring their own access: credentials and addresses belong to deployments."""
    for section in ("litellm_settings", "router_settings"):
        settings = getattr(config, section)
        lists = [
            ((section, kind, at, group), targets)
            for kind in _FALLBACKS
            for at, entry in enumerate(getattr(settings, kind))
            for group, targets in entry.items()
        ]
        for path, targets in [*lists, ((section, "default_fallbacks"), settings.default_fallbacks)]:
            for number, target in enumerate(targets):
                for name in sorted(target.keys() & OWNED) if isinstance(target, Mapping) else ():
                    at = (*path, number, name)
                    what = f"{name} belongs to a deployment: add one to model_list and name it here"
                    yield Problem(*config.place(at), dotted(at), what)
