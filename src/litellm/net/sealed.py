"""Values that hold credentials."""

from __future__ import annotations

from typing import NoReturn


class Sealed:
    """A base for them: printing one shows nothing of it, and pickling one is an error."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} may hold credentials and is not pickled")
