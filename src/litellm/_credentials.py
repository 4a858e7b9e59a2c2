"""What a credential is, and what is shown in its place: the one reader of names, and the one mask of texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

MASK: Final = "**********"
SHORTEST: Final = 4  # characters of a secret; shorter ones stand in ordinary words

# A word for a credential anywhere in a name, or one that is also an ordinary word ("key", "token") at its end.
_CREDENTIAL = re.compile(
    r"secret|passw|passphrase|credential|authoriz|authentic|cookie|bearer|jwt"
    r"|aws_access_key"
    r"|(key|token|auth|pwd|(^|[-_. ])pass"
    r"|(api|access|auth|master|private|refresh|subscription)[-_. ]?(keys|tokens))"
    r"([-_. ]?(ids?|values?|texts?|headers?|v?\d+))*$",
    re.IGNORECASE,
)
# Prices and names of cached texts, which end in such a word too.
_HARMLESS = re.compile(r"per_\w*token$|(cache|idempotency)[-_]?key$|^max_\w*token$", re.IGNORECASE)

# What keys look like in the wild; used where text that we did not write (an upstream's error) is shown to people.
_KEYS = re.compile(r"\b(?:sk|pk|gsk|xai|hf|r8|nvapi|AIza|Bearer )[-_ ]?[A-Za-z0-9._\-]{11,}[A-Za-z0-9_\-]")


def names_credential(name: str) -> bool:
    """Whether a parameter, a setting, a header or a variable of this name holds a credential.

    >>> [names_credential(name) for name in ("api_key", "OPENAI_KEY", "aws_access_key_id", "X-Auth-Token")]
    [True, True, True, True]
    >>> [names_credential(name) for name in ("max_tokens", "input_cost_per_token", "keys", "prompt_cache_key")]
    [False, False, False, False]
    """
    return _CREDENTIAL.search(name) is not None and _HARMLESS.search(name) is None


def mask(text: str, *secrets: str) -> str:
    """Replace `secrets`, and whatever looks like a key, in `text`.

    >>> mask("Incorrect API key provided: sk-abcdefghijklmnop.")
    'Incorrect API key provided: **********.'
    """
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, MASK)
    return _KEYS.sub(MASK, text)


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
