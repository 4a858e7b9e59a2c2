"""What a credential is, and what is shown in its place: the one reader of names, and the one mask of texts."""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, unquote

MASK: Final = "**********"
MIN_LENGTH: Final = 4  # characters of a secret; shorter ones stand in ordinary words

_WORDS = ("key", "token", "secret", "pass", "credential", "auth", "cookie", "bearer", "jwt", "pwd")  # one is in each
_LONGEST = 80  # characters of names that are remembered: they are anybody's
# A word for a credential anywhere in a name, or one that is also an ordinary word ("key", "token") at its end.
_CREDENTIAL = re.compile(
    r"secret|passw|passphrase|credential|authoriz|authentic|cookie|bearer|jwt"
    r"|aws_access_key"
    r"|(key|token|auth|pwd|(^|[-_. ])pass"
    r"|(api|access|auth|master|private|refresh|subscription)[-_. ]?(keys|tokens))"
    r"([-_. ]?(ids?|values?|texts?|headers?|v?\d+))*+$",  # possessive: names are anybody's, and must not take long
)
# Prices and names of cached texts, which end in such a word too.
_HARMLESS = re.compile(r"per_\w*token$|(cache|idempotency)[-_]?key$|^max_\w*token$")

_ONE_SPELLING = re.compile(r"[\w.~-]*", re.ASCII)  # nothing in it that URLs, JSON or HTML escape
_SCHEMES = frozenset({"bearer", "token", "key", "apikey", "api-key"})
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})

# What keys look like in the wild; used where text that we did not write (an upstream's error) is shown to people.
_KEYS = re.compile(r"\b(?:sk|pk|gsk|xai|hf|r8|nvapi|AIza|Bearer )[-_ ]?[A-Za-z0-9._\-]{11,}[A-Za-z0-9_\-]")


def names_credential(name: str) -> bool:
    """Whether a parameter, a setting, a header or a variable of this name holds a credential.

    >>> [names_credential(name) for name in ("api_key", "OPENAI_KEY", "aws_access_key_id", "X-Auth-Token")]
    [True, True, True, True]
    >>> [names_credential(name) for name in ("max_tokens", "input_cost_per_token", "keys", "prompt_cache_key")]
    [False, False, False, False]
    """
    lower = name.lower()
    for word in _WORDS:
        if word in lower:
            return _is_credential(lower) if len(lower) <= _LONGEST else _is_credential.__wrapped__(lower)
    return False


@lru_cache(maxsize=1024)
def _is_credential(name: str) -> bool:
    return _CREDENTIAL.search(name) is not None and _HARMLESS.search(name) is None


def spellings(*credentials: str | None) -> tuple[str, ...]:
    """Credentials, as values of headers or by themselves, in each spelling in which they leave or may come back.

    Without their scheme; of Basic, what it encodes; percent-encoded and -decoded; escaped as in JSON and in HTML. Those too
    short to be told from words are left out. The longest come first, so that masking one leaves no rest of another.

    >>> spellings("sk-1234", "Bearer sk-1234")
    ('sk-1234',)
    >>> sorted(spellings("Basic bWU6cGFzcw=="))
    ['bWU6cGFzcw%3D%3D', 'bWU6cGFzcw==', 'me%3Apass', 'me:pass', 'pass']
    """
    found: set[str] = set()
    for credential in credentials:
        bare = (credential or "").removeprefix("Bearer ")
        if not _ONE_SPELLING.fullmatch(bare):
            found |= _spelled(bare)
        elif len(bare) >= MIN_LENGTH:
            found.add(bare)
    return tuple(sorted(found, key=len, reverse=True))


def _spelled(credential: str) -> set[str]:
    scheme, _, rest = credential.partition(" ")
    if scheme.lower() == "basic":
        pair = _decoded(rest)
        plain = {rest, pair, pair.partition(":")[2]}
    else:
        plain = {rest if rest and scheme.lower() in _SCHEMES else credential}
    plain |= {unquote(text) for text in plain}
    found = plain | {quote(text, safe, errors="surrogatepass") for text in plain for safe in ("/", "")}
    in_json = {json.dumps(text, ensure_ascii=narrow)[1:-1] for text in plain for narrow in (True, False)}
    found |= in_json | {text.replace("/", "\\/") for text in in_json} | {text.translate(_HTML) for text in plain}
    return {text for text in found if len(text) >= MIN_LENGTH}


def _decoded(pair: str) -> str:
    try:
        return b64decode(pair).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def hide(text: str, secrets: Iterable[str]) -> str:
    """Replace `secrets` in `text`, also the beginning of one at its end, where a text was cut short.

    >>> hide("you sent sk-abcdefgh, I said: sk-abcd…", ["sk-abcdefgh"])
    'you sent **********, I said: **********…'
    """
    for secret in secrets:
        if len(secret) >= MIN_LENGTH:
            text = _without_beginning(text.replace(secret, MASK), secret)
    return text


def _without_beginning(text: str, secret: str) -> str:
    if not text.endswith("…"):
        return text
    rest = text[:-1]
    begun = next((n for n in range(len(secret) - 1, MIN_LENGTH - 1, -1) if rest.endswith(secret[:n])), 0)
    return f"{rest[:-begun]}{MASK}…" if begun else text


def mask(text: str, *secrets: str) -> str:
    """Replace `secrets`, and whatever looks like a key, in `text`.

    >>> mask("Incorrect API key provided: sk-abcdefghijklmnop.")
    'Incorrect API key provided: **********.'
    """
    return _KEYS.sub(MASK, hide(text, secrets))


def masked(
    value: Any,
    spared: tuple[str, ...] = (),
    leaf: Callable[[Any], Any] = lambda value: value,
    known: dict[int, Any] | None = None,
) -> Any:
    """A copy of a free-form object in which texts under a credential's name, and whatever looks like a key, are masked.

    spared: beginnings of names that only sound like a credential's. leaf: makes the copy of what is neither text nor
    container. known: for the copies of what was met before, so that an object may hold itself.

    >>> masked({"headers": {"Authorization": "Bearer x"}, "note": "see sk-abcdefghijklmnop", "n": [1, None]})
    {'headers': {'Authorization': '**********'}, 'note': 'see **********', 'n': [1, None]}
    """
    known = {} if known is None else known
    if isinstance(value, str):
        return mask(value)
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, Mapping):
        made: dict[Any, Any] = {}
        known[id(value)] = made
        for name, inner in value.items():
            text = isinstance(inner, str | bytes) and inner  # a schema may have a property called password
            hidden = text and names_credential(str(name)) and not str(name).startswith(spared)
            made[name] = MASK if hidden else masked(inner, spared, leaf, known)
        return made
    if isinstance(value, list | tuple | set | frozenset):
        items: list[Any] = []
        known[id(value)] = items
        items += (masked(inner, spared, leaf, known) for inner in value)
        return items
    return leaf(value)
