"""OpenAI's embeddings.

Source: https://platform.openai.com/docs/api-reference/embeddings. Many servers ignore `encoding_format`: whatever comes
is turned into what the caller asked for. base64 holds little-endian 32-bit floats.
"""

from __future__ import annotations

import re
from array import array
from base64 import b64decode, b64encode
from sys import byteorder
from typing import Any

import msgspec

from litellm import _json
from litellm.wire import openai_format
from litellm.wire.openai_client import accept, encoder, present, present_error, relabel
from litellm.wire.openai_format import SHAPE_ERRORS, Peek, error, excerpt, in_band, read_object, reports_error
from litellm.wire.protocol import Body, Outgoing, Payload, WrongShape
from litellm.wire.texts import texts

__all__ = [
    "NAME", "PATH", "accept", "decode", "encoder", "error", "peek", "present", "present_error", "relabel", "request",
    "texts",
]  # fmt: skip

NAME = "openai_embeddings"
PATH = "/embeddings"
MAX_PROMPTS = None

_KINDS = re.compile(rb'"embedding"\s*:\s*(.)')


def request(out: Outgoing) -> Payload:
    """The body, without an encoding_format that says nothing: several servers refuse a null or an empty one."""
    body = out.body
    if "encoding_format" in body and not body["encoding_format"]:
        body = {name: value for name, value in body.items() if name != "encoding_format"}
        out = msgspec.structs.replace(out, body=body)
    return openai_format.request(out)


def decode(data: bytes, out: Outgoing) -> Body:
    """An answer whose vectors are floats, or base64 if the request said so. Raises WrongShape, StreamFault."""
    answer = read_object(data)
    if not isinstance(answer.get("data"), list):
        if reports_error(answer):
            raise in_band(answer)
        raise WrongShape(f"the answer has no data: {excerpt(data)}")
    try:
        return fitted(answer, out.body.get("encoding_format"))
    except SHAPE_ERRORS as error:
        raise WrongShape(f"the answer is not shaped as one ({error}): {excerpt(data)}") from None


def fitted(answer: Body, encoding_format: Any) -> Body:
    """The answer with its vectors in the encoding that was asked for, and whatever else was left out.

    Raises one of SHAPE_ERRORS for what is no vector.
    """
    answer.setdefault("object", "list")
    wanted = _first_byte(encoding_format)
    convert = None if wanted is None else as_base64 if wanted == b'"' else as_floats
    for at, row in enumerate(answer["data"]):
        row.setdefault("object", "embedding")
        row.setdefault("index", at)
        if convert is not None:
            row["embedding"] = convert(row["embedding"])
    return answer


def _first_byte(encoding_format: Any) -> bytes | None:
    """What vectors of this encoding begin with; None for one that only the upstream knows."""
    if not encoding_format or encoding_format == "float":
        return b"["
    return b'"' if encoding_format == "base64" else None


def as_floats(vector: Any) -> Any:
    """A vector as a list of floats.

    >>> as_floats("AACAPwAAAEA=")
    [1.0, 2.0]
    """
    if not isinstance(vector, str):
        return vector
    floats = array("f")
    floats.frombytes(b64decode(vector, validate=True))
    if byteorder == "big":
        floats.byteswap()
    return floats.tolist()


def as_base64(vector: Any) -> Any:
    """A vector as base64.

    >>> as_base64([1.0, 2.0])
    'AACAPwAAAEA='
    """
    if not isinstance(vector, list):
        return vector
    try:
        floats = array("f", vector)
    except OverflowError as error:
        raise ValueError(f"a number is too large for 32 bits: {error}") from None
    if byteorder == "big":
        floats.byteswap()
    return b64encode(floats.tobytes()).decode()


class _EmbeddingsPeek(Peek, kw_only=True):
    data: msgspec.Raw
    object: str


_peek = msgspec.json.Decoder(_EmbeddingsPeek).decode


def peek(data: bytes, out: Outgoing) -> Peek | None:
    """The few fields, or None if the answer is not one that can be relayed unread: above all if its vectors are not in
    the encoding that was asked for."""
    try:
        seen = _peek(data)
        if not data.isascii():
            data.decode()
    except _json.UNREADABLE:
        return None
    wanted = _first_byte(out.body.get("encoding_format"))
    fitting = wanted is None or set(_KINDS.findall(data)) <= {wanted}
    return seen if fitting and bytes(seen.data).startswith(b"[") else None
