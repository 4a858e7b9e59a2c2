"""JSON, in the one dialect that the whole package speaks.

msgspec is used because it decodes and encodes a chat body in 3-4 µs, validates UTF-8 and never produces NaN.
"""

from __future__ import annotations

from typing import Any

import msgspec

DecodeError = msgspec.DecodeError


def _plain(value: Any) -> Any:
    """Let callers put pydantic objects (messages, tools) into a body as they stand."""
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise TypeError(f"{type(value).__name__} cannot be sent as JSON; pass plain dicts, lists, strings and numbers")
    return dump(exclude_none=True)


encode = msgspec.json.Encoder(enc_hook=_plain).encode
decode = msgspec.json.Decoder().decode

# All that decode() raises for bytes that are no JSON we can use: malformed, no UTF-8, nested too deeply.
UNREADABLE = (DecodeError, UnicodeDecodeError, RecursionError)
# All that encode() raises for what has no form in JSON. What could just be read may be too deep to be written further down
# the stack.
UNWRITABLE = (TypeError, ValueError, RecursionError)


def position(body: bytes, error: Exception) -> str:
    """Say where `error` (a DecodeError about `body`) lies, as "line 3 column 5", or nothing when it does not say.

    >>> try: decode(b'{"a": 1,}')
    ... except DecodeError as error: print(position(b'{"a": 1,}', error))
    line 1 column 9
    """
    _, marker, tail = str(error).rpartition("(byte ")
    if marker and tail[:-1].isdigit():
        offset = int(tail[:-1])
    elif isinstance(error, UnicodeDecodeError):
        offset = _not_utf8(body)
    elif "truncated" in str(error):
        offset = len(body)
    else:
        return ""
    before = body[:offset]
    return f"line {before.count(10) + 1} column {len(before) - (before.rfind(10) + 1) + 1}"


def _not_utf8(body: bytes) -> int:
    """Where `body` stops being UTF-8; msgspec counts from the beginning of the string that it stands in."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(body)
