"""How rows of the table are begun: what the providers of one kind have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm.providers import azure
from litellm.providers.auth.scheme import key_header
from litellm.providers.spec import Provider
from litellm.wire.protocol import Operation
from litellm.wire.quirks import Quirks

_OPENAI: Mapping[Operation, str] = {
    "chat": "openai_chat", "embeddings": "openai_embeddings", "moderations": "openai_moderations"
}  # fmt: skip
# Those that have an endpoint for completions; from the others it is their chat that is asked (wire/bridge.py).
_WITH_TEXT: Mapping[Operation, str] = {**_OPENAI, "text": "openai_text"}
COMPLETERS = frozenset({
    "aiohttp_openai", "apertis", "chutes", "custom_openai", "dashscope", "docker_model_runner", "featherless_ai",
    "fireworks_ai", "hosted_vllm", "hyperbolic", "lambda_ai", "lemonade", "litellm_proxy", "llamafile", "lm_studio",
    "meta_llama", "mock", "modelscope", "moonshot", "nano-gpt", "nebius", "openai", "openai_like", "poe", "publicai",
    "qwencloud", "synthetic", "tensormesh", "together_ai", "v0", "wandb", "xinference",
})  # fmt: skip


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def openai_row(
    name: str,
    base: str | None,
    *,
    key: str | tuple[str, ...] = (),
    base_env: str | tuple[str, ...] = (),
    developer_role: bool = False,
    quirks: Quirks | None = None,
    **columns: Any,
) -> Provider:
    """A row that speaks OpenAI's format. developer_role: it knows the role "developer"; most others do not."""
    if quirks is None:
        quirks = Quirks()
    if not developer_role:
        quirks = Quirks(**{**{f: getattr(quirks, f) for f in quirks.__struct_fields__}, "developer_as_system": True})
    columns = {"wires": _WITH_TEXT if name in COMPLETERS else _OPENAI} | columns
    return Provider(name=name, base=base, key=_names(key), base_env=_names(base_env), quirks=quirks, **columns)


def azure_row(name: str, wires: Mapping[Operation, str]) -> Provider:
    """Azure OpenAI: addressed by deployment, and with a token of Entra ID in place of a key."""
    return openai_row(
        name,
        None,
        key=("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
        base_env=("AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT"),
        wires=wires,
        auth=key_header("api-key"),
        address=azure.address,
        version_env=("AZURE_API_VERSION", "OPENAI_API_VERSION"),
        bearer_param="azure_ad_token",
        bearer_env=("AZURE_AD_TOKEN",),
        developer_role=True,
    )
