"""The parameters of calls, listed once: for the signatures, the policy, and the proxy.

Source of OpenAI's lists: https://platform.openai.com/docs/api-reference. ControlParams are LiteLLM's own words; they steer
a call and are never sent to an upstream.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from litellm.types.router_words import RoutingParams, words_of


class ChatParams(TypedDict, total=False):
    """What OpenAI's chat completions take besides model, messages and stream."""

    temperature: float | None
    top_p: float | None
    n: int | None
    stream_options: dict[str, Any] | None
    stop: str | list[str] | None
    max_completion_tokens: int | None
    max_tokens: int | None
    modalities: list[str] | None
    prediction: dict[str, Any] | None
    audio: dict[str, Any] | None
    presence_penalty: float | None
    frequency_penalty: float | None
    logit_bias: dict[str, float] | None
    user: str | None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None
    verbosity: Literal["low", "medium", "high"] | None
    response_format: dict[str, Any] | type | None
    seed: int | None
    tools: list[Any] | None
    tool_choice: str | dict[str, Any] | None
    logprobs: bool | None
    top_logprobs: int | None
    parallel_tool_calls: bool | None
    web_search_options: dict[str, Any] | None
    safety_identifier: str | None
    service_tier: str | None
    store: bool | None
    prompt_cache_key: str | None
    prompt_cache_retention: str | None
    functions: list[Any] | None
    function_call: str | dict[str, Any] | None


class TextParams(TypedDict, total=False):
    """What OpenAI's completions take besides model, prompt and stream."""

    best_of: int | None
    echo: bool | None
    frequency_penalty: float | None
    logit_bias: dict[str, float] | None
    logprobs: int | None
    max_tokens: int | None
    n: int | None
    presence_penalty: float | None
    seed: int | None
    stop: str | list[str] | None
    stream_options: dict[str, Any] | None
    suffix: str | None
    temperature: float | None
    top_p: float | None
    user: str | None


class EmbeddingParams(TypedDict, total=False):
    """What OpenAI's embeddings take besides model and input."""

    dimensions: int | None
    encoding_format: Literal["float", "base64"] | None
    user: str | None


class ModerationParams(TypedDict, total=False):
    """What OpenAI's moderations take besides model and input: nothing."""


class ControlParams(TypedDict, total=False):
    """What steers a call and stays here."""

    timeout: float | str | Any | None
    stream_timeout: float | str | None
    api_key: str | None
    api_base: str | None
    base_url: str | None
    api_version: str | None
    organization: str | None
    custom_llm_provider: str | None
    extra_headers: dict[str, str] | None
    headers: dict[str, str] | None
    extra_body: dict[str, Any] | None
    num_retries: int | None
    max_retries: int | None
    fallbacks: list[Any] | None
    context_window_fallback_dict: dict[str, str] | None
    drop_params: bool | None
    additional_drop_params: list[str] | None
    allowed_openai_params: list[str] | None
    supports_system_message: bool | None
    metadata: dict[str, Any] | None
    mock_response: Any
    mock_tool_calls: list[Any] | None
    mock_timeout: bool | None
    mock_delay: float | None
    ssl_verify: bool | str | None
    ssl_certificate: str | None


SAMPLING = tuple(ChatParams.__annotations__)

# Always taken, by every provider: dropping or refusing them is never what the caller wants.
ALWAYS = frozenset({"stream", "stream_options", "user", "messages", "model"})

OPENAI_CHAT_PARAMS: tuple[str, ...] = ("stream", *SAMPLING, "extra_headers")
OPENAI_EMBEDDING_PARAMS: tuple[str, ...] = tuple(EmbeddingParams.__annotations__)

# LiteLLM's further words, accepted so that code written for it runs; what is not built yet has no effect, and what
# takes credentials to another service is read only by the provider that it belongs to.
_OF_ROUTERS = frozenset(name for name, word in words_of(RoutingParams).items() if word.in_calls)
OWNED: frozenset[str] = frozenset(ControlParams.__annotations__) | _OF_ROUTERS | {
    "acompletion", "allowed_model_region", "api_type", "assistant_continue_message", "azure_ad_token",
    "azure_ad_token_provider", "base_model", "bos_token", "cache", "caching", "callbacks", "client", "client_id",
    "client_secret", "complete_response",
    "custom_prompt_dict", "deployment_id", "disable_fallbacks", "enable_json_schema_validation",
    "ensure_alternating_roles", "eos_token", "failure_callback", "final_prompt_value",
    "force_ipv4", "guardrails", "hf_model_name", "initial_prompt_value", "input_callback", "input_cost_per_second",
    "input_cost_per_token", "litellm_call_id", "litellm_metadata", "litellm_params", "litellm_session_id",
    "litellm_system_prompt", "litellm_trace_id", "logger_fn", "max_parallel_requests",
    "merge_reasoning_content_in_choices", "mock_testing_content_policy_fallbacks", "mock_testing_context_fallbacks",
    "mock_testing_fallbacks", "mock_testing_rate_limit_error", "model_info", "model_list", "no-log", "order",
    "output_cost_per_second", "output_cost_per_token", "preset_cache_key", "priority", "prompt_id", "prompt_variables",
    "prompt_version", "region_name", "request_timeout", "retry_strategy", "roles", "router_settings",
    "rpm", "shared_session", "specific_deployment", "success_callback", "tags", "tenant_id",
    "text_completion", "tpm", "turn_off_message_logging", "use_in_pass_through", "use_litellm_proxy", "user_config",
    "user_continue_message", "weight",
}  # fmt: skip

# Access to clouds, and to services that are told of calls. It means nothing to an upstream and is not to travel there.
FOREIGN = ("aws_", "azure_", "gcs_", "hf_", "langfuse_", "langsmith_", "s3_", "sagemaker_", "vertex_", "watsonx_")

# Where a call goes, and with what. They belong to the provider that they were passed for: no other one gets them.
ACCESS = frozenset({
    "api_base", "api_key", "api_version", "azure_ad_token", "azure_ad_token_provider", "base_url", "client_id",
    "client_secret", "custom_llm_provider", "extra_headers", "headers", "organization", "ssl_certificate", "ssl_verify",
    "tenant_id",
})  # fmt: skip


def is_ours(name: str) -> bool:
    """Whether a word is LiteLLM's own: it steers a call, and no upstream is to see it.

    >>> [is_ours(name) for name in ("num_retries", "aws_secret_access_key", "output_cost_per_image", "top_k")]
    [True, True, True, False]
    """
    return name in OWNED or name.startswith(FOREIGN) or "_cost" in name
