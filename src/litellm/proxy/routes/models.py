"""GET /models and /models/{id}."""

from __future__ import annotations

from typing import Any

from litellm import _json
from litellm.proxy.calls.calling import admitted
from litellm.proxy.errors import RequestError
from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy

CREATED = 1677610602  # the constant that LiteLLM reports


def _described(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "openai"}


async def index(proxy: Proxy, http: Exchange) -> None:
    """The names that can be asked for."""
    caller = await admitted(proxy, http)
    names = [name for name in proxy.pool.names() if caller.may_use(name)]
    if proxy.hooks is not None:
        names = await proxy.hooks.listed(names, caller.described())
    listed = {"data": [_described(name) for name in names], "object": "list"}
    http.answer(200, _json.encode(listed), [])


async def show(proxy: Proxy, http: Exchange) -> None:
    """One of them; names may contain slashes."""
    caller = await admitted(proxy, http)
    name = http.params["model"]
    if proxy.pool.find(name) is None or not caller.may_ask(name, proxy.pool):
        raise RequestError(
            404, f"The model {name[:200]!r} does not exist; GET /v1/models lists those that do", param="model"
        )
    http.answer(200, _json.encode(_described(name)), [])
