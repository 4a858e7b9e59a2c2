"""How rows of the table are begun: what the providers of one kind have in common."""

from __future__ import annotations

from functools import partial
from typing import Any

from litellm.providers import azure
from litellm.providers.auth.scheme import key_header
from litellm.providers.spec import Provider
from litellm.wire.quirks import Quirks

# What nearly every server of OpenAI's kind has. From those that have no endpoint for completions it is their chat that is
# asked (wire/bridge.py).
_DIALECTS = ("openai_chat", "openai_embeddings", "openai_moderations")


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
    columns = {"dialects": _DIALECTS} | columns
    return Provider(name=name, base=base, key=_names(key), base_env=_names(base_env), quirks=quirks, **columns)


# The same with an endpoint for completions, besides the one for chat.
completions_row = partial(openai_row, dialects=(*_DIALECTS, "openai_text"))


def azure_row(name: str, dialects: tuple[str, ...]) -> Provider:
    """Azure OpenAI: addressed by deployment, and with a token of Entra ID in place of a key."""
    return openai_row(
        name,
        None,
        key=("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
        base_env=("AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT"),
        dialects=dialects,
        auth=key_header("api-key"),
        address=azure.address,
        version_env=("AZURE_API_VERSION", "OPENAI_API_VERSION"),
        bearer_param="azure_ad_token",
        bearer_env=("AZURE_AD_TOKEN",),
        developer_role=True,
    )
