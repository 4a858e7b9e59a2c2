"""The page at `/`: what runs here and how to call it. It is made once, and says nothing that needs a key."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable
from importlib import resources
from string import Template

import msgspec

from litellm._version import version

_INLINE = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)


class Page(msgspec.Struct, frozen=True):
    """A page and its content security policy, which allows what stands in the page and nothing else."""

    content: bytes
    policy: bytes


def page(served: Iterable[tuple[str, str, str]]) -> Page:
    """The page. served: method, path, and in a few words what it is for.

    >>> b"<code>GET /v1/models</code>" in page([("GET", "/v1/models", "the models")]).content
    True
    """
    rows = "\n".join(
        f"<tr><td><code>{html.escape(method)} {html.escape(path)}</code></td><td>{html.escape(words)}</td></tr>"
        for method, path, words in served
    )
    template = Template((resources.files(__package__) / "pages" / "home.html").read_text(encoding="utf-8"))
    text = template.substitute(version=html.escape(version), rows=rows)
    return Page(text.encode(), _policy(text).encode("ascii"))


def _policy(page: str) -> str:
    """Nothing may be loaded or sent anywhere; what stands in the page is known by its digest."""
    digests = {kind: _digest(text) for kind, text in _INLINE.findall(page)}
    return (
        f"default-src 'none'; script-src '{digests['script']}'; style-src '{digests['style']}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
