"""Where Azure OpenAI keeps its models: one URL for each deployment, and a version in the query.

Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference. The newer surface, /openai/v1, is addressed like
OpenAI's: https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlunsplit

from litellm.net.url import join, split

VERSION = "2025-02-01-preview"
_V1 = "/openai/v1"
_V1_VERSIONS: Mapping[str | None, Mapping[str, str]] = {  # api_version → what goes into the query
    "v1": {}, "latest": {}, "preview": {"api-version": "preview"}
}  # fmt: skip


def address(base: str, path: str, model: str, version: str | None) -> str:
    """The URL of an operation of the deployment `model`.

    >>> address("https://me.openai.azure.com/", "/chat/completions", "gpt4", "2024-10-21")
    'https://me.openai.azure.com/openai/deployments/gpt4/chat/completions?api-version=2024-10-21'
    >>> address("https://me.openai.azure.com/openai/v1", "/embeddings", "ada", None)
    'https://me.openai.azure.com/openai/v1/embeddings'

    A base may name the deployment itself, or be the whole URL, as the portal shows it. Raises ValueError for no URL.
    """
    if model in (".", ".."):  # in a path they mean something else than a name, and quoting does not change that
        raise ValueError(f"{model!r} is no name of an Azure deployment")
    parts = split(base)
    prefix = parts.path.rstrip("/").removesuffix(path)
    query = dict(parse_qsl(parts.query))
    if version in _V1_VERSIONS:
        query |= _V1_VERSIONS[version]
        prefix = prefix if prefix.endswith(_V1) else prefix.removesuffix("/openai") + _V1
    elif not prefix.endswith(_V1):
        if "/deployments/" not in prefix:
            prefix = prefix.removesuffix("/openai") + f"/openai/deployments/{quote(model, safe='')}"
        if version or "api-version" not in query:
            query["api-version"] = version or VERSION
    return join(urlunsplit(parts._replace(path=prefix, query=urlencode(query))), path)
