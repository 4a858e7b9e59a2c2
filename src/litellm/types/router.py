"""The shapes around litellm.Router: what its entries look like, and what its policies say. For those who write them as
objects; plain dicts with the same keys do as well everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Required, TypedDict

from pydantic import BaseModel, ConfigDict, Field, create_model

from litellm.exceptions import RouterRateLimitError as RouterRateLimitError  # noqa: PLC0414 - LiteLLM has it here
from litellm.types.router_words import (
    FAILS_FIELDS,
    RETRY_FIELDS,
    DeploymentDefaultParams,
    ErrorKind,
    Kind,
    RoutingParams,
    words_of,
)

RoutingStrategy = Literal[
    "simple-shuffle", "least-busy", "usage-based-routing", "usage-based-routing-v2", "latency-based-routing",
    "cost-based-routing",
]  # fmt: skip


class _Open(BaseModel):
    """Fields that it does not know are kept, and can be read like a mapping's."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and hasattr(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        return getattr(self, key, default)


class LiteLLM_Params(_Open):  # noqa: N801 - LiteLLM's name
    """How a deployment is called. Times are in seconds; rpm, tpm and max_parallel_requests are limits."""

    model: str
    custom_llm_provider: str | None = None
    api_key: str | None = Field(default=None, repr=False)
    api_base: str | None = None
    api_version: str | None = None
    organization: str | list[str] | None = None
    timeout: Any = None
    stream_timeout: Any = None
    max_retries: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    max_parallel_requests: int | None = None
    weight: float | None = None
    order: int | None = None
    tags: list[str] | None = None
    region_name: str | None = None
    cooldown_time: float | None = None
    input_cost_per_token: float | None = None
    output_cost_per_token: float | None = None


class ModelInfo(_Open):
    """Facts about a deployment. id: derived from the entry if absent."""

    id: str | None = None
    base_model: str | None = None
    mode: str | None = None
    max_input_tokens: int | None = None
    supports_response_schema: bool | None = None


class Deployment(_Open):
    """One entry of a model_list.

    >>> Deployment(model_name="fast", litellm_params={"model": "mock/echo"}).litellm_params.model
    'mock/echo'
    """

    model_name: str
    litellm_params: LiteLLM_Params
    model_info: ModelInfo = Field(default_factory=ModelInfo)

    def to_json(self, **options: Any) -> dict[str, Any]:
        """As a plain entry."""
        return self.model_dump(exclude_none=True, **options)


class DeploymentTypedDict(TypedDict, total=False):
    """The same as a plain dict."""

    model_name: Required[str]
    litellm_params: Required[dict[str, Any]]
    model_info: dict[str, Any]


def _policy(fields: Mapping[str, ErrorKind]) -> type[BaseModel]:
    """A model with a number for each of `fields`."""
    numbers: dict[str, Any] = dict.fromkeys(fields, (int | None, None))
    return create_model("Policy", __config__=ConfigDict(extra="forbid"), __module__=__name__, **numbers)


class RetryPolicy(_policy(RETRY_FIELDS)):  # type: ignore[misc]  # made from the declared kinds of errors
    """Retries by what went wrong. What is not named is retried num_retries times, if it may pass at all.

    >>> RetryPolicy(RateLimitErrorRetries=3).RateLimitErrorRetries
    3
    """


class AllowedFailsPolicy(_policy(FAILS_FIELDS)):  # type: ignore[misc]
    """Failures in a minute, by what went wrong, after which a deployment cools down.

    >>> AllowedFailsPolicy(TimeoutErrorAllowedFails=1).TimeoutErrorAllowedFails
    1
    """


_TYPES: Mapping[Kind, Any] = {
    "retries": int, "count": int, "depth": int, "seconds": float, "pause": float, "cooldown": float, "flag": bool,
    "fallbacks": list[dict[str, list[Any]]], "targets": list[Any], "strategy": RoutingStrategy,
    "strategy_args": dict[str, Any], "retry_policy": RetryPolicy | dict[str, int], "retry_policies": dict[str, Any],
    "fails_policy": AllowedFailsPolicy | dict[str, int], "aliases": dict[str, Any], "params": dict[str, Any],
}  # fmt: skip


def _optional(params: type) -> type[BaseModel]:
    """A model with the words of `params`, each of which may be left out."""
    fields: dict[str, Any] = {name: (_TYPES[word.kind] | None, None) for name, word in words_of(params).items()}
    base = ConfigDict(extra="forbid", protected_namespaces=())
    return create_model(params.__name__, __config__=base, __module__=__name__, **fields)


class UpdateRouterConfig(_optional(RoutingParams)):  # type: ignore[misc]  # made from the declared words
    """What update_settings takes; times in seconds."""


class RouterConfig(UpdateRouterConfig, _optional(DeploymentDefaultParams)):  # type: ignore[misc]
    """What Router takes, as one object: `Router(**RouterConfig(…).model_dump(exclude_none=True))`."""

    model_list: list[Deployment]
    set_verbose: bool | None = None


class ModelGroupInfo(_Open):
    """What is known of a group: the least of its deployments' limits for a prompt and an answer, and its prices."""

    model_group: str
    providers: list[str]
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    input_cost_per_token: float | None = None
    output_cost_per_token: float | None = None
    mode: str | None = None
    tpm: int | None = None
    rpm: int | None = None
    supports_vision: bool = False
    supports_function_calling: bool = False


class PreRoutingHookResponse(BaseModel):
    """What async_pre_routing_hook returns to have something else asked for. messages: None for those that there are.

    >>> PreRoutingHookResponse(model="fast").messages is None
    True
    """

    model: str
    messages: list[dict[str, Any]] | None = None


class CustomRoutingStrategyBase:
    """A strategy of your own: implement one of the two, and give an object of it to Router.set_custom_routing_strategy.

    Both return an entry of the router's model_list, or None to leave the choice to the router.
    """

    def get_available_deployment(
        self,
        model: str,
        messages: list[Any] | None = None,
        input: Any = None,  # noqa: A002 - LiteLLM's name
        specific_deployment: bool | None = False,
        request_kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The entry to use for `model`, the name of a group."""

    async def async_get_available_deployment(
        self,
        model: str,
        messages: list[Any] | None = None,
        input: Any = None,  # noqa: A002
        specific_deployment: bool | None = False,
        request_kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The same, where it has to wait for something."""
