"""Values that hold credentials."""

from __future__ import annotations

import re
from typing import NoReturn

_CREDENTIAL = re.compile(
    r"(key|token|secret|password|credentials?|authorization)$|^aws_(secret|access_key)", re.IGNORECASE
)
_PRICE = re.compile(r"cost_per_\w*token$", re.IGNORECASE)


def names_credential(name: str) -> bool:
    """Whether a setting of this name holds a credential.

    >>> [names_credential(name) for name in ("api_key", "aws_secret_access_key", "max_tokens", "input_cost_per_token")]
    [True, True, False, False]
    """
    return bool(_CREDENTIAL.search(name)) and not _PRICE.search(name)


class Sealed:
    """A base for them: printing one shows nothing of it, and pickling one is an error."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} may hold credentials and is not pickled")
