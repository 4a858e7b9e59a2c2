"""GET /: for people who open the gateway's address in a browser."""

from __future__ import annotations

from functools import cache

from litellm.operations import OPERATIONS
from litellm.proxy.http import Exchange
from litellm.proxy.state import Proxy
from litellm.proxy.ui import home


@cache
def _page() -> home.Page:
    served = [(row.method, f"/v1{row.path}", row.label) for row in OPERATIONS]
    return home.page([*served, ("GET", "/v1/models", "the models that your key may use")])


async def index(_: Proxy, http: Exchange) -> None:
    """What runs here and how to call it."""
    page = _page()
    http.answer(200, page.content, [(b"content-security-policy", page.policy)], b"text/html; charset=utf-8")
