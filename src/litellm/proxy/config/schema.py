"""The settings of a config file, as documented types. The configuration reference is generated from this file.

`docs/` takes each field's text from its `description`. Sections are strict, except for the two free-form maps
`litellm_params` and `model_info`, whose extra keys are kept for the provider (`model_extra`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator

from litellm.net.guard import HostRule
from litellm.proxy.config.checks import (
    AnyMasked,
    Callback,
    EnvName,
    EnvValue,
    FallbackSource,
    FallbackTarget,
    Function,
    GroupName,
    Handler,
    MapMasked,
    not_quoted,
    one_message,
    unique,
)
from litellm.proxy.config.secrets import Secret, seal_credentials
from litellm.types.router_words import (
    FAILS_FIELDS,
    RETRY_FIELDS,
    DeploymentDefaultParams,
    FailoverParams,
    Kind,
    RoutingParams,
    words_of,
)

Int = Annotated[int, BeforeValidator(not_quoted("integer"))]
Count = Annotated[Int, Field(ge=0)]
Amount = Annotated[float, BeforeValidator(not_quoted("number")), Field(ge=0, allow_inf_nan=False)]
Seconds = Amount
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[str | tuple[str, ...], one_message("Input should be a text or a list of texts")]
Verify = Annotated[
    bool | str, Field(union_mode="left_to_right"), one_message("Input should be a boolean or the path of a CA file")
]
Headers = dict[str, Secret]
Callbacks = Annotated[tuple[Callback, ...], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]
Strategy = Literal[
    "simple-shuffle", "least-busy", "usage-based-routing", "usage-based-routing-v2", "latency-based-routing",
    "cost-based-routing",
]  # fmt: skip
PreCallCheck = Annotated[
    Literal["enforce_model_rate_limits"],
    one_message(
        "not supported in this release, and unsafe to ignore; remove it to start (there is enforce_model_rate_limits)"
    ),
]
Fallbacks = tuple[dict[FallbackSource, tuple[FallbackTarget, ...]], ...]
DefaultFallbacks = tuple[FallbackTarget, ...]


def _host_entry(entry: str) -> str:
    HostRule.of(entry)  # raises ValueError with the forms that there are
    return entry


def _rule(rule: str | dict[str, str]) -> str | dict[str, str]:
    for pattern in rule.values() if isinstance(rule, dict) else ():
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    return rule


ClientSideRule = Annotated[str | dict[str, str], AfterValidator(_rule)]
HostEntry = Annotated[Text, AfterValidator(_host_entry)]


class _Section(BaseModel):
    # hide_input: pydantic's own error text would repeat the value, and with it a secret that was put in a wrong place.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _empty_means_unset(cls, data: Any) -> Any:
        # `litellm_settings:` with all its lines commented out is a null to YAML.
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


class _FreeFormSection(_Section):
    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _mask_extras(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        extras = {key: value for key, value in data.items() if key not in cls.model_fields}
        return data | seal_credentials(extras)


class LitellmParams(_FreeFormSection):
    """How one deployment is called. Keys that are not listed here are passed to the provider."""

    model: Text = Field(description="Provider and model, such as `openai/gpt-4o` or `my-custom-llm/my-model`.")
    api_key: Secret | None = Field(default=None, description="The provider's key; absent: its own variable's.")
    api_base: str | None = Field(default=None, description="Base URL, such as `http://vllm.internal:8000/v1`.")
    base_url: str | None = Field(default=None, description="Another name for `api_base`.")
    api_version: str | None = Field(default=None, description="API version, for providers that have one (Azure).")
    organization: Texts | None = Field(default=None, description="OpenAI's; a list makes one deployment of each.")
    timeout: Seconds | None = Field(default=None, description="Seconds a call may take in total.")
    stream_timeout: Seconds | None = Field(default=None, description="Seconds a streamed call may take to begin.")
    max_retries: Count | None = Field(default=None, description="Retries of one call to this deployment.")
    rpm: Count | None = Field(default=None, description="Requests per minute this deployment takes: a limit.")
    tpm: Count | None = Field(default=None, description="Tokens per minute this deployment takes: a limit.")
    max_parallel_requests: Count | None = Field(default=None, description="Requests that may be under way at once.")
    weight: Amount | None = Field(default=None, description="Share of the group's traffic; 0 takes none.")
    order: Int | None = Field(default=None, description="Deployments of the lowest order are tried first.")
    cooldown_time: Seconds | None = Field(default=None, description="Seconds it cools down; absent: the router's.")
    tags: tuple[str, ...] | None = Field(default=None, description="Labels a request can choose deployments by.")
    region_name: Text | None = Field(
        default=None, description="Where it is: `eu`, `us`, or a cloud's `westeurope` and the like."
    )
    supports_system_message: bool | None = Field(default=None, description="False: send them as user messages.")
    drop_params: bool | None = Field(default=None, description="Drop what the provider does not take.")
    additional_drop_params: tuple[str, ...] | None = Field(default=None, description="Parameters to drop in any case.")
    allowed_openai_params: tuple[str, ...] | None = Field(default=None, description="Ones to pass on in any case.")
    extra_headers: Headers | None = Field(default=None, description="Headers added to each request; masked in print.")
    headers: Headers | None = Field(default=None, description="Another name for `extra_headers`.")
    extra_body: MapMasked | None = Field(default=None, description="Merged into the JSON that is sent to the provider.")
    custom_llm_provider: str | None = Field(default=None, description="The provider, if `model` does not name it.")
    ssl_verify: Verify | None = Field(default=None, description="False to accept any certificate, or a CA file's path.")
    mock_response: AnyMasked = Field(default=None, description="Answer with this and call nobody.")
    mock_delay: Seconds | None = Field(default=None, description="Seconds to wait before the mocked answer.")
    configurable_clientside_auth_params: tuple[ClientSideRule, ...] | None = Field(
        default=None,
        description="What requests may bring though others may not: `api_base`, or `{api_base: pattern it must match}`.",
    )
    input_cost_per_token: Amount | None = Field(default=None, description="Price of one input token, in dollars.")
    output_cost_per_token: Amount | None = Field(default=None, description="Price of one output token, in dollars.")


class ModelInfo(_FreeFormSection):
    """Facts about a deployment. Keys that are not listed here are kept."""

    id: str | None = Field(default=None, coerce_numbers_to_str=True, description="Its own name; derived if absent.")
    base_model: str | None = Field(default=None, description="The model whose facts and prices apply.")
    max_input_tokens: Count | None = Field(
        default=None, description="Longest prompt; absent: as is known of the model."
    )
    supports_response_schema: bool | None = Field(
        default=None, description="Whether it answers by a JSON schema; absent: as is known of the model."
    )
    mode: str | None = Field(default=None, description="`chat`, `embedding` …: a note; anything may be asked.")


class DeploymentConfig(_Section):
    """One endpoint behind a name. Deployments with the same `model_name` are a group and share its traffic."""

    model_name: Text = Field(description="The name clients ask for; `openai/*` or `*` stands for many.")
    litellm_params: LitellmParams = Field(description="How the deployment is called.")
    model_info: ModelInfo = Field(default_factory=ModelInfo, description="Facts about it.")
    rpm: Count | None = Field(default=None, description="The older place of `litellm_params.rpm`, which counts first.")
    tpm: Count | None = Field(default=None, description="The older place of `litellm_params.tpm`, which counts first.")


class CustomProvider(_Section):
    """A provider of your own, served by an object from a Python file beside the config file."""

    provider: Text = Field(description="The prefix that chooses it: `my-custom-llm` for `my-custom-llm/my-model`.")
    custom_handler: Handler = Field(description="`module.instance`: a file beside this one, and a name in it.")


Deployments = Annotated[tuple[DeploymentConfig, ...], unique("model_info.id")]
CustomProviders = Annotated[tuple[CustomProvider, ...], unique("provider")]


class GroupAlias(_Section):
    """Another name for a group. In the file, `alias: group` is short for `alias: {model: group}`."""

    model: GroupName = Field(description="The group that answers.")
    hidden: bool = Field(default=False, description="Leave the alias out of `/v1/models`.")

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, data: Any) -> Any:
        return {"model": data} if isinstance(data, str) else data


class StrategyArgs(_Section):
    """Settings of `latency-based-routing`."""

    ttl: Seconds = Field(default=3600, description="Seconds for which a measured latency counts.")
    lowest_latency_buffer: Amount = Field(
        default=0, description="Deployments slower by up to this fraction count as equally fast."
    )
    max_latency_list_size: Count = Field(
        default=10, description="How many of the latest answers count; 100 at the most."
    )


def _policy(about: Mapping[str, str]) -> Any:
    """A section with a count for each name, and what it is about."""
    fields: dict[str, Any] = {
        name: (Count | None, Field(default=None, description=text)) for name, text in about.items()
    }
    return create_model("Policy", __base__=_Section, __module__=__name__, **fields)


class RetryPolicy(_policy({name: f"After {kind.one}." for name, kind in RETRY_FIELDS.items()})):  # type: ignore[misc]
    """Retries by what went wrong. What is not named is retried `num_retries` times, if it may pass at all."""


class AllowedFailsPolicy(_policy({name: f"Of {kind.many}." for name, kind in FAILS_FIELDS.items()})):  # type: ignore[misc]
    """Failures in a minute, by what went wrong, after which a deployment cools down."""


# How the file may say a Router's word, by its kind; and what it is where nothing is said, if not the word's default.
_TYPES: Mapping[Kind, Any] = {
    "retries": Count | None, "count": Count | None, "depth": Count | None, "seconds": Seconds | None, "pause": Seconds,
    "cooldown": Seconds | None, "flag": bool, "fallbacks": Fallbacks, "targets": DefaultFallbacks, "strategy": Strategy,
    "strategy_args": StrategyArgs, "retry_policy": RetryPolicy, "retry_policies": dict[GroupName, RetryPolicy],
    "fails_policy": AllowedFailsPolicy, "aliases": dict[str, GroupAlias], "params": MapMasked,
}  # fmt: skip
_EMPTY: Mapping[Kind, Callable[[], Any]] = {
    "fallbacks": tuple, "targets": tuple, "strategy_args": StrategyArgs, "retry_policy": RetryPolicy,
    "retry_policies": dict, "fails_policy": AllowedFailsPolicy, "aliases": dict, "params": dict,
}  # fmt: skip


def _section(params: type) -> Any:
    """A section with the words of `params`, as types/router_words.py declares them."""
    fields: dict[str, Any] = {}
    for name, word in words_of(params).items():
        empty = _EMPTY.get(word.kind)
        default = {"default": word.default} if empty is None else {"default_factory": empty}
        fields[name] = (_TYPES[word.kind], Field(description=word.about, **default))
    return create_model(params.__name__, __base__=_Section, __module__=__name__, **fields)


class LitellmSettings(_section(FailoverParams)):  # type: ignore[misc]  # made from the declared words
    """How calls behave, whichever deployment takes them."""

    drop_params: bool = Field(default=False, description="Drop what a provider does not take, instead of a 400.")
    request_timeout: Seconds | None = Field(default=None, description="Seconds a call may take in total.")
    custom_provider_map: CustomProviders = Field(default=(), description="Providers of your own.")
    callbacks: Callbacks = Field(
        default=(), description="Who is told of every call, and the hooks: `file.instance`, or the name of one we have."
    )
    success_callback: Callbacks = Field(default=(), description="Who is told of calls that succeed.")
    failure_callback: Callbacks = Field(default=(), description="Who is told of calls that fail.")
    input_callback: Callbacks = Field(default=(), description="Who is told of calls before they are made.")
    turn_off_message_logging: bool = Field(default=False, description="Tell nobody prompts and answers.")
    set_verbose: bool = Field(default=False, description="Log at DEBUG.")
    json_logs: bool = Field(default=False, description="Log one JSON object per line.")
    ssl_verify: Verify | None = Field(default=None, description="False to accept any certificate, or a CA file's path.")
    ssl_certificate: str | None = Field(default=None, description="Path of our certificate, to show to providers.")
    force_ipv4: bool = Field(default=False, description="Reach providers by IPv4 only.")
    headers: Headers = Field(default={}, description="Headers added to each request; masked in print.")
    organization: str | None = Field(default=None, description="OpenAI's, for `openai/` deployments without their own.")
    telemetry: bool = Field(default=False, description="Accepted for compatibility; nothing is ever sent.")


class RouterSettings(_section(DeploymentDefaultParams), _section(RoutingParams)):  # type: ignore[misc]
    """How a deployment is chosen, and what happens when it fails."""

    optional_pre_call_checks: tuple[PreCallCheck, ...] = Field(
        default=(), description="`enforce_model_rate_limits`, which is always done: `rpm` and `tpm` are limits."
    )


class CustomAuthSettings(_Section):
    """How `custom_auth` and the master key get along."""

    mode: Literal["on", "auto", "off"] = Field(
        default="on", description="`auto`: who is refused by `custom_auth` may still show the master key."
    )


class GeneralSettings(_Section):
    """The server itself. A change here needs a restart."""

    master_key: Secret | None = Field(default=None, description="The key that clients must show; it may do everything.")
    max_request_size_mb: Amount | None = Field(default=None, description="Largest request body, in megabytes.")
    max_request_memory_mb: Amount | None = Field(
        default=None,
        description="Megabytes of request bodies that one worker holds at once: 512. Beyond that it answers 503.",
    )
    stream_heartbeat_seconds: Seconds | None = Field(
        default=None,
        description="Put a comment into streams every so many seconds; the first makes the status a 200. Absent: never.",
    )
    completion_model: str | None = Field(default=None, description="Answers every request, whatever name it asks for.")
    graceful_shutdown_seconds: Seconds = Field(default=30, description="For calls under way after a stop signal.")
    allow_client_side_credentials: bool = Field(
        default=True, description="Let requests bring their own `api_key`, `api_base` and `user_config`."
    )
    client_side_hosts: tuple[HostEntry, ...] = Field(
        default=(),
        description="Hosts that requests may choose though they are not public: `host`, `host:port`, a network.",
    )
    custom_auth: Function = Field(default=None, description="`file.function` that says who is calling.")
    custom_auth_settings: CustomAuthSettings = Field(
        default_factory=CustomAuthSettings, description="When `custom_auth` is asked."
    )

    @property
    def uses_custom_auth(self) -> bool:
        """Whether `custom_auth` is asked at all."""
        return self.custom_auth is not None and self.custom_auth_settings.mode != "off"


class ConfigFile(_Section):
    """A whole config file, with what it includes."""

    model_list: Deployments = Field(default=(), description="The deployments.")
    litellm_settings: LitellmSettings = Field(default_factory=LitellmSettings, description="How calls behave.")
    router_settings: RouterSettings = Field(default_factory=RouterSettings, description="How deployments are chosen.")
    general_settings: GeneralSettings = Field(default_factory=GeneralSettings, description="The server itself.")
    environment_variables: dict[EnvName, EnvValue] = Field(default={}, description="Exported before all else.")
    include: tuple[str, ...] = Field(default=(), description="Other files to join in, relative to this one.")
