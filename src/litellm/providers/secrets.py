"""What to mask should an upstream repeat it: registered where it goes into a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, TypedDict
from urllib.parse import parse_qsl, urlsplit

from litellm._credentials import MASK, MIN_LENGTH, names_credential, spellings
from litellm.providers.target import EndpointSpec, Target

# Characters of what good answers are searched for: "EMPTY" and "ollama" are given as keys, and stand in good answers.
MIN_LENGTH_IN_ANSWERS = 8


class Secrets(TypedDict):
    """The fields of a Target that say what is secret."""

    credentials: tuple[str, ...]
    secrets: tuple[str, ...]


def registered(
    spec: EndpointSpec, key: str | None, signed: Mapping[str, str], more: Mapping[str, str], address: str
) -> Secrets:
    """The credentials of an endpoint, and with them all else that is secret.

    signed: the headers that say on whose account the call is. more: those that were added. address: the API base as it was
    given, which may have a user, a password and a query.
    """
    login, query = _userinfo_and_query(address) if "@" in address or "?" in address else ((), ())
    named = (*more.items(), *spec.params.items(), *query)
    named_credentials = [text for name, text in named if isinstance(text, str) and names_credential(name)]
    credentials = spellings(key, *signed.values(), *named_credentials, *login[1:])
    others = (spec.organization, *more.values(), *login, *map(itemgetter(1), query))
    return {"credentials": credentials, "secrets": joined(credentials, others) if any(others) else credentials}


def joined(credentials: tuple[str, ...], others: Iterable[Any]) -> tuple[str, ...]:
    """Both, the longest first, so that masking one leaves no rest of another."""
    texts = {text for text in others if isinstance(text, str) and len(text) >= MIN_LENGTH}
    return tuple(sorted({*credentials, *texts}, key=len, reverse=True))


def added(target: Target, *credentials: str) -> Secrets:
    """Those of `target` and further credentials."""
    found = spellings(*credentials)
    return {"credentials": joined(target.credentials, found), "secrets": joined(target.secrets, found)}


def redacted_headers(headers: Mapping[str, str], target: Target) -> Mapping[str, str]:
    """The headers of a good answer without the credentials that it was asked with: as they came, if none is repeated, be it
    as a value or as a name, which is in lower case whatever was sent."""
    values, names = "\n".join(headers.values()), "\n".join(headers)
    for credential in target.credentials:
        if credential in values or credential.lower() in names:
            return {name: redacted_text(value, target) for name, value in headers.items() if not _is_echo(name, target)}
    return headers


def _is_echo(name: str, target: Target) -> bool:
    return any(len(each) >= MIN_LENGTH_IN_ANSWERS and each.lower() in name for each in target.credentials)


def redacted_text(text: str, target: Target) -> str:
    """The same of a text."""
    for credential in target.credentials:
        if len(credential) >= MIN_LENGTH_IN_ANSWERS:
            text = text.replace(credential, MASK)
    return text


def _userinfo_and_query(address: str) -> tuple[tuple[str | None, str | None], list[tuple[str, str]]]:
    """What stands in a URL beside the address: user and password, and the query."""
    parts = urlsplit(address)
    return (parts.username, parts.password), parse_qsl(parts.query)
