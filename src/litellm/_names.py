"""Public name → where it is defined. The one table behind `litellm.NAME`, `dir(litellm)` and __init__.pyi.

This module may name everything because it imports nothing of it until it is asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

NAMES: dict[str, str] = {
    name: module
    for module, names in {
        "litellm.sdk.chat": ("completion", "acompletion"),
        "litellm.sdk.completion": ("text_completion", "atext_completion"),
        "litellm.sdk.embedding": ("embedding", "aembedding"),
        "litellm.sdk.moderation": ("moderation", "amoderation"),
        "litellm.sdk.helpers": (
            "get_llm_provider", "get_supported_openai_params", "provider_list", "OPENAI_CHAT_COMPLETION_PARAMS",
            "_turn_on_debug",
        ),
        "litellm.engine.assemble": ("stream_chunk_builder",),
        "litellm.engine.stream": ("CustomStreamWrapper",),
        "litellm.providers.custom": ("CustomLLM", "CustomLLMError"),
        "litellm.types.chat": (
            "ChatCompletionDeltaToolCall", "ChatCompletionMessageToolCall", "Choices", "Delta", "FunctionCall", "Message",
            "ModelResponse", "ModelResponseStream", "StreamingChoices", "Usage",
        ),
        "litellm.types.completion": ("TextChoices", "TextCompletionResponse"),
        "litellm.types.embedding": ("EmbeddingResponse",),
        "litellm.sdk.router": ("Router",),
        "litellm.types.router": ("RouterConfig",),
        "litellm.sdk.batch": (
            "batch_completion", "batch_completion_models", "batch_completion_models_all_responses",
        ),
        "litellm.catalog.info": (
            "ModelNotMappedError", "get_max_tokens", "get_model_info", "register_model", "supports_assistant_prefill",
            "supports_audio_input", "supports_audio_output", "supports_computer_use", "supports_embedding_image_input",
            "supports_function_calling", "supports_native_streaming", "supports_parallel_function_calling",
            "supports_pdf_input", "supports_prompt_caching", "supports_reasoning", "supports_response_schema",
            "supports_system_messages", "supports_tool_choice", "supports_url_context", "supports_video_input",
            "supports_vision", "supports_web_search",
        ),
        "litellm.catalog.prices": ("completion_cost", "cost_per_token"),
        "litellm.catalog.store": ("model_cost",),
        "litellm.tokens.count": ("decode", "encode", "token_counter"),
        "litellm.hooks.logger": ("CustomLogger",),
        "litellm.hooks.scratch": ("DualCache",),
        "litellm.types.hooks": ("CallTypes",),
        "litellm.types.streaming": ("GenericStreamingChunk",),
        "litellm.exceptions": (
            "APIConnectionError", "APIError", "APIResponseValidationError", "AuthenticationError",
            "AzureOpenAIError", "BadGatewayError", "BadRequestError", "BudgetExceededError",
            "ContentPolicyViolationError", "ContextWindowExceededError", "ImageFetchError", "IncompleteStream",
            "InternalServerError", "InvalidRequestError", "JSONSchemaValidationError", "LiteLLMUnknownProvider",
            "NotFoundError", "OpenAIError", "PaymentRequiredError", "PermissionDeniedError", "RateLimitError",
            "RejectedRequestError", "RouterRateLimitError", "ServiceUnavailableError", "Timeout",
            "UnprocessableEntityError", "UnsupportedParamsError",
        ),
    }.items()
    for name in names
}  # fmt: skip

# Modules that LiteLLM's users reach after a bare `import litellm`, and what they expect to find inside.
MODULES: dict[str, tuple[str, ...]] = {
    "_logging": (),
    "caching": ("caching", "dual_cache"),
    "cost_calculator": (),
    "exceptions": (),
    "integrations": ("custom_logger",),
    "litellm_core_utils": ("get_supported_openai_params", "streaming_handler"),
    "llms": ("base", "custom_llm"),
    "main": (),
    "router": (),
    "types": (),
    "utils": (),
}

# Importable but not displayed: aider walks dir(litellm) and refuses to start when it meets an *Error it does not know.
HIDDEN = frozenset({
    "CustomLLMError", "ModelNotMappedError", "PaymentRequiredError", "RejectedRequestError", "_turn_on_debug",
})  # fmt: skip


def find(name: str) -> Any:
    """The object called `litellm.<name>`. Raises AttributeError."""
    if name in NAMES:
        if NAMES[name] == "litellm.exceptions":
            from litellm.exceptions import adopt_openai

            adopt_openai()  # a class that is looked up by name may be compared with openai's
        return getattr(importlib.import_module(NAMES[name]), name)
    if name in MODULES:
        for inside in MODULES[name]:
            importlib.import_module(f"litellm.{name}.{inside}")
        return importlib.import_module(f"litellm.{name}")
    raise AttributeError(f"module 'litellm' has no attribute {name!r}")


def public_names() -> set[str]:
    """The names for dir(litellm)."""
    return (set(NAMES) | {name for name in MODULES if not name.startswith("_")}) - HIDDEN
