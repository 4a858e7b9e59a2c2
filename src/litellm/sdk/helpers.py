"""Helpers about providers and parameters, used before a call."""

from __future__ import annotations

from typing import Any

from litellm import _log
from litellm.exceptions import LiteLLMError
from litellm.operations import CHAT, OPERATIONS, load
from litellm.providers.credentials import credentials
from litellm.providers.names import split_model
from litellm.providers.table import BY_NAME, ROWS
from litellm.sdk._settings import read_settings
from litellm.types.params import OPENAI_CHAT_PARAMS

provider_list: list[str] = sorted(row.name for row in ROWS)

OPENAI_CHAT_COMPLETION_PARAMS: list[str] = list(OPENAI_CHAT_PARAMS)

_BY_REQUEST = {row.request_type: row.params for row in OPERATIONS if row.request_type}


def get_llm_provider(
    model: str,
    custom_llm_provider: str | None = None,
    api_base: str | None = None,
    api_key: str | None = None,
    litellm_params: Any = None,  # noqa: ARG001 - LiteLLM has it
) -> tuple[str, str, str | None, str | None]:
    """Who would be called: (model without prefix, provider, API key, API base).

    Raises BadRequestError for a model that no provider is known for.

    >>> get_llm_provider("openai/google/gemma", api_base="http://localhost:8000/v1", api_key="k")
    ('google/gemma', 'openai', 'k', 'http://localhost:8000/v1')
    """
    defaults = read_settings().defaults
    provider, name, named = split_model(model, custom_llm_provider, api_base, defaults.handlers)
    if provider.handler is not None:
        return name, provider.name, api_key, api_base
    base, key = credentials(provider, api_base, api_key, named=named, defaults=defaults)
    return name, provider.name, key, base


def get_supported_openai_params(
    model: str, custom_llm_provider: str | None = None, request_type: str = CHAT.request_type
) -> list[str] | None:
    """OpenAI's parameters that the provider takes; None for an unknown provider.

    request_type: "chat_completion" or "embeddings".

    >>> "tools" in get_supported_openai_params("groq/llama3")
    True
    """
    address = _BY_REQUEST.get(request_type)
    if address is None:
        return None
    names: tuple[str, ...] = load(address)
    handlers = read_settings().defaults.handlers
    if custom_llm_provider is None:
        try:
            provider = split_model(model, None, None, handlers)[0]
        except LiteLLMError:
            return None
    elif custom_llm_provider in handlers:
        return list(names)
    elif custom_llm_provider in BY_NAME:
        provider = BY_NAME[custom_llm_provider]
    else:
        return None
    return [name for name in names if name not in provider.unsupported]


def _turn_on_debug() -> None:
    """Show debug lines on stderr, secrets masked."""
    _log.turn_on()
