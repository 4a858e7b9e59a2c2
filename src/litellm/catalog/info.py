"""Facts about models, looked up and registered: get_model_info, get_max_tokens, supports_…, register_model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from litellm.catalog.facts import ABILITIES, facts
from litellm.catalog.store import Catalog
from litellm.catalog.store import model_cost as catalog  # register_model has a parameter of that name

# Callers read these without asking whether they are there.
_BLANK: dict[str, Any] = dict.fromkeys(
    ("max_tokens", "max_input_tokens", "max_output_tokens", "input_cost_per_token", "output_cost_per_token",
     "cache_creation_input_token_cost", "cache_read_input_token_cost", "litellm_provider", "mode",
     *(f"supports_{ability}" for ability in ABILITIES))
)  # fmt: skip


class ModelNotMappedError(Exception):
    """Nothing is known about the model that was asked about."""


def get_model_info(
    model: str,
    custom_llm_provider: str | None = None,
    api_base: str | None = None,  # noqa: ARG001 - LiteLLM has it, to ask an Ollama server
) -> dict[str, Any]:
    """All that is known about a model: `key`, limits in tokens, prices in US dollars, `mode`, supports_….

    What is not known is None. Raises ModelNotMappedError when nothing is.

    >>> info = get_model_info("anthropic/claude-sonnet-4-5")
    >>> info["key"], info["max_input_tokens"], info["supports_vision"], info["supports_video_input"]
    ('claude-sonnet-4-5', 200000, True, None)
    """
    found = facts(model, custom_llm_provider)
    if found is None:
        message = f"This model isn't mapped yet. model={model}, custom_llm_provider={custom_llm_provider}."
        raise ModelNotMappedError(f"{message} Tell us about it with litellm.register_model.")
    return {**_BLANK, **(catalog.read(found.key) or {}), "key": found.key}


def get_max_tokens(model: str) -> int | None:
    """The longest answer that a model can give, in tokens; None if it has no such limit. Raises ModelNotMappedError.

    >>> get_max_tokens("gpt-4o")
    16384
    """
    found = facts(model)
    if found is None:
        raise ModelNotMappedError(f"Model {model} isn't mapped yet. Tell us about it with litellm.register_model.")
    return found.max_output_tokens


def register_model(model_cost: Mapping[str, Mapping[str, Any]] | str) -> Catalog:
    """Add models, or say more about known ones: fields that are given replace what was there, the others stay.

    It holds for the whole process and at once. Raises TypeError when it is not a dict of dicts, before anything has
    changed. A URL is refused as well: nothing here fetches.

    >>> _ = register_model({"openai/our-llama": {"input_cost_per_token": 1e-7, "max_input_tokens": 8192}})
    >>> get_model_info("openai/our-llama")["max_input_tokens"]
    8192
    """
    if isinstance(model_cost, str):
        raise TypeError("register_model takes a dict of dicts; load the URL or file yourself and pass what it holds")
    for name, entry in model_cost.items():
        if not isinstance(entry, Mapping):
            raise TypeError(f"register_model: what is said about {name!r} must be a dict, not {type(entry).__name__}")
    for name, entry in model_cost.items():
        known = facts(name, entry.get("litellm_provider"))
        catalog[name] = {**((known and catalog.read(known.key)) or {}), **entry}
    return catalog


def _asks(ability: str) -> Callable[..., bool]:
    def supports(model: str, custom_llm_provider: str | None = None) -> bool:
        found = facts(model, custom_llm_provider)
        return found is not None and ability in found.supports

    supports.__name__ = supports.__qualname__ = f"supports_{ability}"
    supports.__doc__ = f"""Whether the model is known to support {ability.replace("_", " ")}. False for an unknown one.

    >>> supports_{ability}("nobody/knows")
    False
    """
    return supports


supports_function_calling = _asks("function_calling")
supports_parallel_function_calling = _asks("parallel_function_calling")
supports_vision = _asks("vision")
supports_response_schema = _asks("response_schema")
supports_tool_choice = _asks("tool_choice")
supports_prompt_caching = _asks("prompt_caching")
supports_audio_input = _asks("audio_input")
supports_audio_output = _asks("audio_output")
supports_pdf_input = _asks("pdf_input")
supports_web_search = _asks("web_search")
supports_reasoning = _asks("reasoning")
supports_system_messages = _asks("system_messages")
supports_native_streaming = _asks("native_streaming")
supports_computer_use = _asks("computer_use")
supports_url_context = _asks("url_context")
supports_assistant_prefill = _asks("assistant_prefill")
supports_embedding_image_input = _asks("embedding_image_input")
supports_video_input = _asks("video_input")
