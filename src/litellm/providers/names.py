"""From "groq/llama3" to a provider and the name of a model there."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from litellm._log import log
from litellm.exceptions import BadRequestError
from litellm.providers.spec import Provider
from litellm.providers.table import BY_NAME, NOT_YET, ROWS


def split_model(
    model: str, custom_llm_provider: str | None, api_base: str | None, handlers: Mapping[str, Any] = {}
) -> tuple[Provider, str, bool]:
    """Who is meant, the model's name there, and whether the provider was named (or only guessed from an API base).

    Order: an explicit provider, your own handlers, the first path segment, the host of api_base, a bare model name,
    any api_base at all. Raises BadRequestError "LLM Provider NOT provided" when nothing fits.
    """
    if not model and not custom_llm_provider:
        raise invalid_model_name(model)
    prefix, _, rest = model.partition("/")
    if custom_llm_provider:
        provider = _named(custom_llm_provider, handlers, model)
        mine = prefix in (custom_llm_provider, provider.name)
        return provider, rest if rest and mine else model, True
    if rest and (prefix in handlers or prefix in BY_NAME or prefix in NOT_YET):
        return _named(prefix, handlers, model), rest, True
    if api_base:
        provider_at = _by_host().get(host_of(api_base))
        if provider_at is not None:
            return provider_at, model, False
    bare = _by_bare_name(model)
    if bare is not None:
        return bare, model, True
    if api_base or model == "*":
        return BY_NAME["openai"], model, False
    raise BadRequestError(
        f"LLM Provider NOT provided. You passed model={model}. Put the provider in front, as in 'openai/{model}' or "
        f"'groq/{model}', or pass api_base=… for an OpenAI-compatible server",
        model=model,
    )


def invalid_model_name(model: Any) -> BadRequestError:
    return BadRequestError(f"model must be a name such as 'openai/gpt-4o', not {model!r}", model=None)


def _named(name: str, handlers: Mapping[str, Any], model: str) -> Provider:
    if name in handlers:
        if name in BY_NAME:
            log.warning("custom_provider_map: %r shadows the built-in provider of that name", name)
        return Provider(name=name, handler=handlers[name])
    provider = BY_NAME.get(name)
    if provider is not None:
        return provider
    if name in NOT_YET:
        raise BadRequestError(f"the provider {name} is not supported yet", model=model, llm_provider=name)
    raise BadRequestError(
        f"LLM Provider NOT provided: there is no provider {name!r}. Use a name from litellm.provider_list, or register "
        "a handler of yours in litellm.custom_provider_map",
        model=model,
        llm_provider=name,
    )


@lru_cache(maxsize=1)
def _by_host() -> dict[str, Provider]:
    hosts: dict[str, Provider] = {}
    for row in ROWS:
        host = host_of(row.base or "")
        if host and "{" not in host and host not in ("localhost", "127.0.0.1"):
            hosts.setdefault(host, row)
    hosts["api.openai.com"] = BY_NAME["openai"]
    return hosts


def host_of(base: str) -> str:
    try:
        return urlsplit(base).hostname or ""
    except ValueError:
        return ""


@lru_cache(maxsize=1024)
def _by_bare_name(model: str) -> Provider | None:
    for row in ROWS:
        if any(fnmatchcase(model, pattern) for pattern in row.names):
            return row
    return None
