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
from litellm.wire.openai_format import ODD, Glance, error, excerpt, in_band, read_object
from litellm.wire.protocol import Body, Outgoing, WrongShape

__all__ = ["NAME", "PATH", "decode", "encode", "error", "glance"]

NAME = "openai_embeddings"
PATH = "/embeddings"

_KINDS = re.compile(rb'"embedding"\s*:\s*(.)')


def encode(out: Outgoing) -> bytes:
    """The body, without an encoding_format that says nothing: several servers refuse a null or an empty one."""
    body = out.body
    if "encoding_format" in body and not body["encoding_format"]:
        body = {name: value for name, value in body.items() if name != "encoding_format"}
    return openai_format.encode(Outgoing(out.model, body))


def decode(data: bytes, out: Outgoing) -> Body:
    """An answer whose vectors are floats, or base64 if the request said so. Raises WrongShape, StreamFault."""
    answer = read_object(data)
    if not isinstance(answer.get("data"), list):
        if answer.get("error"):
            raise in_band(answer)
        raise WrongShape(f"the answer has no data: {excerpt(data)}")
    try:
        return fitted(answer, out.body.get("encoding_format"))
    except ODD as error:
        raise WrongShape(f"the answer is not shaped as one ({error}): {excerpt(data)}") from None


def fitted(answer: Body, encoding_format: Any) -> Body:
    """The answer with its vectors in the encoding that was asked for, and whatever else was left out.

    Raises one of ODD for what is no vector.
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


class _EmbeddingsGlance(Glance, kw_only=True):
    data: msgspec.Raw
    object: str


_glance = msgspec.json.Decoder(_EmbeddingsGlance).decode


def glance(data: bytes, out: Outgoing) -> Glance | None:
    """The few fields, or None if the answer is not one that can be relayed unread: above all if its vectors are not in
    the encoding that was asked for."""
    try:
        seen = _glance(data)
    except _json.UNREADABLE:
        return None
    wanted = _first_byte(out.body.get("encoding_format"))
    fitting = wanted is None or set(_KINDS.findall(data)) <= {wanted}
    return seen if fitting and bytes(seen.data).startswith(b"[") else None
