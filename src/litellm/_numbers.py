"""Numbers and switches as people write them into settings: also as text, which is what os.environ/NAME turns into."""

from __future__ import annotations

import math
from typing import Any


def parse_number(name: str, value: Any, *, least: float = 0.0) -> float | None:
    """`value` as a number; None stays None. Raises ValueError that names the field, for what is none or less than `least`.

    >>> parse_number("weight", "0.5")
    0.5
    """
    return None if value is None else _read(name, value, least, "a number")


def parse_int(name: str, value: Any, *, least: float = 0.0) -> int | None:
    """The same for a whole number.

    >>> parse_int("rpm", "10")
    10
    """
    if value is None:
        return None
    number = _read(name, value, least, "a whole number")
    if not number.is_integer():
        raise _wrong(name, value, least, "a whole number")
    return int(number)


def truthy(value: Any) -> bool:
    """What people mean by true in YAML, environment variables and databases: True, 1, "true", "True", "1".

    >>> truthy("true"), truthy("false"), truthy(None), truthy(1)
    (True, False, False, True)
    """
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1", "yes", "on")
    return bool(value)


def _read(name: str, value: Any, least: float, kind: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or number < least:
        raise _wrong(name, value, least, kind)
    return number


def _wrong(name: str, value: Any, least: float, kind: str) -> ValueError:
    shown = repr(value)[:50] if isinstance(value, bool | int | float | str) else type(value).__name__
    return ValueError(f"{name} must be {kind}{'' if math.isinf(least) else f', {least:g} or more'}, not {shown}")
