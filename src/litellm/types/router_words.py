"""The words of a Router, each declared once: for its signature, update_settings, the config file, a client's user_config
and the public models; and so are the fields of its policies. What a word means is said in router/settings.py.

A new word is a line here, in the class of those who take it, and its meaning there. Each reader has a type of its own for
each kind: a config file is read strictly, a client's configuration within bounds.
"""

# No `from __future__ import annotations`: what stands in the annotations is read at runtime.
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

from litellm import exceptions
from litellm.exceptions import LiteLLMError

Kind = Literal[
    "retries", "count", "depth", "seconds", "pause", "cooldown", "flag", "fallbacks", "targets", "strategy",
    "strategy_args", "retry_policy", "retry_policies", "fails_policy", "aliases", "params", "verbose", "unsupported",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What is to be known of a word besides its type.

    about: a sentence for the configuration reference; for an unsupported one, what that means. default: where it is not
    said. by_clients: a user_config may say it. in_calls: a call may say it too, so no upstream is ever to see it.
    """

    kind: Kind
    about: str
    default: Any = None
    by_clients: bool = False
    in_calls: bool = False


class ErrorKind(NamedTuple):
    """A kind of error that policies tell apart. name: what their fields for it begin with. one, many: in words."""

    name: str
    error: type[LiteLLMError]
    one: str
    many: str


# The most telling class first.
ERROR_KINDS = (
    ErrorKind(
        "ContentPolicyViolationError", exceptions.ContentPolicyViolationError, "refused content", "refused content"
    ),
    ErrorKind("BadRequestError", exceptions.BadRequestError, "a 400", "400s"),
    ErrorKind("AuthenticationError", exceptions.AuthenticationError, "a 401", "401s"),
    ErrorKind("NotFoundError", exceptions.NotFoundError, "a 404", "404s"),
    ErrorKind("TimeoutError", exceptions.Timeout, "a timeout", "timeouts"),
    ErrorKind("RateLimitError", exceptions.RateLimitError, "a 429", "429s"),
    ErrorKind("InternalServerError", exceptions.InternalServerError, "a 500", "500s"),
    ErrorKind("ServiceUnavailableError", exceptions.ServiceUnavailableError, "a 503", "503s"),
)
# The fields of a RetryPolicy and of an AllowedFailsPolicy.
RETRY_FIELDS: Mapping[str, ErrorKind] = {f"{kind.name}Retries": kind for kind in ERROR_KINDS}
FAILS_FIELDS: Mapping[str, ErrorKind] = {f"{kind.name}AllowedFails": kind for kind in ERROR_KINDS}

FallbackTables = Sequence[Mapping[str, Sequence[Any]]]


class FailoverParams(TypedDict, total=False):
    """What happens when a deployment fails. litellm_settings of a config file takes these too."""

    num_retries: Annotated[
        int | None, Word(kind="retries", by_clients=True, about="Retries of a failed call, elsewhere if possible.")
    ]
    fallbacks: Annotated[
        FallbackTables | None,
        Word(
            kind="fallbacks", by_clients=True, in_calls=True,
            about="Groups to try after a group failed: `[{group: [other, another]}]`.",
        ),
    ]  # fmt: skip
    context_window_fallbacks: Annotated[
        FallbackTables | None,
        Word(
            kind="fallbacks", by_clients=True, in_calls=True,
            about="The same, after a prompt was too long for a group.",
        ),
    ]  # fmt: skip
    content_policy_fallbacks: Annotated[
        FallbackTables | None,
        Word(
            kind="fallbacks", by_clients=True, in_calls=True,
            about="The same, after a provider refused the content, or its filter cut the answer off.",
        ),
    ]  # fmt: skip
    default_fallbacks: Annotated[
        Sequence[Any] | None,
        Word(
            kind="targets", by_clients=True, in_calls=True, about="Groups to try after any group that has no own."
        ),
    ]  # fmt: skip
    allowed_fails: Annotated[
        int | None,
        Word(
            kind="count", by_clients=True,
            about="Failures in a minute after which a deployment cools down, in place of the usual rules.",
        ),
    ]  # fmt: skip
    cooldown_time: Annotated[
        float | None,
        Word(
            kind="cooldown", by_clients=True, in_calls=True,
            about="Seconds a deployment cools down, where its answer does not say: 5. 0: never.",
        ),
    ]  # fmt: skip


class RoutingParams(FailoverParams, total=False):
    """How a deployment is chosen, and what happens when it fails: what Router.update_settings changes."""

    routing_strategy: Annotated[
        str,
        Word(
            kind="strategy", default="simple-shuffle", by_clients=True, in_calls=True,
            about="How to pick from a group.",
        ),
    ]  # fmt: skip
    routing_strategy_args: Annotated[
        Mapping[str, Any] | None, Word(kind="strategy_args", by_clients=True, about="Settings of the strategy.")
    ]
    timeout: Annotated[Any, Word(kind="seconds", by_clients=True, about="Seconds a call may take in total.")]
    stream_timeout: Annotated[
        Any, Word(kind="seconds", by_clients=True, about="Seconds a streamed call may take to begin.")
    ]
    retry_after: Annotated[
        float, Word(kind="pause", default=0, by_clients=True, about="Seconds to wait at least before a retry.")
    ]
    retry_policy: Annotated[
        Any, Word(kind="retry_policy", by_clients=True, in_calls=True, about="Retries by what went wrong.")
    ]
    model_group_retry_policy: Annotated[
        Mapping[str, Any] | None,
        Word(kind="retry_policies", about="The same for single groups: `{group: {…}}`."),
    ]
    max_fallbacks: Annotated[
        int | None,
        Word(
            kind="depth", by_clients=True, in_calls=True, about="How deep fallbacks of fallbacks are followed: 5."
        ),
    ]  # fmt: skip
    allowed_fails_policy: Annotated[
        Any, Word(kind="fails_policy", by_clients=True, about="`allowed_fails` by what went wrong.")
    ]
    disable_cooldowns: Annotated[
        bool | None, Word(kind="flag", default=False, by_clients=True, about="No deployment ever cools down.")
    ]
    enable_pre_call_checks: Annotated[
        bool,
        Word(
            kind="flag", default=False, by_clients=True,
            about="Leave out deployments whose model cannot read the whole prompt, or follow its JSON schema.",
        ),
    ]  # fmt: skip
    enable_tag_filtering: Annotated[
        bool,
        Word(
            kind="flag", default=False, by_clients=True, in_calls=True,
            about="Choose deployments by the tags of a request.",
        ),
    ]  # fmt: skip
    tag_filtering_match_any: Annotated[
        bool,
        Word(
            kind="flag", default=True, by_clients=True,
            about="False: a deployment needs all tags of a request, not just one.",
        ),
    ]  # fmt: skip
    model_group_alias: Annotated[
        Mapping[str, Any] | None,
        Word(kind="aliases", by_clients=True, about="Other names for groups: `{alias: group}`."),
    ]


class DeploymentDefaultParams(TypedDict, total=False):
    """What deployments take from their Router, where they do not say it themselves."""

    default_litellm_params: Annotated[
        Mapping[str, Any] | None, Word(kind="params", about="`litellm_params` of all deployments.")
    ]
    default_max_parallel_requests: Annotated[
        int | None, Word(kind="count", about="`max_parallel_requests` of deployments that have none of their own.")
    ]


def _unsupported(about: str) -> Word:
    return Word(kind="unsupported", about=about)


_LOCAL = _unsupported("cooldowns and limits hold within this process")
_NO_CACHE = _unsupported("nothing is cached")
_NO_SUCH_THING = _unsupported("there is no such thing here")
_NO_CLOCK = _unsupported("nothing here expires or polls")
_NO_AFFINITY = _unsupported("a conversation may change deployments")
_NO_PROBES = _unsupported("nothing is sent that nobody asked for")
_NO_ACCESS_CHECK = _unsupported("the caller is the owner")


class UnsupportedRouterParams(TypedDict, total=False):
    """What LiteLLM's Router takes and this one does not act on yet."""

    redis_url: Annotated[Any, _LOCAL]
    redis_host: Annotated[Any, _LOCAL]
    redis_port: Annotated[Any, _LOCAL]
    redis_password: Annotated[Any, _LOCAL]
    redis_db: Annotated[Any, _LOCAL]
    cache_kwargs: Annotated[Any, _LOCAL]
    cache_responses: Annotated[Any, _NO_CACHE]
    caching_groups: Annotated[Any, _NO_CACHE]
    assistants_config: Annotated[Any, _NO_SUCH_THING]
    search_tools: Annotated[Any, _NO_SUCH_THING]
    guardrail_list: Annotated[Any, _NO_SUCH_THING]
    plugins: Annotated[Any, _NO_SUCH_THING]
    client_ttl: Annotated[Any, _NO_CLOCK]
    polling_interval: Annotated[Any, _NO_CLOCK]
    default_priority: Annotated[Any, _unsupported("requests are not queued")]
    debug_level: Annotated[Any, _unsupported("use litellm.set_verbose")]
    tag_routing_prefix: Annotated[Any, _unsupported("tags are compared as they are")]
    optional_pre_call_checks: Annotated[
        Any, _unsupported("rpm and tpm are limits in any case; the other checks are not there")
    ]
    routing_groups: Annotated[Any, _unsupported("one strategy holds for all groups")]
    provider_budget_config: Annotated[Any, _unsupported("nothing is spent against a budget")]
    alerting_config: Annotated[Any, _unsupported("nobody is alerted")]
    router_general_settings: Annotated[Any, _unsupported("it has no effect")]
    deployment_affinity_ttl_seconds: Annotated[Any, _NO_AFFINITY]
    model_group_affinity_config: Annotated[Any, _NO_AFFINITY]
    ignore_invalid_deployments: Annotated[Any, _unsupported("a deployment that could never be called is an error")]
    enable_health_check_routing: Annotated[Any, _NO_PROBES]
    health_check_staleness_threshold: Annotated[Any, _NO_PROBES]
    enable_weighted_failover: Annotated[Any, _unsupported("retries go by weight in any case")]
    fallback_access_check: Annotated[Any, _NO_ACCESS_CHECK]
    fallback_budget_check: Annotated[Any, _NO_ACCESS_CHECK]


class RouterParams(RoutingParams, DeploymentDefaultParams, UnsupportedRouterParams, total=False):
    """What Router takes besides its model_list."""

    set_verbose: Annotated[bool, Word(kind="verbose", default=False, about="Log at DEBUG.")]


def words_of(params: type) -> dict[str, Word]:
    """The words of one of these classes, in their order.

    >>> words_of(RoutingParams)["max_fallbacks"].kind
    'depth'
    """
    return {name: hint.__metadata__[0] for name, hint in params.__annotations__.items()}


def types_of(params: type) -> dict[str, Any]:
    """Their types, as a signature shows them."""
    return {name: hint.__origin__ for name, hint in params.__annotations__.items()}


UNSUPPORTED: Mapping[str, str] = {name: word.about for name, word in words_of(UnsupportedRouterParams).items()}
